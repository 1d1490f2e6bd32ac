"""All ways to a page, put to the same random rows and requests, give what a few lines of Python give."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

import psycopg
import pytest
from psycopg.types.string import ByteaBinaryLoader

from tests.towns import Town
from twin_api.query import page as pages
from twin_api.query.box import mercator
from twin_api.query.page import Pages
from twin_api.store.collection import Collection, Description, Property
from twin_api.store.twin import Page, Statement, _as_page
from twin_api.texts import Text

ROWS: Final = 60
REQUESTS: Final = 30
PROPERTIES: Final = {"name": "text", "n": "integer", "x": "number", "open": "boolean", "day": "date"}
THINGS: Final = Collection(
    "things", Description(Text("x"), tuple(Property(n, t, Text(n)) for n, t in PROPERTIES.items()), "Point", 25832, None, "", ""),
    ROWS, (11.0, 49.0, 12.0, 50.0), None, "1",
)  # fmt: skip
TABLES: Final = """
DROP SCHEMA IF EXISTS ways CASCADE;
CREATE SCHEMA ways;
CREATE TABLE ways.collection (name text, description jsonb, count bigint, bbox float8[], starts timestamptz, ends timestamptz,
  shown_until timestamptz, version text);
CREATE TABLE ways._closed (collection text);
CREATE TABLE ways.things (id uuid PRIMARY KEY, _place text COLLATE "C", _feature text COLLATE "C", _mercator postgis.geometry,
  name text COLLATE "C", n bigint, x float8, open boolean, day date);
CREATE INDEX ON ways.things (_place, id);
CREATE INDEX ON ways.things USING gist (_mercator);
INSERT INTO ways.collection (name, count, version) VALUES ('things', 0, '1');
"""


@dataclass(frozen=True)
class Row:
    id: UUID
    place: str
    feature: str
    at: tuple[float, float] | None  # degrees
    values: tuple[Any, ...]


def draw_row(chance: random.Random, longest: int) -> Row:
    """Few places and values, so that there are ties; some texts long, some without a place."""
    id = UUID(int=chance.getrandbits(128))
    at = None if chance.random() < 0.15 else (11 + chance.randrange(100) / 100, 49 + chance.randrange(100) / 100)
    text = chance.choice("äxß☃") * chance.choice([0, 1, chance.randrange(longest), longest])
    values = [
        chance.choice(["", "a", "ä", "Z", "a" * 128 + chance.choice("xy"), "☃" * 128]), chance.choice([-1, 0, 2**62]),
        chance.choice([0.1, -1e300, 5e-324]), chance.random() < 0.5, chance.choice(["2024-02-29", "1970-01-01"]),
    ]  # fmt: skip
    shown = [None if chance.random() < 0.3 else value for value in values]
    return Row(id, "" if at is None else chance.choice(["u0", "u1", "u17", "uz"]), f'{{"id":"{id}","t":"{text}"}}', at, tuple(shown))


def draw_request(chance: random.Random) -> list[tuple[str, str]]:
    asked = [("limit", str(chance.choice([1, 2, 3, 7, 20, ROWS - 1, ROWS, 10_000])))]
    if chance.random() < 0.6:
        west, east, south, north = (chance.randrange(-10, 110) / 100 + 0.005 for _ in range(4))
        west, east = (west, east) if chance.random() < 0.2 else sorted((west, east))
        asked.append(("bbox", f"{11 + west},{49 + min(south, north)},{11 + east},{49 + max(south, north)}"))
    for name, text in (("name", "a"), ("n", "0"), ("open", "true"), ("x", "-1e300")):
        if chance.random() < 0.15:
            asked.append((name, text))
    if chance.random() < 0.5:
        by = chance.sample(list(PROPERTIES), chance.randrange(1, 4))
        asked.append(("sortby", ",".join(chance.choice(["", "-"]) + name for name in by)))
    return asked


def walk_by_hand(rows: Sequence[Row], asked: dict[str, str], by_line: bool, counted: int, page_bytes: int) -> Iterator[tuple[Any, ...]]:
    """Matched, features and whether there are more, page by page."""
    found = sorted((row for row in rows if matches(row, asked)), key=lambda row: (row.place, row.id))
    for word in reversed([word for word in asked.get("sortby", "").split(",") if word]):
        number = list(PROPERTIES).index(word.lstrip("-"))
        known = [row for row in found if row.values[number] is not None]
        known.sort(key=lambda row, number=number: _compared(row.values[number]), reverse=word.startswith("-"))
        found = known + [row for row in found if row.values[number] is None]
    is_narrow = asked.keys() - {"limit", "sortby"}
    matched = 0 if not is_narrow else len(found) if len(found) <= counted else None  # the count of the collection is put down as none
    start = 0
    while True:
        end, octets = start, 0
        while end < min(len(found), start + int(asked["limit"])) and octets < page_bytes:
            octets += len(found[end].feature.encode())
            end += 1
        yield matched, ("\n" if by_line else ",").join(row.feature for row in found[start:end]).encode(), end - start, end < len(found)
        start = end
        if start >= len(found):
            return


def _compared(value: Any) -> Any:
    return value[:128] if isinstance(value, str) else value


def matches(row: Row, asked: dict[str, str]) -> bool:
    told = dict(zip(PROPERTIES, row.values, strict=True))
    wanted: dict[str, Any] = {"name": "a", "n": 0, "open": True, "x": -1e300}
    if any(name in asked and told[name] != value for name, value in wanted.items()):
        return False
    if "bbox" not in asked or row.at is None:
        return True
    west, south, east, north = map(float, asked["bbox"].split(","))
    is_within = west <= row.at[0] <= east if west <= east else row.at[0] >= west or row.at[0] <= east
    return is_within and south <= row.at[1] <= north


@contextmanager
def stored(town: Town, rows: Sequence[Row]) -> Iterator[psycopg.Connection[Any]]:
    with town.superuser() as connection:
        connection.execute(TABLES.encode())
        columns = f"id, _place, _feature, {', '.join(PROPERTIES)}, _mercator"
        point = "postgis.ST_SetSRID(postgis.ST_MakePoint(%s, %s), 3857)"
        sql = f"INSERT INTO ways.things ({columns}) VALUES ({', '.join(['%s'] * (3 + len(PROPERTIES)))}, {point})".encode()
        for row in rows:
            place = mercator(*row.at) if row.at else (None, None)
            connection.execute(sql, [row.id, row.place, row.feature, *row.values, *place])
        connection.execute("SET search_path = postgis")
        connection.adapters.register_loader("text", ByteaBinaryLoader)
        yield connection
        connection.execute("DROP SCHEMA ways CASCADE")


def read(connection: psycopg.Connection[Any], statement: Statement) -> tuple[Any, ...]:
    rows = connection.execute(statement.sql.encode(), statement.params, binary=True).fetchall()
    assert len(rows) == 1
    return tuple(rows[0])


def answer(connection: psycopg.Connection[Any], query: Pages, first: pages.Way, monkeypatch: pytest.MonkeyPatch) -> tuple[Page, bool]:
    """As the twin does it: the other way where the first was not enough."""
    monkeypatch.setattr(Pages, "_way", lambda _: first)
    row = read(connection, query.statement("ways"))
    is_enough = bool(row[2])
    return _as_page(THINGS, row if is_enough else read(connection, query.statement("ways", quick=False))), is_enough


@pytest.mark.parametrize(("longest", "page_bytes", "counted"), [(40, 10**6, 10**5), (40, 900, 10**5), (3000, 900, 10**5), (40, 900, 9)])
def test_every_way_to_a_page_gives_the_same(
    town: Town, monkeypatch: pytest.MonkeyPatch, longest: int, page_bytes: int, counted: int
) -> None:
    seed = random.randrange(10**6)
    print("seed", seed)
    chance = random.Random(seed)
    rows = [draw_row(chance, longest) for _ in range(ROWS)]
    monkeypatch.setattr(pages, "PAGE_BYTES", page_bytes)
    monkeypatch.setattr(pages, "COUNTED", counted)
    monkeypatch.setattr(pages, "_compile", lru_cache(maxsize=None)(pages._text))  # the bounds stand in the text
    enough = []
    with stored(town, rows) as connection:
        for _ in range(REQUESTS):
            asked, by_line = draw_request(chance), chance.random() < 0.5
            told = dict(asked)
            query: Pages = Pages.of(THINGS, asked, by_line=by_line)
            quick = pages._near if query.window.shape else pages._uncounted if not query.window.order else pages._general
            for matched, features, returned, more in walk_by_hand(rows, told, by_line, counted, page_bytes):
                for way in {quick, pages._general}:
                    page, is_enough = answer(connection, query, way, monkeypatch)
                    assert (page.matched, page.features, page.returned) == (matched, features, returned), (asked, way)
                    assert (page.last is not None) is more, (asked, way)
                    enough.append(is_enough) if way is not pages._general else None
                if page.last is None or chance.random() < 0.3:
                    break
                query = query._at(query.window.limit, page.last)
    assert len(set(enough)) == (1 if page_bytes == 10**6 else 2)
