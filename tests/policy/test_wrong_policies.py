"""Deliberately wrong policies: each is refused, at the right line, with words that help the person who wrote it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from _pytest.mark.structures import ParameterSet

from twin_api.policy.finding import Finding, PolicyInvalid, render
from twin_api.policy.load import load

Spoil = Callable[[str, str, str], tuple[Finding, ...]]

# by file: the sentence, what stands there, what is put in its place, the line it is found in, part of what is said
CASES: dict[str, list[tuple[str, str, str, int, str]]] = {
    "citizen.yaml": [
        ("an unknown key is named with its near match", "access:", "acess:", 2, "gemeint ist wohl `access`"),
        ("a missing key is named", "access: anonymous\n", "", 1, "es fehlt der Eintrag `access`"),
        ("a role file says which role it is", "role: citizen", "role: council", 1, "`role: citizen` schreiben"),
        ("citizens are anonymous", "anonymous", "login", 2, "`access: anonymous` schreiben"),
        ("citizens include nobody", "access: anonymous\n", "access: anonymous\nincludes: council\n", 3, "schließt keine andere ein"),
        ("citizens have no parts", "collections:\n", "parts: {a: {}}\ncollections:\n", 3, "`parts`"),
        ("a layer must exist", "baeume:", "baueme:", 4, "gemeint ist wohl `baeume`"),
        ("`from` names a layer", "rows: all\n", "rows: all\n    from: satzung\n", 10, "gemeint ist wohl `satzungen`"),
        ("a collection is not called `collection`",
         "  satzungen:\n", "  collection: {from: satzungen, rows: all, attributes: {}}\n  satzungen:\n", 8, "ist vergeben"),
        ("names are plain",
         "  satzungen:\n", "  Bäume-Süd: {from: satzungen, rows: all, attributes: {}}\n  satzungen:\n", 8, "`baeume_sued` schreiben"),
        ("a collection is not called like a type of PostGIS",
         "  satzungen:\n", "  box2d: {from: satzungen, rows: all, attributes: {}}\n  satzungen:\n", 8, "`box2d` ist vergeben"),
        ("a collection is not called like a primary key's index",
         "  satzungen:\n", "  satzungen_pkey: {from: satzungen, rows: all, attributes: {}}\n  satzungen:\n", 8, "endet auf `_pkey`"),
        ("a collection is not called like a key's index",
         "  satzungen:\n", "  satzungen_key: {from: satzungen, rows: all, attributes: {}}\n  satzungen:\n", 8, "endet auf `_key`"),
        ("a value has no line break", "{art: [Linde]}", '{nr: ["a\\nb"]}', 5, "unsichtbares Zeichen (`U+000A`)"),
        ("a value has no tab", "{art: [Linde]}", '{nr: ["a\\tb"]}', 5, "unsichtbares Zeichen (`U+0009`)"),
        ("a value in CQL2 has no tab", "{art: [Linde]}", '"nr = \'a\\tb\'"', 5, "unsichtbares Zeichen (`U+0009`)"),
        ("`rows` must be said", "    rows: all\n", "", 8, "es fehlt der Eintrag `rows`"),
        ("`geometry` must be said", "    geometry: {grid_m: 10}\n", "", 4, "`geometry: keep` ergänzen"),
        ("`attributes` must be said", "    attributes: {titel: keep}\n", "", 8, "es fehlt der Eintrag `attributes`"),
        ("`all` is meant", "rows: all", "rows: alle", 9, "`all` schreiben"),
        ("no rule is not every row", "rows: all", "rows:", 9, "welche Zeilen gezeigt werden"),
        ("an empty choice shows nothing", "{art: [Linde]}", "{art: []}", 5, "zeigt keine einzige Zeile"),
        ("an empty map is no rule", "{art: [Linde]}", "{}", 5, "`rows` ist leer"),
        ("a single value wants brackets", "{art: [Linde]}", "{art: Linde}", 5, "`art: [Linde]` schreiben"),
        ("a value must be in the enum", "[Linde]", "[Linden]", 5, "gemeint ist wohl `Linde`"),
        ("a value stands once", "[Linde]", "[Linde, Linde]", 5, "steht doppelt"),
        ("a rule's attribute must exist", "{art: [Linde]}", "{atr: [Linde]}", 5, "gemeint ist wohl `art`"),
        ("a number is not text", "{art: [Linde]}", "{nr: [12]}", 5, '`"12"`'),
        ("a truth value is not text", "{art: [Linde]}", "{nr: [true]}", 5, '`"true"`'),
        ("text is no number", "{art: [Linde]}", '{hoehe_m: ["12"]}', 5, "passt nicht zu `hoehe_m`"),
        ("a fraction is not whole", "{art: [Linde]}", "{stamm_cm: [1.5]}", 5, "ganze Zahl"),
        ("a whole number fits the store", "{art: [Linde]}", "{stamm_cm: [9223372036854775808]}", 5, "passt nicht zu `stamm_cm`"),
        ("a date is a real day", "{art: [Linde]}", "{gepflanzt: {from: 2026-02-30}}", 5, "`JJJJ-MM-TT`"),
        ("a range has an end", "{art: [Linde]}", "{hoehe_m: {}}", 5, "weder Anfang noch Ende"),
        ("a range is not reversed", "{art: [Linde]}", "{hoehe_m: {from: 9, to: 3}}", 5, "vertauschen"),
        ("a range knows two words", "{art: [Linde]}", "{hoehe_m: {form: 9, to: 10}}", 5, "gemeint ist wohl `from`"),
        ("true and false have no range", "{art: [Linde]}", "{gesund: {from: false}}", 5, "`[true]`"),
        ("CQL2 has no functions", "{art: [Linde]}", '"casei(nr) = \'x\'"', 5, "`casei` ist an dieser Stelle"),
        ("CQL2 has no LIKE", "{art: [Linde]}", '"nr LIKE \'x%\'"', 5, "`like`"),
        ("CQL2 has no arithmetic", "{art: [Linde]}", '"hoehe_m + 1 > 3"', 5, "`+`"),
        ("CQL2 compares with values", "{art: [Linde]}", '"nr = art"', 5, "IS NULL, AND, OR"),
        ("CQL2 puts the attribute first", "{art: [Linde]}", '"3 < hoehe_m"', 5, "`<`"),
        ("CQL2 tells where it fails", "{art: [Linde]}", '"hoehe_m > 3 UND gesund = TRUE"', 5, "ab `UND gesund = TRUE`"),
        ("CQL2 names attributes that exist", "{art: [Linde]}", '"hohe_m > 3"', 5, "gemeint ist wohl `hoehe_m`"),
        ("CQL2 dates are dates", "{art: [Linde]}", '"gepflanzt > \'2020-01-01\'"', 5, "DATE('2026-11-20')"),
        ("CQL2 dates are real days", "{art: [Linde]}", '"gepflanzt > DATE(\'2020-02-30\')"', 5, "passt nicht zu `gepflanzt`"),
        ("CQL2 numbers are exact", "{art: [Linde]}", '"stamm_cm = 9007199254740993"', 5, "als Liste schreiben"),
        ("CQL2 knows the enum", "{art: [Linde]}", '"art <> \'Buche\'"', 5, "`Buche`"),
        ("a bare attribute is no rule", "{art: [Linde]}", '"nr = \'1\' AND gesund"', 5, "kein Attribut stehen darf"),
        ("a mask must exist", "hoehe_m: {round: 5}", "hoehe_m: {rund: 5}", 7, "gemeint ist wohl `round`"),
        ("a mask is one word", "{round: 5}", "{round: 5, keep: 1}", 7, "genau eine Maske"),
        ("only numbers are rounded", "art: keep", "art: {round: 5}", 7, "nur Zahlen"),
        ("a step is above zero", "{round: 5}", "{round: 0}", 7, "keine Zahl über 0"),
        ("whole numbers have whole steps", "hoehe_m: {round: 5}", "stamm_cm: {round: 2.5}", 7, "ganzen Schritt"),
        ("`keep` stands alone", "art: keep", "art: {keep: 3}", 7, "steht allein"),
        ("a grid is whole metres", "{grid_m: 10}", "{grid_m: 2.5}", 6, "ganze Zahl von Metern"),
        ("a plain layer has no heights to drop", "{grid_m: 10}", "xy", 6, "`keep` schreiben"),
        ("no geometry can be shown where none is", "rows: all\n", "rows: all\n    geometry: keep\n", 10, "hat keine Geometrie"),
        ("`all` attributes are for the administration", "{titel: keep}", "all", 10, "jedes Attribut einzeln nennen"),
        ("a shown attribute must exist", "{titel: keep}", "{title: keep}", 10, "gemeint ist wohl `titel`"),
    ],
    "council.yaml": [
        ("nobody else is anonymous", "access: login", "access: anonymous", 2, "`access: login` / `access: token`"),
        ("only citizen can be included", "includes: citizen", "includes: administration", 3, "`includes: citizen` schreiben"),
        ("nobody sees less than citizens", "includes: citizen\n", "", 1, "sähe weniger als die Bürger"),
        ("a part is not called like an address", "bauausschuss:", "search:", 15, "`search` ist vergeben"),
        ("a part is not called like a login", "bauausschuss:", "writer:", 15, "`writer` ist vergeben"),
        ("a part is not called like a preview", "bauausschuss:", "bau_preview:", 15, "endet auf `_preview` wie eine Vorschau"),
        ("a part has a short name", "bauausschuss:", "ausschuss_fuer_bau_und_umwelt:", 15, "länger als 20 Zeichen"),
        ("a moment has an offset", "{art: [Linde, Eiche]}", "{gesehen: {to: 2026-02-03T10:00:00}}", 6, "mit Zeitzone"),
        ("a moment is not before the first year",
         "{art: [Linde, Eiche]}", "{gesehen: {from: 0001-01-01T00:00:00+14:00}}", 6, "in den Jahren 1 bis 9999 (UTC)"),
        ("a moment is not after the last year",
         "{art: [Linde, Eiche]}", "{gesehen: {to: 9999-12-31T23:59:59-14:00}}", 6, "in den Jahren 1 bis 9999 (UTC)"),
        ("a moment in CQL2 is not before the first year",
         "{art: [Linde, Eiche]}", "gesehen > TIMESTAMP('0001-01-01T00:00:00+14:00')", 6, "`0001-01-01T00:00:00+14:00`"),
        ("a moment in CQL2 is not after the last year",
         "{art: [Linde, Eiche]}", "gesehen < TIMESTAMP('9999-12-31T23:59:59-14:00')", 6, "`9999-12-31T23:59:59-14:00`"),
        ("rounds of one attribute are odd multiples",
         "{art: keep, hoehe_m: keep}\n", "{art: keep, hoehe_m: keep}\n  baumhoehen: {from: baeume, rows: all, geometry: hide, attributes: {hoehe_m: {round: 10}}}\n",
         9, "der Schritt 10 ist kein ungerades Vielfaches des Schritts 5 in citizen.yaml:4. Etwa `{round: 15}` schreiben"),
        ("what locates does not stand beside a grid", "{zustand: keep}", "{zustand: keep, nr: keep}", 12, "`nr` verrät den Ort"),
        ("nor beside no geometry", "    geometry: {grid_m: 100}\n    attributes: {zustand: keep}\n    release: {of: [existence, geometry]",
         "    geometry: hide\n    attributes: {zustand: keep, nr: keep}\n    release: {of: [existence]", 12, "`nr` verrät den Ort"),
        ("free text does not stand beside a grid",
         "    geometry: keep\n    attributes: {art: keep, hoehe_m: keep}\n",
         "    geometry: {grid_m: 5}\n    attributes: {art: keep, hoehe_m: keep, notiz: keep}\n", 8, "Freitext wie `notiz` kann den Ort"),
        ("no rule beside a grid reads what locates",
         "{zustand: [schlecht]}", "{zustand: [schlecht], nr: ['7']}", 10, "liest `nr` und verrät, welches Objekt in der Zelle liegt"),
        ("nor does a rule in CQL2", "{zustand: [schlecht]}", "zustand = 'schlecht' AND NOT nr = '7'", 10, "liest `nr` und verrät"),
        ("a release ends within living memory", "until: 2027-03-31", "until: 9999-12-31", 13, "nicht in den Jahren 2000 bis 2199"),
        ("`write` comes later",
         "geometry: keep\n", "geometry: keep\n    write: {change: [art]}\n", 8, "`write` wird noch nicht unterstützt"),
    ],
    "administration.yaml": [
        ("a part of the administration is a department", "wasser:", "waser:", 7, "gemeint ist wohl `wasser`"),
    ],
    "layers/baeume.yaml": [
        ("a department must exist", "owner: bauhof", "owner: bauhoff", 3, "gemeint ist wohl `bauhof`"),
        ("a class must exist", "existence: public", "existence: pubic", 7, "gemeint ist wohl `public`"),
        ("an attribute is not called like a parameter", "stamm_cm:", "limit:", 15, "`limit` ist vergeben"),
        ("an attribute is not called like a column of PostgreSQL", "stamm_cm:", "xmin:", 15, "`xmin` ist vergeben"),
        ("a value of an enum can be seen", "Eiche: oak", '"Ei\\nche": oak', 12, "unsichtbares Zeichen (`U+000A`)"),
        ("a review is within living memory", "review: 2027-01-01", "review: 2270-01-01", 6, "nicht in den Jahren 2000 bis 2199"),
        ("a classification is within living memory", "on: 2026-01-01", "on: 1926-01-01", 6, "nicht in den Jahren 2000 bis 2199"),
        ("an enum belongs to text", "type: boolean", "type: boolean, enum: {ja: yes}", 16, "`enum` passt nicht"),
        ("a layer's file has its name", "layer: baeume", "layer: baum", 1, "`layer: baeume` schreiben"),
        ("heights only for Z", "{type: Point,", "{type: Point, heights: DHHN2016,", 8, "keine Höhen"),
        ("a coordinate system exists", "epsg: 25832", "epsg: 25382", 8, "`25832`"),
        ("a geometry type exists", "type: Point,", "type: point,", 8, "gemeint ist wohl `Point`"),
        ("the review comes after", "review: 2027-01-01", "review: 2025-01-01", 6, "vor der Einstufung"),
        ("`datetime` names a date", "datetime: gepflanzt", "datetime: art", 9, "`gepflanzt`"),
    ],
    "layers/satzungen.yaml": [
        ("an attribute has a class", "type: text, class: public", "type: text", 9, "es fehlt der Eintrag `class`"),
        ("an attribute's type exists", "type: text", "type: string", 9, "eine Werteart `string`"),
        ("a unit belongs to numbers", "type: text", "type: text, unit: m", 9, "`unit` passt nicht"),
        ("terms are known", "terms: open", "terms: offen", 4, "gemeint ist wohl `open`"),
    ],
    "layers/schaechte.yaml": [
        ("heights are named for Z", " heights: DHHN2016,", "", 8, "`heights` fehlt"),
    ],
    "town.yaml": [
        ("a municipality key has eight digits", '"09572999"', '"9572999"', 1, "acht Ziffern"),
        ("`unreviewed` is not for towns",
         "  internal: {title", "  unreviewed: {title: a, ground: b, seen_by: []}\n  internal: {title", 6, "fest eingebaut"),
        ("classes name roles", "seen_by: [council,", "seen_by: [counsil,", 6, "gemeint ist wohl `council`"),
        ("classes name parts", "administration/wasser", "administration/waser", 7, "gemeint ist wohl `wasser`"),
        ("German comes first", "[de, en]", "[en, de]", 1, "Deutsch ist die erste"),
        ("pages are secure", "https://", "http://", 2, "`https://`"),
        ("an extent has four numbers", "epsg: 25832,", "epsg: 25832, extent: [674000, 5536000, 682000],", 1, "`[West, Süd, Ost, Nord]`"),
        ("an extent begins in the west", "epsg: 25832,", "epsg: 25832, extent: [682000, 5536000, 674000, 5544000],", 1, "links von Osten"),
        ("an extent lies in its CRS", "epsg: 25832,", "epsg: 25832, extent: [11.4, 49.9, 11.6, 50.1],", 1, "außerhalb des Gebiets"),
        ("an extent holds numbers", "epsg: 25832,", "epsg: 25832, extent: [a, 5536000, 682000, 5544000],", 1, "keine Koordinate"),
        ("a time zone exists", "epsg: 25832,", "epsg: 25832, time_zone: Berlin,", 1, "`Europe/Berlin`"),
    ],
}  # fmt: skip


def _rows() -> Iterator[ParameterSet]:
    for file, cases in CASES.items():
        for sentence, old, new, line, said in cases:
            yield pytest.param(file, old, new, f"{file}:{line}", said, id=sentence)


@pytest.mark.parametrize(("file", "old", "new", "where", "said"), list(_rows()))
def test_a_mistake_is_found_once_and_where_it_stands(spoil: Spoil, file: str, old: str, new: str, where: str, said: str) -> None:
    findings = spoil(file, old, new)
    assert [str(finding.place) for finding in findings] == [where], render(findings, "de")
    assert said.lower() in findings[0].render("de").lower()
    assert findings[0].what.en
    assert findings[0].remedy.en


@pytest.mark.parametrize(
    ("rows", "letter"),
    [
        ('{nr: ["a\\0b"]}', "U+0000"),
        ('{nr: ["a\\ud800b"]}', "U+D800"),
        ('{nr: ["a\\u202eb"]}', "U+202E"),
        ('{nr: {from: "a\\eb"}}', "U+001B"),
        ("\"nr = 'a\\0b'\"", "U+0000"),
        ("\"nr = 'a\\Nb'\"", "U+0085"),
    ],
)
def test_a_value_that_rows_are_compared_with_can_be_seen_in_full(spoil: Spoil, rows: str, letter: str) -> None:
    first = spoil("citizen.yaml", "{art: [Linde]}", rows)[0]
    assert first.render("en").startswith(f"citizen.yaml:5: there is an invisible character (`{letter}`) here")


def test_all_mistakes_are_told_at_once_by_file_and_line(small: Path) -> None:
    for file, old in (("town.yaml", "epsg: 25832"), ("citizen.yaml", "rows: all"), ("layers/baeume.yaml", "type: Point")):
        path = small / file
        path.write_text(path.read_text(encoding="utf-8").replace(old, f"x{old}"), encoding="utf-8")
    with pytest.raises(PolicyInvalid) as invalid:
        load(small)
    places = [(finding.place.file, finding.place.line) for finding in invalid.value.findings]
    assert {file for file, _ in places} == {"town.yaml", "citizen.yaml", "layers/baeume.yaml"}
    assert places == sorted(places)


def test_a_finding_reads_in_german_and_in_english(spoil: Spoil) -> None:
    findings = spoil("citizen.yaml", "access:", "acess:")
    assert render(findings, "de") == "citizen.yaml:2: den Eintrag `acess` kennt diese Stelle nicht. Gemeint ist wohl `access`"
    assert render(findings, "en") == "citizen.yaml:2: the entry `acess` is not known here. Did you mean `access`?"


@pytest.mark.parametrize(
    ("name", "said"), [("geometry", "`geometry` is taken"), ("baum_key", "ends in `_key`"), ("x_pkey", "ends in `_pkey`")]
)
def test_a_layer_is_not_called_like_what_the_database_has_already(small: Path, name: str, said: str) -> None:
    text = (small / "layers/satzungen.yaml").read_text(encoding="utf-8")
    (small / f"layers/{name}.yaml").write_text(text.replace("layer: satzungen", f"layer: {name}"), encoding="utf-8")
    with pytest.raises(PolicyInvalid, match=said):
        load(small)


@pytest.mark.parametrize("missing", ["town.yaml", "citizen.yaml"])
def test_town_and_citizen_must_be_there(small: Path, missing: str) -> None:
    (small / missing).unlink()
    with pytest.raises(PolicyInvalid, match=f"{missing}:1: the file is missing"):
        load(small)


@pytest.mark.parametrize(("stray", "said"), [("counsil.yaml", "did you mean `council.yaml`"), ("layers/weg.yml", "must be `.yaml`")])
def test_a_file_that_would_be_overlooked_is_a_finding(small: Path, stray: str, said: str) -> None:
    (small / stray).write_text("role: council\n", encoding="utf-8")
    with pytest.raises(PolicyInvalid) as invalid:
        load(small)
    assert said in render(invalid.value.findings, "en").lower()


def test_a_mistake_in_a_layer_is_not_repeated_for_each_grant_on_it(spoil: Spoil) -> None:
    assert len(spoil("layers/schaechte.yaml", "owner: wasser", "owner: wassser")) == 1


def test_a_folder_that_is_not_there_is_a_finding(tmp_path: Path) -> None:
    with pytest.raises(PolicyInvalid, match="cannot be read"):
        load(tmp_path / "nowhere")
