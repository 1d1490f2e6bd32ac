"""Source formats: what arrives is what the file holds, whichever way it was written."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest
import shapely
from pyogrio.raw import read, write

from tests.imports.things import Database, asked, attribute, point
from twin_api.imports.description import Description
from twin_api.imports.finding import FileRefused
from twin_api.imports.formats import FORMATS, open_file
from twin_api.imports.formats.geojson import Scan
from twin_api.imports.run import run_import
from twin_api.policy.documents import Layer

NewLayer = Callable[..., Layer]
Write = Callable[..., Path]


def test_every_file_on_the_shelf_is_registered() -> None:
    shelf = {path.stem for path in Path(open_file.__code__.co_filename).parent.glob("*.py")} - {"__init__"}
    assert len(shelf) == len(FORMATS)


def test_geojson_in_wgs84_lands_within_a_millimetre(database: Database, layers: dict[str, Layer], bayreuth: Path, tmp_path: Path) -> None:
    layer = layers["gebaeude"]
    database.create(layer)
    source = bayreuth / "bayreuth-nord_25832.gpkg"
    run_import(asked(source, columns={"building": "art"}, source_layer="buildings"), layer, database.connect)
    meta, _, shapes, columns = read(source, layer="buildings", columns=["osm_id", "osm_way_id", "building"])
    lon_lat = tmp_path / "buildings.geojson"
    write(lon_lat, to_lon_lat(shapes), list(columns), list(meta["fields"]), driver="GeoJSON", geometry_type="MultiPolygon",
          crs="OGC:CRS84", layer_options={"COORDINATE_PRECISION": "12"})  # fmt: skip
    with database.connect() as connection:
        connection.execute("CREATE TABLE store.before AS SELECT id, geometry FROM store.gebaeude")
    outcome = run_import(asked(lon_lat, columns={"building": "art"}), layer, database.connect)
    assert (outcome.read, outcome.inserted) == (4_267, 0)
    apart = "SELECT max(ST_HausdorffDistance(a.geometry, b.geometry)) FROM store.before b JOIN store.gebaeude a USING (id)"
    assert database.value(apart) < 0.001


def to_lon_lat(shapes: np.ndarray) -> np.ndarray:
    """By a transformation of our own making, so that the import's is not compared with itself alone."""
    from pyproj import Transformer

    back = Transformer.from_pipeline(
        "+proj=pipeline +step +inv +proj=utm +zone=32 +ellps=GRS80 +step +proj=unitconvert +xy_in=rad +xy_out=deg"
    )
    moved = shapely.transform(shapely.from_wkb(shapes), lambda xy: np.column_stack(back.transform(xy[:, 0], xy[:, 1])))
    return np.asarray(shapely.to_wkb(moved))


@pytest.mark.parametrize("lead", ["", "\x1e"])
def test_one_feature_per_line_is_read_like_a_collection(database: Database, new_layer: NewLayer, tmp_path: Path, lead: str) -> None:
    layer = new_layer()
    database.create(layer)
    lines = [json.dumps({"type": "Feature", "properties": {"nr": str(n)}, "geometry": point(11.5, 50.0)}) for n in range(12_000)]
    (tmp_path / "thing.geojson").write_text("".join(f"{lead}{line}\n" for line in lines))
    outcome = run_import(asked(tmp_path / "thing.geojson"), layer, database.connect)
    assert outcome.inserted == 12_000


def test_every_type_arrives_as_it_was_written(database: Database, new_layer: NewLayer, tmp_path: Path) -> None:
    layer = new_layer(
        attribute("nr", "integer", key=True), attribute("t"), attribute("n", "number"), attribute("b", "boolean"),
        attribute("d", "date"), attribute("m", "datetime"),
    )  # fmt: skip
    database.create(layer)
    shapes = shapely.to_wkb(np.array([shapely.Point(678_000, 5_540_000)] * 2, dtype=object))
    days = np.array(["1899-12-31", "2026-11-20"], dtype="datetime64[D]")
    moments = np.array(["2026-11-20T07:30:00.250", "1969-01-01T00:00:00"], dtype="datetime64[ms]")
    texts = np.array(["Süd„straße“", ""], dtype=object)
    known = [np.array([2**53 + 1, -5]), texts, np.array([0.1, -1e-9]), np.array([True, False]), days, moments]
    write(tmp_path / "a.gpkg", shapes, known, ["nr", "t", "n", "b", "d", "m"], driver="GPKG", geometry_type="Point", crs="EPSG:25832")
    run_import(asked(tmp_path / "a.gpkg"), layer, database.connect)
    assert database.rows("SELECT nr, t, n, b, d, m AT TIME ZONE 'UTC' FROM store.thing ORDER BY nr DESC") == [
        (2**53 + 1, "Süd„straße“", 0.1, True, date(1899, 12, 31), datetime(2026, 11, 20, 7, 30, 0, 250_000)),
        (-5, "", -1e-9, False, date(2026, 11, 20), datetime(1969, 1, 1)),
    ]


def test_values_written_as_text_are_read_where_they_are_unmistakable(database: Database, new_layer: NewLayer, geojson: Write) -> None:
    layer = new_layer(
        attribute("nr", key=True),
        attribute("i", "integer"),
        attribute("n", "number"),
        attribute("b", "boolean"),
        attribute("m", "datetime"),
    )
    database.create(layer)
    file = geojson(
        ({"nr": 1, "i": "12", "n": "1.50", "b": "true", "m": "2026-11-20T08:30:00+01:00"}, point()),
        ({"nr": 2, "i": "-7", "n": "3e2", "b": "false", "m": "x"[:0] or None}, point()),
    )
    run_import(asked(file), layer, database.connect)
    assert database.rows("SELECT nr, i, n, b, m FROM store.thing ORDER BY nr") == [
        ("1", 12, 1.5, True, datetime(2026, 11, 20, 7, 30, tzinfo=UTC)),
        ("2", -7, 300.0, False, None),
    ]


def test_a_single_geometry_becomes_a_multi_geometry_and_a_height_too_many_is_dropped(
    database: Database, new_layer: NewLayer, geojson: Write
) -> None:
    layer = new_layer(type_="MultiPoint")
    database.create(layer)
    run_import(asked(geojson(({"nr": "1"}, point(678_000, 5_540_000, 400)))), layer, database.connect)
    assert database.value("SELECT ST_AsEWKT(geometry) FROM store.thing") == "SRID=25832;MULTIPOINT(678000 5540000)"


def test_a_height_is_kept_to_the_last_digit(database: Database, new_layer: NewLayer, geojson: Write) -> None:
    layer = new_layer(type_="PointZ")
    database.create(layer)
    run_import(asked(geojson(({"nr": "1"}, point(678_000.25, 5_540_000.5, 415.02)))), layer, database.connect)
    assert database.value("SELECT ST_AsEWKT(geometry) FROM store.thing") == "SRID=25832;POINT(678000.25 5540000.5 415.02)"


def test_a_condition_chooses_features_of_any_format(database: Database, new_layer: NewLayer, geojson: Write) -> None:
    layer = new_layer()
    database.create(layer)
    file = geojson(*(({"nr": str(n), "art": "Linde" if n % 2 else "Eiche"}, point()) for n in range(10)))
    assert run_import(asked(file, where="art = 'Linde'"), layer, database.connect).inserted == 5


@pytest.mark.parametrize(("where", "expected"), [("building = 'house'", 10), ("ST_Area(geom) > 5000", 2)])
def test_a_condition_may_use_what_the_driver_understands(
    database: Database, layers: dict[str, Layer], bayreuth: Path, where: str, expected: int
) -> None:
    database.create(layers["gebaeude"])
    request = asked(bayreuth / "bayreuth-nord_25832.gpkg", columns={"building": "art"}, source_layer="buildings", where=where)
    assert run_import(request, layers["gebaeude"], database.connect).inserted == expected


def test_a_file_of_several_layers_asks_which_one(bayreuth: Path, tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match="choose one with `--from`: `buildings`, `landuse`"):
        open_file(bayreuth / "bayreuth-nord_25832.gpkg", Description(), tmp_path)
    with pytest.raises(FileRefused, match="did you mean `buildings`"):
        open_file(bayreuth / "bayreuth-nord_25832.gpkg", Description(source_layer="buildigns"), tmp_path)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 10_000])
def test_features_are_counted_right_wherever_the_file_is_cut(size: int) -> None:
    features = [{"type": "Feature", "properties": {"a": '}]"\\', "features": [{}, {}]}, "geometry": None}] * 5
    text = json.dumps({"links": [{"href": "x"}], 'features": [': 1, "features": features, "more": [{}, [{}]]}, indent=1).encode()
    scan = Scan()
    for start in range(0, len(text), size):
        scan.feed(text[start : start + size])
    assert (scan.found, scan.objects) == (True, 5)
