"""Figures are the declared exception: they speak of hidden rows. So they speak of many at once, and rest between their days."""

from __future__ import annotations

from random import Random
from typing import Any

import orjson
import pytest

from tests.noninterference.asking import Request
from tests.noninterference.changes import Changes
from tests.noninterference.rows import grants_of
from tests.noninterference.towns import Pair
from tests.towns import DAY
from twin_api.policy.evaluate import is_shown, standing_point
from twin_api.policy.rule import Row

LEAST = 5  # `at_least` of the citizens' figures


def _items(pair: Pair, side: int = 0) -> dict[str, Any]:
    answer = pair.ask(Request("/citizen/collections/schachtzahlen/items?limit=100"))[side]
    return {feature["properties"]["name"]: feature["properties"] for feature in orjson.loads(answer.body)["features"]}


def _members(pair: Pair) -> dict[str, int]:
    """How many manholes really lie in each district."""
    grant, world = grants_of(pair.left.policies, "citizen", DAY)["schachtzahlen"], pair.left.world
    held: dict[str, int] = {str(area["name"]): 0 for area in world.areas["ortsteile"]}
    for row in pair.left.rows["kanalschaechte"].values():
        if is_shown(grant, row, world) and (name := _district(pair, row)):
            held[name] += 1
    return held


def _district(pair: Pair, row: Row) -> str | None:
    area = pair.left.world.area_of("ortsteile", ("name",), standing_point(row["geometry"]))
    return None if area is None else str(area["name"])


@pytest.mark.slow
def test_no_figure_speaks_of_few_and_none_can_be_had_by_subtraction(pair: Pair, seed: int) -> None:
    seen = 0
    for number in range(3):
        _settled(pair, f"{seed} {number}")
        shown, held = _items(pair), _members(pair)
        told = {name for name, properties in shown.items() if properties["anzahl"] is not None}
        assert all(held[name] == 0 or held[name] >= LEAST for name in told)
        withheld = [many for name, many in held.items() if name not in told and many]
        # whoever knows the total takes away what is told: what is left are several groups, and not a few of them
        assert not told or not withheld or (len(withheld) >= 2 and sum(withheld) >= LEAST)
        assert all(properties["sanierungsbedarf"] not in (0, 100) for properties in shown.values())
        seen += len(told)
    assert seen > 0


@pytest.mark.slow
def test_figures_rest_whatever_is_written_and_move_when_they_are_taken_anew(pair: Pair, seed: int) -> None:
    _settled(pair, f"{seed} resting")
    before = _items(pair)
    rows = list(pair.left.rows["kanalschaechte"].values())
    kept = [row["id"] for row in rows if _district(pair, row)][:2]
    for row in rows:
        if row["id"] not in kept:
            pair.left.delete("kanalschaechte", row["id"])
    assert _items(pair) == before
    pair.left.refresh_figures()
    assert all(properties["anzahl"] is None for properties in _items(pair).values())
    assert _items(pair, 1) == before


@pytest.mark.slow
def test_figures_taken_anew_of_what_is_alike_are_others_and_alike(pair: Pair, seed: int) -> None:
    for side in pair.sides:
        side.clear()
    changes = Changes(pair, "citizen", Random(f"{seed} anew"))
    changes.fill()
    told = [_items(pair)]
    for _ in range(6):
        changes.change_figures("")
        assert _items(pair) == _items(pair, 1)
        assert changes.differ() == []
        told.append(_items(pair))
    assert any(one != told[0] for one in told)


def _settled(pair: Pair, seed: str) -> None:
    """Both towns with the same rows and figures of them."""
    for side in pair.sides:
        side.clear()
    Changes(pair, "citizen", Random(seed)).fill(scattered=False)
