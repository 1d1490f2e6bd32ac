"""Nothing that can be asked goes unasked: what has no words for it is told."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest

from tests.noninterference import requests
from tests.noninterference.asking import Answer
from tests.noninterference.changes import ALIKE, ALONE
from tests.noninterference.channels import FULL, LEAST, REACHED, unreached
from tests.noninterference.harness import PER_TURN, compare, draw_changes
from tests.noninterference.requests import KINDS, Draw, Requests, Undrawn
from twin_api.block import Block, Route
from twin_api.blocks import features

DOCUMENT = orjson.loads((Path(__file__).parents[2] / "openapi" / "citizen.json").read_bytes())


def _requests(document: Any = DOCUMENT) -> Requests:
    return Requests("citizen", document, ["council"], KINDS)


def test_every_route_of_the_application_is_drawn() -> None:
    assert _requests().undrawn == []


def test_a_new_route_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    room = Block("new", (Route("/new/{thing}", features.get_items, lambda collections: {}),))
    monkeypatch.setattr(requests, "BLOCKS", (room,))
    drawn = _requests()
    assert "the route `/new/{thing}` is missing in the OpenAPI document" in drawn.undrawn
    with pytest.raises(Undrawn, match="thing"):
        drawn._any_route(Draw(Random(1), ""), None)  # type: ignore[arg-type]  # the words are not asked


def test_a_method_or_a_header_that_nobody_draws_is_told() -> None:
    with pytest.raises(Undrawn, match="patch"):
        _requests({"paths": {"/": {"get": {}, "patch": {}}}})
    with pytest.raises(Undrawn, match="header"):
        _requests({"paths": {"/": {"get": {"parameters": [{"name": "x", "in": "header"}]}}}})


@pytest.mark.parametrize(
    "other",
    [
        Answer(404, ((b"etag", b"a"), (b"vary", b"b")), b"{}"),
        Answer(200, ((b"etag", b"b"), (b"vary", b"b")), b"{}"),
        Answer(200, ((b"vary", b"b"), (b"etag", b"a")), b"{}"),
        Answer(200, ((b"etag", b"a"), (b"vary", b"b")), b"{ }"),
    ],
)
def test_answers_that_differ_in_anything_differ(other: Answer) -> None:
    assert list(compare(Answer(200, ((b"etag", b"a"), (b"vary", b"b")), b"{}"), other)) != []


@pytest.mark.parametrize("seed", range(5))
def test_in_the_turns_of_a_run_every_change_is_drawn_again_and_again(seed: int) -> None:
    random = Random(seed)
    drawn = Counter(change for _ in range(FULL // PER_TURN) for change, *_ in draw_changes(random, ALONE))
    assert min(drawn[change] for change in (*ALONE, *ALIKE)) >= 3


def test_a_channel_that_is_reached_too_seldom_is_told() -> None:
    counts = Counter(dict.fromkeys(REACHED, LEAST))
    assert unreached(counts, FULL) == []
    assert unreached(counts - Counter({38: 1}), FULL) == [38]
