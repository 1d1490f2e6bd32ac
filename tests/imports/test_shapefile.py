"""Shapefile and FlatGeobuf: what arrives is what the file holds, and what its reader would turn into something else is refused."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import shapely
from pyogrio.raw import write

from tests.imports.things import Database, attribute
from twin_api.imports.description import Description
from twin_api.imports.finding import FileRefused
from twin_api.imports.fingerprint import Fingerprint
from twin_api.imports.formats import open_file
from twin_api.imports.run import ImportRequest, run_import
from twin_api.imports.tables import dbf
from twin_api.policy.documents import Layer

NewLayer = Callable[..., Layer]
DAY = date(2026, 11, 20)
NAMES = ["nr", "name", "wert", "tag"]


def save(path: Path, driver: str = "ESRI Shapefile", encoding: str = "UTF-8") -> Path:
    shapes = shapely.to_wkb(np.array([shapely.Point(678_000 + n, 5_540_000) for n in range(4)], dtype=object))
    days = np.array(["2026-11-20"] * 4, dtype=object if driver == "FlatGeobuf" else "datetime64[D]")  # it has no type for days
    known = [np.arange(4), np.array(["Süd", "x", "", "z"], dtype=object), np.arange(4) * 1.5, days]
    write(path, shapes, known, NAMES, driver=driver, geometry_type="Point", crs="EPSG:25832", encoding=encoding)
    return path


@pytest.fixture
def layer(new_layer: NewLayer, database: Database) -> Layer:
    made = new_layer(
        attribute("nr", "integer", key=True), attribute("name"), attribute("wert", "number"), attribute("tag", "date"), attribute("moment")
    )
    database.create(made)
    return made


@pytest.fixture
def bring(database: Database, layer: Layer) -> Callable[..., int]:
    """Import a file as described and say how many rows it brought."""
    return lambda file, **said: run_import(ImportRequest([file], Description(**said)), layer, database.connect).inserted


def spoil(path: Path, field: str, record: int, value: bytes) -> None:
    """Write other bytes into a field."""
    table = dbf.open_table(path.with_suffix(".dbf"))
    octets = bytearray(table.path.read_bytes())
    at = next(known for known in table.fields if known.name == field)
    start = table.header_bytes + record * table.record_bytes
    octets[start + at.start : start + at.end] = value.rjust(at.end - at.start)
    table.path.write_bytes(octets)


@pytest.mark.parametrize(("name", "driver"), [("a.shp", "ESRI Shapefile"), ("a.fgb", "FlatGeobuf")])
def test_values_and_places_arrive_as_they_were_written(
    bring: Callable[..., int], database: Database, tmp_path: Path, name: str, driver: str
) -> None:
    assert bring(save(tmp_path / name, driver)) == 4
    assert database.rows("SELECT nr, coalesce(name, ''), wert, tag, ST_X(geometry) FROM store.thing ORDER BY nr LIMIT 3") == [
        (0, "Süd", 0.0, DAY, 678_000.0), (1, "x", 1.5, DAY, 678_001.0), (2, "", 3.0, DAY, 678_002.0),
    ]  # fmt: skip


def zipped(folder: Path, target: Path, *, inside: str = "") -> Path:
    with zipfile.ZipFile(target, "w") as archive:
        for part in sorted(folder.iterdir()):
            archive.write(part, inside + part.name)
    return target


def test_a_zip_is_read_with_its_parts_and_leaves_nothing_behind(bring: Callable[..., int], tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    save(tmp_path / "parts" / "a.shp")
    (tmp_path / "parts" / "a.shp.xml").write_text("<metadata/>")
    assert bring(zipped(tmp_path / "parts", tmp_path / "a.zip", inside="Lieferung/Daten/")) == 4
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.zip", "parts"]


def test_of_several_files_in_a_zip_one_is_chosen(bring: Callable[..., int], tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    for name in ("a.shp", "b.shp"):
        save(tmp_path / "parts" / name)
    file = zipped(tmp_path / "parts", tmp_path / "both.zip")
    with pytest.raises(FileRefused, match=r"`both.zip` holds several layers → choose one with `--from`: `a`, `b`"):
        bring(file)
    assert bring(file, source_layer="b") == 4


@pytest.mark.parametrize("missing", [".shx", ".dbf"])
def test_a_part_that_is_missing_is_named(bring: Callable[..., int], tmp_path: Path, missing: str) -> None:
    save(tmp_path / "a.shp").with_suffix(missing).unlink()
    with pytest.raises(FileRefused, match=f"`a.shp` lacks its file `{missing}` → deliver all parts together"):
        bring(tmp_path / "a.shp")


def test_without_prj_the_description_says_the_crs(bring: Callable[..., int], tmp_path: Path) -> None:
    save(tmp_path / "a.shp").with_suffix(".prj").unlink()
    with pytest.raises(FileRefused, match="names no coordinate reference system"):
        bring(tmp_path / "a.shp")
    assert bring(tmp_path / "a.shp", crs="EPSG:25832") == 4


@pytest.mark.parametrize(("encoding", "said"), [("UTF-8", "UTF-8"), ("windows-1252", "windows-1252"), ("windows-1252", "cp1252")])
def test_without_cpg_the_encoding_must_be_said(
    bring: Callable[..., int], database: Database, tmp_path: Path, encoding: str, said: str
) -> None:
    save(tmp_path / "a.shp", encoding=encoding).with_suffix(".cpg").unlink(missing_ok=True)
    octets = bytearray((tmp_path / "a.dbf").read_bytes())
    octets[dbf.LANGUAGE_DRIVER] = 0
    (tmp_path / "a.dbf").write_bytes(octets)
    with pytest.raises(FileRefused, match=r"`a.shp` does not say how its texts are encoded → name the encoding"):
        bring(tmp_path / "a.shp")
    assert bring(tmp_path / "a.shp", encoding=said) == 4
    assert database.value("SELECT name FROM store.thing WHERE nr = 0") == "Süd"


def test_an_index_beside_the_file_is_not_believed(bring: Callable[..., int], tmp_path: Path) -> None:
    save(tmp_path / "a.shp")
    for suffix in (".qix", ".sbn", ".idm", ".ind"):
        (tmp_path / f"a{suffix}").write_bytes(b"SQT\x01\x01\0\0\0" + b"\0" * 40)
    assert bring(tmp_path / "a.shp", where="nr >= 0") == 4


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("wert", b"abc", "feature 2, fid 1, `wert`: `abc` → number is required"),
        ("wert", b"1,5", "feature 2, fid 1, `wert`: `1,5` → number is required"),
        ("wert", b"12 34", "feature 2, fid 1, `wert`: `12 34` → number is required"),
        ("nr", b"7x", "feature 2, fid 1, `nr`: `7x` → integer is required"),
        ("tag", b"20260230", "feature 2, fid 1, `tag`: `20260230` → date is required"),
        ("tag", b"abcdefgh", "feature 2, fid 1, `tag`: `abcdefgh` → date is required"),
        ("wert", b"12345678901234567891", "feature 2, fid 1, `wert`: `12345678901234567891` → number is required"),
    ],
)
def test_a_value_that_its_reader_would_change_is_refused(
    bring: Callable[..., int], tmp_path: Path, field: str, value: bytes, expected: str
) -> None:
    spoil(save(tmp_path / "a.shp"), field, 1, value)
    with pytest.raises(FileRefused) as caught:
        bring(tmp_path / "a.shp")
    assert expected in [finding.text().say("en") for finding in caught.value.findings]


@pytest.mark.parametrize(("field", "value"), [("tag", b"00000000"), ("wert", b"*" * 24), ("wert", b""), ("tag", b"")])
def test_what_dbase_writes_for_not_known_is_not_known(
    bring: Callable[..., int], database: Database, tmp_path: Path, field: str, value: bytes
) -> None:
    spoil(save(tmp_path / "a.shp"), field, 1, value)
    assert bring(tmp_path / "a.shp") == 4
    assert database.value(f"SELECT {field} IS NULL FROM store.thing WHERE nr = 1") is True


def test_a_value_outside_the_condition_harms_nobody(bring: Callable[..., int], tmp_path: Path) -> None:
    spoil(save(tmp_path / "a.shp"), "wert", 1, b"abc")
    assert bring(tmp_path / "a.shp", where="nr > 1") == 2
    with pytest.raises(FileRefused, match="`abc`"):
        bring(tmp_path / "a.shp", where="nr < 3")


@pytest.mark.parametrize(
    ("name", "driver"), [("a.shp", "ESRI Shapefile"), ("a.fgb", "FlatGeobuf"), ("a.gpkg", "GPKG"), ("a.geojson", "GeoJSON")]
)
def test_a_condition_may_name_a_column_that_is_not_imported(tmp_path: Path, name: str, driver: str) -> None:
    source = open_file(save(tmp_path / name, driver), Description(where="nr < 3"), tmp_path)
    assert [sorted(batch.columns["wert"]) for batch in source.batches(["wert"])] == [[0.0, 1.5, 3.0]]


def test_deleted_records_are_no_features(bring: Callable[..., int], tmp_path: Path) -> None:
    table = dbf.open_table(save(tmp_path / "a.shp").with_suffix(".dbf"))
    octets = bytearray(table.path.read_bytes())
    octets[table.header_bytes + 3 * table.record_bytes] = ord("*")
    table.path.write_bytes(octets)
    assert bring(tmp_path / "a.shp") == 3


@pytest.mark.parametrize("harm", ["dbf cut", "dbf counts fewer", "shp cut", "shx cut", "dbf empty", "fgb cut"])
def test_a_file_that_lost_its_end_is_refused(bring: Callable[..., int], database: Database, tmp_path: Path, harm: str) -> None:
    name, _, how = harm.partition(" ")
    file = save(tmp_path / ("a.fgb" if name == "fgb" else "a.shp"), "FlatGeobuf" if name == "fgb" else "ESRI Shapefile")
    part = file.with_suffix(f".{name}")
    octets = part.read_bytes()
    part.write_bytes({"cut": octets[:-60], "counts fewer": octets[:4] + b"\3\0\0\0" + octets[8:], "empty": b""}[how])
    with pytest.raises(FileRefused):
        bring(file)
    assert database.value("SELECT count(*) FROM store.thing") == 0


@pytest.mark.parametrize("encoding", ["UTF-8", "ISO-8859-1"])
def test_a_field_is_looked_at_whatever_letters_its_name_has(database: Database, new_layer: NewLayer, tmp_path: Path, encoding: str) -> None:
    layer, file = new_layer(attribute("hoehe", "number"), attribute("nr", key=True)), tmp_path / "a.shp"
    database.create(layer)
    shapes = shapely.to_wkb(np.array([shapely.Point(678_000, 5_540_000)], dtype=object))
    known = [np.array(["1"], dtype=object), np.array([7.25])]
    write(file, shapes, known, ["nr", "Höhe"], driver="ESRI Shapefile", geometry_type="Point", crs="EPSG:25832", encoding=encoding)
    table = file.with_suffix(".dbf")
    table.write_bytes(table.read_bytes().replace(b"7.25", b"7,25"))
    with pytest.raises(FileRefused, match=r"`hoehe`: `7,25.*number is required"):
        run_import(ImportRequest([file]), layer, database.connect)


def test_of_two_fields_of_one_name_none_is_taken(bring: Callable[..., int], tmp_path: Path) -> None:
    table = save(tmp_path / "a.shp").with_suffix(".dbf")
    table.write_bytes(table.read_bytes().replace(b"name\0", b"wert\0", 1))
    with pytest.raises(FileRefused, match="2 columns are called `wert`"):
        bring(tmp_path / "a.shp")


def test_the_journal_knows_all_parts_of_it_and_a_part_that_changes_meanwhile_is_noticed(tmp_path: Path) -> None:
    file = save(tmp_path / "a.shp")
    prints = Fingerprint.of_all([file])
    assert [print_.as_data("")["name"] for print_ in prints] == ["a.cpg", "a.dbf", "a.prj", "a.shp", "a.shx"]
    os.utime(file.with_suffix(".dbf"), (0, 0))
    with pytest.raises(FileRefused, match=r"`a.dbf` changed while it was read"):
        next(print_ for print_ in prints if print_.path.suffix == ".dbf").check()
