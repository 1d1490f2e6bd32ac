"""Bad files: refused whole, with the feature, the attribute and the remedy, and nothing is imported."""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from pyogrio.raw import write

from tests.imports.things import Database, asked, attribute, point
from twin_api.imports.finding import FileRefused
from twin_api.imports.run import run_import
from twin_api.policy.documents import Layer

NewLayer = Callable[..., Layer]
Write = Callable[..., Path]
LINE = {"type": "LineString", "coordinates": [[678_000, 5_540_000], [678_001, 5_540_000]]}


def polygon(*ring: tuple[float, float]) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": [[[678_000 + x, 5_540_000 + y] for x, y in ring]]}


SQUARE = polygon((0, 0), (9, 0), (9, 9), (0, 9), (0, 0))
BOW_TIE = polygon((0, 0), (9, 9), (9, 0), (0, 9), (0, 0))


def refused(database: Database, layer: Layer, file: Path, **more: Any) -> list[str]:
    """The findings in English; the layer's table must stay empty."""
    database.create(layer)
    with pytest.raises(FileRefused) as caught:
        run_import(asked(file, **more), layer, database.connect)
    assert database.value("SELECT count(*) FROM store.thing") == 0
    return [finding.text().say("en") for finding in caught.value.findings]


VALUES: list[tuple[str, Any, str]] = [
    ("integer", "12a", "whole number"),
    ("integer", 1.5, "whole number"),
    ("integer", 10**30, "whole number"),
    ("number", "1.234,5", "decimal point"),
    ("number", float("nan"), "finite"),
    ("number", float("inf"), "finite"),
    ("boolean", "ja", "`true`"),
    ("date", "20.11.2026", "a day such as"),
    ("date", "2026-02-30", "a day such as"),
    ("datetime", "2026-11-20T08:00:00", "offset"),
    ("datetime", "gestern", "offset"),
]


@pytest.mark.parametrize(("type_", "value", "expected"), VALUES)
def test_a_value_that_does_not_fit_its_type_is_named_by_row_and_attribute(
    database: Database, new_layer: NewLayer, geojson: Write, type_: Any, value: Any, expected: str
) -> None:
    layer = new_layer(attribute("nr", key=True), attribute("wert", type_))
    found = refused(database, layer, geojson(({"nr": "1", "wert": None}, point()), ({"nr": "2", "wert": value}, point())))
    assert len(found) == 1
    assert "`wert`" in found[0]
    assert expected in found[0] or "is required" in found[0]
    assert "feature 2" in found[0] or "column" in found[0]


def test_a_value_outside_the_enumeration_is_refused_with_the_allowed_ones(database: Database, new_layer: NewLayer, geojson: Write) -> None:
    layer = new_layer(attribute("nr", key=True), attribute("art", enum={"gut": "good", "schlecht": "poor"}))
    found = refused(database, layer, geojson(({"nr": "1", "art": "Gut"}, point())))
    assert found == ["feature 1, fid 0, `art`: `Gut` → one of the values `gut`, `schlecht` is required"]


def test_values_of_attributes_that_are_not_public_are_described_but_not_shown(
    database: Database, new_layer: NewLayer, geojson: Write
) -> None:
    layer = new_layer(attribute("nr", key=True), attribute("art", enum={"gut": "good"}, class_="personal"))
    found = refused(database, layer, geojson(({"nr": "1", "art": "geheim"}, point())))
    assert "text of 6 characters" in found[0]
    assert "geheim" not in found[0]


def test_all_findings_are_counted_and_the_first_hundred_shown(database: Database, new_layer: NewLayer, geojson: Write) -> None:
    layer = new_layer(attribute("nr", key=True), attribute("zahl", "integer"))
    database.create(layer)
    file = geojson(*(({"nr": str(n), "zahl": "x"}, LINE) for n in range(6_000)))
    with pytest.raises(FileRefused) as caught:
        run_import(asked(file), layer, database.connect)
    assert (len(caught.value.findings), caught.value.total) == (100, 12_000)


def test_a_key_used_twice_names_both_features(database: Database, new_layer: NewLayer, geojson: Write) -> None:
    file = geojson(*(({"nr": nr}, point()) for nr in ("1", "2", "1")))
    assert refused(database, new_layer(), file) == ["feature 3, `nr`: the same key as feature 1 → remove one of them"]


def test_a_key_is_as_long_as_an_index_takes_and_no_longer(database: Database, new_layer: NewLayer, geojson: Write) -> None:
    """The longest are such as do not pack, of several attributes."""
    layer = new_layer(attribute("a", key=True), attribute("b", key=True))
    draw = random.Random(7)
    halves = ["".join(chr(draw.randrange(0x100, 0x250)) for _ in range(625)) for _ in range(2)]
    fits, long = (geojson(({"a": halves[0], "b": halves[1] + more}, point()), name=f"{more}.geojson") for more in ("", "x"))
    assert refused(database, layer, long) == ["feature 1, fid 0, `a, b`: the key is 2501 octets long → at most 2500; choose a shorter one"]
    assert run_import(asked(fits), layer, database.connect).inserted == 1


def test_a_key_without_any_value_is_refused(database: Database, new_layer: NewLayer, geojson: Write) -> None:
    layer = new_layer(attribute("a", key=True), attribute("b", key=True))
    found = refused(database, layer, geojson(({"a": "1", "b": "1"}, point()), ({"a": None, "b": None}, point())))
    assert found == ["feature 2, fid 1, `a, b`: the key is empty → give a value"]


SHAPES: list[tuple[str, Any, str]] = [
    ("Point", None, "no geometry"),
    ("Point", LINE, "geometry of type `LineString` → `Point` is required"),
    ("Polygon", {"type": "MultiPolygon", "coordinates": [SQUARE["coordinates"]]}, "`Polygon` is required"),
    ("Point", {"type": "GeometryCollection", "geometries": [point()]}, "`Point` is required"),
    ("MultiPolygon", {"type": "MultiPolygon", "coordinates": []}, "empty geometry"),
    ("Point", point(float("nan")), "finite"),
    ("Point", point(float("inf")), "finite"),
    ("PointZ", point(678_000, 5_540_000), "without height"),
    ("PointZ", point(678_000, 5_540_000, float("nan")), "finite"),
    ("Polygon", polygon((0, 0), (9, 0), (9, 9), (0, 9)), "not closed"),
    ("Polygon", BOW_TIE, "Self-intersection at (678004.50 5540004.50)"),
    ("LineString", {"type": "LineString", "coordinates": [[678_000, 5_540_000]] * 2}, "Too few points"),
]


@pytest.mark.parametrize(("type_", "shape", "expected"), SHAPES)
def test_a_geometry_that_cannot_be_stored_is_named_by_its_feature(
    database: Database, new_layer: NewLayer, geojson: Write, type_: Any, shape: Any, expected: str
) -> None:
    found = refused(database, new_layer(type_=type_), geojson(({"nr": "1"}, shape)))
    assert len(found) == 1
    assert found[0].startswith("feature 1, fid 0: ")
    assert expected in found[0]


def test_the_place_of_an_invalid_geometry_is_not_told_for_a_layer_whose_places_are_not_public(
    database: Database, new_layer: NewLayer, geojson: Write
) -> None:
    found = refused(database, new_layer(type_="Polygon", class_="kritis"), geojson(({"nr": "1"}, BOW_TIE)))
    assert found == ["feature 1, fid 0: invalid geometry: Self-intersection → mend it at the source"]


def geopackage(path: Path, crs: str | None, srs_id: int | None = None) -> Path:
    shapes = shapely.to_wkb(np.array([shapely.Point(678_000, 5_540_000)], dtype=object))
    write(path, shapes, [np.array(["1"], dtype=object)], ["nr"], driver="GPKG", geometry_type="Point", crs=crs,
          layer_options={"SPATIAL_INDEX": "NO"})  # fmt: skip
    if srs_id is not None:
        with sqlite3.connect(path) as connection:
            connection.execute("UPDATE gpkg_geometry_columns SET srs_id = ?", [srs_id])
    return path


@pytest.mark.filterwarnings("ignore:'crs' was not provided")
@pytest.mark.parametrize("srs_id", [None, -1, 0])
def test_a_file_without_a_coordinate_reference_system_is_refused(
    database: Database, new_layer: NewLayer, tmp_path: Path, srs_id: int | None
) -> None:
    found = refused(database, new_layer(), geopackage(tmp_path / "a.gpkg", None, srs_id))
    assert "set the CRS at the source" in found[0]


def test_a_transformation_whose_grid_is_missing_is_refused_and_the_grid_named(
    database: Database, new_layer: NewLayer, tmp_path: Path, no_grids: None
) -> None:
    found = refused(database, new_layer(), geopackage(tmp_path / "a.gpkg", "EPSG:31468"))
    assert "the grid `de_adv_BETA2007.tif` is missing" in found[0]


@pytest.mark.parametrize("crs", ["EPSG:4979", "EPSG:25832+5783"])
def test_heights_of_another_system_are_refused(database: Database, new_layer: NewLayer, tmp_path: Path, crs: str) -> None:
    path = tmp_path / "a.gpkg"
    shapes = shapely.to_wkb(np.array([shapely.Point(11.5, 50.0, 400.0)], dtype=object))
    write(path, shapes, [np.array(["1"], dtype=object)], ["nr"], driver="GPKG", geometry_type="Point Z", crs=crs)
    assert "DHHN2016 is required" in refused(database, new_layer(type_="PointZ", heights="DHHN2016"), path)[0]


def test_a_wrong_column_in_map_names_the_close_match(database: Database, new_layer: NewLayer, geojson: Write) -> None:
    file = geojson(({"nr": "1", "baumart": "Linde"}, point()))
    found = refused(database, new_layer(), file, columns={"Baumrat": "art", "nr": "nummer"})
    assert found == [
        "the file has no column `Baumrat` → did you mean `baumart`?",
        "the layer `thing` has no attribute `nummer` → possible are: `nr`, `art`",
    ]


def test_a_key_without_column_is_refused_and_the_option_shown(database: Database, new_layer: NewLayer, geojson: Write) -> None:
    found = refused(database, new_layer(), geojson(({"nummer": "1"}, point())))
    assert found == ["`nr`: no column fills this key attribute → `--map COLUMN=nr`; possible are: `nummer`"]


def test_a_column_of_lists_cannot_fill_an_attribute(database: Database, new_layer: NewLayer, geojson: Write) -> None:
    assert "lists" in refused(database, new_layer(), geojson(({"nr": "1", "art": ["a", "b"]}, point())))[0]


LOOSE: list[tuple[Any, str, Any]] = [
    ("integer", "INTEGER", "abc"), ("integer", "INTEGER", 1.5), ("number", "REAL", "1,5"), ("boolean", "BOOLEAN", 2),
    ("date", "DATE", "2026-02-30"), ("date", "DATE", "30.1.2026"), ("datetime", "DATETIME", "gestern"), ("text", "TEXT", b"M\xfcll"),
]  # fmt: skip


@pytest.mark.parametrize(("type_", "declared", "value"), LOOSE)
def test_a_geopackage_whose_rows_belie_their_columns_is_refused(
    database: Database, new_layer: NewLayer, tmp_path: Path, type_: Any, declared: str, value: Any
) -> None:
    path = geopackage(tmp_path / "a.gpkg", "EPSG:25832")
    with sqlite3.connect(path) as connection:
        connection.execute(f"ALTER TABLE a ADD COLUMN wert {declared}")
        connection.execute("UPDATE a SET wert = ?", [value])
    found = refused(database, new_layer(attribute("nr", key=True), attribute("wert", type_)), path)
    assert len(found) == 1
    assert "fid 1, `wert`: " in found[0]
    assert "required" in found[0]


def test_a_broken_line_is_named_by_its_number(database: Database, new_layer: NewLayer, tmp_path: Path) -> None:
    path = tmp_path / "thing.geojsonl"
    feature = json.dumps({"type": "Feature", "properties": {"nr": "1"}, "geometry": point(11.5, 50.0)})
    path.write_text(f'{feature}\n{{"type": "Feature", broken\n[1]\n')
    assert [line.split(":")[0] for line in refused(database, new_layer(), path)] == ["line 2", "line 3"]


def test_members_the_reader_would_leave_out_in_silence_are_missed(database: Database, new_layer: NewLayer, geojson: Write) -> None:
    file = geojson(({"nr": "1"}, point()), ({"nr": "2"}, point()))
    file.write_text(file.read_text().replace('"type": "Feature",', '"type": "Future",', 1))
    assert refused(database, new_layer(), file)[0].startswith("the file holds 2 features, 1 can be read")


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.gpkg", b"no database"), ("a.geojson", b'{"type": "Feature"'), ("a.pbf", b"{}"), ("a.shp", b""), ("a.geojson", b"")],
)
def test_a_file_that_is_not_what_its_name_says_is_refused(
    database: Database, new_layer: NewLayer, tmp_path: Path, name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)
    assert refused(database, new_layer(), tmp_path / name)


def test_a_file_that_is_not_there_is_refused(database: Database, new_layer: NewLayer, tmp_path: Path) -> None:
    assert "there is no file" in refused(database, new_layer(), tmp_path / "gone.gpkg")[0]


def test_a_half_written_geopackage_is_refused(database: Database, new_layer: NewLayer, bayreuth: Path, tmp_path: Path) -> None:
    whole = (bayreuth / "bayreuth-nord_25832.gpkg").read_bytes()
    (tmp_path / "half.gpkg").write_bytes(whole[: len(whole) // 2])
    layer = new_layer(attribute("osm_id", key=True), attribute("osm_way_id", key=True), type_="MultiPolygon")
    assert refused(database, layer, tmp_path / "half.gpkg", source_layer="buildings")


def test_findings_speak_german_too(database: Database, new_layer: NewLayer, geojson: Write) -> None:
    database.create(layer := new_layer())
    with pytest.raises(FileRefused) as caught:
        run_import(asked(geojson(({"nr": "1"}, LINE))), layer, database.connect)
    assert caught.value.findings[0].text().say("de") == "Objekt 1, fid 0: Geometrie vom Typ `LineString` → verlangt ist `Point`"
