"""How far something is away is asked of the index first, and says of every row what measuring says."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
import shapely

from tests.query.scratch import Scratch, scratch
from tests.query.test_cql2_http import plan_of
from tests.towns import Town

PLACES = [(11.38, 49.62), (-0.1, 0.1), (25.0, 70.0), (179.9995, -17.0), (10.0, 84.9), (30.0, -89.0)]
DRAWN = ["Point", "LineString", "Polygon"]


@pytest.fixture(scope="module")
def things(town: Town) -> Iterator[Scratch]:
    chance = Random(5)
    rows: list[Any] = [{"geometry": None}]
    for lon, lat in PLACES:
        for reach in (1e-6, 1e-4, 1e-3, 1e-2, 5e-2):
            for _ in range(3):
                at = shapely.Point(lon + chance.uniform(-reach, reach), lat + chance.uniform(-reach, reach))
                shape = chance.choice([at, shapely.LineString([at, (lon, lat)]), shapely.box(at.x, at.y, at.x + reach, at.y + reach / 3)])
                rows.append({"geometry": shape if shape.bounds[2] <= 180 else at})
    with scratch(
        town, [row if row["geometry"] is None or row["geometry"].bounds[2] <= 180 else {"geometry": None} for row in rows]
    ) as made:
        yield made


def drawn_at(kind: str, lon: float, lat: float, size: float) -> dict[str, Any]:
    shapes = {
        "Point": shapely.Point(lon, lat),
        "LineString": shapely.LineString([(lon, lat), (lon - size, lat + size)]),
        "Polygon": shapely.box(lon - size, lat, lon, lat + size),
    }
    return dict(shapely.geometry.mapping(shapes[kind]))


@pytest.mark.parametrize("kind", DRAWN)
@pytest.mark.parametrize(("lon", "lat"), PLACES)
def test_what_is_near_is_what_measures_near(things: Scratch, kind: str, lon: float, lat: float) -> None:
    chance = Random(f"{kind} {lon}")
    for size in (1e-4, 1e-2):
        place = drawn_at(kind, lon - chance.uniform(0, 1e-3), lat, size)
        distance = {"op": "distance_m", "args": [{"property": "geometry"}, place][:: chance.choice([1, -1])]}
        _check(things, distance, chance.choice([-1, 0, 1, chance.uniform(1, 50), chance.uniform(50, 9000)]), chance.choice([1, -1]))


def _check(things: Scratch, distance: dict[str, Any], metres: float, turned: int) -> None:
    """Minus nothing is a calculation, of which no box says anything."""
    measured = {"op": "-", "args": [distance, 0]}
    for op in ("<", "<=", ">", ">=", "=", "<>"):
        asked, plain = ({"op": op, "args": [value, metres][::turned]} for value in (distance, measured))
        assert things.truths(asked) == things.truths(plain), asked
    asked, plain = ({"op": "between", "args": [value, metres / 2, metres]} for value in (distance, measured))
    assert things.truths(asked) == things.truths(plain)


@pytest.mark.parametrize("asked", ["{} < 500", "500 >= {}", "{} = 0", "{} BETWEEN 10 AND 500", "NOT {} > 500"])
@pytest.mark.parametrize("distance", ["distance_m(geometry, POINT(11.385 49.63))", "distance_m(POINT(11.385 49.63), geometry)"])
def test_what_is_near_is_looked_up_in_the_index(town: Town, asked: str, distance: str) -> None:
    assert "Index Cond: (_mercator && " in plan_of(town, asked.format(distance))


@pytest.mark.parametrize("asked", ["{} > 500", "NOT {} <= 500"])
def test_what_is_far_is_not_measured(town: Town, asked: str) -> None:
    assert "(NOT (_mercator && " in plan_of(town, asked.format("distance_m(geometry, POINT(11.385 49.63))"))
