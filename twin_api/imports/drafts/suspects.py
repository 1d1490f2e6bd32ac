"""Signs that a column speaks of people or of critical installations: by its header, or by the pattern of what stands in it.

Must never repeat a value: what it finds is a reason in general words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from twin_api.policy.vocabulary import CRITICAL, PERSONAL, first_match, words_of

PERSON: Final = (
    *PERSONAL, "name", "namen", "namensangabe", "mobil", "mobiltelefon*", "fax", "telefax*", "anrede", "handynr", "tel", "telnr",
    "rufnummer", "kontonummer", "bic", "personalnummer", "personalnr", "ausweis*", "unterschrift", "geschlecht", "konfession",
    "religion", "staatsangehoerigkeit", "kfz kennzeichen", "kundennummer", "kundennr", "nutzer", "benutzer*", "nutzungsberechtigt*",
    "verstorben*", "erbe", "erben", "user", "username", "last name", "full name", "email*", "e mail*", "mobile", "birthday",
    "birthdate", "zuname", "rufname", "inhaber*", "bauherr*", "vertragspartner*", "*eigentum", "kontoinhaber*", "geb datum", "gebdatum",
    "verfasser*", "erfasser*", "gemeldet von", "melder*",
)  # fmt: skip
DANGER: Final = (
    *CRITICAL, "*leitung", "*leitungen", "leitungs*", "schaechte", "haltungs*", "trafos", "transformator*", "*schieber",
    "schaltanlage*", "*station id", "passwort*", "*passwort", "kennwort*", "*kennwort", "password*", "pin", "zugangscode*",
    "*zugangscode", "tuercode*", "schluesselkasten*", "schluesseltresor*", "alarm*", "sohle*", "sohlhoehe*", "dn", "nennweite*",
)  # fmt: skip
ADDRESS: Final = (
    "strasse", "str", "strassenname*", "hausnummer*", "hausnr", "hnr", "hsnr", "adresse*", "anschrift*", "wohnort*", "plz", "ort", "street",
    "streetname", "streetnumber", "street number", "housenumber", "house number", "postalcode", "postal code", "address*",
)  # fmt: skip

PHONES: Final = "Telefonnummern"
_PHONE: Final = r"(?:\+\d{2}|00\d{2}|\(?0[1-9]\d{1,4}\)?)[ /()-][\d /()-]{4,16}\d"
SEARCHED: Final[Mapping[str, re.Pattern[str]]] = {  # one value is enough
    "E-Mail-Adressen": re.compile(r"[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64})*\.[a-z]{2,12}\b", re.IGNORECASE),
    "Anreden (Herr, Frau, Familie)": re.compile(r"\b(?:Herrn?|Frau|Familie|Fam\.|Eheleute)\s+(?:Dr\.\s*|Prof\.\s*)*[A-ZÄÖÜ][a-zäöüß]"),
    "Geburtsdaten": re.compile(r"(?:\bgeb(?:\.|oren)?|\*)\s*(?:am\s*)?\d{1,2}\.\s?\d{1,2}\.\s?(?:19|20)?\d{2}\b", re.IGNORECASE),
    PHONES: re.compile(rf"\b(?:Tel|Telefon|Mobil|Handy|Fax)\b[.:]?\s*(?:{_PHONE}|[+\d]\d{{5,14}})", re.IGNORECASE),
}
IBAN: Final = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")
WHOLE: Final[Mapping[str, re.Pattern[str]]] = {  # the whole value looks like it; a good part of the column has to
    PHONES: re.compile(_PHONE),
    "Namen in der Form `Nachname, Vorname`": re.compile(
        r"(?:von |van |zu )?[A-ZÄÖÜ][a-zäöüß]{2,24}(?:-[A-ZÄÖÜ][a-zäöüß]{2,24})?, ?[A-ZÄÖÜ][a-zäöüß]{2,15}(?:[ -][A-ZÄÖÜ][a-zäöüß]{2,15})?"
    ),
}
SHARE: Final = 0.3
BANK: Final = "Kontonummern (IBAN)"


def patterns_in(value: str) -> tuple[str, ...]:
    """What the text gives away wherever it stands in it."""
    found = [reason for reason, pattern in SEARCHED.items() if pattern.search(value[:2_000])]
    return (*found, BANK) if _has_iban(value[:2_000]) else tuple(found)


def likeness_of(value: str) -> str | None:
    """What the whole text looks like; a single one proves nothing."""
    return next((reason for reason, pattern in WHOLE.items() if len(value) < 60 and pattern.fullmatch(value)), None)


def suspicions(header: str) -> list[str]:
    """Why a column of this header has to be looked at before anybody sees it; in German, for the draft."""
    words, reasons = words_of(_apart(header)), []
    person, danger = first_match(words, PERSON), first_match(words, DANGER)
    if person is not None:
        reasons.append(f"Verdacht: personenbezogen (die Überschrift sagt `{person}`)")
    if danger is not None:
        reasons.append(f"Verdacht: kritische Infrastruktur (die Überschrift sagt `{danger}`)")
    return reasons


def is_address(header: str) -> bool:
    return first_match(words_of(_apart(header)), ADDRESS) is not None


def is_critical(texts: Iterable[str]) -> str | None:
    """The word by which a layer sounds like a critical installation."""
    return first_match(words_of(*texts), DANGER)


def _apart(header: str) -> str:
    """`eigentuemerName`, `EIGENTUEMER2` and `e-mail` in words."""
    return re.sub(r"(?<=[a-zäöüß])(?=[A-ZÄÖÜ])|[_\d-]+", " ", header)


def _has_iban(text: str) -> bool:
    """With its check digits (ISO 13616): other codes look alike, and few of them pass."""
    return any(_checks(found[0].replace(" ", "")) for found in IBAN.finditer(text))


def _checks(iban: str) -> bool:
    turned = iban[4:] + iban[:4]
    return 15 <= len(iban) <= 34 and int("".join(str(int(letter, 36)) for letter in turned)) % 97 == 1
