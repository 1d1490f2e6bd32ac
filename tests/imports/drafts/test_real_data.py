"""Real data: the draft loads, and with it every row of the file comes in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.imports.drafts.test_infer import DAY, POLICIES, brought, described, loaded
from tests.imports.things import Database
from twin_api.imports.description import Place
from twin_api.imports.draft_job import Draft, Wish
from twin_api.imports.finding import FileRefused
from twin_api.imports.inside.drafting import draft_layer

LAYERS = {"buildings": 4_267, "landuse": 1_107, "roads": 2_056, "waterways": 228, "points": 844}
KEYS = {
    "buildings": ("osm_way_id",),
    "landuse": ("osm_id", "osm_way_id"),
    "roads": ("osm_id",),
    "waterways": ("osm_id",),
    "points": ("osm_id",),
}


def drafted(path: Path, **wish: Any) -> Draft:
    """In a process of its own, as the command does it."""
    return draft_layer(path, Wish(**wish), POLICIES.town, DAY)


@pytest.mark.parametrize("name", LAYERS)
def test_every_layer_of_openstreetmap_comes_in(database: Database, bayreuth: Path, name: str) -> None:
    path = bayreuth / "bayreuth-nord_25832.gpkg"
    draft = drafted(path, source_layer=name)
    assert loaded(draft).key == KEYS[name]
    assert brought(draft, path, database, name).inserted == LAYERS[name]


def test_roofs_whose_numbers_are_texts_come_in_as_numbers(database: Database, testdata: Path) -> None:
    path = testdata / "rooftops-nrw" / "rooftops_selkfant.geojson.gz"
    draft = drafted(path)
    types = {name: each.type for name, each in loaded(draft).attributes.items()}
    assert (types["area"], types["azimuth"], types["tilt"], types["rooftop_type"], types["postal_code"]) == (
        "number",
        "number",
        "number",
        "integer",
        "text",
    )
    assert brought(draft, path, database).inserted == 398


def test_of_all_municipalities_one_has_a_broken_border_and_nothing_else_is_found(database: Database, testdata: Path) -> None:
    path = testdata / "admin-vg5000" / "vg5000_gem_rlp_by.gpkg"
    draft = drafted(path, source_layer="gem")
    layer = loaded(draft)
    assert (layer.key, layer.attributes["ags"].type, layer.attributes["beginn"].type) == (("objid",), "text", "datetime")
    with pytest.raises(FileRefused) as refused:
        brought(draft, path, database)
    assert refused.value.total == 1


def test_trees_with_their_place_in_two_columns_come_in(database: Database, testdata: Path) -> None:
    path = testdata / "trees-konstanz" / "KN_Baumkataster_2020S_2of3.csv.gz"
    draft = drafted(path, layer="baeume", class_="public", listing=True)
    layer = loaded(draft)
    assert (layer.key, layer.geometry and layer.geometry.type, "x" in layer.attributes) == (("baum_id",), "Point", False)
    assert (described(draft).description.crs, described(draft).description.place) == ("EPSG:4326", Place("X", "Y"))
    assert (layer.attributes["stammumfang_cm"].unit, layer.attributes["stammumfang_cm"].type) == ("cm", "integer")
    assert brought(draft, path, database).inserted == 10_624


@pytest.mark.parametrize(("month", "hours", "encoding"), [("mai", 744, None), ("juni", 720, "iso-8859-1")])
def test_a_table_without_places_comes_in_whatever_its_encoding(
    database: Database, testdata: Path, month: str, hours: int, encoding: str | None
) -> None:
    path = testdata / "pedestrians-moers" / f"besucherzahlen-moers-{month}-2022-stuendlich.csv"
    draft = drafted(path, layer="passanten")
    layer = loaded(draft)
    assert (layer.geometry, layer.key, layer.datetime) == (None, ("zeitpunkt_der_messung",), "zeitpunkt_der_messung")
    assert (described(draft).description.encoding if draft.source else None) == encoding
    assert ("gingen Buchstaben verloren" in draft.text) == (month == "mai")
    assert brought(draft, path, database).inserted == hours


def test_streets_from_a_pbf_come_in(database: Database, testdata: Path) -> None:
    path = testdata / "osm-herrenberg" / "herrenberg-minimal.osm.pbf"
    draft = drafted(path, source_layer="lines")
    assert (loaded(draft).key, loaded(draft).attributes["z_order"].type) == (("osm_id",), "integer")
    outcome = brought(draft, path, database, "lines")
    assert outcome.inserted == outcome.read > 1_700


def test_addresses_with_swapped_axes_come_in(database: Database, testdata: Path) -> None:
    path = testdata / "addresses-essen" / "wfs_page_000.gml.gz"
    draft = drafted(path, layer="adressen")
    layer = loaded(draft)
    assert described(draft).description.axes == "swapped"
    assert (layer.key, layer.attributes["x"].locates, layer.attributes["hsnr"].type) == (("gml_id",), True, "text")
    assert brought(draft, path, database).inserted == 1_000


@pytest.mark.parametrize(("plan", "name"), [("BP_6-0_BPlan004", "BP_BaugebietsTeilFlaeche"), ("BP_5-2_Rotherbaum27", "BP_Plan")])
def test_members_of_a_plan_come_in(database: Database, testdata: Path, plan: str, name: str) -> None:
    path = testdata / "xplanung" / f"{plan}.gml.gz"
    draft = drafted(path, source_layer=name)
    outcome = brought(draft, path, database, name)
    assert outcome.inserted == outcome.read > 0
