"""Shapefiles and FlatGeobuf files whose lengths lie."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import shapely
from pyogrio.raw import write

from tests.imports.hostile.case import SPY, Case


def _written(folder: Path, driver: str, name: str) -> Path:
    points = shapely.to_wkb(np.array([shapely.Point(678_000 + n, 5_540_000) for n in range(3)], dtype=object))
    write(folder / name, points, [np.array(["1", "2", "3"], dtype=object)], ["nr"], driver=driver, geometry_type="Point", crs="EPSG:25832")
    return folder / name


def _shape(name: str, part: str, change: Callable[[bytearray], bytes | bytearray | None], expected: str | int) -> Case:
    def make(folder: Path) -> Path:
        path = _written(folder, "ESRI Shapefile", "thing.shp")
        changed = change(bytearray(path.with_suffix(part).read_bytes()))
        path.with_suffix(part).unlink()
        if changed is not None:
            path.with_suffix(part).write_bytes(changed)
        return path

    return Case(f"shapefile: {name}", make, expected)


def _buffer(name: str, change: Callable[[bytearray], bytes | bytearray], expected: str | int) -> Case:
    def make(folder: Path) -> Path:
        path = _written(folder, "FlatGeobuf", "thing.fgb")
        path.write_bytes(change(bytearray(path.read_bytes())))
        return path

    return Case(f"flatgeobuf: {name}", make, expected)


def _put(at: int, form: str, *values: int | float) -> Callable[[bytearray], bytearray]:
    def change(content: bytearray) -> bytearray:
        struct.pack_into(form, content, at, *values)
        return content

    return change


def _half(content: bytearray) -> bytearray:
    return content[: len(content) // 2]


CASES = [
    _shape("a length of four gigabytes", ".shp", _put(24, ">i", 2**31 - 1), 3),
    _shape("a record of two gigabytes", ".shp", _put(104, ">i", 2**30), 3),
    _shape("a record of less than nothing", ".shp", _put(104, ">i", -1), 3),
    _shape("a type nobody knows", ".shp", _put(108, "<i", 99), "no geometry"),
    _shape("a place that is no number", ".shp", _put(112, "<d", float("nan")), "finite"),
    _shape("an index that points nowhere", ".shx", _put(100, ">i", 2**30), "no geometry"),
    _shape("an index that points backwards", ".shx", _put(100, ">i", -5), "Invalid offset"),
    _shape("an index longer than its file", ".shx", _put(24, ">i", 2**31 - 1), "header is corrupt"),
    _shape("half an index", ".shx", _half, "3 rows of attributes"),
    _shape("half of the shapes", ".shp", _half, "corrupt"),
    _shape("no index", ".shx", lambda content: None, "lacks its file"),
    _shape("no attributes", ".dbf", lambda content: None, "lacks its file"),
    _shape("more attributes than shapes", ".dbf", _put(4, "<I", 2**31 - 1), "2147483647 rows of attributes"),
    _shape("a head of attributes that lies", ".dbf", _put(8, "<H", 65_535), "no column `nr`"),
    _shape("rows of attributes of no length", ".dbf", _put(10, "<H", 0), "`.dbf` of `thing.shp` is damaged"),
    _shape("half of the attributes", ".dbf", _half, "holds 3 features, 1 can be read"),
    _shape("a coordinate system that is an address", ".prj", lambda content: f"http://{SPY}/crs".encode(), "coordinate reference system"),
    _shape("a coordinate system that nests", ".prj", lambda content: b'PROJCS["x",' * 100_000, "cannot be read"),
    _shape("an encoding nobody knows", ".cpg", lambda content: b"EVIL-8", 3),
    _shape("a coordinate system of a hundred megabytes", ".prj", lambda content: b" " * 100_000_000, "coordinate reference system"),
    _buffer("a head of four gigabytes", _put(8, "<I", 2**32 - 1), "holds no data"),
    _buffer("a head of nothing", _put(8, "<I", 0), "holds no data"),
    _buffer("a head that points beyond itself", _put(12, "<I", 2**31), "holds no data"),
    _buffer("half of it", _half, "holds no data"),
    _buffer("noise behind its head", lambda content: content[:200] + bytes(n * 37 % 251 for n in range(len(content) - 200)), "holds no data"),
    _buffer("ones behind its head", lambda content: content[:12] + b"\xff" * (len(content) - 12), "holds no data"),
    _buffer("a last feature of four gigabytes", lambda content: content + b"\xff\xff\xff\x7f" + b"\0" * 100, 3),
    _buffer("nothing but its magic", lambda content: content[:8], "holds no data"),
]  # fmt: skip
