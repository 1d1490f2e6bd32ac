"""No attack beats the cell or the band that a policy declares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.leaks.masks import targets
from tests.leaks.masks.attack import FINEST, Attacker, distinct_answers, find_finer, point, to_degrees
from tests.publish.test_upkeep import LANGUAGE, square, tree
from tests.towns import Town


@pytest.fixture(scope="module")
def kanaria(new_town: Callable[..., Town]) -> Town:
    town = new_town()
    town.write("UPDATE store.kanalschaechte SET zustand = 'schlecht' WHERE schacht_nr IN ('CANARY-schacht-2', 'CANARY-schacht-5')")
    return town


@pytest.fixture(scope="module")
def of_every_word(new_town: Callable[..., Town]) -> Town:
    town = new_town(LANGUAGE, rows=False, apply=False)
    town.edit("layers/baeume.yaml", "attributes:\n", "datetime: gepflanzt\nattributes:\n")
    town.settle(rows=False)
    town.insert("ortsteile", [{"name": "Nord", "geometry": square(0, 1000, 1000)}, {"name": "Sued", "geometry": square(0, 0, 1000)}])
    town.insert("baeume", [tree(number, 20.0 * number + 5, 500.0 if number % 4 else 1500.0) for number in range(8)])
    return town


@pytest.mark.parametrize("target", [targets.MANHOLE_PLACE, targets.MANHOLE_YEAR], ids=["grid", "rounded"])
def test_nothing_finer_than_a_cell_of_the_grid_or_a_step_is_learnt(kanaria: Town, target: targets.Target) -> None:
    assert find_finer(kanaria, target) == []


@pytest.mark.parametrize(
    "target", [targets.TREE_AREA, targets.TREE_BAND, targets.TREE_YEAR, targets.TREE_MONTH], ids=["area", "band", "year", "month"]
)
def test_nothing_finer_than_an_area_a_band_or_a_unit_of_time_is_learnt(of_every_word: Town, target: targets.Target) -> None:
    assert find_finer(of_every_word, target) == []


def test_bisection_by_boxes_ends_at_the_centre_of_the_cell(kanaria: Town) -> None:
    target = targets.MANHOLE_PLACE
    target.set(kanaria, {"geometry": point(targets.X + 13.37, targets.Y + 77.7, 415)})
    centre = to_degrees(targets.X + 50, targets.Y + 50)
    assert Attacker(kanaria, target).bisected_place(_id(kanaria, target)) == pytest.approx(centre, abs=3 * FINEST)


def _id(town: Town, target: targets.Target) -> str:
    with town.superuser() as connection:
        row = connection.execute(f"SELECT id FROM store.{target.layer} WHERE {target.key[0]} = %s".encode(), [target.key[1]]).fetchone()
    assert row is not None
    return str(row[0])


def test_neighbours_in_one_cell_do_not_betray_who_lies_where(kanaria: Town) -> None:
    """Their order is that of their ids, wherever in the cell they are, and whoever comes or goes besides."""
    other = replace(targets.MANHOLE_PLACE, key=("schacht_nr", "CANARY-schacht-5"))
    other.set(kanaria, {"geometry": point(targets.X + 50, targets.Y + 50, 400)})
    corners = [{"geometry": point(targets.X + dx, targets.Y + dy, 400)} for dx, dy in ((1, 1), (99, 99), (1, 99), (50, 50))]
    assert find_finer(kanaria, replace(targets.MANHOLE_PLACE, within=corners, beyond=())) == []


@pytest.mark.parametrize("times", [200, pytest.param(10_000, marks=pytest.mark.long)])
def test_asking_again_and_writing_again_gives_one_value(kanaria: Town, times: int) -> None:
    target = targets.MANHOLE_PLACE
    client, address = kanaria.client_for("council"), f"collections/kanalschaechte/items/{_id(kanaria, target)}"
    assert distinct_answers(client, address, times) == 1
    found = set()
    for number in range(20):
        target.set(kanaria, {"geometry": point(targets.X + number * 5 + 0.3, targets.Y + 99 - number * 4.7, 400 + number)})
        found.add(client.get(address).content)
    assert len(found) == 1
