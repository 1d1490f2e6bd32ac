"""What is right is imported, what is not goes to a table of its own, and from there back again."""

from __future__ import annotations

import csv
import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.imports.things import Database, asked, attribute, point
from twin_api.imports.description import ColumnRule, Description, Reading
from twin_api.imports.description import Place as PlaceColumns
from twin_api.imports.finding import FileRefused
from twin_api.imports.run import ImportRequest, run_import
from twin_api.policy.documents import Layer
from twin_api.store.journal import Journal, Origin

NewLayer = Callable[..., Layer]
Write = Callable[..., Path]
LINE = {"type": "LineString", "coordinates": [[678_000, 5_540_000], [678_001, 5_540_000]]}


@pytest.fixture
def layer(database: Database, new_layer: NewLayer) -> Layer:
    layer = new_layer(attribute("nr", key=True), attribute("hoehe", "number", class_="personal"), attribute("art", enum={"gut": "good"}))
    database.create(layer)
    return layer


@pytest.fixture
def mixed(geojson: Write) -> Path:
    """Six features, of which the second to the fifth have something wrong."""
    return geojson(
        ({"nr": "1", "hoehe": "1.5", "art": "gut"}, point()), ({"nr": "2", "hoehe": "zwei", "art": "Gut"}, point()),
        ({"nr": "3", "hoehe": None, "art": "gut"}, LINE), ({"nr": None, "hoehe": "4", "art": None}, point()),
        ({"nr": "1", "hoehe": "5", "art": "gut"}, point()), ({"nr": "6", "hoehe": "6", "art": None}, point()),
    )  # fmt: skip


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, delimiter=";"))


def test_without_it_a_file_with_errors_is_refused_whole(database: Database, layer: Layer, mixed: Path) -> None:
    with pytest.raises(FileRefused) as caught:
        run_import(asked(mixed), layer, database.connect)
    assert caught.value.total == 4  # the same key twice shows only where every row is right
    assert database.value("SELECT count(*) FROM store.thing") == 0


def test_what_is_right_is_in_and_the_others_stand_in_the_table_with_their_reasons(
    database: Database, layer: Layer, mixed: Path, tmp_path: Path
) -> None:
    outcome = run_import(asked(mixed, rejects=tmp_path / "rest.csv"), layer, database.connect)
    assert (outcome.read, outcome.inserted, outcome.rejected) == (6, 2, 4)
    assert database.rows("SELECT nr, hoehe FROM store.thing ORDER BY nr") == [("1", 1.5), ("6", 6.0)]
    rest = table(tmp_path / "rest.csv")
    assert [(row["_objekt"], row["nr"], row["hoehe"]) for row in rest] == [
        ("2", "2", "zwei"),
        ("3", "3", ""),
        ("4", "", "4"),
        ("5", "1", "5"),
    ]
    assert "hoehe: Text mit 4 Zeichen → verlangt ist eine Zahl" in rest[0]["_grund"]
    assert "art: `Gut` → verlangt ist einer der Werte `gut`" in rest[0]["_grund"]
    assert rest[3]["_grund"].startswith("nr: derselbe Schlüssel wie Objekt 1")
    assert rest[1]["wkt"].startswith("LINESTRING (678000 5540000")


def test_the_table_is_its_owners_alone_and_no_older_one_is_overwritten(
    database: Database, layer: Layer, mixed: Path, tmp_path: Path
) -> None:
    rest = tmp_path / "rest.csv"
    run_import(asked(mixed, rejects=rest), layer, database.connect)
    assert stat.S_IMODE(rest.stat().st_mode) == 0o600
    before = rest.read_bytes()
    with pytest.raises(FileRefused, match="exists already"):
        run_import(asked(mixed, rejects=rest), layer, database.connect)
    assert rest.read_bytes() == before


def test_mended_it_goes_back_in_as_it_is(database: Database, layer: Layer, mixed: Path, tmp_path: Path) -> None:
    rest, mended = tmp_path / "rest.csv", tmp_path / "mended.csv"
    run_import(asked(mixed, rejects=rest), layer, database.connect)
    mended.write_text(rest.read_text("utf-8-sig").replace("zwei", "2").replace("Gut", "gut").replace(";1;5;", ";5;5;").replace(";;4;", ";4;4;")
                      .replace("LINESTRING (678000 5540000, 678001 5540000)", "POINT (678000 5540000)"), "utf-8")  # fmt: skip
    description = Description(separator=";", place=PlaceColumns(wkt="wkt"), crs="EPSG:25832")
    outcome = run_import(ImportRequest([mended], description), layer, database.connect)
    assert (outcome.read, outcome.inserted, outcome.rejected) == (4, 4, 0)
    assert database.rows("SELECT nr FROM store.thing ORDER BY nr") == [(nr,) for nr in "123456"]


def test_where_nothing_is_wrong_there_is_no_table(database: Database, layer: Layer, geojson: Write, tmp_path: Path) -> None:
    run_import(asked(geojson(({"nr": "1"}, point())), rejects=tmp_path / "rest.csv"), layer, database.connect)
    assert [path.name for path in tmp_path.iterdir() if "rest" in path.name] == []


def test_the_table_goes_where_the_import_fails_after_all(database: Database, layer: Layer, mixed: Path, tmp_path: Path) -> None:
    class Broken(Journal):
        def begin(self, connection: psycopg.Connection[Any], origin: Origin) -> int:
            return 1

        def end(self, connection: psycopg.Connection[Any], id: int, origin: Origin, counts: Any) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_import(asked(mixed, rejects=tmp_path / "rest.csv"), layer, database.connect, journal=Broken())
    assert not list(tmp_path.glob("rest*"))
    assert database.value("SELECT count(*) FROM store.thing") == 0


def test_a_mistake_of_the_whole_file_still_refuses_it(database: Database, layer: Layer, geojson: Write, tmp_path: Path) -> None:
    file = geojson(({"number": "1"}, point()))
    with pytest.raises(FileRefused, match="no column fills this key attribute"):
        run_import(asked(file, rejects=tmp_path / "rest.csv"), layer, database.connect)


def test_several_files_are_one_import_and_findings_name_theirs(database: Database, layer: Layer, tmp_path: Path) -> None:
    files = []
    for page in range(3):
        features = [
            {
                "type": "Feature",
                "properties": {"nr": f"{page}-{n}", "hoehe": "x" if (page, n) == (1, 1) else "1"},
                "geometry": point(11.5, 50.0),
            }
            for n in range(4)
        ]
        files.append(tmp_path / f"seite_{page}.geojson")
        files[-1].write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    with pytest.raises(FileRefused) as caught:
        run_import(asked(*files), layer, database.connect)
    assert [finding.text().say("de") for finding in caught.value.findings] == [
        "`seite_1.geojson`, Objekt 6, fid 1, `hoehe`: Text mit 1 Zeichen → verlangt ist eine Zahl mit Dezimalpunkt, ohne Tausendertrennung"
    ]
    outcome = run_import(asked(*files, rejects=tmp_path / "rest.csv"), layer, database.connect)
    assert (outcome.read, outcome.inserted) == (12, 11)
    assert [(row["_objekt"], row["nr"]) for row in table(tmp_path / "rest.csv")] == [("6", "1-1")]


def test_a_column_is_named_where_it_is_not_called_like_its_attribute(database: Database, layer: Layer, geojson: Write) -> None:
    file = geojson(({"Nummer": "1", "Höhe [m]": "1,x"}, point()))
    rules = {"Nummer": ColumnRule("nr"), "Höhe [m]": ColumnRule("hoehe", Reading(decimal=","))}
    with pytest.raises(FileRefused) as caught:
        run_import(ImportRequest([file], Description(rules)), layer, database.connect)
    assert (
        caught.value.findings[0].text().say("de").startswith("Objekt 1, fid 0, Spalte `Höhe [m]`, `hoehe`: Text mit 3 Zeichen → verlangt")
    )
