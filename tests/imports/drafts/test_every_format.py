"""A draft of a file in any form: the layer loads, and with what the drafts say every row comes in."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest
import shapely
from pyogrio.raw import write

from tests.imports.drafts.test_infer import brought, described, drafted, loaded
from tests.imports.things import Database
from tests.imports.workbooks import DATE, number, text, workbook

CSV = """Baum-Nr;Art;Höhe [m];gepflanzt am;geprüft;Rechtswert;Hochwert;aktiv;Kosten
001;Linde;12,5;01.05.2020;20.11.2026 08:30;678000,25;5540000,5;ja;1.234,50
002;Eiche;k.A.;31.12.1999;-;678001,25;5540001,5;nein;12,00
003;Ahorn, jung;9;;01.02.2026 12:00;678002,25;5540002,5;ja;
"""


def csv(path: Path, content: str = CSV, encoding: str = "utf-8") -> Path:
    path.write_bytes(content.encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "iso-8859-1", "utf-16"])
def test_a_table_from_an_office_comes_in_with_its_commas_dates_and_places(database: Database, tmp_path: Path, encoding: str) -> None:
    path = csv(tmp_path / "bäume.csv", encoding=encoding)
    draft = drafted(path)
    types = {name: each.type for name, each in loaded(draft).attributes.items()}
    assert types == {
        "baum_nr": "text",
        "art": "text",
        "hoehe_m": "number",
        "gepflanzt_am": "date",
        "geprueft": "datetime",
        "aktiv": "boolean",
        "kosten": "number",
    }
    assert brought(draft, path, database).inserted == 3
    rows = database.rows(
        "SELECT hoehe_m, gepflanzt_am, geprueft, aktiv, kosten, postgis.ST_AsText(geometry) FROM store.baeume ORDER BY baum_nr"
    )
    assert rows[0] == (12.5, date(2020, 5, 1), datetime(2026, 11, 20, 7, 30, tzinfo=UTC), True, 1234.5, "POINT(678000.25 5540000.5)")
    assert rows[1][:5] == (None, date(1999, 12, 31), None, False, 12.0)


def test_titles_above_the_header_are_passed_over(database: Database, tmp_path: Path) -> None:
    path = csv(tmp_path / "b.csv", "Baumliste\nStand 2026;;\n" + CSV)
    draft = drafted(path)
    assert described(draft).description.header == 3
    assert brought(draft, path, database).inserted == 3


def test_coordinates_under_each_others_header_are_put_right(database: Database, tmp_path: Path) -> None:
    path = csv(tmp_path / "b.csv", CSV.replace("Rechtswert;Hochwert", "Hochwert;Rechtswert"))
    draft = drafted(path)
    assert "vertauscht" in (draft.source or "")
    assert brought(draft, path, database).inserted == 3


def test_a_zone_before_the_easting_is_taken_off(database: Database, tmp_path: Path) -> None:
    path = csv(tmp_path / "b.csv", CSV.replace(";67800", ";3267800"))
    draft = drafted(path)
    assert described(draft).description.zone_prefix == 32
    assert brought(draft, path, database).inserted == 3
    assert database.value("SELECT round(postgis.ST_X(geometry)) FROM store.b LIMIT 1") == 678000


def test_degrees_and_points_among_commas(database: Database, tmp_path: Path) -> None:
    path = csv(tmp_path / "b.csv", "nr;lon;lat;hoehe\n1;10.91;49.61;12,5\n2;10.92;49.62;13,5\n")
    draft = drafted(path)
    assert described(draft).description.crs == "EPSG:4326"
    assert brought(draft, path, database).inserted == 2


def test_places_in_wkt(database: Database, tmp_path: Path) -> None:
    path = csv(tmp_path / "b.csv", "nr;geom\n1;MULTIPOINT ((678000 5540000))\n2;POINT (678001 5540001)\n")
    draft = drafted(path)
    assert (described(draft).description.place.wkt, loaded(draft).attributes.keys()) == ("geom", {"nr"})
    assert brought(draft, path, database).inserted == 2


def test_a_workbook_with_titles_comes_in_with_its_types(database: Database, tmp_path: Path) -> None:
    rows = [
        [text("Sitzbänke")],
        [text("Bank-Nr"), text("Länge [m]"), text("aufgestellt"), text("Anzahl")],
        [text("S1"), number("1.8"), number(46346, DATE), number(2)],
        [text("S2"), number("2.4"), number(46347, DATE), number(3)],
    ]
    path = workbook(tmp_path / "baenke.xlsx", rows)
    draft = drafted(path)
    types = {name: each.type for name, each in loaded(draft).attributes.items()}
    assert types == {"bank_nr": "text", "laenge_m": "number", "aufgestellt": "date", "anzahl": "integer"}
    assert described(draft).description.header == 2
    assert brought(draft, path, database).inserted == 2


@pytest.mark.parametrize(
    ("suffix", "driver"), [(".shp", "ESRI Shapefile"), (".fgb", "FlatGeobuf"), (".gpkg", "GPKG"), (".geojsonl", "GeoJSONSeq")]
)
def test_files_of_geodata_come_in(database: Database, tmp_path: Path, suffix: str, driver: str) -> None:
    path = tmp_path / f"zonen{suffix}"
    fields = {"nr": np.array([1, 2]), "art": np.array(["Grünfläche", "Straße"], dtype=object), "wert": np.array([0.5, 1.5])}
    east, north, crs = (10.9, 49.6, "EPSG:4326") if driver == "GeoJSONSeq" else (678_000, 5_540_000, "EPSG:25832")
    wkb = shapely.to_wkb(np.array([shapely.box(east, north, east + 0.1, north + 0.1), shapely.box(east, north, east + 0.2, north + 0.2)]))
    write(path, wkb, list(fields.values()), list(fields), geometry_type="Polygon", crs=crs, driver=driver)
    draft = drafted(path)
    layer = loaded(draft)
    assert ({name: each.type for name, each in layer.attributes.items()}, layer.key) == (
        {"nr": "integer", "art": "text", "wert": "number"},
        ("nr",),
    )
    assert brought(draft, path, database).inserted == 2


def test_rows_that_are_none_are_counted(tmp_path: Path) -> None:
    assert "# 1 Zeilen der Datei sind keine" in drafted(csv(tmp_path / "b.csv", "nr;art\n1;Linde\n2;Eiche;alt\n")).text


def test_values_that_are_not_of_their_columns_kind_are_counted_and_not_repeated(tmp_path: Path) -> None:
    path = tmp_path / "zonen.gpkg"
    wkb = shapely.to_wkb(shapely.points([[678_000, 5_540_000], [678_001, 5_540_001]]))
    write(path, wkb, [np.array([1, 2]), np.array([3, 4])], ["nr", "wert"], geometry_type="Point", crs="EPSG:25832", driver="GPKG")
    with closing(sqlite3.connect(path)) as connection, connection:
        for (trigger,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f'DROP TRIGGER "{trigger}"')  # they need functions that only GDAL has
        connection.execute("UPDATE zonen SET wert = 'CANARY' WHERE nr = 1")
    text = drafted(path).text
    assert "# wert: 1 Werte sind nicht von der Art, die die Datei für die Spalte nennt" in text
    assert "CANARY" not in text
