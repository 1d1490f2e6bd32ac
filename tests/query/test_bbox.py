"""`bbox`: which items meet a box in degrees; compared with PostGIS asked without any index."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tests.query.asked import ask, found, ids
from tests.towns import Town

BOXES = 150
CENTIMETRE = 1.5e-7  # of a degree
Box = tuple[float, float, float, float]

_MEETING = """
SELECT b.number, i.id::text FROM unnest(%s::float8[], %s::float8[], %s::float8[], %s::float8[]) WITH ORDINALITY AS b(west, south, east, north, number)
JOIN {view} i ON postgis.ST_Intersects(
  postgis.ST_GeomFromGeoJSON(i._feature::jsonb ->> 'geometry'), postgis.ST_MakeEnvelope(b.west, b.south, b.east, b.north, 4326))
"""


def meeting(town: Town, role: str, collection: str, boxes: list[Box]) -> list[set[str]]:
    """For each box the items whose printed geometry meets it, by brute force."""
    sets: list[set[str]] = [set() for _ in boxes]
    with town.superuser() as connection:
        connection.execute("SET search_path = postgis")
        view = f'"{role.replace("/", "_")}"."{collection}"'
        for number, id in connection.execute(_MEETING.format(view=view).encode(), [list(side) for side in zip(*boxes, strict=True)]):
            sets[number - 1].add(id)
    return sets


def grown(box: Box, by: float) -> Box:
    return box[0] - by, box[1] - by, box[2] + by, box[3] + by


def corners(geometry: Any) -> list[tuple[float, float]]:
    if isinstance(geometry[0], float):
        return [(geometry[0], geometry[1])]
    return [corner for part in geometry for corner in corners(part)]


def random_boxes(town: Town, role: str, collection: str, seed: int) -> list[Box]:
    """Boxes of all sizes, half of them with a side exactly on a printed coordinate."""
    chance = random.Random(seed)  # no secret
    known = [corner for feature in found(town, role, collection) for corner in corners(feature["geometry"]["coordinates"])]
    boxes = []
    for _ in range(BOXES):
        x, y = chance.choice(known)
        width, height = (chance.choice([0.0, 1e-7, 1e-5, 1e-4, 1e-3, 1e-2]) * chance.random() for _ in "xy")
        off = chance.choice([0.0, 0.0, chance.uniform(-1e-4, 1e-4)])
        west, south = x + off - chance.choice([0.0, width, width / 2]), y + off - chance.choice([0.0, height, height / 2])
        boxes.append((west, south, west + width, south + height))
    return boxes


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(
    ("role", "collection"),
    [("citizen", "baeume"), ("council", "kanalschaechte"), ("administration", "kanalschaechte"), ("administration/bauamt", "bauantraege")],
)
def test_a_box_finds_what_its_printed_geometry_says_to_the_centimetre(town: Town, role: str, collection: str, seed: int) -> None:
    boxes = random_boxes(town, role, collection, seed)
    at_least = meeting(town, role, collection, boxes)
    at_most = meeting(town, role, collection, [grown(box, CENTIMETRE) for box in boxes])
    for box, least, most in zip(boxes, at_least, at_most, strict=True):
        hits = set(ids(found(town, role, collection, bbox=",".join(map(repr, box)))))
        assert least <= hits <= most, box


def test_a_box_without_size_finds_the_point_it_is_drawn_on(town: Town) -> None:
    for feature in found(town):
        x, y = feature["geometry"]["coordinates"]
        assert feature["id"] in ids(found(town, bbox=f"{x},{y},{x},{y}"))


@pytest.mark.parametrize(
    ("bbox", "number"),
    [
        ("-180,-90,180,90", 41),
        ("-180,-90,-1000,180,90,9000", 41),
        ("11,49,-5,12,50,5", 41),
        ("11,49,12,50", 41),
        ("+11.0,4.9e1,12.,50", 41),
        ("12,49,11,50", 0),  # from 12 east around the world to 11
        ("11.39,49,11.38,50", 21),
        ("180,-90,-180,90", 0),
        ("170,-90,12,90", 41),
        ("10,49,11,50", 0),
        ("0,90,0,90", 0),
    ],
)
def test_a_box_may_have_heights_and_may_cross_the_antimeridian(town: Town, bbox: str, number: int) -> None:
    if number == 21:
        west, east = 11.39, 11.38
        number = sum(not east < feature["geometry"]["coordinates"][0] < west for feature in found(town))
    assert len(found(town, bbox=bbox)) == number


@pytest.mark.parametrize(
    "bbox",
    [
        "", ",", "1", "1,2", "1,2,3", "1,2,3,4,5", "1,2,3,4,5,6,7", "11,49,5,12,50,-5", "11,49,NaN,12,50,5", "11,49,0,12,50,1e999", "a,b,c,d", "11,49,12,NaN", "nan,nan,nan,nan", "inf,49,12,50", "-Infinity,49,12,50",
        "1e400,49,12,50", "11,50,12,49", "-181,0,0,0", "0,-91,0,0", "0,0,181,0", "0,0,0,90.0000001", "11;49;12;50", "11 49 12 50", "[11,49,12,50]",
        "0x1,2,3,4", "1_1,49,12,50", "١١,49,12,50", "11,49,12,50,", "1" * 65 + ",0,0,0", "1," * 500, "11\x00,49,12,50",
    ],
)  # fmt: skip
def test_a_box_that_is_none_is_refused(town: Town, bbox: str) -> None:
    refused = ask(town, bbox=bbox)
    assert (refused.status_code, refused.json()["parameter"]) == (400, "bbox")


@pytest.mark.requirement("/req/core/fc-bbox-response")
def test_what_has_no_geometry_matches_every_box(new_town: Any) -> None:
    town: Town = new_town()
    town.insert("baeume", [{"baum_nr": "nowhere", "art": "Esche", "status": "steht"}])
    assert [feature["properties"]["art"] for feature in found(town, bbox="0,0,1,1")] == ["Esche"]
    assert len(found(town, bbox="11,49,12,50")) == 42
