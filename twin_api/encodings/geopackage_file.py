"""Writes a GeoPackage (OGC 12-128r19). A program of its own: it holds no secret, has little of anything, and imports nothing of ours.

On its input: one line of JSON that says what is written, then features as GeoJSON, one a line. The only argument is the file to write.
"""

from __future__ import annotations

import resource
import sqlite3
import struct
import sys
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, BinaryIO, Final

import orjson

MEMORY: Final = 1024**3
CPU_S: Final = 30
LARGEST: Final = 256 * 1024**2  # bytes of the file
_LIMITS: Final = {
    resource.RLIMIT_AS: MEMORY, resource.RLIMIT_CPU: CPU_S, resource.RLIMIT_FSIZE: LARGEST, resource.RLIMIT_CORE: 0,
}  # fmt: skip
TOO_LARGE: Final = 3  # exit code
_KINDS: Final = {"Point": 1, "LineString": 2, "Polygon": 3, "MultiPoint": 4, "MultiLineString": 5, "MultiPolygon": 6}
_TABLES: Final = """
CREATE TABLE gpkg_spatial_ref_sys (srs_name TEXT NOT NULL, srs_id INTEGER PRIMARY KEY, organization TEXT NOT NULL,
  organization_coordsys_id INTEGER NOT NULL, definition TEXT NOT NULL, description TEXT);
CREATE TABLE gpkg_contents (table_name TEXT NOT NULL PRIMARY KEY, data_type TEXT NOT NULL, identifier TEXT UNIQUE,
  description TEXT DEFAULT '', last_change DATETIME NOT NULL, min_x DOUBLE, min_y DOUBLE, max_x DOUBLE, max_y DOUBLE,
  srs_id INTEGER REFERENCES gpkg_spatial_ref_sys (srs_id));
CREATE TABLE gpkg_geometry_columns (table_name TEXT NOT NULL UNIQUE REFERENCES gpkg_contents (table_name), column_name TEXT NOT NULL,
  geometry_type_name TEXT NOT NULL, srs_id INTEGER NOT NULL REFERENCES gpkg_spatial_ref_sys (srs_id), z TINYINT NOT NULL,
  m TINYINT NOT NULL, PRIMARY KEY (table_name, column_name));
PRAGMA application_id = 0x47504B47;
PRAGMA user_version = 10300;
"""
_UNDEFINED: Final = [("undefined cartesian", -1, "NONE", -1, "undefined", None), ("undefined geographic", 0, "NONE", 0, "undefined", None)]
_UNCHANGED: Final = "1970-01-01T00:00:00.000Z"  # equal items make equal files, whenever they are asked for


def main() -> None:
    for limit, most in _LIMITS.items():
        resource.setrlimit(limit, (most, most))
    try:
        write(sys.argv[1], sys.stdin.buffer)
    except (MemoryError, sqlite3.OperationalError):  # what SQLite says of a disk or a file that is full
        sys.exit(TOO_LARGE)


def write(file: str, told: BinaryIO) -> None:
    """`told` as on the input of the process."""
    head = orjson.loads(told.readline())
    connection = sqlite3.connect(file, isolation_level=None)
    connection.executescript(f"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN; {_TABLES}")
    crs, columns, table = head["crs"], head["columns"], _quoted(head["table"])
    connection.executemany("INSERT INTO gpkg_spatial_ref_sys VALUES (?, ?, ?, ?, ?, ?)", [*_UNDEFINED, *map(tuple, crs)])
    shape = ["geometry"] if head["geometry"] else []
    described = ["_fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL", *(f"geometry {head['geometry']['type']}" for _ in shape)]
    described += ["id TEXT NOT NULL UNIQUE", *(f"{_quoted(name)} {type_}" for name, type_ in columns)]
    connection.execute(f"CREATE TABLE {table} ({', '.join(described)})")
    names = ", ".join([*shape, "id", *(_quoted(name) for name, _ in columns)])
    holes = ", ".join("?" * (len(columns) + 1 + len(shape)))
    rows = _Rows(head["geometry"], [name for name, _ in columns])
    connection.executemany(f"INSERT INTO {table} ({names}) VALUES ({holes})", rows.read(told))  # noqa: S608  # names are quoted
    srid = head["geometry"]["srid"] if shape else None
    entry = (head["table"], "features" if shape else "attributes", head["title"], "", _UNCHANGED, *rows.extent, srid)
    connection.execute("INSERT INTO gpkg_contents VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", entry)
    if shape:
        kind = (head["table"], "geometry", head["geometry"]["type"], srid, head["geometry"]["z"], 0)
        connection.execute("INSERT INTO gpkg_geometry_columns VALUES (?, ?, ?, ?, ?, ?)", kind)
    connection.execute("COMMIT")
    connection.close()


class _Rows:
    """Features as rows, and the box that they lie in: None four times while there is none."""

    def __init__(self, geometry: Any, columns: list[str]) -> None:
        self._geometry = geometry
        self._columns = columns
        self.extent: tuple[float | None, ...] = (None, None, None, None)

    def read(self, lines: Iterable[bytes]) -> Iterator[list[Any]]:
        for line in lines:
            feature = orjson.loads(line)
            shape = [self._blob(feature["geometry"])] if self._geometry else []
            yield [*shape, feature["id"], *(feature["properties"][name] for name in self._columns)]

    def _blob(self, geometry: Any) -> bytes | None:
        """Header and WKB (clause 2.1.3), little-endian, without an envelope."""
        if geometry is None:
            return None
        points = list(_points(geometry["coordinates"]))
        xs, ys = [point[0] for point in points], [point[1] for point in points]
        box = (min(xs), min(ys), max(xs), max(ys))
        known = self.extent
        self.extent = tuple(f(a, b) for f, a, b in zip((min, min, max, max), known, box, strict=True)) if known[0] is not None else box  # type: ignore[type-var]
        return struct.pack("<2sBBi", b"GP", 0, 1, self._geometry["srid"]) + wkb(geometry)


def wkb(geometry: Any) -> bytes:
    """A GeoJSON geometry as ISO WKB, heights as Z."""
    kind, coordinates = geometry["type"], geometry["coordinates"]
    size = len(next(_points(coordinates)))
    head = struct.pack("<BI", 1, _KINDS[kind] + (1000 if size == 3 else 0))
    if kind.startswith("Multi"):
        return head + struct.pack("<I", len(coordinates)) + b"".join(wkb({"type": kind[5:], "coordinates": part}) for part in coordinates)
    return head + _packed(coordinates)


def _packed(coordinates: Any) -> bytes:
    if not isinstance(coordinates[0], list):
        return struct.pack(f"<{len(coordinates)}d", *coordinates)
    if isinstance(coordinates[0][0], list):
        return struct.pack("<I", len(coordinates)) + b"".join(map(_packed, coordinates))
    numbers = list(chain.from_iterable(coordinates))  # a line at once: most of the time goes into its points
    return struct.pack(f"<I{len(numbers)}d", len(coordinates), *numbers)


def _points(coordinates: Any) -> Iterator[list[float]]:
    if not isinstance(coordinates[0], list):
        return iter([coordinates])
    return chain.from_iterable(map(_points, coordinates)) if isinstance(coordinates[0][0], list) else iter(coordinates)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


if __name__ == "__main__":
    main()
