"""Words by which an attribute or a layer gives away what it holds: places, people, remarks, critical installations.

Must never decide what a role sees: words only raise a question that a person answers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Final

from twin_api.texts import Text

# Spelt without umlauts. `*` stands for any letters, so `kanal*` is also `kanalisation`; several words stand side by side.
PLACE: Final = (
    "adresse*", "*adresse", "anschrift*", "strasse", "str", "strassenname*", "strassenschluessel", "hausnummer*", "hausnr", "hnr", "hsnr",
    "flurstueck*", "flur", "flurnummer", "gemarkung*", "plz", "postleitzahl*", "lage", "lagebe*", "lageort", "standort*", "koordinate*",
    "ost", "nord", "rechtswert", "hochwert", "easting", "northing", "lat", "lon", "lng", "latitude", "longitude", "address*", "street",
    "house number", "postcode", "zip", "parcel", "coordinate*", "plus code",
)  # fmt: skip
NO_PLACE: Final = ("mail*", "email*", "ip", "web*", "internet*", "url", "*mailadresse")  # addresses that are no places

CRITICAL: Final = (
    "kanal*", "*kanal", "*kanaele", "*schacht", "*schaecht*", "schacht*", "haltung", "haltungen", "kanalhaltung*", "abwasser*",
    "*abwasser", "*klaeranlage*", "*klaerwerk*", "*pumpwerk*", "*pumpstation*", "*hydrant*", "*wasserwerk*", "*wasserleitung*",
    "trinkwasser*", "*hochbehaelter*", "brunnen", "*wasserbrunnen", "tiefbrunnen", "notbrunnen", "trafo*", "*transformator*",
    "umspannwerk*", "*stromnetz*", "stromleitung*", "stromkabel*", "*gasnetz*", "*gasleitung*", "*fernwaerme*", "*leitstelle*",
    "*serverraum*", "rechenzentrum*", "*notstrom*", "sewer*", "manhole*", "substation*", "waterworks", "wastewater", "pumping station",
    "power grid", "gas main*", "district heating", "server room", "emergency power", "control centre", "data centre",
)  # fmt: skip

FREE_TEXT: Final = (
    "*bemerkung", "*bemerkungen", "*notiz", "*notizen", "*kommentar", "*kommentare", "*beschreibung", "*befund", "*befunde", "hinweis",
    "hinweise", "*hinweistext", "text", "*freitext", "*anmerkung", "*anmerkungen", "*vermerk", "*vermerke", "*erlaeuterung",
    "*erlaeuterungen", "*begruendung", "maengel", "sonstiges", "remark", "remarks", "note", "notes", "comment", "comments", "description",
    "explanation",
)  # fmt: skip

PERSONAL: Final = (
    "eigentuemer*", "*eigentuemer", "besitzer*", "*besitzer", "mieter*", "*mieter", "paechter*", "bewohner*", "vorname*", "nachname*",
    "familienname*", "geburtsdatum", "geburtsname", "geburtstag", "geburtsort", "geboren", "telefon*", "mobilnummer", "handy*", "mail",
    "email*", "mailadresse", "iban", "bankverbindung", "kontakt", "kontaktdaten", "kontaktperson*", "ansprechpartner*", "pate", "patin",
    "*pate", "*patin", "antragsteller*", "sachbearbeiter*", "bearbeiter", "pruefer", "pruefername", "halter", "steuernummer", "owner",
    "tenant", "applicant", "inspector", "first name", "surname", "birth date", "date of birth", "phone*", "contact person",
)  # fmt: skip
FIRST_NAME: Final = ("vorname*", "first name", "given name")

_UMLAUTS: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})


def words_of(*texts: str | Text) -> list[str]:
    """The words of names and titles in small letters, umlauts spelt out, numbers and signs left out."""
    plain = [text for each in texts for text in ((each.de, each.en) if isinstance(each, Text) else (each,))]
    return re.findall(r"[a-z]+", " . ".join(plain).lower().translate(_UMLAUTS))


def first_match(words: Iterable[str], vocabulary: Iterable[str]) -> str | None:
    """The first word, or words side by side, that the vocabulary knows."""
    said = list(words)
    for pattern in vocabulary:
        length = pattern.count(" ") + 1
        for start in range(len(said) - length + 1):
            candidate = " ".join(said[start : start + length])
            if fnmatchcase(candidate, pattern):
                return candidate
    return None


def tells_place(*texts: str | Text) -> bool:
    words = words_of(*texts)
    return first_match(words, PLACE) is not None and first_match(words, NO_PLACE) is None
