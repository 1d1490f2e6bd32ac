"""Open data of German towns and states, as they were published: every file fills its layer, to the count its PROVENANCE says."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import shapely

from tests.imports.things import Database
from twin_api.imports.description import ColumnRule, Description, Place, Reading
from twin_api.imports.finding import FileRefused
from twin_api.imports.formats import open_file
from twin_api.imports.run import ImportOutcome, ImportRequest, run_import
from twin_api.policy.documents import Layer
from twin_api.policy.load import load

pytestmark = pytest.mark.slow
POLICIES: Final = Path(__file__).parents[1] / "open_data" / "policies"
OSM, HERRENBERG, BORDERS, ESSEN, PLANS = "osm-bayreuth-nord", "osm-herrenberg", "admin-vg5000", "addresses-essen", "xplanung"
GPKG, PBF = "bayreuth-nord_25832.gpkg", "bayreuth-nord.osm.pbf"
Bring = Callable[..., ImportOutcome]


def said(columns: Mapping[str, str | tuple[str, Reading]], **more: Any) -> Description:
    """A description that names the column of each attribute, some with a reading of their own."""
    rules = {column: ColumnRule(*to) if isinstance(to, tuple) else ColumnRule(to) for column, to in columns.items()}
    return Description(rules, **more)


@pytest.fixture(scope="session")
def open_layers() -> Mapping[str, Layer]:
    return load(POLICIES).layers


@pytest.fixture
def bring(database: Database, open_layers: Mapping[str, Layer], testdata: Path) -> Bring:
    """Import files of the test data into a layer of the town of open data; its table is made if need be."""
    made: set[str] = set()

    def import_(layer: str, description: Description, *files: str, **more: Any) -> ImportOutcome:
        if layer not in made:
            database.create(open_layers[layer])
            made.add(layer)
        return run_import(ImportRequest([testdata / file for file in files], description, **more), open_layers[layer], database.connect)

    return import_


def state(database: Database, layer: str) -> list[tuple[Any, ...]]:
    return database.rows(f"SELECT id, xmin::text, ctid::text FROM store.{layer} ORDER BY id")


STREET, WATER = {"highway": "art"}, {"waterway": "art"}
AREA = {"AGS": "ags", "GEN": "name", "BEZ": "bezeichnung", "NUTS": "nuts", "WSK": "wirksam_ab"}
TREE = {
    "baumId": "baum_id", "baumNr": "baum_nr", "Name_dt": "art", "Name_lat": "art_lateinisch", "hoeheM": "hoehe_m",
    "kronendurchmesserM": "krone_m", "stammumfangCM": "stamm_cm", "location": "standort",
}  # fmt: skip
ROOF = {
    "RoofTopID": "dach_id", "Building_ID": "gebaeude_id", "RooftopType": "dachform", "Area": "flaeche_m2", "Azimuth": "azimut_grad",
    "Tilt": "neigung_grad", "Street": "strasse", "StreetNumber": "hausnummer",
}  # fmt: skip
PLAN = {"gml_id": "plan_id", "technHerstellDatum": "hergestellt"}
ZONE = {"gml_id": "gebiet_id", "besondereArtDerBaulNutzung": "art", "GRZ": "grundflaechenzahl"}
CASES: Final[list[tuple[str, Description, str, int]]] = [
    ("strassen", said(STREET, source_layer="roads"), f"{OSM}/{GPKG}", 2_056),
    ("strassen", said(STREET, source_layer="lines", where="highway IS NOT NULL"), f"{OSM}/{PBF}", 2_056),
    ("strassen", said(STREET, source_layer="lines", where="highway IS NOT NULL"), f"{HERRENBERG}/herrenberg-minimal.osm.pbf", 1_693),
    ("gewaesser", said(WATER, source_layer="waterways"), f"{OSM}/{GPKG}", 228),
    ("gewaesser", said(WATER, source_layer="lines", where="waterway IS NOT NULL"), f"{OSM}/{PBF}", 228),
    ("orte", said({"place": "siedlung", "highway": "art"}, source_layer="points"), f"{OSM}/{GPKG}", 844),
    ("kreise", said(AREA, source_layer="krs"), f"{BORDERS}/vg5000_gem_rlp_by.gpkg", 132),
    ("baeume", said(TREE, crs="EPSG:4326", place=Place("X", "Y")), "trees-konstanz/KN_Baumkataster_2020S_2of3.csv.gz", 10_624),
    ("dachflaechen", said(ROOF), "rooftops-nrw/rooftops_selkfant.geojson.gz", 398),
    ("plaene", said(PLAN, source_layer="BP_Plan"), f"{PLANS}/BP_5-1_V4_1_ID_103.gml.gz", 1),
    ("plaene", said({"gml_id": "plan_id"}, source_layer="FP_Plan"), f"{PLANS}/FP_6-0_FNP_Test.gml.gz", 1),
    ("plaene", said({"gml_id": "plan_id"}, source_layer="LP_Plan"), f"{PLANS}/LP_6-0_LP-Test.gml", 1),
    ("plaene", said(PLAN, source_layer="SO_Plan"), f"{PLANS}/SO_5-1_StErhVO_Heidberg.gml", 1),
    ("baugebiete", said(ZONE, source_layer="BP_BaugebietsTeilFlaeche"), f"{PLANS}/BP_5-1_V4_1_ID_103.gml.gz", 9),
    ("baugebiete", said(ZONE, source_layer="BP_BaugebietsTeilFlaeche"), f"{PLANS}/BP_5-2_Rotherbaum27.gml.gz", 4),
]


def case(layer: str) -> tuple[Description, str]:
    return next((description, file) for name, description, file, _ in CASES if name == layer)


@pytest.mark.parametrize(("layer", "description", "file", "count"), CASES, ids=[f"{case[0]}-{Path(case[2]).name}" for case in CASES])
def test_every_feature_arrives_and_a_second_run_changes_no_row(
    bring: Bring, database: Database, layer: str, description: Description, file: str, count: int
) -> None:
    first = bring(layer, description, file)
    before = state(database, layer)
    second = bring(layer, description, file)
    assert (first.read, first.inserted, len(before)) == (count,) * 3
    assert (second.inserted, second.updated, second.deleted, second.unchanged) == (0, 0, 0, count)
    assert state(database, layer) == before


def test_streets_and_waters_of_the_pbf_are_those_of_the_geopackage(bring: Bring, database: Database) -> None:
    for layer, columns, name, where in [("strassen", STREET, "roads", "highway"), ("gewaesser", WATER, "waterways", "waterway")]:
        bring(layer, said(columns, source_layer=name), f"{OSM}/{GPKG}")
        with database.connect() as connection:
            connection.execute(f"CREATE TABLE store.before_{layer} AS SELECT * FROM store.{layer}".encode())
        outcome = bring(layer, said(columns, source_layer="lines", where=f"{where} IS NOT NULL"), f"{OSM}/{PBF}", replace=True)
        assert (outcome.inserted, outcome.deleted) == (0, 0)
        apart = f"SELECT max(ST_HausdorffDistance(a.geometry, b.geometry)) FROM store.before_{layer} a JOIN store.{layer} b USING (id)"
        assert database.value(apart) < 0.001


MUNICIPALITIES: Final = said(AREA, source_layer="gem")


def test_the_one_invalid_border_of_4531_is_refused_with_its_reason_and_place(bring: Bring) -> None:
    with pytest.raises(FileRefused) as caught:
        bring("gemeinden", MUNICIPALITIES, f"{BORDERS}/vg5000_gem_rlp_by.gpkg")
    text = caught.value.findings[0].text().say("de")
    assert caught.value.total == 1
    assert "ungültige Geometrie: Ring schneidet sich selbst bei (536916.18 5560413.45)" in text


def test_with_a_file_for_rejects_the_other_4530_borders_arrive(bring: Bring, database: Database, tmp_path: Path) -> None:
    for inserted in (4_530, 0):
        outcome = bring("gemeinden", MUNICIPALITIES, f"{BORDERS}/vg5000_gem_rlp_by.gpkg", rejects=tmp_path / f"without-{inserted}.csv")
        assert (outcome.inserted, outcome.updated, outcome.rejected) == (inserted, 0, 1)
    assert database.value("SELECT name FROM store.gemeinden WHERE ags = '09572164'") == "Weisendorf"


def test_trees_keep_their_quoted_commas_and_what_is_not_known(bring: Bring, database: Database) -> None:
    bring("baeume", *case("baeume"))
    assert database.rows("SELECT art, hoehe_m, standort FROM store.baeume WHERE baum_id = 4") == [
        ("Nussbaum, Walnuss", 11.0, "Bubenbad Dingelsdorf (754)")
    ]
    assert database.rows("SELECT count(*) FILTER (WHERE hoehe_m IS NULL), count(*) FILTER (WHERE baum_nr IS NULL) FROM store.baeume") == [
        (24, 61)
    ]
    west, east = database.rows("SELECT ST_XMin(e), ST_XMax(e) FROM (SELECT ST_Extent(ST_Transform(geometry, 4326)) e FROM store.baeume) x")[
        0
    ]
    assert (west, east) == (pytest.approx(9.10662972743157, abs=1e-9), pytest.approx(9.21753444161966, abs=1e-9))


def test_roofs_bring_their_numbers_although_they_are_written_as_text(bring: Bring, database: Database) -> None:
    bring("dachflaechen", *case("dachflaechen"))
    key = "GUID_1543405942858_82263935_2_9"
    assert database.rows(f"SELECT azimut_grad, neigung_grad, dachform FROM store.dachflaechen WHERE dach_id = '{key}'") == [
        (344.139, 37.032, "3100")
    ]
    assert database.value("SELECT count(DISTINCT gebaeude_id) FROM store.dachflaechen") == 192


STATES: Final = said(AREA | {"OBJID": "objekt_id"})


def test_states_near_their_zone_stay_in_gauss_krueger_and_those_far_from_it_are_named(
    bring: Bring, database: Database, tmp_path: Path
) -> None:
    outcome = bring("laender", STATES, f"{BORDERS}/original-gk3/VG5000_LAN.zip", rejects=tmp_path / "far.csv")
    assert (outcome.read, outcome.inserted, outcome.rejected) == (25, 18, 7)
    assert database.rows("SELECT ST_SRID(geometry), name FROM store.laender WHERE ags = '07'") == [(31467, "Rheinland-Pfalz")]
    assert "Brandenburg" in (tmp_path / "far.csv").read_text()


def test_the_streets_that_are_squares_make_up_for_the_rest_of_1704(testdata: Path, tmp_path: Path) -> None:
    where = """other_tags LIKE '%"highway"=>%'"""
    source = open_file(
        testdata / HERRENBERG / "herrenberg-minimal.osm.pbf", Description(source_layer="multipolygons", where=where), tmp_path
    )
    assert sum(len(batch.fids) for batch in source.batches([])) == 1_704 - 1_693


WEATHER: Final = Reading(values={
    "clear-day": "klar", "clear-night": "klar", "cloudy": "wolkig", "partly-cloudy-day": "wolkig", "partly-cloudy-night": "wolkig",
    "rain": "Regen",
})  # fmt: skip
HOUR: Final = Reading(dates="YYYY-MM-DD hh:mm:ss +0200", zone="+02:00")


LOST: Final = "\ufffd"
MAY: Final = said(
    {"Lage": ("stelle", Reading(values={f"Steinstra{LOST}e, Moers": "Steinstraße, Moers"})), "Zeitpunkt der Messung": ("zeit", HOUR),
     f"Fu{LOST}g{LOST}nger insgesamt": "personen", "Erwachsene": "erwachsene", "Kinder": "kinder",
     f"Temperatur in {LOST}c": "temperatur_c", "Wetterlage": ("wetter", WEATHER)},
)  # fmt: skip
JUNE: Final = said(
    {"Lage": "stelle", "Zeitpunkt der Messung": ("zeit", HOUR), "Fußgänger insgesamt": "personen", "Erwachsene": "erwachsene",
     "Kinder": "kinder", "Temperatur in ºc": "temperatur_c", "Wetterlage": ("wetter", WEATHER)},
    encoding="iso-8859-1",
)  # fmt: skip
MOERS: Final = "pedestrians-moers/besucherzahlen-moers-{}-2022-stuendlich.csv"


def test_two_months_of_pedestrians_arrive_although_one_lost_its_umlauts_and_one_is_latin_1(bring: Bring, database: Database) -> None:
    for may, june in [(744, 720), (0, 0)]:
        assert bring("passanten", MAY, MOERS.format("mai")).inserted == may
        assert bring("passanten", JUNE, MOERS.format("juni")).inserted == june
    assert database.rows("SELECT DISTINCT stelle FROM store.passanten") == [("Steinstraße, Moers",)]
    assert database.value("SELECT count(*) FROM store.passanten WHERE wetter IS NULL AND temperatur_c IS NULL") == 96
    begin, end = "min(zeit AT TIME ZONE 'UTC')::text", "max(zeit AT TIME ZONE 'UTC')::text"
    assert database.rows(f"SELECT {begin}, {end} FROM store.passanten") == [("2022-04-30 22:00:00", "2022-06-30 21:00:00")]


def test_the_month_in_latin_1_is_refused_until_that_is_said(bring: Bring) -> None:
    with pytest.raises(FileRefused, match="line 1 is no UTF-8 → name the encoding"):
        bring("passanten", said({}), MOERS.format("juni"))


ADDRESS: Final = {
    "OBJECTID": "objekt_id", "STRSCHL": "strassenschluessel", "STRNAME": "strasse", "HSNR": "hausnummer", "HSNRZU": "zusatz", "ADRESSE": "adresse",
}  # fmt: skip
PAGES: Final = [f"{ESSEN}/wfs_page_{page}.gml.gz" for page in ("000", "001", "039", "070")]


def test_four_pages_of_a_wfs_are_one_import_of_4000_addresses(bring: Bring, database: Database) -> None:
    for inserted in (4_000, 0):
        outcome = bring("hausadressen", said(ADDRESS, axes="swapped"), *PAGES)
        assert (outcome.read, outcome.inserted, outcome.updated) == (4_000, inserted, 0)
    at = "SELECT ST_X(geometry), ST_Y(geometry), hausnummer FROM store.hausadressen WHERE adresse = 'Albert-Schweitzer-Str. 9'"
    assert database.rows(at) == [(pytest.approx(368_764.138, abs=1e-3), pytest.approx(5_701_227.196, abs=1e-3), 9)]


@pytest.fixture
def plan_files(testdata: Path, tmp_path: Path) -> Iterator[Path]:
    """The plans, unpacked, and a folder for what is made of them."""
    (tmp_path / "own").mkdir()
    for path in (testdata / PLANS).glob("*.gml*"):
        octets = path.read_bytes()
        (tmp_path / path.name.removesuffix(".gz")).write_bytes(gzip.decompress(octets) if path.suffix == ".gz" else octets)
    return tmp_path


def test_the_nine_plans_hold_1923_members_of_every_kind(plan_files: Path) -> None:
    files, total = sorted(plan_files.glob("*.gml")), 0
    for file in files:
        for kind in set(re.findall(r"<(?:gml:featureMember|wfs:member)>\s*<(?:\w+:)?(\w+)", file.read_text())):
            source = open_file(file, Description(source_layer=kind), plan_files / "own")
            total += sum(len(batch.fids) for batch in source.batches([]))
    assert (len(files), total) == (9, 1_923)


def test_one_plan_in_three_versions_of_the_standard_covers_the_same_ground(bring: Bring, database: Database) -> None:
    oldest, *newer = (f"{PLANS}/BP_{version}_BPlan004.gml.gz" for version in ("4-1", "5-2", "6-0"))
    for layer, columns, name, count in [("plaene", PLAN, "BP_Plan", 1), ("baugebiete", ZONE, "BP_BaugebietsTeilFlaeche", 2)]:
        assert bring(layer, said(columns, source_layer=name), oldest).inserted == count
        areas = database.rows(f"SELECT ST_AsBinary(geometry) FROM store.{layer} ORDER BY id")
        for file in newer:
            assert bring(layer, said(columns, source_layer=name), file).inserted == 0
            assert database.rows(f"SELECT ST_AsBinary(geometry) FROM store.{layer} ORDER BY id") == areas


def test_streets_with_arcs_become_polygons_that_are_valid(plan_files: Path) -> None:
    source = open_file(plan_files / "BP_5-2_Rotherbaum27.gml", Description(source_layer="BP_StrassenVerkehrsFlaeche"), plan_files)
    shapes = shapely.from_wkb([wkb for batch in source.batches([]) for wkb in batch.wkb])
    assert len(shapes) == 3
    assert all(shapely.is_valid(shapes))
    assert len(shapely.get_coordinates(shapes)) > 100
