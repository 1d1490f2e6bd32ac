"""`bbox-crs`: boxes in other systems, axes in their order; compared with shapely on the coordinates that are printed there. And heights."""

from __future__ import annotations

import random
from functools import cache
from typing import Any

import pytest
import shapely
import sqlalchemy as sa

from tests.query.asked import ask, found, ids
from tests.towns import Town
from twin_api.query.box import InBoxOf, read_box
from twin_api.query.crs import COMMON, CRS84, CRS84H, Crs, storage_crs
from twin_api.store.collection import GEOMETRY, MERCATOR, PLACE, Axes, Collection, Description
from twin_api.store.twin import compile_statement
from twin_api.texts import Text

BOXES = 25
Box = tuple[float, float, float, float]
UTM = COMMON[3]


def collection(epsg: int, axes: Axes) -> Collection:
    told = Description(Text("x"), (), "Point", epsg, None, "", "", axes=axes)
    return Collection("x", told, 0, None, None, "")


def random_boxes(shapes: list[Any], crs: Crs, seed: str) -> list[Box]:
    """In the axes' own order, half of them with a side exactly on a printed coordinate; without size, small, and as large as the zone."""
    chance, known = random.Random(seed), shapely.get_coordinates(shapes)
    unit = 1e-5 if crs.is_degrees else 1.0
    boxes = []
    for _ in range(BOXES):
        x, y = chance.choice(known)
        width, height = (chance.choice([0.0, unit, 30 * unit, 900 * unit]) * chance.random() for _ in "xy")
        off = chance.choice([0.0, 0.0, chance.uniform(-9, 9) * unit])
        boxes.append((x + off - width, y + off - height, x + off + chance.choice([0.0, width]), y + off + height))
    return boxes


@pytest.mark.requirement("/req/crs/fc-bbox-crs-action")
@pytest.mark.parametrize("crs", COMMON[1:], ids=lambda crs: crs.uri.rpartition("/")[2])
@pytest.mark.parametrize(("role", "name"), [("citizen", "baeume"), ("council", "kanalschaechte"), ("administration/bauamt", "bauantraege")])
def test_a_box_in_any_crs_finds_what_is_printed_in_it_there(town: Town, role: str, name: str, crs: Crs) -> None:
    shapes = {f["id"]: shapely.geometry.shape(f["geometry"]) for f in found(town, role, name, crs=crs.uri)}
    for box in random_boxes(list(shapes.values()), crs, f"{role} {crs.uri}"):
        hits = set(ids(found(town, role, name, **{"bbox": ",".join(map(repr, map(float, box))), "bbox-crs": crs.uri})))
        assert {id for id, shape in shapes.items() if shape.intersects(shapely.box(*box))} <= hits
        by = 4 * crs.margin
        grown = shapely.box(box[0] - by, box[1] - by, box[2] + by, box[3] + by)
        assert hits <= {id for id, shape in shapes.items() if shape.intersects(grown)}


@pytest.mark.parametrize(
    ("crs", "bbox", "number"),
    [
        (COMMON[1], "49,11,50,12", 41),  # latitude first
        (COMMON[1], "11,49,12,50", 0),
        (COMMON[1], "49,12,50,11", 0),  # from 12 east around the world to 11
        (COMMON[1], "-90,170,90,12", 41),
        (COMMON[2], "1e6,6e6,1.5e6,7e6", 41),
        (COMMON[2], "2e7,6e6,1.5e6,7e6", 41),  # across the antimeridian too
        (COMMON[2], "-1e9,-1e9,1e9,1e9", 41),
        (UTM, "671999,5499999,672300,5500300", 41),
        (UTM, "-1e9,-1e9,1e9,1e9", 41),  # larger than the zone: no index, and nothing fails
        (UTM, "-1e6,0,2e6,9e6", 41),
        (UTM, "0,0,0,672300,5500300,1", 41),
        (UTM, "5499999,671999,5500300,672300", 0),
        (CRS84, "11,49,12,50", 41),
        (CRS84H, "11,49,0,12,50,900", 41),
    ],
)
def test_corners_stand_in_the_order_of_the_axes(town: Town, crs: Crs, bbox: str, number: int) -> None:
    assert len(found(town, **{"bbox": bbox, "bbox-crs": crs.uri})) == number


@pytest.mark.requirement("/req/crs/fc-bbox-crs-valid-value")
@pytest.mark.parametrize(
    ("uri", "bbox", "parameter"),
    [
        *((uri, "11,49,12,50", "bbox-crs") for uri in ("", "x", "EPSG:25832", UTM.uri + "0", "\x00", "' OR 1=1", "a" * 3000)),
        *((UTM.uri, bbox, "bbox") for bbox in ("", "2,1,1,2", "1,2,2,1", "1e10,0,1e11,1", "nan,0,1,1", "0,0,1", "0,0,9,1,1,1", "1e308,0,1e309,1")),
        *((COMMON[2].uri, bbox, "bbox") for bbox in ("1,2,2,1", "3e7,0,1,1", "0,0,1e10,1")),
        *((COMMON[1].uri, bbox, "bbox") for bbox in ("-91,0,0,1", "50,11,49,12", "0,-181,1,1", "0,0,1,181")),
    ],
)  # fmt: skip
def test_a_box_that_is_none_in_its_crs_is_refused(town: Town, uri: str, bbox: str, parameter: str) -> None:
    refused = ask(town, **{"bbox": bbox, "bbox-crs": uri})
    assert (refused.status_code, refused.json()["parameter"]) == (400, parameter)


@pytest.mark.requirement("/req/crs/fc-bbox-crs-valid-default-value")
def test_a_box_without_its_crs_is_in_longitude_and_latitude(town: Town) -> None:
    lon, lat = found(town)[0]["geometry"]["coordinates"]
    box = f"{lon - 1e-6},{lat - 1e-6},{lon + 1e-6},{lat + 1e-6}"
    assert ids(found(town, bbox=box)) == ids(found(town, **{"bbox": box, "bbox-crs": COMMON[0].uri})) == [found(town)[0]["id"]]
    assert found(town, **{"bbox": box, "bbox-crs": COMMON[1].uri}) == []


def test_a_bbox_crs_without_a_box_narrows_nothing(town: Town) -> None:
    assert len(found(town, **{"bbox-crs": UTM.uri})) == 41


def test_a_box_with_heights_finds_what_lies_between_them(town: Town) -> None:
    role, name = "administration", "kanalschaechte"
    features = found(town, role, name)
    heights = sorted(feature["geometry"]["coordinates"][2] for feature in features)
    for low, high in ((heights[3], heights[7]), (heights[5], heights[5]), (-1e6, heights[0] - 0.01), (heights[-1] + 0.01, 9000.0)):
        wanted = {f["id"] for f in features if low <= f["geometry"]["coordinates"][2] <= high}
        assert set(ids(found(town, role, name, bbox=f"11,49,{low},12,50,{high}"))) == wanted
        assert set(ids(found(town, role, name, **{"bbox": f"0,0,{low},1e6,6e6,{high}", "bbox-crs": UTM.uri}))) == wanted


def test_heights_do_not_narrow_what_has_none(town: Town) -> None:
    assert len(found(town, "council", "kanalschaechte", bbox="11,49,8000,12,50,9000")) == len(found(town, "council", "kanalschaechte"))


@pytest.mark.parametrize(
    ("epsg", "axes", "bbox", "corners", "is_indexed"),
    [
        (25832, Axes(False, False), "1,2,3,4", (1, 2, 3, 4), True),
        (25832, Axes(False, False), "-9e6,2,3,4", (-9e6, 2, 3, 4), False),
        (31468, Axes(True, False), "5500000,4400000,5500001,4400002", (4400000, 5500000, 4400002, 5500001), True),
        (31468, Axes(True, False), "5500000,5400000,5500001,5400002", (5400000, 5500000, 5400002, 5500001), False),
        (4258, Axes(True, True), "49,11,50,12", (11, 49, 12, 50), True),
        (4258, Axes(True, True), "-49,11,50,12", (11, -49, 12, 50), False),
        (3832, Axes(False, False), "1,2,3,4", (1, 2, 3, 4), False),  # on both sides of the antimeridian
    ],
)
def test_the_index_is_asked_where_the_box_can_be_computed_there(
    epsg: int, axes: Axes, bbox: str, corners: tuple[float, ...], is_indexed: bool
) -> None:
    uri = f"http://www.opengis.net/def/crs/EPSG/0/{epsg}"
    (clause,), params = read_box(collection(epsg, axes), bbox, uri)
    assert isinstance(clause, InBoxOf)
    assert clause.is_indexed is is_indexed
    assert [params[f"box0_{corner}"] for corner in range(4)] == pytest.approx(corners, abs=0.006)


@pytest.mark.parametrize(
    "epsg", [4258, 4314, 31466, 31467, 31468, 31469, 2398, 2399, 3068, 5243, 3034, 3035, 4647, 5650, 25831, 32632, 2056]
)
def test_a_box_finds_by_index_what_lies_on_its_sides(town: Town, epsg: int) -> None:
    """Boxes of any size anywhere in the CRS's area of use."""
    axes = Axes(north_first=False, degrees=epsg in (4258, 4314))
    here = collection(epsg, axes)
    crs = storage_crs(here.description)
    assert crs is not None
    assert crs.box_reach is not None
    chance = random.Random(epsg)
    with town.superuser() as connection:
        connection.execute("SET search_path = postgis")
        for box, point in (_box_and_point(chance, crs.box_reach) for _ in range(30)):
            (clause,), params = read_box(here, ",".join(map(repr, box)), crs.uri)
            assert isinstance(clause, InBoxOf)
            found_there = connection.execute(_said_of_a_point(clause, epsg), {**params, "x": point[0], "y": point[1]}).fetchone()
            assert found_there == (True,), (clause, box, point)


@cache
def _said_of_a_point(clause: InBoxOf, epsg: int) -> bytes:
    x, y = (sa.bindparam(name, type_=sa.Double) for name in "xy")
    point = sa.func.ST_SetSRID(sa.func.ST_MakePoint(x, y), sa.literal_column(str(epsg)), type_=sa.types.NullType())
    there = sa.func.ST_Transform(point, sa.literal_column("3857"), type_=sa.types.NullType())
    row = sa.select(sa.literal_column("'p'").label(PLACE), point.label(GEOMETRY), there.label(MERCATOR)).subquery("row")
    return compile_statement(sa.select(clause.condition(row)).select_from(row)).encode()


def _box_and_point(chance: random.Random, reach: Box) -> tuple[Box, tuple[float, float]]:
    part = 10 ** chance.uniform(-5, 0)
    width, height = ((reach[n + 2] - reach[n]) * part * chance.random() for n in (0, 1))
    west, south = chance.uniform(reach[0], reach[2] - width), chance.uniform(reach[1], reach[3] - height)
    along_x, along_y = chance.choice([(0, chance.random()), (1, chance.random()), (chance.random(), 0), (chance.random(), 1)])
    return (west, south, west + width, south + height), (west + along_x * width, south + along_y * height)
