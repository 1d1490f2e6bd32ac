"""Deliberately wrong policies, second part: areas, bands, figures, embargo, reviewed texts, approvals, chains, and test files."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from _pytest.mark.structures import ParameterSet

from twin_api.policy.finding import PolicyInvalid, render
from twin_api.policy.load import load

FULL = Path(__file__).parent / "full"

LIST = "  satzungen: {rows: all, attributes: {titel: keep}}"

# by file: the sentence, what stands there, what is put in its place, the line it is found in, part of what is said
CASES: dict[str, list[tuple[str, str, str, int, str]]] = {
    "citizen.yaml": [
        ("an attribute has one share", "      tiefe: {mean", "      gut: {share: {zustand: [gut]}}\n      tiefe: {mean", 12, "ist ein zweiter Anteil von `zustand`"),
        ("`inside` names a layer that exists", "layer: ortsteile, name: Nord", "layer: ortsteil, name: Nord", 7, "gemeint ist wohl `ortsteile`"),
        ("`inside` names a layer of areas", "layer: ortsteile, name: Nord", "layer: schaechte, nr: Nord", 7, "`schaechte` hat keine Flächen"),
        ("`inside` names areas with a key", "layer: ortsteile, name: Nord", "layer: zonen, art: Nord", 7, "verschiedenen Koordinatensystemen (25833 / 25832)"),
        ("`inside` wants a layer", "{layer: ortsteile, name: Nord}", "{name: Nord}", 7, "`inside` braucht einen Layer mit Flächen"),
        ("`inside` wants one attribute", "{layer: ortsteile, name: Nord}", "{layer: ortsteile}", 7, "eines seiner Attribute"),
        ("`inside` wants no two attributes", "name: Nord}", "name: Nord, kurz: N}", 7, "`inside` braucht"),
        ("`inside` is a map", "{layer: ortsteile, name: Nord}", "Nord", 7, "`inside: {layer: ortsteile, name: Nord}`"),
        ("`inside` compares texts", "name: Nord}", "einwohner: 5}", 7, "möglich sind: `name`, `kurz`"),
        ("`inside` names an attribute of the areas", "name: Nord}", "nahme: Nord}", 7, "gemeint ist wohl `name`"),
        ("`inside` has a value", "name: Nord}", "name: []}", 7, "eine leere Liste"),
        ("a name of an area stands once", "name: Nord}", "name: [Nord, Nord]}", 7, "steht doppelt"),
        ("`inside` names areas that the role may see", "{layer: ortsteile, name: Nord}", "{layer: ortsteile, kurz: N}", 7, "`citizen` darf die Flächen von `ortsteile` nicht sehen: `kurz`"),
        ("`inside` does not stand beside a grid", "geometry: {area: ortsteile}", "geometry: {grid_m: 100}", 7, "`geometry: {area: ortsteile}` oder `keep` schreiben"),
        ("a mask of areas names a layer", "{area: ortsteile}", "{area: ortsteille}", 8, "gemeint ist wohl `ortsteile`"),
        ("a mask of areas wants a layer", "geometry: {area: ortsteile}", "geometry: area", 8, "`{area: ortsteile}`"),
        ("areas are not masks of their own layer", "{rows: all, geometry: keep, attributes: {name: keep}}", "{rows: all, geometry: {area: ortsteile}, attributes: {name: keep}}", 5, "kann nicht sich selbst einteilen"),
        ("a mask of areas shows none that the role may not see", "{rows: all, geometry: keep, attributes: {name: keep}}", "{rows: all, geometry: {area: reviere}, attributes: {name: keep}}", 5, "darf die Flächen von `reviere` nicht sehen"),
        ("bands ascend", "[5, 10, 20]", "[5, 20, 10]", 9, "1 bis 20 aufsteigende Grenzen"),
        ("bands have limits", "[5, 10, 20]", "[]", 9, "aufsteigende Grenzen"),
        ("bands are limits, not texts", "[5, 10, 20]", "[niedrig, hoch]", 9, "aufsteigende Grenzen"),
        ("no limit stands twice", "[5, 10, 20]", "[5, 5]", 9, "aufsteigende Grenzen"),
        ("a single limit wants brackets", "{band: [5, 10, 20]}", "{band: 5}", 9, "`{band: [10, 20, 50]}`"),
        ("bands are for numbers", "art: keep, hoehe_m", "art: {band: [1]}, hoehe_m", 9, "nicht für `type: text`"),
        ("times are truncated to year or month", "{truncate: year}", "{truncate: day}", 9, "auf das Jahr oder den Monat"),
        ("truncation says to what", "{truncate: year}", "truncate", 9, "`{truncate: year}` oder `{truncate: month}`"),
        ("only times are truncated", "hoehe_m: {band: [5, 10, 20]}", "hoehe_m: {truncate: year}", 9, "nur Zeiten"),
        ("`reviewed` stands alone", "notiz: reviewed", "notiz: {reviewed: notiz_gelesen}", 9, "steht allein"),
        ("`reviewed` needs a mark", "notiz: reviewed", "vermerk: reviewed", 9, "welches Attribut sagt, dass `vermerk` gelesen ist"),
        ("citizens see no unread text", "notiz: reviewed}", "vermerk: keep}", 9, "Bürger sehen ihn nur gelesen"),
        ("what locates does not stand beside an area", "notiz: reviewed}", "standort: keep}", 9, "`standort` verrät den Ort"),
        ("an embargo names a time", "{attribute: freigabe_ab}", "{attribute: nr}", 10, "der Art `date` oder `datetime`"),
        ("an embargo is a map", "{attribute: freigabe_ab}", "freigabe_ab", 10, "Einträge der Form"),
        ("an embargo has one word", "{attribute: freigabe_ab}", "{attribut: freigabe_ab}", 10, "gemeint ist wohl `attribute`"),
        ("an embargo above the class counts for the release", "{attribute: freigabe_ab}", "{attribute: gesehen}", 6, "`gesehen`"),
        ("an announcement has a German text", "{de: Neu gezählt, en: Counted anew}", "{en: Counted anew}", 11, "es fehlt der Eintrag `de`"),
        ("announcements of a role are a list", "[{de: Rathaus am Montag zu, en: Town hall closed on Monday}]", "Rathaus zu", 3, "Liste"),
        ("groups are areas or an attribute", "group_by: ortsteile", "group_by: ortsteil", 15, "gemeint ist wohl `ortsteile`"),
        ("groups by an attribute have an enum", "group_by: ortsteile", "group_by: baujahr", 15, "keine feste Werteliste"),
        ("groups must be said", "    group_by: ortsteile\n", "", 12, "es fehlt der Eintrag `group_by`"),
        ("groups are areas that the role may see", "group_by: ortsteile", "group_by: reviere", 15, "`citizen` darf die Flächen von `reviere` nicht sehen"),
        ("figures are named", "    figures:\n      anzahl: count\n      schlecht: {share: {zustand: [schlecht]}, round: 10}\n      tiefe: {mean: tiefe_m, round: 0.5}\n", "    figures: {}\n", 16, "keine einzige Zahl"),
        ("a figure says what is counted", "anzahl: count", "anzahl: {zahl: all}", 17, "`anzahl` sagt nicht, was gezählt wird"),
        ("there are no minima", "anzahl: count", "anzahl: {min: tiefe_m}", 17, "möglich sind `count`"),
        ("a figure is one thing", "{mean: tiefe_m, round: 0.5}", "{mean: tiefe_m, sum: tiefe_m}", 19, "sagt nicht, was gezählt wird"),
        ("a mean is of numbers", "{mean: tiefe_m, round: 0.5}", "{mean: zustand}", 19, "eine Zahl namens `zustand`"),
        ("a share has values", "{zustand: [schlecht]}", "{zustand: []}", 18, "ein Attribut und seine Werte"),
        ("a share's values exist", "{zustand: [schlecht]}", "{zustand: [schlimm]}", 18, "einen Wert von `zustand` namens `schlimm`"),
        ("a share has one attribute", "{zustand: [schlecht]}", "{zustand: [schlecht], baujahr: [1950]}", 18, "genau ein Attribut"),
        ("a share's attribute exists", "{zustand: [schlecht]}", "{zustant: [schlecht]}", 18, "gemeint ist wohl `zustand`"),
        ("counts are rounded by whole steps", "anzahl: count", "anzahl: {count: all, round: 2.5}", 17, "ganzen Schritt"),
        ("all rows of a group are counted", "anzahl: count", "anzahl: {count: zustand}", 17, "alle Zeilen der Gruppe"),
        ("a figure is not called like its group", "anzahl: count", "name: count", 16, "`name` heißt schon die Gruppe"),
        ("a figure is not called like a parameter", "anzahl: count", "limit: count", 17, "`limit` ist vergeben"),
        ("a group of two is known to both", "at_least: 5", "at_least: 2", 20, "verrät Einzelne"),
        ("`at_least` must be said", "    at_least: 5\n", "", 12, "es fehlt der Eintrag `at_least`"),
        ("`at_least` is a number", "at_least: 5", 'at_least: "5"', 20, "ganze Zahl"),
        ("figures are refreshed in known rhythms", "refresh: yearly", "refresh: hourly", 21, "einen Rhythmus `hourly`"),
        ("figures show no items", "    at_least: 5", "    geometry: keep\n    at_least: 5", 20, "den Eintrag `geometry` kennt diese Stelle nicht"),
        ("figures know no embargo", "    at_least: 5", "    embargo: {attribute: baujahr}\n    at_least: 5", 20, "`embargo`"),
        ("a release lists what figures use", "of: [existence, geometry, tiefe_m, zustand]", "of: [existence, geometry, zustand]", 22, "in der Freigabe fehlt `tiefe_m`"),
        ("figures by area show places", "of: [existence, geometry, tiefe_m, zustand]", "of: [existence, tiefe_m, zustand]", 22, "in der Freigabe fehlt `geometry`"),
        ("figures over one layer count the same rows", LIST, LIST + "\n  zweite: {from: schaechte, rows: {zustand: [gut]}, group_by: ortsteile, figures: {n: count}, at_least: 5, refresh: yearly, release: {of: [existence, geometry, zustand], reason: x, approve: [isb], until: 2027-12-31}}", 24, "zählen andere Zeilen als `schachtzahlen`"),
        ("a band and a rounding do not nest", LIST, LIST + "\n  hoehen: {from: baeume, rows: all, geometry: hide, attributes: {hoehe_m: {round: 5}}}", 6, "zusammen mehr, als jedes für sich"),
        ("an area and a grid do not nest", LIST, LIST + "\n  baumraster: {from: baeume, rows: all, geometry: {grid_m: 50}, attributes: {art: keep}}", 6, "zusammen mehr, als jedes für sich"),
        ("a layer without places has no areas", LIST, "  satzungen: {rows: all, group_by: ortsteile, figures: {n: count}, at_least: 5, refresh: yearly}", 23, "der Layer `satzungen` hat keine Geometrie"),
    ],
    "council.yaml": [
        ("bands of one attribute nest", "hoehe_m: keep, gepflanzt: keep, notiz: keep}\n", "hoehe_m: keep, gepflanzt: keep, notiz: keep}\n  hoehen: {from: baeume, rows: all, geometry: hide, attributes: {hoehe_m: {band: [7]}}}\n", 9, "zusammen mehr, als jedes für sich"),
        ("an own grant has no wider bands", "hoehe_m: keep", "hoehe_m: {band: [5]}", 5, "das Attribut `hoehe_m` ist gröber"),
        ("an own grant shows read texts too", ", notiz: keep}", "}", 5, "das Attribut `notiz` fehlt"),
        ("an own grant does not wait longer", "    geometry: keep\n", "    geometry: keep\n    embargo: {attribute: gesehen}\n", 5, "andere oder weniger Zeilen"),
        ("figures over one layer are grouped alike", "parts:", "  reviere: {from: baeume, rows: all, group_by: reviere, figures: {n: count}, at_least: 5, refresh: daily}\n  bezirke: {from: baeume, rows: all, group_by: ortsteile, figures: {n: count}, at_least: 5, refresh: daily}\nparts:", 22, "anders eingeteilt"),
        ("an own grant of figures shows the same", "parts:", "  schachtzahlen: {from: schaechte, rows: all, group_by: ortsteile, figures: {anzahl: count, schlecht: {share: {zustand: [schlecht]}, round: 10}, tiefe: {mean: tiefe_m, round: 1}}, at_least: 5, refresh: yearly, release: {of: [existence, geometry], reason: x, approve: [isb], until: 2027-12-31}}\nparts:", 21, "die Zahl `tiefe` fehlt oder ist eine andere"),
        ("an own grant of figures has no larger groups", "parts:", "  schachtzahlen: {from: schaechte, rows: all, group_by: ortsteile, figures: {anzahl: count, schlecht: {share: {zustand: [schlecht]}, round: 10}, tiefe: {mean: tiefe_m, round: 0.5}}, at_least: 9, refresh: yearly, release: {of: [existence, geometry], reason: x, approve: [isb], until: 2027-12-31}}\nparts:", 21, "ein größeres `at_least`"),
        ("what locates goes into no figure", "{count: all, round: 5}", "{share: {standort: [Markt]}}", 13, "`standort` verrät den Ort"),
        ("a sum of whole numbers has whole steps", "{count: all, round: 5}", "{sum: stamm_cm, round: 0.5}", 13, "ganzen Schritt"),
        ("free text is no share", "{count: all, round: 5}", "{share: {vermerk: [x]}}", 13, "`vermerk` ist Freitext"),
    ],
    "layers/baeume.yaml": [
        ("a theme exists", "theme: gruen", "theme: gruenn", 4, "gemeint ist wohl `gruen`"),
        ("what is dropped is no attribute", "dropped: [pate]", "dropped: [nr]", 10, "`nr` ist noch ein Attribut"),
        ("what is dropped has a name", "dropped: [pate]", "dropped: [Pate]", 10, "ist als Name nicht möglich"),
        ("a former name is gone", "was: baumart", "was: nr", 13, "kann nicht der frühere Name"),
        ("a former name is not dropped", "was: baumart", "was: pate", 13, "kann nicht der frühere Name"),
        ("a former name is one attribute's", "type: number, unit: m,", "type: number, unit: m, was: baumart,", 14, "kann nicht der frühere Name"),
        ("a former name is a name", "was: baumart", "was: Baum-Art", 13, "`baum_art` schreiben"),
        ("a mark exists", "{reviewed: notiz_gelesen}", "{reviewed: gelesen}", 19, "gemeint ist wohl `notiz_gelesen`"),
        ("a mark is a yes or no", "{reviewed: notiz_gelesen}", "{reviewed: nr}", 19, "der Art `boolean`"),
        ("a mark is named `reviewed`", "{reviewed: notiz_gelesen}", "{review: notiz_gelesen}", 19, "gemeint ist wohl `reviewed`"),
    ],
    "layers/ortsteile.yaml": [
        ("an area has a class", "type: Polygon, epsg: 25832, class: public", "type: Polygon, epsg: 25832", 8, "es fehlt der Eintrag `class`"),
    ],
    "town.yaml": [
        ("themes have names", "wasser: {de: Wasser, en: Water}}", "Wasser-Bau: {de: Wasser, en: Water}}", 4, "`wasser_bau` schreiben"),
        ("themes have titles", "wasser: {de: Wasser, en: Water}}", "wasser: {en: Water}}", 4, "es fehlt der Eintrag `de`"),
        ("`audited` is yes or no", "audited: true", "audited: ja", 8, "`true` oder `false`"),
    ],
    "approvals.yaml": [
        ("an approving department exists", "department: isb", "department: isp", 5, "gemeint ist wohl `isb`"),
        ("an approval has a name", 'collection: schaechte, department: wasser, by: "M. Beispiel"', 'collection: schaechte, department: wasser, by: ""', 6, "fehlt der Wert"),
        ("an approval has a day", "department: isb, by: \"M. Beispiel\", on: 2026-11-20", "department: isb, by: \"M. Beispiel\", on: gestern", 5, "kein Datum"),
        ("an approval has a seal", 'seal: "dc05b03bcc34"', 'siegel: "dc05b03bcc34"', 6, "`siegel`"),
        ("approvals are a list", "approvals:\n", "approval:\n", 3, "gemeint ist wohl `approvals`"),
    ],
    "tests/baeume.yaml": [
        ("a test's layer exists", "layer: baeume", "layer: baum", 1, "`baum`"),
        ("a test knows its words", "day: 2026-06-15", "tag: 2026-06-15", 2, "den Eintrag `tag` kennt diese Stelle nicht"),
        ("a test's day is a date", "day: 2026-06-15", "day: heute", 2, "kein Datum"),
        ("a row's attribute exists", "hoehe_m: 12.6, gepflanzt: 1987-05-04, freigabe_ab", "hohe_m: 12.6, gepflanzt: 1987-05-04, freigabe_ab", 4, "gemeint ist wohl `hoehe_m`"),
        ("a row's value fits", '{nr: "2"', "{nr: 2", 5, '`"2"`'),
        ("a row's value is in the enum", "art: Buche, freigabe_ab", "art: Bucche, freigabe_ab", 7, "gemeint ist wohl `Buche`"),
        ("a row's geometry is of its type", "freigabe_ab: 2026-06-16, geometry: [5, 5]", "freigabe_ab: 2026-06-16, geometry: [5, 5, 400]", 5, "`[x, y]`"),
        ("a coordinate is a number", "freigabe_ab: 2026-06-16, geometry: [5, 5]", 'freigabe_ab: 2026-06-16, geometry: [5, "5"]', 5, "keine Koordinate"),
        ("a geometry is a list", "freigabe_ab: 2026-06-16, geometry: [5, 5]", "freigabe_ab: 2026-06-16, geometry: 5", 5, "eine Liste"),
        ("a row is not called like a collection", "rows:\n", "rows:\n  baeume: {}\n", 4, "heißt schon eine Collection"),
        ("a test's areas exist", "  ortsteile:\n", "  ortsteil:\n", 9, "gemeint ist wohl `ortsteile`"),
        ("a test's areas have their key", "Nord: {name: Nord, ", "Nord: {", 10, "fehlt `name`"),
        ("a surface has corners", "geometry: [[[0, 0], [10, 0], [10, 10], [0, 10]]]", "geometry: [[[0, 0], [10, 0]]]", 10, "als `[[[x, y], …]]` schreiben"),
        ("a surface does not cross itself", "geometry: [[[0, 0], [10, 0], [10, 10], [0, 10]]]", "geometry: [[[0, 0], [10, 10], [10, 0], [0, 10]]]", 10, "kreuzen einander"),
        ("a test's role exists", "  citizen:\n", "  citizens:\n", 13, "gemeint ist wohl `citizen`"),
        ("a row that is expected exists", "    Fern: hidden", "    Ferne: hidden", 16, "gemeint ist wohl `Fern`"),
        ("an expectation is a word or a map", "    Fern: hidden", "    Fern: verborgen", 16, "`hidden` schreiben"),
        ("an expected attribute exists", "notiz: null, geometry: [5, 5]}\n    Neu: hidden", "notitz: null, geometry: [5, 5]}\n    Neu: hidden", 14, "gemeint ist wohl `notiz`"),
        ("an expected value is one value", "gepflanzt: 1987-01-01", "gepflanzt: [1987-01-01]", 14, "einzelner Wert"),
        ("nothing is said by a word", "baumarten: nothing", "baumarten: hidden", 22, "`nothing` schreiben"),
        ("an expected figure exists", "baumarten: nothing", "baumarten: {Linde: {zahl: 5}}", 22, "eine Zahl `zahl` gibt es nicht"),
        ("an expected figure is a number", "baumarten: nothing", "baumarten: {Linde: {anzahl: viele}}", 22, "hier wird eine Zahl erwartet"),
        ("a row in a collection exists", "baumarten: nothing", "baeume: {Ferne: hidden}", 22, "gemeint ist wohl `Fern`"),
        ("a test expects something", "expect:", "expects:", 12, "gemeint ist wohl `expect`"),
    ],
}  # fmt: skip


def _rows() -> Iterator[ParameterSet]:
    for file, cases in CASES.items():
        for sentence, old, new, line, said in cases:
            yield pytest.param(file, old, new, f"{file}:{line}", said, id=sentence)


@pytest.mark.parametrize(("file", "old", "new", "where", "said"), list(_rows()))
def test_a_mistake_is_found_once_and_where_it_stands(tmp_path: Path, file: str, old: str, new: str, where: str, said: str) -> None:
    folder = Path(shutil.copytree(FULL, tmp_path / "policies"))
    text = (folder / file).read_text(encoding="utf-8")
    assert text.count(old) == 1, f"`{old}` stands {text.count(old)} times in {file}"
    (folder / file).write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(PolicyInvalid) as invalid:
        load(folder)
    findings = invalid.value.findings
    assert [str(finding.place) for finding in findings] == [where], render(findings, "de")
    assert said.lower() in findings[0].render("de").lower()
    assert findings[0].what.en
    assert findings[0].remedy.en
