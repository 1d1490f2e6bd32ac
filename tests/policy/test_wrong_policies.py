"""Deliberately wrong policies: each is refused, at the right line, with words that help the person who wrote it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from twin_api.policy.finding import Finding, PolicyInvalid, render
from twin_api.policy.load import load

Spoil = Callable[[str, str, str], tuple[Finding, ...]]

# the sentence, the file, what stands there, what is put in its place, where it is found, part of what is said
CASES = [
    ("an unknown key is named with its near match", "citizen.yaml", "access:", "acess:", "citizen.yaml:2", "gemeint ist wohl `access`"),
    ("a missing key is named", "citizen.yaml", "access: anonymous\n", "", "citizen.yaml:1", "es fehlt der Eintrag `access`"),
    ("a role file says which role it is", "citizen.yaml", "role: citizen", "role: council", "citizen.yaml:1", "`role: citizen` schreiben"),
    ("citizens are anonymous", "citizen.yaml", "anonymous", "login", "citizen.yaml:2", "`access: anonymous` schreiben"),
    ("nobody else is anonymous", "council.yaml", "access: login", "access: anonymous", "council.yaml:2", "`access: login` / `access: token`"),
    ("citizens include nobody", "citizen.yaml", "access: anonymous\n", "access: anonymous\nincludes: council\n", "citizen.yaml:3", "schließt keine andere ein"),
    ("only citizen can be included", "council.yaml", "includes: citizen", "includes: administration", "council.yaml:3", "`includes: citizen` schreiben"),
    ("nobody sees less than citizens", "council.yaml", "includes: citizen\n", "", "council.yaml:1", "sähe weniger als die Bürger"),
    ("citizens have no parts", "citizen.yaml", "collections:\n", "parts: {a: {}}\ncollections:\n", "citizen.yaml:3", "`parts`"),
    ("a part of the administration is a department", "administration.yaml", "wasser:", "waser:", "administration.yaml:7", "gemeint ist wohl `wasser`"),
    ("a part is not called like an address", "council.yaml", "bauausschuss:", "search:", "council.yaml:15", "`search` ist vergeben"),
    ("a part has a short name", "council.yaml", "bauausschuss:", "ausschuss_fuer_bau_und_umwelt:", "council.yaml:15", "länger als 20 Zeichen"),
    ("a layer must exist", "citizen.yaml", "baeume:", "baueme:", "citizen.yaml:4", "gemeint ist wohl `baeume`"),
    ("`from` names a layer", "citizen.yaml", "rows: all\n", "rows: all\n    from: satzung\n", "citizen.yaml:10", "gemeint ist wohl `satzungen`"),
    ("a collection is not called `collection`", "citizen.yaml", "  satzungen:\n", "  collection: {from: satzungen, rows: all, attributes: {}}\n  satzungen:\n", "citizen.yaml:8", "ist vergeben"),
    ("names are plain", "citizen.yaml", "  satzungen:\n", "  Bäume-Süd: {from: satzungen, rows: all, attributes: {}}\n  satzungen:\n", "citizen.yaml:8", "`baeume_sued` schreiben"),
    ("`rows` must be said", "citizen.yaml", "    rows: all\n", "", "citizen.yaml:8", "es fehlt der Eintrag `rows`"),
    ("`geometry` must be said", "citizen.yaml", "    geometry: {grid_m: 10}\n", "", "citizen.yaml:4", "`geometry: keep` ergänzen"),
    ("`attributes` must be said", "citizen.yaml", "    attributes: {titel: keep}\n", "", "citizen.yaml:8", "es fehlt der Eintrag `attributes`"),
    ("`all` is meant", "citizen.yaml", "rows: all", "rows: alle", "citizen.yaml:9", "`all` schreiben"),
    ("no rule is not every row", "citizen.yaml", "rows: all", "rows:", "citizen.yaml:9", "welche Zeilen gezeigt werden"),
    ("an empty choice shows nothing", "citizen.yaml", "{art: [Linde]}", "{art: []}", "citizen.yaml:5", "zeigt keine einzige Zeile"),
    ("an empty map is no rule", "citizen.yaml", "{art: [Linde]}", "{}", "citizen.yaml:5", "`rows` ist leer"),
    ("a single value wants brackets", "citizen.yaml", "{art: [Linde]}", "{art: Linde}", "citizen.yaml:5", "`art: [Linde]` schreiben"),
    ("a value must be in the enum", "citizen.yaml", "[Linde]", "[Linden]", "citizen.yaml:5", "gemeint ist wohl `Linde`"),
    ("a value stands once", "citizen.yaml", "[Linde]", "[Linde, Linde]", "citizen.yaml:5", "steht doppelt"),
    ("a rule's attribute must exist", "citizen.yaml", "{art: [Linde]}", "{atr: [Linde]}", "citizen.yaml:5", "gemeint ist wohl `art`"),
    ("a number is not text", "citizen.yaml", "{art: [Linde]}", "{nr: [12]}", "citizen.yaml:5", '`"12"`'),
    ("a truth value is not text", "citizen.yaml", "{art: [Linde]}", "{nr: [true]}", "citizen.yaml:5", '`"true"`'),
    ("text is no number", "citizen.yaml", "{art: [Linde]}", '{hoehe_m: ["12"]}', "citizen.yaml:5", "passt nicht zu `hoehe_m`"),
    ("a fraction is not whole", "citizen.yaml", "{art: [Linde]}", "{stamm_cm: [1.5]}", "citizen.yaml:5", "ganze Zahl"),
    ("a whole number fits the store", "citizen.yaml", "{art: [Linde]}", "{stamm_cm: [9223372036854775808]}", "citizen.yaml:5", "passt nicht zu `stamm_cm`"),
    ("a date is a real day", "citizen.yaml", "{art: [Linde]}", "{gepflanzt: {from: 2026-02-30}}", "citizen.yaml:5", "`JJJJ-MM-TT`"),
    ("a moment has an offset", "council.yaml", "{art: [Linde, Eiche]}", "{gesehen: {to: 2026-02-03T10:00:00}}", "council.yaml:6", "mit Zeitzone"),
    ("a range has an end", "citizen.yaml", "{art: [Linde]}", "{hoehe_m: {}}", "citizen.yaml:5", "weder Anfang noch Ende"),
    ("a range is not reversed", "citizen.yaml", "{art: [Linde]}", "{hoehe_m: {from: 9, to: 3}}", "citizen.yaml:5", "vertauschen"),
    ("a range knows two words", "citizen.yaml", "{art: [Linde]}", "{hoehe_m: {form: 9, to: 10}}", "citizen.yaml:5", "gemeint ist wohl `from`"),
    ("true and false have no range", "citizen.yaml", "{art: [Linde]}", "{gesund: {from: false}}", "citizen.yaml:5", "`[true]`"),
    ("CQL2 has no functions", "citizen.yaml", "{art: [Linde]}", '"casei(nr) = \'x\'"', "citizen.yaml:5", "`casei` ist an dieser Stelle"),
    ("CQL2 has no LIKE", "citizen.yaml", "{art: [Linde]}", '"nr LIKE \'x%\'"', "citizen.yaml:5", "`like`"),
    ("CQL2 has no arithmetic", "citizen.yaml", "{art: [Linde]}", '"hoehe_m + 1 > 3"', "citizen.yaml:5", "`+`"),
    ("CQL2 compares with values", "citizen.yaml", "{art: [Linde]}", '"nr = art"', "citizen.yaml:5", "IS NULL, AND, OR"),
    ("CQL2 puts the attribute first", "citizen.yaml", "{art: [Linde]}", '"3 < hoehe_m"', "citizen.yaml:5", "`<`"),
    ("CQL2 tells where it fails", "citizen.yaml", "{art: [Linde]}", '"hoehe_m > 3 UND gesund = TRUE"', "citizen.yaml:5", "ab `UND gesund = TRUE`"),
    ("CQL2 names attributes that exist", "citizen.yaml", "{art: [Linde]}", '"hohe_m > 3"', "citizen.yaml:5", "gemeint ist wohl `hoehe_m`"),
    ("CQL2 dates are dates", "citizen.yaml", "{art: [Linde]}", '"gepflanzt > \'2020-01-01\'"', "citizen.yaml:5", "DATE('2026-11-20')"),
    ("CQL2 dates are real days", "citizen.yaml", "{art: [Linde]}", '"gepflanzt > DATE(\'2020-02-30\')"', "citizen.yaml:5", "passt nicht zu `gepflanzt`"),
    ("CQL2 numbers are exact", "citizen.yaml", "{art: [Linde]}", '"stamm_cm = 9007199254740993"', "citizen.yaml:5", "als Liste schreiben"),
    ("CQL2 knows the enum", "citizen.yaml", "{art: [Linde]}", '"art <> \'Buche\'"', "citizen.yaml:5", "`Buche`"),
    ("a bare attribute is no rule", "citizen.yaml", "{art: [Linde]}", '"nr = \'1\' AND gesund"', "citizen.yaml:5", "kein Attribut stehen darf"),
    ("`inside` comes later", "citizen.yaml", "{art: [Linde]}", "{inside: {layer: ortsteile, name: Nord}}", "citizen.yaml:5", "`inside` wird noch nicht unterstützt"),
    ("`area` comes later", "citizen.yaml", "{grid_m: 10}", "{area: ortsteile}", "citizen.yaml:6", "`area` wird noch nicht unterstützt"),
    ("`band` comes later", "citizen.yaml", "{round: 5}", "{band: [1, 2]}", "citizen.yaml:7", "`band` wird noch nicht unterstützt"),
    ("`truncate` comes later", "citizen.yaml", "{round: 5}", "{truncate: year}", "citizen.yaml:7", "`truncate` wird noch nicht unterstützt"),
    ("`embargo` comes later", "citizen.yaml", "rows: all\n", "rows: all\n    embargo: {attribute: titel}\n", "citizen.yaml:10", "`embargo` wird noch nicht unterstützt"),
    ("`write` comes later", "council.yaml", "geometry: keep\n", "geometry: keep\n    write: {change: [art]}\n", "council.yaml:8", "`write` wird noch nicht unterstützt"),
    ("figures come later", "citizen.yaml", "rows: all\n", "rows: all\n    figures: {n: count}\n", "citizen.yaml:10", "`figures` wird noch nicht unterstützt"),
    ("a mask must exist", "citizen.yaml", "hoehe_m: {round: 5}", "hoehe_m: {rund: 5}", "citizen.yaml:7", "gemeint ist wohl `round`"),
    ("a mask is one word", "citizen.yaml", "{round: 5}", "{round: 5, keep: 1}", "citizen.yaml:7", "genau eine Maske"),
    ("only numbers are rounded", "citizen.yaml", "art: keep", "art: {round: 5}", "citizen.yaml:7", "nur Zahlen"),
    ("a step is above zero", "citizen.yaml", "{round: 5}", "{round: 0}", "citizen.yaml:7", "keine Zahl über 0"),
    ("whole numbers have whole steps", "citizen.yaml", "hoehe_m: {round: 5}", "stamm_cm: {round: 2.5}", "citizen.yaml:7", "ganzen Schritt"),
    ("`keep` stands alone", "citizen.yaml", "art: keep", "art: {keep: 3}", "citizen.yaml:7", "steht allein"),
    ("a grid is whole metres", "citizen.yaml", "{grid_m: 10}", "{grid_m: 2.5}", "citizen.yaml:6", "ganze Zahl von Metern"),
    ("a plain layer has no heights to drop", "citizen.yaml", "{grid_m: 10}", "xy", "citizen.yaml:6", "`keep` schreiben"),
    ("no geometry can be shown where none is", "citizen.yaml", "rows: all\n", "rows: all\n    geometry: keep\n", "citizen.yaml:10", "hat keine Geometrie"),
    ("`all` attributes are for the administration", "citizen.yaml", "{titel: keep}", "all", "citizen.yaml:10", "jedes Attribut einzeln nennen"),
    ("a shown attribute must exist", "citizen.yaml", "{titel: keep}", "{title: keep}", "citizen.yaml:10", "gemeint ist wohl `titel`"),
    ("a department must exist", "layers/baeume.yaml", "owner: bauhof", "owner: bauhoff", "layers/baeume.yaml:3", "gemeint ist wohl `bauhof`"),
    ("a class must exist", "layers/baeume.yaml", "existence: public", "existence: pubic", "layers/baeume.yaml:7", "gemeint ist wohl `public`"),
    ("an attribute has a class", "layers/satzungen.yaml", "type: text, class: public", "type: text", "layers/satzungen.yaml:9", "es fehlt der Eintrag `class`"),
    ("an attribute's type exists", "layers/satzungen.yaml", "type: text", "type: string", "layers/satzungen.yaml:9", "eine Werteart `string`"),
    ("an attribute is not called like a parameter", "layers/baeume.yaml", "stamm_cm:", "limit:", "layers/baeume.yaml:15", "`limit` ist vergeben"),
    ("a unit belongs to numbers", "layers/satzungen.yaml", "type: text", "type: text, unit: m", "layers/satzungen.yaml:9", "`unit` passt nicht"),
    ("an enum belongs to text", "layers/baeume.yaml", "type: boolean", "type: boolean, enum: {ja: yes}", "layers/baeume.yaml:16", "`enum` passt nicht"),
    ("a layer's file has its name", "layers/baeume.yaml", "layer: baeume", "layer: baum", "layers/baeume.yaml:1", "`layer: baeume` schreiben"),
    ("heights are named for Z", "layers/schaechte.yaml", " heights: DHHN2016,", "", "layers/schaechte.yaml:8", "`heights` fehlt"),
    ("heights only for Z", "layers/baeume.yaml", "{type: Point,", "{type: Point, heights: DHHN2016,", "layers/baeume.yaml:8", "keine Höhen"),
    ("a coordinate system exists", "layers/baeume.yaml", "epsg: 25832", "epsg: 25382", "layers/baeume.yaml:8", "`25832`"),
    ("a geometry type exists", "layers/baeume.yaml", "type: Point,", "type: point,", "layers/baeume.yaml:8", "gemeint ist wohl `Point`"),
    ("the review comes after", "layers/baeume.yaml", "review: 2027-01-01", "review: 2025-01-01", "layers/baeume.yaml:6", "vor der Einstufung"),
    ("`datetime` names a date", "layers/baeume.yaml", "datetime: gepflanzt", "datetime: art", "layers/baeume.yaml:9", "`gepflanzt`"),
    ("terms are known", "layers/satzungen.yaml", "terms: open", "terms: offen", "layers/satzungen.yaml:4", "gemeint ist wohl `open`"),
    ("a municipality key has eight digits", "town.yaml", '"09572999"', '"9572999"', "town.yaml:1", "acht Ziffern"),
    ("`unreviewed` is not for towns", "town.yaml", "  internal: {title", "  unreviewed: {title: a, ground: b, seen_by: []}\n  internal: {title", "town.yaml:6", "fest eingebaut"),
    ("classes name roles", "town.yaml", "seen_by: [council,", "seen_by: [counsil,", "town.yaml:6", "gemeint ist wohl `council`"),
    ("classes name parts", "town.yaml", "administration/wasser", "administration/waser", "town.yaml:7", "gemeint ist wohl `wasser`"),
    ("German comes first", "town.yaml", "[de, en]", "[en, de]", "town.yaml:1", "Deutsch ist die erste"),
    ("pages are secure", "town.yaml", "https://", "http://", "town.yaml:2", "`https://`"),
    ("a time zone exists", "town.yaml", "epsg: 25832,", "epsg: 25832, time_zone: Berlin,", "town.yaml:1", "`Europe/Berlin`"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "where", "said"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_mistake_is_found_once_and_where_it_stands(spoil: Spoil, file: str, old: str, new: str, where: str, said: str) -> None:
    findings = spoil(file, old, new)
    assert [str(finding.place) for finding in findings] == [where], render(findings, "de")
    assert said.lower() in findings[0].render("de").lower()
    assert findings[0].what.en and findings[0].remedy.en


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
