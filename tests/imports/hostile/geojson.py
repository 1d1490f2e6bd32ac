"""GeoJSON that is deep, wide, double, half, or an order to somebody."""

from __future__ import annotations

import json
import math
from pathlib import Path

from tests.imports.hostile.case import POINT, SPY, Case, Make, collection, feature, harmless, written

MIB = 1024 * 1024


def _of(name: str, content: str | bytes, expected: str | int, type_: str = "Point") -> Case:
    return Case(f"geojson: {name}", written("thing.geojson", content), expected, type_)


def _lines(name: str, content: str, expected: str | int) -> Case:
    return Case(f"geojson lines: {name}", written("thing.geojsonl", content), expected)


def _ring(corners: int) -> str:
    places = [
        [678_000 + 500 * math.cos(2 * math.pi * n / corners), 5_540_000 + 500 * math.sin(2 * math.pi * n / corners)] for n in range(corners)
    ]
    return json.dumps({"type": "Polygon", "coordinates": [[*places, places[0]]]})


def _star(points: int) -> str:
    """Every edge crosses every other one: a few kilobytes that take seconds and gigabytes to be mended."""
    step = (points - 1) // 2
    places = [
        [678_000 + 500 * math.cos(2 * math.pi * n * step / points), 5_540_000 + 500 * math.sin(2 * math.pi * n * step / points)]
        for n in range(points)
    ]
    return json.dumps({"type": "Polygon", "coordinates": [[*places, places[0]]]})


def _big(name: str, before: str, mebibytes: int, after: str) -> Make:
    """A file with a very long text in its middle, written piece by piece."""

    def make(folder: Path) -> Path:
        with (folder / name).open("w") as file:
            file.write(before)
            for _ in range(mebibytes):
                file.write("x" * MIB)
            file.write(after)
        return folder / name

    return make


BEGUN = '{"type": "Feature", "properties": {"nr": "'
_large = _big("thing.geojson", f"{harmless()[:-2]}, {BEGUN}", 80, '"}, "geometry": null}]}')
_long_line = _big("thing.geojsonl", f"{feature()}\n{BEGUN}", 80, '"}, "geometry": null}\n')
_long_root = _big("thing.geojson", '{"type": "FeatureCollection", "note": "', 300, '", "features": []}')
STREAM = (
    f'{{"type": "gdal_streamed_alg", "command_line": "gdal vector pipeline ! read /vsicurl/http://{SPY}/x.json ! write --of=stream x"}}'
)
ADDRESS = "address or a path"
TWICE, ODD, DEEP = "is there twice", "NUL or half a character", "nested deeper"
CASES = [
    _of("lists in lists", collection(feature(f'"nr": {"[" * 100_000}{"]" * 100_000}')), DEEP),
    _of("objects in objects", collection(feature('"nr": ' + '{"a":' * 50_000 + "1" + "}" * 50_000)), DEEP),
    _of("collections in collections", collection(feature(geometry='{"type": "GeometryCollection", "geometries": [' * 500 + POINT + "]}" * 500)), DEEP),
    _of("brackets that never close", '{"features": ' + "[" * 1_000_000, DEEP),
    Case("geojson: one feature larger than any", _large, "larger than 64 MiB"),
    Case("geojson: a text larger than memory should be", _long_root, "larger than 64 MiB"),
    _of("a number of a hundred thousand digits", collection(feature('"nr": 0.' + "1" * 100_000)), "cannot be read"),
    _of("a number beyond all numbers", collection(feature('"nr": 1e400')), "cannot be read"),
    _of("a whole number of 400 digits", collection(feature('"nr": ' + "9" * 400)), "cannot be read"),
    _of("a coordinate beyond all numbers", collection(feature(geometry='{"type": "Point", "coordinates": [1e400, 1]}')), "cannot be read"),
    _of("a coordinate at the end of all numbers", collection(feature(geometry='{"type": "Point", "coordinates": [1e308, -1e308]}')), "outside the area"),
    _of("not a number as a coordinate", collection(feature(geometry='{"type": "Point", "coordinates": [NaN, 5540000]}')), "finite"),
    _of("a text as a coordinate", collection(feature(geometry='{"type": "Point", "coordinates": ["678000", 5540000]}')), "no geometry"),
    _of("an object as coordinates", collection(feature(geometry='{"type": "Point", "coordinates": {"x": 1}}')), "no geometry"),
    _of("a ring with a hole in its numbers", collection(feature(geometry='{"type": "Polygon", "coordinates": [[[1, 2], [null], [3, 4], [1, 2]]]}')), "no geometry", "Polygon"),
    _of("a property twice", collection(feature('"nr": "1", "nr": "2"')), TWICE),
    _of("a property twice beside not a number", collection(feature('"x": NaN, "nr": "1", "nr": "2"')), TWICE),
    _of("a property twice beside colons", collection(feature('"u": "a:b:c", "nr": "1", "nr": "2"')), TWICE),
    _of("a geometry twice", collection(feature(more=f', "geometry": {POINT}')), TWICE),
    _of("coordinates twice", collection(feature(geometry='{"type": "Point", "coordinates": [1, 2], "coordinates": [678000, 5540000]}')), TWICE),
    _of("properties twice", collection(feature(more=', "properties": {"nr": "9"}')), TWICE),
    _of("features twice", harmless(more=', "features": []'), TWICE),
    _of("a coordinate system twice", harmless(more=', "crs": {"type": "name", "properties": {"name": "EPSG:4326"}}'), TWICE),
    _of("a million equal names", collection(feature(", ".join(['"nr": 1'] * 1_000_000))), TWICE),
    _of("a text that ends in the middle", collection(feature('"nr": "a\\u0000b"')), ODD),
    _of("a column that ends in the middle", collection(feature('"nr\\u0000": "a"')), ODD),
    _of("half a character", collection(feature('"nr": "a\\ud800b"')), ODD),
    _of("half a character as bytes", collection(feature('"nr": "a\ud800b"')), "valid UTF-8"),
    _of("bytes that are no text", collection(feature('"nr": "X"')).encode().replace(b"X", b"\xfc\xff"), "valid UTF-8"),
    _of("a member that is a number", collection(feature(), "7"), "holds 2 features, 1 can be read"),
    _of("a member that is a list of features", collection(feature(), f"[{feature()}]"), "holds 2 features, 1 can be read"),
    _of("a second file behind the first", harmless() + harmless(), TWICE),
    _of("rubbish behind the end", harmless() + "\0\0\0", "cannot be read"),
    _of("twenty thousand columns", collection(feature('"nr": "1", ' + ", ".join(f'"c{n}": 1' for n in range(20_000)))), "more than 1000 columns"),
    _of("a column more in every feature", collection(*(feature(f'"nr": "{n}", "c{n}": 1') for n in range(2_000))), "more than 1000 columns"),
    _of("a star of three thousand points", collection(feature(geometry=_star(3_001))), "Self-intersection", "Polygon"),
    _of("a circle of a hundred thousand corners", collection(feature(geometry=_ring(100_000))), 1, "Polygon"),
    _of("a column name with quotation marks", collection(feature('"nr": "1", "a\\"; DROP TABLE store.thing; --": 1')), 1),
    _of("an attribute that speaks SQL", collection(feature('"nr": "\'); DROP TABLE store.thing; --"')), 1),
    _of("an attribute that speaks to a terminal", collection(feature('"nr": "\\u001b[2J"')), 1),
    _of("a coordinate system behind an address", harmless().replace('"type": "name", "properties": {"name"', '"type": "link", "properties": {"href"').replace("urn:ogc:def:crs:EPSG::25832", f"http://{SPY}/crs"), ADDRESS),
    _of("a coordinate system named as an address", harmless(crs=f"http://{SPY}/crs"), ADDRESS),
    _of("a coordinate system named as a file", harmless(crs="/etc/hostname"), ADDRESS),
    _of("a feature with a coordinate system of its own", collection(feature(more=f', "crs": {{"type": "name", "properties": {{"name": "http://{SPY}/x"}}}}')), ADDRESS),
    _of("a geometry with a coordinate system of its own", collection(feature(geometry=f'{{"type": "Point", "coordinates": [1, 2], "crs": {{"type": "link", "properties": {{"href": "http://{SPY}/x"}}}}}}')), ADDRESS),
    _of("an order to read an address", STREAM, "cannot be read"),
    _of("an order to read an address, within a feature", collection(feature(), more=f', "x": {STREAM}'), 1),
    _of("a file of tiles", f'{{"tilejson": "3.0.0", "type": "FeatureCollection", "tiles": ["http://{SPY}/{{z}}"], "features": []}}', "no column `nr`"),
    _of("a next page", harmless(more=f', "links": [{{"rel": "next", "href": "http://{SPY}/2"}}]'), 1),
    Case("geojson lines: a line without end", _long_line, "larger than 64 MiB"),
    _lines("a property twice", feature() + "\n" + feature('"nr": 1, "nr": 2') + "\n", TWICE),
    _lines("lists in lists", feature() + "\n" + feature('"nr": ' + "[" * 100_000) + "\n", "line 2"),
    _lines("objects in objects", feature() + "\n" + feature('"nr": ' + '{"a":' * 1_015 + "1" + "}" * 1_015) + "\n", DEEP),
    _lines("NUL between the lines", f"{feature()}\n\0\0\n", "line 2"),
]  # fmt: skip
