"""Leaks planted on purpose turn the harness red; without one it stays green."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.leaks.planted.plant import view
from tests.noninterference import harness
from tests.noninterference.buffers import Measuring, find_interference_in_time
from tests.noninterference.changes import Changes
from tests.noninterference.harness import find_interference
from tests.noninterference.towns import Pair, Side
from twin_api.door import door as door_module
from twin_api.problems import NotFound
from twin_api.query import page, window
from twin_api.store.twin import ItemQuery, Twin

Patch = pytest.MonkeyPatch
Ask = Callable[[Twin, str], Any]


@pytest.fixture
def ask(pair: Pair) -> Iterator[Ask]:
    """A question to a twin's whole database, as somebody who may ask everything."""
    connections = {side.town.database: side.town.superuser() for side in pair.sides}

    def asked(twin: Twin, query: str) -> Any:
        row = connections[twin._pool._server.database].execute(query.encode()).fetchone()
        return row[0] if row else None

    yield asked
    for connection in connections.values():
        connection.close()


def _etag_of_row_versions(patch: Patch, ask: Ask) -> None:
    answered = door_module.cached_response

    async def versioned(scope: Any, twin: Twin, answer: Any) -> Any:
        response = await answered(scope, twin, answer)
        response.headers["ETag"] = f'"{ask(twin, "SELECT sum(xmin::text::bigint) FROM store.baeume")}"'
        return response

    patch.setattr(door_module, "cached_response", versioned)


def _count_of_the_planner(patch: Patch, ask: Ask) -> None:
    read = Twin.page

    async def estimated(self: Twin, query: Any) -> Any:
        name = "baeume" if query.collection.name == "baeume" else "sitzungen"
        rows = ask(self, f"SELECT count(*) FROM store.{name}")
        return replace(await read(self, query), matched=rows)

    patch.setattr(Twin, "page", estimated)


def _extent_of_the_store(patch: Patch, ask: Ask) -> None:
    read = Twin.collections

    async def whole(self: Twin) -> Any:
        west = ask(self, "SELECT postgis.ST_XMin(postgis.ST_Extent(geometry)) FROM store.baeume")
        return [replace(c, bbox=(west, *c.bbox[1:])) if c.bbox else c for c in await read(self)]

    patch.setattr(Twin, "collections", whole)


def _order_on_disk(patch: Patch, ask: Ask) -> None:
    keyed = page._next

    def unordered(keys: Any, order: Any, resumes: bool, *shown: Any) -> Any:
        return keyed(keys, order, False, *shown).order_by(None)

    patch.setattr(page, "_next", unordered)


def _hidden_names_as_a_hint(patch: Patch, ask: Ask) -> None:
    patch.setattr(window, "PARAMETERS", (*window.PARAMETERS, "vermerk", "antragsteller", "baumpate"))


def _one_cache_for_all(patch: Patch, ask: Ask) -> None:
    answered, kept = door_module.cached_response, dict[tuple[str, str], Any]()

    async def cached(scope: Any, twin: Twin, answer: Any) -> Any:
        told = kept.setdefault((twin._pool._server.database, f"{scope['path']}?{scope['query_string'].decode()}"), answer)
        return await answered(scope, twin, told)

    patch.setattr(door_module, "cached_response", cached)


def _looked_for_in_the_store(patch: Patch, ask: Ask) -> None:
    """The same answer, but a statement more where the item is there and hidden."""
    read = Twin.item

    async def looked_for(self: Twin, query: ItemQuery) -> Any:
        try:
            return await read(self, query)
        except NotFound:
            if ask(self, f"SELECT count(*) FROM store.baeume WHERE id = '{query.id}'"):
                await self.about()
            raise

    patch.setattr(Twin, "item", looked_for)


def _count_of_what_is_withdrawn(patch: Patch, ask: Ask) -> None:
    read = Twin.page

    async def counted(self: Twin, query: Any) -> Any:
        page = await read(self, query)
        return replace(page, matched=page.matched + ask(self, "SELECT count(*) FROM published.withdrawn"))

    patch.setattr(Twin, "page", counted)


def _borders_that_are_hidden(patch: Patch, ask: Ask) -> None:
    read = Twin.collections

    async def reaching(self: Twin) -> Any:
        east = ask(self, "SELECT min(postgis.ST_XMax(geometry)) FROM store.reviere")
        return [replace(c, bbox=(*c.bbox[:2], east, c.bbox[3])) if c.bbox else c for c in await read(self)]

    patch.setattr(Twin, "collections", reaching)


PLANTED = (
    _etag_of_row_versions,
    _count_of_the_planner,
    _extent_of_the_store,
    _order_on_disk,
    _hidden_names_as_a_hint,
    _one_cache_for_all,
    _looked_for_in_the_store,
    _count_of_what_is_withdrawn,
    _borders_that_are_hidden,
)
EACH_TIME = (_etag_of_row_versions, _order_on_disk, _one_cache_for_all)
EACH_TIME_OR_LONG = [plant if plant in EACH_TIME else pytest.param(plant, marks=pytest.mark.long) for plant in PLANTED]


@pytest.mark.slow
@pytest.mark.parametrize("plant", EACH_TIME_OR_LONG, ids=lambda plant: plant.__name__.strip("_"))
def test_a_planted_leak_is_found(pair: Pair, plant: Callable[[Patch, Ask], None], ask: Ask, monkeypatch: Patch) -> None:
    page._compile.cache_clear()
    page._compile_own.cache_clear()
    plant(monkeypatch, ask)
    try:
        assert any(find_interference(pair, "citizen", 1000, seed) for seed in (7, 8, 9))
    finally:
        page._compile.cache_clear()
        page._compile_own.cache_clear()


@pytest.mark.slow
def test_a_statement_that_passes_over_hidden_rows_is_found_by_its_buffers(pair: Pair, monkeypatch: Patch) -> None:
    settle = Measuring._settle

    def spoilt(run: Measuring) -> Changes:
        writes = settle(run)
        for side in pair.sides:
            view("citizen", "baeume", "(SELECT o.* FROM {all} JOIN {own} o USING (id))")(side.town, monkeypatch)
        return writes

    monkeypatch.setattr(Measuring, "_settle", spoilt)
    monkeypatch.setattr(harness, "EDITED_EACH", 10**6)  # an apply would find the planted view in its way
    try:
        found = find_interference_in_time(pair, "citizen", 1000, 7, Counter())
    finally:
        for side in pair.sides:
            view("citizen", "baeume")(side.town, monkeypatch)
    assert [told for told in found if "buffers" in told] != []


@pytest.mark.slow
def test_a_row_of_a_collection_that_hidden_writes_touch_is_found(pair: Pair, monkeypatch: Patch) -> None:
    """With the same figures: only the database could tell, by the room that old versions take."""
    written = Side.run

    def touching(side: Side, login: str, *told: Any) -> Any:
        done = written(side, login, *told)
        with side.town.superuser() as connection:
            connection.execute("UPDATE citizen.collection SET count = count")
        return done

    monkeypatch.setattr(Side, "run", touching)
    assert any("collection" in told for told in find_interference_in_time(pair, "citizen", 200, 7, Counter()))
