"""The report: what a mayor reads is what the policies say, in both languages, and nothing else."""

from __future__ import annotations

import re
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.policy.editing import edit, reload, use_every_word
from twin_api.encodings.report import render
from twin_api.policy.documents import Policies
from twin_api.policy.load import load
from twin_api.policy.report.build import build
from twin_api.policy.report.document import Report, RoleSection, Shown
from twin_api.policy.report.sentences import rows_in_words
from twin_api.policy.rule import All, And, Between, Compare, In, Inside, IsNull, Not, Or, Rule
from twin_api.texts import LANGUAGES, Language, Text

DAY = date(2027, 1, 15)
DEMO = load(Path(__file__).parents[2] / "policies")
TOWN = load(Path(__file__).parents[1] / "town" / "policies")


@pytest.fixture
def full(small: Path) -> Policies:
    return reload(use_every_word(small))


def section(report: Report, anchor: str) -> RoleSection:
    return next(role for role in report.roles if role.anchor == anchor)


def entry(report: Report, anchor: str, title: str) -> Shown:
    return next(shown for shown in section(report, anchor).shown if shown.title.de == title)


def said(shown: Shown, label: str, language: Language = "de") -> str:
    return " ".join(text.say(language) for fact in shown.facts if fact.label.de == label for text in fact.said)


OAK, HIGH = In("status", ("steht", "geplant")), Between("hoehe_m", 2.5, None)


@pytest.mark.parametrize(
    ("rule", "german", "english"),
    [
        (All(), "Bäume: alle Einträge.", "Trees: all entries."),
        (In("status", ("steht",)), "nur Einträge mit Status „steht“.", "only entries with Status “standing”."),
        (OAK, "mit Status „steht“ oder „geplant“", "with Status “standing” or “planned”"),
        (HIGH, "mit Höhe ab 2,5 m", "with Height from 2.5 m"),
        (Between("hoehe_m", 2.0, 30.0), "mit Höhe von 2 m bis 30 m", "with Height from 2 m to 30 m"),
        (Compare("gepflanzt", "<", date(2024, 3, 1)), "mit Gepflanzt: vor dem 01.03.2024", "with Planted: before 1 March 2024"),
        (Compare("art", "<>", "Linde"), "mit jeder anderen Angabe zu Art als „Linde“", "with any Species but “Linde”"),
        (Not(In("art", ("a", "b"))), "mit jeder anderen Angabe zu Art als „a“ und „b“", "with any Species but “a” and “b”"),
        (IsNull("art"), "ohne Angabe zu „Art“", "without any “Species”"),
        (Not(IsNull("art")), "mit irgendeiner Angabe zu „Art“", "with any “Species”"),
        (Not(Compare("hoehe_m", "<", 2.0)), "mit Höhe ab 2 m", "with Height from 2 m"),
        (Compare("geschuetzt", "=", True), "mit Geschützt ja", "with Protected yes"),
        (And((OAK, HIGH, IsNull("art"))), "„geplant“ und mit Höhe ab 2,5 m und ohne Angabe", "“planned” and with Height from 2.5 m and without"),
        (And((HIGH, Or((IsNull("art"), OAK)))), "ab 2,5 m und (ohne Angabe zu „Art“ oder mit Status", "from 2.5 m and (without any “Species” or with"),
        (Not(HIGH), "außer solchen (mit Höhe ab 2,5 m)", "except those (with Height from 2.5 m)"),
        (Inside("bauantraege", "aktenzeichen", ("Nord",), ()), "im Gebiet „Nord“ (Bauanträge)", "in the area “Nord” (Building applications)"),
    ],
)  # fmt: skip
def test_a_rule_is_said_in_words(rule: Rule, german: str, english: str) -> None:
    words = rows_in_words(rule, TOWN.layers["baeume"], TOWN.layers)
    assert german in words.de
    assert english in words.say("en")


def test_how_exact_a_place_is_stands_in_plain_words(full: Policies) -> None:
    report = build(full, DAY)
    assert (
        said(entry(report, "role-citizen", "Bäume"), "Wo")
        == "Nur das Gebiet: ein Punkt je Fläche aus „Ortsteile“, für alle Einträge darin derselbe."
    )
    assert said(entry(report, "role-council", "Schächte"), "Wo").startswith("Auf 100 Meter genau")
    assert said(entry(report, "role-administration", "Schächte"), "Wo") == "Genauer Punkt, mit Höhe."
    assert said(entry(report, "role-administration_wasser", "Schächte"), "Wo") == "Genau, aber ohne Höhe."
    assert said(entry(build(DEMO, DAY), "role-administration_feuerwehr", "Hilfe bei Hochwasser"), "Wo") == "Der Ort wird nicht gezeigt."


def test_attributes_stand_by_their_titles_with_their_precision(full: Policies) -> None:
    trees = entry(build(full, DAY), "role-citizen", "Bäume")
    assert said(trees, "Angaben") == (
        "Art; Höhe (auf 5 m gerundet); Umfang (nur die Stufe: unter 50 cm, 50 cm bis unter 100 cm, ab 100 cm); Gepflanzt (nur das Jahr)."
    )
    assert "rounded to 5 m" in said(trees, "Angaben", "en")
    assert "erst ab dem Tag, der in „Gepflanzt“ steht" in said(trees, "Was")
    assert said(trees, "Dazu gesagt") == "Mehr auf Anfrage"
    assert "nur wo eine Person den Text gelesen hat" in said(entry(build(full, DAY), "role-council", "Bäume"), "Angaben")


def test_figures_tell_groups_least_size_and_rhythm(full: Policies) -> None:
    counts = said(entry(build(full, DAY), "role-citizen", "Baumzahlen"), "Angaben")
    assert "nur Zahlen je Art: Anzahl (Anzahl)" in counts
    assert "Hohe (Anteil mit Art „Linde“)" in counts
    assert "weniger als 5 Einträgen" in counts
    assert "jedes Jahr" in counts


def test_a_release_tells_what_leaves_why_who_approved_and_until_when() -> None:
    release = said(entry(build(DEMO, DAY), "role-council", "Kanalschächte"), "Freigabe")
    for words in (
        "dass es sie gibt, der Ort",
        "Grund: Haushalt 2027",
        "Wasser und Abwasser (M. Beispiel, 20.11.2026)",
        "Angehört: Datenschutz",
        "bis einschließlich 31.10.2027",
    ):
        assert words in release


def test_what_waits_or_is_over_is_said_to_be_not_shown(small: Path) -> None:
    assert entry(build(load(small), date(2027, 4, 1)), "role-council", "Schächte").state == "over"
    (small / "approvals.yaml").write_text("approvals: []\n", encoding="utf-8")
    waiting = entry(build(load(small), DAY), "role-council", "Schächte")
    assert waiting.state == "waiting"
    assert "Es fehlt die Zustimmung von: Wasser." in said(waiting, "Freigabe")
    assert "noch nicht gezeigt" in render(build(load(small), DAY), "de").decode()


def test_what_is_taken_over_from_citizens_is_named_and_not_repeated(small: Path) -> None:
    committee = section(build(load(small), DAY), "role-council_bauausschuss")
    assert [title.de for title in committee.included] == ["Bäume", "Satzungen"]
    assert committee.shown == ()


def test_what_nobody_sees_is_listed_by_layer(small: Path) -> None:
    unseen = {layer.title.de: [text.de for text in layer.named] for layer in build(load(small), DAY).unseen}
    assert unseen == {"Bäume": ["Nummer", "Gepflanzt", "Umfang", "Gesund", "Gesehen", "Notiz", "Neu"]}
    edit(small, "administration.yaml", "collections:\n  schaechte: {rows: all, geometry: keep, attributes: all}\nparts", "parts")
    edit(small, "administration.yaml", "{rows: all, geometry: xy, attributes: all}", "{rows: all, geometry: hide, attributes: {}}")
    later = {layer.title.de: [text.de for text in layer.named] for layer in build(load(small), date(2028, 1, 1)).unseen}
    assert later["Schächte"] == ["der Ort", "Nummer", "Zustand", "Sohle"]


def test_areas_that_others_are_sorted_by_are_seen(full: Policies) -> None:
    assert "Ortsteile" not in [layer.title.de for layer in build(full, DAY).unseen]


def test_the_record_has_every_field_for_every_layer() -> None:
    records = {
        record.title.de: {fact.label.de: [text.de for text in fact.said] for fact in record.facts} for record in build(TOWN, DAY).records
    }
    assert set(records) == {"Bäume", "Bauanträge", "Kanalschächte"}
    trees = records["Bäume"]
    assert trees["Zweck"] == ["Baumkontrolle"]
    assert trees["Verantwortlich"] == ["Kanaria, Bauhof"]
    assert trees["Personenbezogene Daten"] == ["Ja: Baumpate; möglich, in Freitext: Vermerk"]
    assert records["Bauanträge"]["Personenbezogene Daten"][0].startswith("Ja: der Ort, schon das Vorhandensein, Aktenzeichen")
    assert records["Bauanträge"]["Empfänger"] == ["Amt: Bauamt"]
    assert records["Kanalschächte"]["Personenbezogene Daten"] == ["Möglich, in Freitext: Bemerkung"]
    assert "zu überprüfen bis 30.11.2027" in trees["Einstufung"][0]
    assert trees["Quelle und Lizenz"] == ["Markt Kanaria; dl-de/by-2-0 (eigene Daten)"]


def test_a_class_whose_reading_is_noted_and_a_late_review_are_marked(full: Policies) -> None:
    texts = {record.title.de: " ".join(text.de for fact in record.facts for text in fact.said) for record in build(full, DAY).records}
    assert "Jedes Lesen wird vermerkt." in texts["Schächte"]
    assert "(überfällig)" in texts["Schächte"]
    assert "(überfällig)" not in texts["Ortsteile"]


def test_the_fingerprint_changes_with_any_file(small: Path) -> None:
    before = build(load(small), DAY).fingerprint
    edit(small, "town.yaml", "name: Kleinstadt", "name: Neustadt")
    assert build(load(small), DAY).fingerprint != before


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.headings: list[int] = []
        self.links: list[str] = []
        self.tags: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        self.tags.append(tag)
        self.ids += [told["id"] or ""] if "id" in told else []
        self.links += [told["href"] or ""] if "href" in told else []
        self.headings += [int(tag[1])] if re.fullmatch(r"h[1-6]", tag) else []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_stands_alone_and_is_well_ordered(full: Policies, language: Language) -> None:
    text = render(build(full, DAY), language).decode()
    page = Page(text)
    assert f'<html lang="{language}">' in text
    assert len(set(page.ids)) == len(page.ids)
    assert [link for link in page.links if not link.startswith("#") and link != "data:,"] == []
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)
    assert not {"script", "img", "iframe", "object"} & set(page.tags)
    assert "http" not in text
    assert page.headings[0] == 1
    assert all(after - before <= 1 for before, after in zip(page.headings, page.headings[1:], strict=False))


def test_the_english_page_says_its_own_words_in_english() -> None:
    text = render(build(DEMO, DAY), "en").decode()
    plain = re.sub(r"<[^>]*>", " ", text[text.index("<body>") :])
    for word in ("Einträge", "Genau", "Gilt", "Jedes Lesen", "Ausschuss", " und mit ", "Zugestimmt", "Niemand"):
        assert word not in plain
    assert "only entries with Condition “fair” or “poor”" in plain


def test_what_a_town_writes_cannot_become_markup(small: Path) -> None:
    edit(small, "council.yaml", "reason: Haushalt", 'reason: "<script>alert(1)</script>"')
    assert b"<script" not in render(build(reload(small), DAY), "de")


def test_every_text_of_the_report_has_both_languages(full: Policies) -> None:
    report = build(full, DAY)
    facts = [fact for role in report.roles for shown in role.shown for fact in shown.facts] + [
        fact for record in report.records for fact in record.facts
    ]
    texts: list[Text] = [text for fact in facts for text in fact.said if fact.label.de != "Dazu gesagt"]
    assert [text.de for text in texts if not text.en] == []
