"""Real data: the draft loads, and with it every row of the file comes in."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tests.imports.drafts.test_infer import brought, drafted, loaded
from tests.imports.things import Database

LAYERS = {"buildings": 4_267, "landuse": 1_107, "roads": 2_056, "waterways": 228, "points": 844}
KEYS = {
    "buildings": ("osm_way_id",),
    "landuse": ("osm_id", "osm_way_id"),
    "roads": ("osm_id",),
    "waterways": ("osm_id",),
    "points": ("osm_id",),
}


@pytest.mark.parametrize("name", LAYERS)
def test_every_layer_of_openstreetmap_comes_in(database: Database, bayreuth: Path, name: str) -> None:
    path = bayreuth / "bayreuth-nord_25832.gpkg"
    draft = drafted(path, source_layer=name)
    assert loaded(draft).key == KEYS[name]
    assert brought(draft, path, database).inserted == LAYERS[name]


def test_roofs_whose_numbers_are_texts_come_in_as_numbers(database: Database, testdata: Path, tmp_path: Path) -> None:
    path = tmp_path / "rooftops_selkfant.geojson"
    path.write_bytes(gzip.decompress((testdata / "rooftops-nrw" / "rooftops_selkfant.geojson.gz").read_bytes()))
    draft = drafted(path)
    types = {name: each.type for name, each in loaded(draft).attributes.items()}
    assert (types["area"], types["azimuth"], types["tilt"], types["rooftoptype"], types["postalcode"]) == (
        "number",
        "number",
        "number",
        "integer",
        "text",
    )
    assert brought(draft, path, database).inserted == 398
