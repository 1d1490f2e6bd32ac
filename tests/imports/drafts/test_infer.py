"""Drafts load as they are, keep silent about values, and let every row in."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.imports.things import OSM_POLICIES, Database, point
from twin_api.imports.description import Description
from twin_api.imports.draft_job import Draft, DraftJob, Wish
from twin_api.imports.finding import FileRefused
from twin_api.imports.infer import infer
from twin_api.imports.run import ImportOutcome, ImportRequest, run_import
from twin_api.imports.sources.file import SourceFile, read_source
from twin_api.policy.documents import Layer
from twin_api.policy.finding import Findings
from twin_api.policy.load import load, load_texts

DAY = date(2026, 11, 22)
POLICIES = load(OSM_POLICIES)
GeoJson = Callable[..., Path]


def drafted(path: Path, **wish: Any) -> Draft:
    with TemporaryDirectory() as folder:
        return infer(DraftJob([path], Wish(**wish), POLICIES.town, DAY, None, Path(folder)))


def loaded(draft: Draft) -> Layer:
    """The draft among the town's policies."""
    return load_texts({**POLICIES.files, f"layers/{draft.layer}.yaml": draft.text}).layers[draft.layer]


def described(draft: Draft) -> SourceFile:
    """The drafted source file, as it is read."""
    findings, policies = Findings(), load_texts({**POLICIES.files, f"layers/{draft.layer}.yaml": draft.text})
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"{draft.layer}.yaml"
        path.write_text(draft.source or "", encoding="utf-8")
        source = read_source(path, policies, findings)
    assert [str(finding) for finding in findings] == []
    assert source is not None
    return source


def brought(draft: Draft, path: Path, database: Database, source_layer: str | None = None) -> ImportOutcome:
    """The file imported with nothing but what the drafts say."""
    layer = loaded(draft)
    if layer.name not in {name for (name,) in database.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'store'")}:
        database.create(layer)
    if draft.source is None:
        return run_import(ImportRequest([path], Description(source_layer=source_layer)), layer, database.connect)
    source = described(draft)
    return run_import(ImportRequest([path], source.description, source.replace), layer, database.connect)


TREES = [
    ({"Baum-Nr.": f"B-{n}", "Art": "Linde" if n % 2 else "Eiche", "Höhe [m]": 12.5, "gepflanzt": "2020-05-01", "Pate": "Huber, Erika", "id": n},
     point(678_000 + n))
    for n in range(8)
]  # fmt: skip


def test_a_file_becomes_a_layer_that_nobody_sees(geojson: GeoJson) -> None:
    layer = loaded(drafted(geojson(*TREES, name="Bäume 2020.geojson")))
    assert (layer.name, layer.title.de, layer.key, layer.datetime) == ("baeume_2020", "Bäume 2020", ("baum_nr",), "gepflanzt")
    assert {each.class_ for each in layer.attributes.values()} | {layer.existence} == {"unreviewed"}
    assert layer.geometry is not None
    assert (layer.geometry.type, layer.geometry.epsg, layer.geometry.class_) == ("Point", 25832, "unreviewed")
    height = layer.attributes["hoehe_m"]
    assert (height.title.de, height.type, height.unit) == ("Höhe", "number", "m")
    assert list(layer.attributes) == ["baum_nr", "art", "hoehe_m", "gepflanzt", "pate", "id_1"]


def test_with_a_class_that_everybody_sees_suspects_stay_behind_and_few_values_are_listed(geojson: GeoJson) -> None:
    draft = drafted(geojson(*TREES), class_="public", listing=True)
    layer = loaded(draft)
    assert layer.attributes["art"].enum == {"Eiche": "Eiche", "Linde": "Linde"}
    assert {name for name, each in layer.attributes.items() if each.class_ == "unreviewed"} == {"pate"}
    assert "Huber" not in draft.text
    assert "# Verdacht: personenbezogen (die Überschrift sagt `pate`)" in draft.text


def test_a_class_that_not_everybody_sees_lists_no_values(geojson: GeoJson) -> None:
    layer = loaded(drafted(geojson(*TREES), class_="internal"))
    assert layer.attributes["art"].enum is None
    assert layer.attributes["art"].class_ == "internal"


CANARIES: dict[str, list[Any]] = {
    "Nummer": ["CANARY-1", "CANARY-2", "CANARY-3"],
    "Art": ["CANARYart", "CANARYart", "CANARYart"],
    "Zahl": [424_242_421, 424_242_422, 424_242_423],
    "Kommazahl": ["424242,41", "424242,42", "-"],
    "Tag": ["14.02.1942", "15.02.1942", "k.A."],
    "fast Zahl": ["424242", "424243", "CANARY"],
    "aktiv": ["ja", "nein", "ja"],
    "Bemerkung": ["CANARY ist ein langer Satz mit vielen Wörtern", "CANARY", None],
    "Eigentümer": ["CANARY, Erika", "CANARY, Hans", "CANARY, Ute"],
    "Kontakt": ["canary@canary.example", "0911 / 424242", None],
    "Konto": ["DE02120300000000202051"] * 3,
    "Hauptstraße": ["CANARY-Straße 1", "CANARY-Straße 2", None],
}


@pytest.mark.parametrize("wish", [{}, {"class_": "internal"}])
def test_no_value_of_a_classified_column_is_written_down(geojson: GeoJson, wish: dict[str, Any]) -> None:
    rows = [({name: values[n] for name, values in CANARIES.items()}, point(678_424.25 + n, 5_540_424.25)) for n in range(3)]
    draft = drafted(geojson(*rows * 4), **wish)
    written = f"{draft.text}{draft.source}".casefold()
    loaded(draft)
    for values in CANARIES.values():
        for value in values:
            assert value in ("ja", "nein", "-", "k.A.", None) or str(value).casefold() not in written
    assert "canary" not in written
    assert "678424" not in written


def test_with_a_public_class_suspects_still_give_nothing_away(geojson: GeoJson) -> None:
    rows = [
        ({"nr": n, "Eigentümer": "CANARY", "Mail": "c@canary.example", "Hinweis": "Frau Canary fragen", "Art": "Linde"}, point())
        for n in range(9)
    ]
    draft = drafted(geojson(*rows), class_="public", listing=True)
    assert "canary" not in f"{draft.text}{draft.source}".casefold()
    assert loaded(draft).attributes["art"].enum is None  # one value alone is no list
    assert loaded(draft).attributes["hinweis"].class_ == "unreviewed"


def test_texts_are_read_as_the_source_file_says(geojson: GeoJson) -> None:
    rows = [
        ({"Nr": f"A{n}", "Höhe [m]": f"{n},5", "Breite": "3,25", "am": "01.05.2020", "aktiv": "ja", "Wert": "1.5"}, point())
        for n in range(3)
    ]
    draft = drafted(geojson(*rows))
    assert draft.source is not None
    said = {line.split("  #")[0] for line in draft.source.splitlines()}
    assert {'decimal: ","', "dates: DD.MM.YYYY", '  Wert: {to: wert, decimal: "."}'} <= said
    assert '  aktiv: {to: aktiv, values: {ja: "true", nein: "false"}}' in said


def test_a_file_that_needs_no_word_gets_no_source_file(geojson: GeoJson) -> None:
    assert drafted(geojson(*TREES)).source is None


def test_the_same_file_gives_the_same_draft(geojson: GeoJson) -> None:
    path = geojson(*TREES)
    assert drafted(path) == drafted(path)


def test_every_row_comes_in_and_a_second_time_changes_nothing(geojson: GeoJson, database: Database) -> None:
    path = geojson(*TREES)
    draft = drafted(path)
    assert brought(draft, path, database).inserted == len(TREES)
    again = brought(draft, path, database)
    assert (again.inserted, again.updated, again.unchanged) == (0, 0, len(TREES))


@pytest.mark.parametrize(
    ("geometries", "type_", "remark"),
    [
        ([point(), point(1)], "Point", None),
        ([point(), {"type": "MultiPoint", "coordinates": [[1, 2]]}], "MultiPoint", None),
        ([point(1, 2, 310.5), point(1, 2, 311.0)], "PointZ", "das Höhensystem"),
        ([point(1, 2, 0), point(1, 2, 0)], "Point", "alle Höhen der Datei sind 0"),
        ([point(1, 2, 310.5), point(1, 2)], "Point", "nur ein Teil der Objekte hat Höhen"),
        ([{"type": "LineString", "coordinates": [[0, 0], [1, 1]]}], "LineString", None),
        ([point(), point(), {"type": "LineString", "coordinates": [[0, 0], [1, 1]]}], "Point", "die Datei mischt Punkte, Linien"),
        ([point(), None], "Point", "1 Objekte haben keine lesbare Geometrie"),
        ([None, None], None, None),
    ],
)
def test_the_layers_geometry_is_what_the_file_holds(geojson: GeoJson, geometries: list[Any], type_: str | None, remark: str | None) -> None:
    draft = drafted(geojson(*(({"nr": f"N{n}"}, geometry) for n, geometry in enumerate(geometries))))
    geometry = loaded(draft).geometry
    assert (geometry.type if geometry else None) == type_
    assert remark is None or remark in draft.text


def test_without_a_key_every_delivery_replaces_the_last(geojson: GeoJson) -> None:
    draft = drafted(geojson(({"art": "Linde"}, point()), ({"art": "Linde"}, point(1))))
    assert loaded(draft).key == ()
    assert described(draft).replace
    assert draft.source is not None
    assert "replace: true" in draft.source
    assert "# Kein Schlüssel" in draft.text


def test_a_suspect_or_a_fraction_is_no_key(geojson: GeoJson) -> None:
    rows = [({"Eigentümer-Nr": n, "Mail": f"a{n}@b.example", "Höhe": n + 0.5, "Lage": f"L{n}"}, point()) for n in range(3)]
    assert loaded(drafted(geojson(*rows))).key == ("lage",)


def test_an_address_beside_a_person_is_the_persons(geojson: GeoJson) -> None:
    with_owner = drafted(geojson(({"nr": "1", "Straße": "a", "Vorname": "b"}, point())), class_="public", listing=True)
    alone = drafted(geojson(({"nr": "1", "Straße": "a", "Art": "b"}, point())), class_="public", listing=True)
    assert loaded(with_owner).attributes["strasse"].class_ == "unreviewed"
    assert loaded(alone).attributes["strasse"].class_ == "public"
    assert loaded(alone).attributes["strasse"].locates


def test_a_layer_that_sounds_critical_stays_unreviewed_with_its_place(geojson: GeoJson) -> None:
    layer = loaded(drafted(geojson(*TREES, name="hydranten.geojson"), class_="public", listing=True))
    assert (layer.existence, layer.geometry and layer.geometry.class_, layer.attributes["art"].class_) == (
        "unreviewed",
        "unreviewed",
        "public",
    )


HEADERS = ["", "###", "id", "ID", "type", "geometry", "Höhe", "HÖHE", "x" * 90, 'mit "Anführung": {und} [Klammern]', "# Raute", "- Strich", "a: b",
           "NO", "null", "1e5", "0x1F", "007", "Bäume\u200b", "Zeile\nzwei", "{{", "%", "'", "\\", "&anker", "*stern", "!tag", "@at", "`tick", "| senkrecht",
           "\ufffd", "日本", "true"]  # fmt: skip


def test_whatever_headers_hold_the_draft_loads_and_the_rows_come_in(geojson: GeoJson, database: Database) -> None:
    rows = [({header: f"w{n} {place}" for place, header in enumerate(HEADERS)}, point()) for n in range(3)]
    path = geojson(*rows)
    draft = drafted(path, class_="public", listing=True)
    layer = loaded(draft)
    assert len(layer.attributes) == len(HEADERS)
    assert brought(draft, path, database).inserted == 3
    assert database.value("SELECT a_007 FROM store.thing WHERE no = 'w1 13'") == "w1 17"


def test_values_that_are_hard_to_write_are_listed_exactly(geojson: GeoJson) -> None:
    values = ["NO", "null", "1", "a: b", "# c", "'", '"', "- d", "ä{", "007", "x, y"]
    rows = [({"nr": f"{n}a", "Art": value}, point()) for n, value in enumerate(values * 3)]
    draft = drafted(geojson(*rows), class_="public", listing=True)
    assert set(loaded(draft).attributes["art"].enum or {}) == set(values) - {"null"}  # which means: not known


def test_swapped_axes_are_seen_and_said(geojson: GeoJson) -> None:
    draft = drafted(geojson(({"nr": "1"}, point(5_540_000, 678_000)), ({"nr": "2"}, point(5_540_000, 678_001))))
    assert described(draft).description.axes == "swapped"


def test_a_file_without_any_column_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "leer.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {}, "geometry": point()}]}))
    with pytest.raises(Exception, match="no column for an attribute"):
        drafted(path)


@pytest.mark.parametrize("cell", ["0171/5551234", "erna@muster.de", "Frau Muster", "DE02120300000000202051"])
def test_a_table_whose_first_row_is_a_person_gives_no_names_to_columns(tmp_path: Path, cell: str) -> None:
    (tmp_path / "t.csv").write_text(f"Muster;{cell};Linde\nMeier;{cell};Eiche\n")
    with pytest.raises(FileRefused) as refused:
        drafted(tmp_path / "t.csv")
    assert str(refused.value) == "row 1 holds values instead of column names → add a row with column names"
