"""Where on earth: by headers, and by the size of the numbers."""

from __future__ import annotations

import pytest

from twin_api.imports.description import Place
from twin_api.imports.drafts.opening import _number
from twin_api.imports.drafts.places import find_place, whereabouts

UTM = (678_000.0, 5_540_000.0, 679_000.0, 5_541_000.0)


def turned(bounds: tuple[float, ...]) -> tuple[float, ...]:
    return (bounds[1], bounds[0], bounds[3], bounds[2])


@pytest.mark.parametrize(
    ("bounds", "crs", "prefix"),
    [
        (UTM, "EPSG:25832", None),
        ((10.9, 49.6, 11.0, 49.7), "EPSG:4326", None),
        ((32_361_000.0, 5_700_000.0, 32_362_000.0, 5_701_000.0), "EPSG:25832", 32),
        ((33_361_000.0, 5_700_000.0, 33_362_000.0, 5_701_000.0), "EPSG:25833", 33),
        ((2_566_000.0, 5_700_000.0, 2_567_000.0, 5_701_000.0), "EPSG:31466", None),
        ((3_566_000.0, 5_400_000.0, 3_567_000.0, 5_401_000.0), "EPSG:31467", None),
        ((4_466_000.0, 5_500_000.0, 4_467_000.0, 5_501_000.0), "EPSG:31468", None),
        ((5_416_000.0, 5_800_000.0, 5_417_000.0, 5_801_000.0), "EPSG:31469", None),
        ((1_213_000.0, 6_380_000.0, 1_214_000.0, 6_381_000.0), "EPSG:3857", None),
    ],
)  # fmt: skip
def test_numbers_tell_the_coordinate_system_either_way_round(bounds: tuple[float, ...], crs: str, prefix: int | None) -> None:
    straight, swapped = whereabouts(bounds, None, 25832), whereabouts(turned(bounds), None, 25832)
    assert (straight.crs, straight.axes, straight.zone_prefix) == (crs, "as-declared", prefix)
    assert (swapped.crs, swapped.axes, swapped.zone_prefix) == (crs, "swapped", prefix)
    assert straight.remarks
    assert swapped.remarks


def test_a_file_that_lies_where_it_says_needs_no_word() -> None:
    assert whereabouts(UTM, "EPSG:25832", 25832).remarks == ()
    assert whereabouts((10.9, 49.6, 11.0, 49.7), "OGC:CRS84", 25832).remarks == ()
    assert whereabouts((32_361_000.0, 5_700_000.0, 32_362_000.0, 5_701_000.0), "EPSG:4647", 25832).remarks == ()


def test_swapped_axes_of_a_declared_system_are_seen() -> None:
    found = whereabouts(turned(UTM), "EPSG:25832", 25832)
    assert (found.crs, found.axes) == (None, "swapped")
    assert "vertauschten Achsen" in found.remarks[0]


def test_a_system_that_does_not_fit_is_replaced_by_one_that_does() -> None:
    assert whereabouts(UTM, "OGC:CRS84", 25832).crs == "EPSG:25832"
    assert whereabouts(turned((32_361_000.0, 5_700_000.0, 32_362_000.0, 5_701_000.0)), "ESRI:0", 25832).zone_prefix == 32


def test_numbers_that_fit_nothing_are_left_to_a_person() -> None:
    assert whereabouts((0.0, 0.0, 5.0, 5.0), None, 25832).remarks == (
        "die Datei nennt kein Koordinatensystem, und ihren Zahlen ist keines anzusehen: `crs` ergänzen",
    )
    assert whereabouts((0.0, 0.0, 5.0, 5.0), "OGC:CRS84", 25832).crs is None


EAST, NORTH, LON, LAT = ["678000,5", "678001,5"], ["5540000,5", "5540001,5"], ["10.9"], ["49.6"]


@pytest.mark.parametrize(
    ("columns", "place"),
    [
        ({"nr": ["1", "2"], "X": EAST, "Y": NORTH}, Place("X", "Y")),
        ({"Rechtswert": EAST, "Hochwert": NORTH}, Place("Rechtswert", "Hochwert")),
        ({"Koordinate_X": EAST, "Koordinate_Y": NORTH}, Place("Koordinate_X", "Koordinate_Y")),
        ({"UTM Ost": EAST, "UTM Nord": NORTH}, Place("UTM Ost", "UTM Nord")),
        ({"lon": LON, "lat": LAT}, Place("lon", "lat")),
        ({"Längengrad": LON, "Breitengrad": LAT}, Place("Längengrad", "Breitengrad")),
        ({"x": EAST, "y": NORTH, "z": ["310,2", "311"]}, Place("x", "y", "z")),
        ({"x": NORTH, "y": EAST}, Place("x", "y")),
        ({"x": [678000.5], "y": [5540000.5]}, Place("x", "y")),
        ({"Länge": ["12,5"], "Breite": ["3,2"]}, Place()),
        ({"x": EAST, "y": ["", NORTH[0]]}, Place()),
        ({"x": EAST, "y": ["hier", NORTH[0]]}, Place()),
        ({"x": EAST}, Place()),
        ({"WKT": ["POINT (1 2)", "MULTIPOINT Z (1 2 3)"]}, Place(wkt="WKT")),
        ({"geom": ["SRID=25832;POLYGON((0 0,1 0,1 1,0 0))"]}, Place(wkt="geom")),
        ({"art": ["POINT of interest"]}, Place()),
    ],
)
def test_columns_hold_the_place(columns: dict[str, list[object]], place: Place) -> None:
    assert find_place(columns, _number) == place
