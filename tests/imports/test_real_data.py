"""Real data from OpenStreetMap, counted against what its PROVENANCE says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.imports.things import Database, asked
from twin_api.imports.run import ImportOutcome, run_import
from twin_api.policy.documents import Layer

COLUMNS = {
    "gebaeude": ("buildings", {"building": "art", "amenity": "nutzung"}, 4_267),
    "strassen": ("roads", {"highway": "art"}, 2_056),
    "landnutzung": ("landuse", {"landuse": "nutzung", "natural": "natur", "leisure": "freizeit"}, 1_107),
}
GPKG, PBF = "bayreuth-nord_25832.gpkg", "bayreuth-nord.osm.pbf"


def bring(database: Database, layers: dict[str, Layer], name: str, file: Path) -> ImportOutcome:
    source_layer, mapping, _ = COLUMNS[name]
    return run_import(asked(file, columns=mapping, source_layer=source_layer), layers[name], database.connect)


@pytest.mark.parametrize("name", COLUMNS)
def test_every_feature_of_the_extract_arrives_and_a_second_run_changes_no_row(
    database: Database, layers: dict[str, Layer], bayreuth: Path, name: str
) -> None:
    database.create(layers[name])
    first = bring(database, layers, name, bayreuth / GPKG)
    state = database.rows(f"SELECT id, xmin::text, ctid::text FROM store.{name} ORDER BY id")
    second = bring(database, layers, name, bayreuth / GPKG)
    assert (first.read, first.inserted, len(state)) == (COLUMNS[name][2],) * 3
    assert (second.inserted, second.updated, second.deleted, second.unchanged) == (0, 0, 0, first.read)
    assert database.rows(f"SELECT id, xmin::text, ctid::text FROM store.{name} ORDER BY id") == state
    assert first.ignored_columns == ("other_tags",)


def test_buildings_from_the_pbf_are_the_buildings_of_the_geopackage(database: Database, layers: dict[str, Layer], bayreuth: Path) -> None:
    layer = layers["gebaeude"]
    database.create(layer)
    bring(database, layers, "gebaeude", bayreuth / GPKG)
    before = "CREATE TABLE before AS SELECT id, osm_id, osm_way_id, geometry FROM store.gebaeude"
    with database.connect() as connection:
        connection.execute(f"CREATE SCHEMA kept; SET search_path = kept, postgis; {before}".encode())
    request = asked(
        bayreuth / PBF, columns={"building": "art", "amenity": "nutzung"}, source_layer="multipolygons", where="building IS NOT NULL"
    )
    outcome = run_import(request, layer, database.connect)
    assert (outcome.read, outcome.inserted, outcome.deleted) == (4_267, 0, 0)
    apart = "SELECT max(ST_HausdorffDistance(a.geometry, b.geometry)) FROM kept.before b JOIN store.gebaeude a USING (id)"
    assert database.value(apart) < 0.001
