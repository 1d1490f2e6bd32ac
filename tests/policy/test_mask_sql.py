"""Bands, truncation, reviewed texts and areas in PostgreSQL: what the Python reference says, for every value a column can hold."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import shapely
import sqlalchemy as sa

from tests.towns import Connection, Town
from twin_api.layers.table import COLUMN_TYPES
from twin_api.policy.evaluate import standing_point
from twin_api.policy.masks import Area, Band, Reviewed, Truncate, ValueMask
from twin_api.policy.rule import World
from twin_api.publish.statement import sql_text

WHOLE = [-(2**63), -1, 0, 1, 9, 10, 11, 49, 50, 51, 2**53 + 1, 2**63 - 1]
DOUBLES = [
    -1.7976931348623157e308,
    -0.0,
    0.0,
    0.1,
    0.1 + 0.2,
    0.3,
    0.30000000000000004,
    9.999999999999998,
    10.0,
    5e-324,
    1e15,
    1.7976931348623157e308,
]
DAYS = [date(1, 1, 1), date(1899, 12, 31), date(2024, 2, 29), date(2026, 1, 1), date(2026, 12, 31), date(9999, 12, 31)]
MOMENTS = [
    datetime(1, 1, 1, tzinfo=UTC),
    datetime(2026, 1, 1, tzinfo=UTC),
    datetime(2025, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    datetime(2026, 3, 29, 1, 30, tzinfo=UTC),
    datetime(9999, 12, 31, 23, tzinfo=UTC),
]


@pytest.fixture(scope="module")
def connection(town: Town) -> Iterator[Connection]:
    with town.login("owner") as connection:
        yield connection


def masked(connection: Connection, mask: ValueMask, type_: str, cast: str, values: Sequence[Any]) -> list[Any]:
    expression = sql_text(sa.select(mask.sql(sa.column("v", COLUMN_TYPES[type_]))))
    query = f"{expression} FROM unnest(%s::{cast}[]) WITH ORDINALITY AS specimen (v, n) ORDER BY n"
    return [row[0] for row in connection.execute(query.encode(), [[*values, None]]).fetchall()]


@pytest.mark.parametrize("limits", [[10], [0, 10, 50], [-1, 0.1, 0.3], [-1e15, 1e15], [0.30000000000000004]])
@pytest.mark.parametrize(("type_", "cast", "values"), [("integer", "bigint", WHOLE), ("number", "float8", DOUBLES)])
def test_a_band_as_sql_is_that_of_the_reference(
    connection: Connection, limits: list[float], type_: str, cast: str, values: list[float]
) -> None:
    mask = Band.parse(limits, type_)
    draw = random.Random(11)
    near = [float(limit) + draw.uniform(-1, 1) for limit in limits for _ in range(20)]
    every = [*values, *(near if type_ == "number" else map(int, near))]
    assert masked(connection, mask, type_, cast, every) == [*map(mask.value, every), None]


@pytest.mark.parametrize("unit", ["year", "month"])
@pytest.mark.parametrize(("type_", "cast", "values"), [("date", "date", DAYS), ("datetime", "timestamptz", MOMENTS)])
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Pacific/Kiritimati"])
def test_a_truncated_time_as_sql_is_that_of_the_reference(
    connection: Connection, unit: str, type_: str, cast: str, values: list[Any], zone: str
) -> None:
    mask = Truncate(unit)
    draw = random.Random(12)
    inner = values[1:-1]  # a year 0 or 10000, as another zone would show the outermost, has no Python
    every = [*inner, *(draw.choice(inner) + timedelta(days=draw.randint(-9999, 9999)) for _ in range(50))]
    connection.execute(f"SET TIME ZONE '{zone}'".encode())
    assert masked(connection, mask, type_, cast, every) == [*map(mask.value, every), None]
    connection.execute("SET TIME ZONE 'UTC'")
    assert masked(connection, mask, type_, cast, values) == [*map(mask.value, values), None]


def test_a_reviewed_text_as_sql_is_that_of_the_reference(connection: Connection) -> None:
    mask = Reviewed("gelesen")
    source = sa.table("specimen", sa.column("t", COLUMN_TYPES["text"]), sa.column("gelesen", sa.Boolean())).alias("r")
    expression = sql_text(sa.select(mask.sql(source.c.t), source.c.t, source.c.gelesen))
    connection.execute(
        "CREATE TEMP TABLE specimen AS SELECT * FROM (VALUES ('x', true), ('x', false), ('x', NULL), (NULL, true)) AS s (t, gelesen)"
    )
    rows = connection.execute(expression.encode()).fetchall()
    connection.execute("DROP TABLE specimen")
    assert len(rows) == 4
    assert all(found == mask.value(text, {"gelesen": mark}) for found, text, mark in rows)


@pytest.fixture(scope="module")
def areas(new_town: Callable[..., Town]) -> Iterator[tuple[Connection, World]]:
    """Squares that touch, one over another, and one in two pieces, as rows of a layer in the store."""
    town = new_town(rows=False)
    shapes = {
        "a": shapely.box(0, 0, 10, 10), "b": shapely.box(10, 0, 20, 10), "C": shapely.box(5, 5, 15, 15), "ä": shapely.box(20, 0, 30, 10),
        "d": shapely.union(shapely.box(40, 0, 45, 5), shapely.box(60, 0, 61, 1)),
    }  # fmt: skip
    multiple = {name: shape if shape.geom_type == "MultiPolygon" else shapely.MultiPolygon([shape]) for name, shape in shapes.items()}
    town.insert("bauantraege", [{"aktenzeichen": name, "geometry": f"SRID=25832;{shape.wkt}"} for name, shape in multiple.items()])
    town.insert("bauantraege", [{"aktenzeichen": "0 ohne Fläche"}])
    rows = [{"aktenzeichen": name, "geometry": shape} for name, shape in multiple.items()]
    with town.login("owner") as connection:
        yield connection, World({"bauantraege": [*rows, {"aktenzeichen": "0 ohne Fläche", "geometry": None}]})


def _specimens() -> list[Any]:
    draw = random.Random(13)
    corners = [(x, y) for x in (-5, 0, 5, 10, 15, 20, 30, 42, 60.5) for y in (0, 0.5, 5, 10, 20)]
    points = [*(shapely.Point(x, y) for x, y in corners), *(shapely.Point(draw.uniform(-5, 65), draw.uniform(-5, 20)) for _ in range(60))]
    lines = [shapely.LineString([(draw.uniform(0, 65), draw.uniform(0, 15)) for _ in range(3)]) for _ in range(40)]
    return [*points, *lines, *(line.buffer(2) for line in lines[:20]), shapely.box(8, 2, 12, 4)]


def test_an_area_as_sql_is_that_of_the_reference(areas: tuple[Connection, World]) -> None:
    connection, world = areas
    for specimen in _specimens():
        mask = Area("bauantraege", specimen.geom_type == "Point", ("aktenzeichen",))
        query = sql_text(sa.select(sa.func.ST_AsText(mask.sql(sa.column("g")))))
        place = f"FROM (SELECT ST_GeomFromText('{specimen.wkt}', 25832) AS g) AS one"
        row = connection.execute(f"{query} {place}".encode()).fetchone()
        assert row is not None
        assert _as_point(row[0]) == _reference(mask, specimen, world), specimen.wkt


def _as_point(text: str | None) -> tuple[float, ...] | None:
    return None if text is None else shapely.from_wkt(text).coords[0]


def _reference(mask: Area, specimen: Any, world: World) -> Any:
    place = standing_point(specimen)
    assert place is not None
    return mask.point(place.coords[0], world)
