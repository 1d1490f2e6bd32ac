"""Concerns: what people forget is found, and what is in order is left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.policy.editing import edit, reload
from twin_api.policy.lint import lint
from twin_api.policy.lint_rules import exclusions
from twin_api.policy.load import load
from twin_api.policy.rule import And, Between, Compare, In, IsNull, Not, Or, Rule
from twin_api.policy.vocabulary import CRITICAL, FREE_TEXT, PERSONAL, first_match, tells_place, words_of

POLICIES = Path(__file__).parents[2] / "policies"
TOWN = Path(__file__).parents[1] / "town" / "policies"
TREES = "layers/baeume.yaml"
NEW = "  neu: {title: Neu,"
SHOWN = "attributes: {art: keep, hoehe_m: {round: 5}}"


@pytest.fixture
def answered(small: Path) -> Path:
    """The small town, whose two concerns have been answered."""
    edit(small, "council.yaml", "until: 2027-03-31}", "until: 2027-03-31}  # geprüft: Überprüfung im Januar")
    edit(small, TREES, "unit: cm, class: public}", "unit: cm, class: public}  # checked: kept for next year's inspection")
    return small


def concerns(folder: Path) -> list[str]:
    return [f"{finding.place} {finding.what.de}. {finding.remedy.de}" for finding in lint(reload(folder))]


def add_attribute(folder: Path, line: str, masks: str = "") -> None:
    """An attribute of the trees, shown to everybody who sees trees with the masks given."""
    edit(folder, TREES, NEW, f"  {line}\n{NEW}")
    edit(folder, "citizen.yaml", SHOWN, SHOWN.replace("{art: keep", f"{{{masks}art: keep"))
    edit(folder, "council.yaml", "{art: keep, hoehe_m: keep}", f"{{{masks}art: keep, hoehe_m: keep}}")


def test_the_policies_of_the_tests_give_no_false_alarm(small: Path) -> None:
    assert [str(finding.place) for finding in lint(load(TOWN))] == ["layers/baeume.yaml:20"]  # nobody is shown the sponsor
    assert [str(finding.place) for finding in lint(load(small))] == ["council.yaml:13", "layers/baeume.yaml:15"]


def test_the_demo_gives_concern_by_what_it_excludes_and_by_a_late_review_alone() -> None:
    found = lint(load(POLICIES))
    assert {finding.place.file for finding in found} <= {"citizen.yaml", "council.yaml"}
    assert all("schließt Werte" in finding.what.de or "Freigabe gilt" in finding.what.de for finding in found)


def test_an_answered_concern_is_silent_and_one_without_a_reason_is_not(answered: Path) -> None:
    assert concerns(answered) == []
    edit(answered, "council.yaml", "# geprüft: Überprüfung im Januar", "# geprüft:")
    assert len(concerns(answered)) == 1


def test_an_address_beside_a_grid_is_a_concern_and_beside_an_exact_place_none(answered: Path) -> None:
    add_attribute(answered, "standort: {title: Standort, type: text, class: public}", "standort: keep, ")
    (found,) = concerns(answered)
    assert found.startswith("citizen.yaml:7 `standort` klingt nach einem Ort")
    assert "layers/baeume.yaml:19 mit `locates: true`" in found
    edit(answered, "citizen.yaml", "{grid_m: 10}", "keep")
    assert concerns(answered) == []


def test_a_rule_that_reads_an_address_is_a_concern_too(answered: Path) -> None:
    add_attribute(answered, "ort: {title: {de: Straße, en: Street}, type: text, class: public}")
    edit(answered, "citizen.yaml", "rows: {art: [Linde]}", "rows: {art: [Linde], ort: [Am Bach]}")
    (found,) = concerns(answered)
    assert found.startswith("citizen.yaml:5 `ort`")


PIPES = """\
layer: leitungen
title: Leitungen
owner: wasser
source: {holder: Kleinstadt, licence: dl-de/by-2-0, terms: own}
purpose: Betrieb
classified: {by: wasser, on: 2026-01-01, review: 2028-01-01}
existence: internal
geometry: {type: LineString, epsg: 25832, class: internal}
attributes:
  von_schacht: {title: Von, type: text, class: internal}
"""


def test_pipes_that_name_the_manhole_on_a_grid_are_a_concern_unless_they_are_one_group(answered: Path) -> None:
    (answered / "layers/leitungen.yaml").write_text(PIPES, encoding="utf-8")
    edit(answered, "council.yaml", "parts:", "  leitungen: {rows: all, geometry: keep, attributes: {von_schacht: keep}}\nparts:")
    edit(answered, "layers/schaechte.yaml", "  nr: {title: Nummer,", "  schacht_nr: {title: Nummer,")
    (found,) = concerns(answered)
    assert found.startswith("council.yaml:14 `leitungen` nennt über `von_schacht` Objekte aus `schaechte`, das `council` nur grob sieht")
    assert "`group: schaechte`" in found
    edit(
        answered,
        "council.yaml",
        "{rows: all, geometry: keep, attributes: {von_schacht: keep}}",
        "{rows: all, geometry: hide, attributes: {von_schacht: keep}}",
    )
    assert concerns(answered) == []


def test_two_layers_numbered_nr_are_not_related(answered: Path) -> None:
    (answered / "layers/leitungen.yaml").write_text(PIPES.replace("von_schacht:", "nr:"), encoding="utf-8")
    edit(answered, "council.yaml", "parts:", "  leitungen: {rows: all, geometry: keep, attributes: {nr: keep}}\nparts:")
    assert concerns(answered) == []


def test_critical_installations_in_a_public_class_are_a_concern_for_existence_geometry_and_grant(answered: Path) -> None:
    edit(answered, TREES, "title: {de: Bäume, en: Trees}", "title: {de: Hydranten, en: Trees}")
    found = concerns(answered)
    assert [entry.split()[0] for entry in found] == ["citizen.yaml:4", "layers/baeume.yaml:7", "layers/baeume.yaml:8"]
    assert "`hydranten`" in found[0]


def test_a_critical_attribute_is_a_concern_only_where_citizens_may_see_it(answered: Path) -> None:
    line = "anlage: {title: Notstrom, type: boolean, class: %s}"
    add_attribute(answered, line % "kritis")
    assert not any("kritischer" in entry for entry in concerns(answered))
    edit(answered, TREES, line % "kritis", line % "public")
    assert any(entry.startswith("layers/baeume.yaml:19 `notstrom`") for entry in concerns(answered))


def test_a_remark_shown_to_citizens_without_being_marked_is_a_concern(answered: Path) -> None:
    add_attribute(answered, "hinweis: {title: Hinweis, type: text, class: public}", "hinweis: keep, ")
    (found,) = concerns(answered)
    assert found.startswith("citizen.yaml:7 `hinweis` klingt nach Freitext")
    assert "`free_text: {reviewed: hinweis_gelesen}`" in found
    edit(answered, TREES, "type: text, class: public}\n  neu", "type: text, class: public, enum: {ja: yes}}\n  neu")
    assert concerns(answered) == []


def test_a_person_in_a_public_class_is_a_concern(answered: Path) -> None:
    add_attribute(answered, "melder: {title: {de: Melder (Telefon), en: Caller}, type: text, class: public}", "melder: keep, ")
    (found,) = concerns(answered)
    assert found.startswith("layers/baeume.yaml:19 `melder` klingt nach einer Person")


def test_a_name_is_a_person_where_a_first_name_stands_beside_it(answered: Path) -> None:
    add_attribute(answered, "name: {title: Name, type: text, class: public}", "name: keep, ")
    assert concerns(answered) == []
    edit(answered, TREES, NEW, f"  vorname: {{title: Vorname, type: text, class: internal}}\n{NEW}")
    assert any("`name` klingt nach einer Person" in entry for entry in concerns(answered))


@pytest.mark.parametrize(
    "rule", ["art <> 'Linde'", "NOT (art IN ('Linde'))", "NOT (art = 'Linde')", "hoehe_m > 3 AND (gesund = TRUE OR art <> 'Linde')"]
)
def test_a_rule_that_excludes_is_answered_with_the_values_that_are_shown(answered: Path, rule: str) -> None:
    edit(
        answered,
        "administration.yaml",
        "collections:\n",
        f'collections:\n  liste: {{from: baeume, rows: "{rule}", geometry: keep, attributes: {{art: keep}}}}\n',
    )
    (found,) = (entry for entry in concerns(answered) if "schließt Werte" in entry)
    assert found.startswith("administration.yaml:5 ")
    assert found.endswith("`art IN ('Eiche')`")


def test_excluding_a_number_or_testing_for_nothing_is_no_concern(answered: Path) -> None:
    edit(
        answered,
        "administration.yaml",
        "collections:\n",
        'collections:\n  liste: {from: baeume, rows: "hoehe_m <> 3 AND art IS NOT NULL", geometry: keep, attributes: {}}\n',
    )
    assert concerns(answered) == []


@pytest.mark.parametrize(
    ("rule", "excluded"),
    [
        (Compare("a", "=", "x"), []),
        (Not(Not(In("a", ("x",)))), []),
        (Not(Compare("a", "<>", "x")), []),
        (Not(Or((Compare("a", "=", "x"), Between("b", 1, 2)))), [("a", ("x",))]),
        (And((IsNull("a"), Or((Not(In("a", ("x", "y"))), Compare("b", "<>", "z"))))), [("a", ("x", "y")), ("b", ("z",))]),
    ],
)
def test_not_turns_round_whatever_stands_below_it(rule: Rule, excluded: list[tuple[str, tuple[str, ...]]]) -> None:
    assert [(found.attribute, found.values) for found in exclusions(rule)] == excluded


@pytest.mark.parametrize("title", ["Anlage", "Unterlagen", "Grundlage", "E-Mail-Adresse", "Länge", "Latte", "Straßenklasse", "Belag"])
def test_words_that_only_look_like_places_are_none(title: str) -> None:
    assert not tells_place(title)


@pytest.mark.parametrize(
    "title", ["Lage", "Flurstücksnummer", "Straße", "Haus-Nr. und PLZ", "House number", "lat", "Wohnadresse", "Koordinaten"]
)
def test_words_for_places_are_known_with_and_without_umlauts(title: str) -> None:
    assert tells_place(title)


@pytest.mark.parametrize(
    "title", ["Tierhaltung", "Unterhaltung", "Instandhaltung", "Brunnenfest", "Wasser", "Gasthaus", "Leitbild", "Stromverbrauch"]
)
def test_words_that_only_look_like_critical_installations_are_none(title: str) -> None:
    assert first_match(words_of(title), CRITICAL) is None


@pytest.mark.parametrize(
    "title",
    ["Kanalschächte", "kanalschaechte", "Haltungen", "Fernwärmeleitung", "Hochbehälter", "Sewer pipes", "Pumping station", "Umspannwerk"],
)
def test_critical_installations_are_known_with_and_without_umlauts(title: str) -> None:
    assert first_match(words_of(title), CRITICAL) is not None


@pytest.mark.parametrize("title", ["Geburten", "Patenschaft", "Kontaktlinse", "Hausname"])
def test_words_that_only_look_like_people_are_none(title: str) -> None:
    assert first_match(words_of(title), PERSONAL) is None


@pytest.mark.parametrize("title", ["Texttafel", "Hinweisschild", "Befundklasse"])
def test_words_that_only_look_like_remarks_are_none(title: str) -> None:
    assert first_match(words_of(title), FREE_TEXT) is None
