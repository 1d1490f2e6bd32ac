"""What stands between a foreign file and its reader, seen from near: one driver, a harmless name, limits that honest files keep."""

from __future__ import annotations

import gzip
import json
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path
from threading import Thread

import pyogrio
import pytest

from tests.imports.things import point
from twin_api.imports.finding import FileRefused
from twin_api.imports.formats.geojson import count
from twin_api.imports.guards.archive import unpack_gz, unpack_zip
from twin_api.imports.guards.database import at_rest, check_schema
from twin_api.imports.guards.gdal import harmless, only, sealed
from twin_api.imports.guards.osm_blocks import check_blocks
from twin_api.imports.guards.xml import check_xml


def test_within_only_the_drivers_named_are_there_and_afterwards_all_are_back_in_their_order() -> None:
    before = list(pyogrio.list_drivers())
    with only(["GML", "GPKG"]):
        assert set(pyogrio.list_drivers()) == {"GML", "GPKG"}
    assert list(pyogrio.list_drivers()) == before


def test_the_drivers_are_back_after_an_error() -> None:
    with pytest.raises(KeyError), only([]):
        raise KeyError
    assert pyogrio.list_drivers()


def test_threads_that_open_files_do_not_take_each_others_drivers() -> None:
    seen: list[set[str]] = []

    def look(driver: str) -> None:
        for _ in range(20):
            with only([driver]):
                seen.append({driver} ^ set(pyogrio.list_drivers()))

    threads = [Thread(target=look, args=[driver]) for driver in ("GML", "GPKG", "OSM")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [set()] * 60


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Bäume 2026.GeoJSON", "Bäume 2026.geojson"), ("PG:dbname=x.json", "PG_dbname_x.json"), ("a!b|c?d.gpkg", "a_b_c_d.gpkg"), ("--x.gml", "x.gml")],
)  # fmt: skip
def test_a_file_is_read_alone_under_a_name_that_is_nothing_but_a_name(tmp_path: Path, name: str, expected: str) -> None:
    file = tmp_path / name
    file.write_text("{}")
    link = sealed(file, tmp_path)
    assert (link.name, [path.name for path in link.parent.iterdir()]) == (expected, [expected])
    assert link.read_text() == "{}"


def test_two_files_of_one_name_do_not_meet(tmp_path: Path) -> None:
    assert harmless(tmp_path / "a.csv", tmp_path) != harmless(tmp_path / "a.csv", tmp_path)


def test_an_honest_archive_comes_out_as_it_went_in(tmp_path: Path) -> None:
    content = {"Straßen/straßen.shp": b"\0" * 5_000_000, "Straßen/straßen.dbf": bytes(range(256)) * 9, "liesmich.txt": b""}
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.mkdir("Straßen")
        for name, octets in content.items():
            archive.writestr(name, octets)
    home = unpack_zip(tmp_path / "a.zip", tmp_path)
    assert {str(path.relative_to(home)): path.read_bytes() for path in home.rglob("*") if path.is_file()} == content


def test_a_packed_file_keeps_its_name_and_its_content(tmp_path: Path) -> None:
    (tmp_path / "a.geojson.gz").write_bytes(gzip.compress(b"{}") + gzip.compress(b"[]"))
    path = unpack_gz(tmp_path / "a.geojson.gz", tmp_path)
    assert (path.name, path.read_bytes()) == ("a.geojson", b"{}[]")


def test_the_borders_of_a_municipality_are_not_too_many(tmp_path: Path) -> None:
    border = [[678_000.123456 + n, 5_540_000.654321] for n in range(300_000)]
    feature = {"type": "Feature", "properties": {"nr": "1"}, "geometry": {"type": "LineString", "coordinates": border}}
    (tmp_path / "a.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [feature] * 4}))
    assert count(tmp_path / "a.geojson") == 4


def test_a_value_may_look_like_a_name_that_is_there_twice(tmp_path: Path) -> None:
    properties = {"nr": "1", "art": '"nr": "2", "nr": "3"', "u": "http://a:1/b:c", "mehr": [{"nr": 1}, {"nr": 2}], "n": {"nr": {"nr": 1}}}
    feature = {"type": "Feature", "properties": properties, "geometry": point(11.5, 50.0)}
    (tmp_path / "a.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [feature] * 3}))
    assert count(tmp_path / "a.geojson") == 3


def test_a_database_that_kept_a_log_is_read_from_a_copy_without_one(tmp_path: Path) -> None:
    path = tmp_path / "a.gpkg"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "PRAGMA journal_mode = WAL; CREATE TABLE gpkg_contents (table_name); CREATE TABLE t (a); INSERT INTO t VALUES (7)"
        )
    copy = at_rest(path, tmp_path)
    check_schema(copy)
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("SELECT a FROM t").fetchall() == [(7,)]
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    assert [file.name for file in copy.parent.iterdir()] == ["a.gpkg"]


def test_a_pbf_cut_anywhere_but_between_its_blocks_is_refused(testdata: Path, tmp_path: Path) -> None:
    whole = (testdata / "osm-herrenberg" / "herrenberg-minimal.osm.pbf").read_bytes()
    (tmp_path / "a.osm.pbf").write_bytes(whole)
    check_blocks(tmp_path / "a.osm.pbf")
    for end in (len(whole) - 1, len(whole) // 2, 1_000, 3):
        (tmp_path / "a.osm.pbf").write_bytes(whole[:end])
        with pytest.raises(FileRefused, match="damaged or incomplete"):
            check_blocks(tmp_path / "a.osm.pbf")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "iso-8859-1", "iso-8859-15", "windows-1252"])
def test_plain_xml_passes_in_every_encoding_its_reader_knows(tmp_path: Path, encoding: str) -> None:
    said = encoding.removesuffix("-sig")
    (tmp_path / "a.gml").write_text(f'<?xml version="1.0" encoding="{said}"?><a b="c">Süd &amp; Nord<![CDATA[<x>]]></a>', encoding=encoding)
    check_xml(tmp_path / "a.gml")


def test_xml_a_hundred_elements_deep_passes_and_one_more_does_not(tmp_path: Path) -> None:
    for depth, width in ((100, 5_000), (101, 1)):
        (tmp_path / "a.gml").write_text("<r>" + ("<a>" * (depth - 1) + "</a>" * (depth - 1)) * width + "</r>")
        if depth == 100:
            check_xml(tmp_path / "a.gml")
    with pytest.raises(FileRefused, match="nested deeper than 100"):
        check_xml(tmp_path / "a.gml")
