"""Signs of people and of critical installations."""

from __future__ import annotations

import pytest

from twin_api.imports.drafts.suspects import likeness_of, patterns_in, suspicions

PERSONS = ["Eigentümer", "EIGENTUEMER2", "Eigentümer-Name", "eigentuemerName", "Name", "Vorname", "Nachname", "Telefon", "Tel.", "Mobil", "Handy-Nr",
           "E-Mail", "email", "Mailadresse", "Geburtsdatum", "geb_datum", "IBAN", "Ansprechpartner", "Sachbearbeiter/in", "Pächter", "Baumpate",
           "owner", "phone_number", "first name", "KFZ-Kennzeichen", "Anrede", "Kundennummer"]  # fmt: skip
CRITICAL = ["Leitung", "Schachtnummer", "Trafostation", "Hydrant", "Passwort", "password", "Wasserleitung", "Kanal-Nr", "Sohlhöhe", "Schieber",
            "Schlüsselkasten", "Zugangscode"]  # fmt: skip
HARMLESS = ["Straßenname", "Baumart", "Höhe [m]", "Gemeindename", "Ortsteil", "Kronendurchmesser", "Status", "Nutzung", "Standort", "Baujahr",
            "Kontrolle am", "Datum"]  # fmt: skip


@pytest.mark.parametrize("header", PERSONS)
def test_a_header_speaks_of_a_person(header: str) -> None:
    assert any("personenbezogen" in reason for reason in suspicions(header))


@pytest.mark.parametrize("header", CRITICAL)
def test_a_header_speaks_of_a_critical_installation(header: str) -> None:
    assert any("kritische Infrastruktur" in reason for reason in suspicions(header))


@pytest.mark.parametrize("header", HARMLESS)
def test_a_header_speaks_of_neither(header: str) -> None:
    assert suspicions(header) == []


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("bitte an erika.muster@beispiel.de wenden", "E-Mail-Adressen"),
        ("Rückfrage bei Herrn Dr. Huber", "Anreden (Herr, Frau, Familie)"),
        ("Frau Meier hat angerufen", "Anreden (Herr, Frau, Familie)"),
        ("Fam. Schmidt", "Anreden (Herr, Frau, Familie)"),
        ("Huber, geb. 12.03.1970", "Geburtsdaten"),
        ("Huber *12.3.70", "Geburtsdaten"),
        ("Tel. 0911/123456", "Telefonnummern"),
        ("Mobil: 01701234567", "Telefonnummern"),
        ("DE02 1203 0000 0000 2020 51", "Kontonummern (IBAN)"),
        ("Konto DE02120300000000202051 bei der Bank", "Kontonummern (IBAN)"),
    ],
)
def test_a_text_gives_a_person_away_wherever_it_stands(value: str, reason: str) -> None:
    assert patterns_in(value) == (reason,)


@pytest.mark.parametrize(
    "value",
    ["Linde", "Frauenstraße 3", "Herrenweg", "Frau-Holle-Weg", "Dr.-Külz-Straße", "DENW12AL100008qb", "09572164", "DE02120300000000202052",
     "12.03.1970", "km 3@B2", "ABCD 1234 5678 9012", "telefonisch", "Mobilfunk 5", "* 3 Bäume"],
)  # fmt: skip
def test_a_text_gives_nobody_away(value: str) -> None:
    assert patterns_in(value) == ()


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("0911 / 123456", "Telefonnummern"),
        ("+49 911 123456", "Telefonnummern"),
        ("(09135) 1234-56", "Telefonnummern"),
        ("Huber, Erika", "Namen in der Form `Nachname, Vorname`"),
        ("Müller-Lüdenscheidt, Hans Peter", "Namen in der Form `Nachname, Vorname`"),
        ("09572164", None),
        ("01-05-2020", None),
        ("Linde", None),
        ("Straße, neu", None),
    ],
)
def test_a_whole_text_looks_like(value: str, reason: str | None) -> None:
    assert likeness_of(value) == reason
