"""Headers become names that a policy takes as they are."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from twin_api.imports.naming import attribute_name, attribute_names, layer_name
from twin_api.policy.documents import Place
from twin_api.policy.finding import Findings
from twin_api.policy.names import RESERVED_ATTRIBUTES, RESERVED_COLLECTIONS, check_name, check_table_name

HEADERS = {
    "Höhe [m]": "hoehe_m",
    "Höhe (m)": "hoehe_m",
    "Höhe": "hoehe",
    "HÖHE": "hoehe",
    "Ho\u0308he": "hoehe",  # decomposed, as macOS writes file names and some tools headers
    "Straße / Nr.": "strasse_nr",
    "STRASSE": "strasse",
    "2020 Anzahl": "a_2020_anzahl",
    "2020": "a_2020",
    "ID": "id_1",
    "Type": "type_1",
    "id_1": "id_1",
    "OBJECTID": "objectid",
    "gml:id": "gml_id",
    "Baum-Nr": "baum_nr",
    "BaumNr": "baum_nr",
    "stammumfangCM": "stammumfang_cm",
    "ObjektID": "objekt_id",
    "  Art  ": "art",
    "Fläche [m²]": "flaeche_m2",
    "Durchfluss [m³/h]": "durchfluss_m3_h",
    "Abfluss (l/s)": "abfluss_l_s",
    "Anteil [%]": "anteil_prozent",
    "%": "prozent",
    "Temperatur [°C]": "temperatur_grad_c",
    "Temperatur in ºc": "temperatur_in_grad_c",
    "Kosten in €": "kosten_in_euro",
    "Feinstaub [µg/m³]": "feinstaub_ug_m3",
    "Kronen-Ø": "kronen_durchmesser",
    "Ø Stamm": "durchmesser_stamm",
    "Brøndby": "broendby",
    "Café": "cafe",
    "Łódź": "lodz",
    "": "spalte",
    "###": "spalte",
    "Größe": "groesse",
    "H\ufffdhe": "h_he",
    "Name\n(alt)": "name_alt",
    "x" * 60: "x" * 40,
    "Durchschnittliche Höhe der Krone über dem Gelände [m]": "durchschnittliche_hoehe_der_krone_uebe_m",
    "1" * 60: "a_" + "1" * 38,
    "a" * 39 + " b": "a" * 39,
}  # fmt: skip

FILES = {
    "Bäume.gpkg": "baeume",
    "KN_Baumkataster_2020S_2of3.csv.gz": "kn_baumkataster_2020s_2of3",
    "bayreuth-nord.osm.pbf": "bayreuth_nord",
    "2020 Straßen.shp.zip": "daten_2020_strassen",
    "Plan.Stand2020.CSV": "plan_stand2020",
    "v1.2 Haltungen.csv": "v1_2_haltungen",
    "geometry.csv": "geometry_1",
    "collection.csv": "collection_1",
    "baum_key.csv": "baum_key_1",
    "###.csv": "daten",
    "x" * 60 + ".csv": "x" * 40,
    "x" * 60 + "_key.csv": "x" * 40,
    "README": "readme",
}


@pytest.mark.parametrize(("header", "name"), HEADERS.items())
def test_a_header_becomes_a_name(header: str, name: str) -> None:
    assert attribute_name(header) == name


@pytest.mark.parametrize(("file", "name"), FILES.items())
def test_a_file_becomes_a_layer(file: str, name: str) -> None:
    assert layer_name(Path("/data") / file) == name


def test_a_layer_of_the_file_gives_its_name_where_one_is_chosen() -> None:
    assert layer_name(Path("alles.gpkg"), "Hydranten (neu)") == "hydranten_neu"


def test_headers_of_one_name_are_numbered_in_their_order() -> None:
    headers = ["Höhe", "hoehe", "HOEHE", "id", "id_1", "hoehe_2", "x" * 50, "x" * 51]
    names = ["hoehe", "hoehe_2", "hoehe_3", "id_1", "id_1_2", "hoehe_2_2", "x" * 40, "x" * 38 + "_2"]
    assert attribute_names(headers) == names


def test_a_name_is_its_own_name() -> None:
    for name in [name for name in HEADERS.values() if len(name) < 39]:
        assert attribute_name(name) == name


def test_whatever_a_header_holds_its_name_can_stand_in_a_policy() -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    source, findings = random.Random(seed), Findings()
    for _ in range(2_000):
        header = "".join(
            chr(source.choice((source.randrange(0x20, 0x180), source.randrange(0x20, 0xD800)))) for _ in range(source.randrange(70))
        )
        check_name(attribute_name(header), Place(header, 1), findings, RESERVED_ATTRIBUTES)
        check_table_name(layer_name(Path("x"), header), Place(header, 1), findings, RESERVED_COLLECTIONS)
    assert not findings
