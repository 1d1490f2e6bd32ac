"""From what people call a column or a file to the names a policy can give."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container, Iterable
from pathlib import Path
from typing import Final

from twin_api.policy.names import RESERVED_ATTRIBUTES, RESERVED_COLLECTIONS, RESERVED_ENDINGS

LONGEST: Final = 40
NAMELESS_COLUMN: Final = "spalte"
NAMELESS_FILE: Final = "daten"
DIAMETER: Final = re.compile(r"(?<![^\W\d_])[øØ](?![^\W\d_])")
SPELLED_OUT: Final = str.maketrans({
    "ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "æ": "ae", "œ": "oe", "ø": "oe", "å": "aa", "ł": "l", "đ": "d",
    "%": " prozent ", "‰": " promille ", "°": " grad ", "º": " grad ", "€": " euro ", "µ": "u", "μ": "u",
})  # fmt: skip
INNER_CAPITAL: Final = re.compile(r"(?<=[a-zäöüß])(?=[A-ZÄÖÜ])")  # `hoeheM`, as programmers write
SUFFIXES: Final = re.compile(r"(\.(osm|shp))?\.[a-z0-9]{2,9}(\.(gz|zip))?$", re.IGNORECASE)
UNIT_AT_END: Final = re.compile(r"\s*(?:\[([^\[\]()]{1,12})\]|\(([^\[\]()]{1,12})\))\s*$")


def attribute_name(header: str) -> str:
    """The name of the attribute that a column of this header fills: `Höhe [m]` is `hoehe_m`, `ID` is `id_1`."""
    name = _cut(_plain(header), _plain(bracketed(header)))
    if not name:
        return NAMELESS_COLUMN
    if name[0].isdigit():
        name = _cut(f"a_{name}")
    return f"{name}_1" if name in RESERVED_ATTRIBUTES else name


def attribute_names(headers: Iterable[str]) -> list[str]:
    """A name for each header, in their order; what would be named twice is numbered."""
    names: list[str] = []
    for header in headers:
        names.append(_unused(attribute_name(header), names))
    return names


def layer_name(path: Path, source_layer: str | None = None) -> str:
    """The name of a layer made of this file, or of one layer in it: `Bäume 2020.csv.gz` is `baeume_2020`."""
    name = _cut(_plain(source_layer or SUFFIXES.sub("", path.name))) or NAMELESS_FILE
    if name[0].isdigit():
        name = _cut(f"{NAMELESS_FILE}_{name}")
    taken = name in RESERVED_COLLECTIONS or name.endswith(RESERVED_ENDINGS)
    return f"{_cut(name, longest=LONGEST - 2)}_1" if taken else name


def bracketed(header: str) -> str:
    """What stands in brackets at the end of a header, such as its unit; empty where nothing does."""
    found = UNIT_AT_END.search(header)
    return (found[1] or found[2]).strip() if found else ""


def _plain(text: str) -> str:
    """Small letters, digits and `_`, umlauts spelled out and accents left off."""
    text = INNER_CAPITAL.sub(" ", unicodedata.normalize("NFC", text))
    text = unicodedata.normalize("NFC", DIAMETER.sub(" durchmesser ", text)).lower().translate(SPELLED_OUT)
    letters = "".join(letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))
    return re.sub(r"[^a-z0-9]+", "_", letters).strip("_")


def _cut(name: str, ending: str = "", longest: int = LONGEST) -> str:
    """The name within the length that policies allow; a unit at its end stays."""
    if len(name) <= longest:
        return name
    tail = f"_{ending}" if ending and name.endswith(f"_{ending}") else ""
    return name[: longest - len(tail)].rstrip("_") + tail


def _unused(name: str, names: Container[str]) -> str:
    candidate, number = name, 1
    while candidate in names:
        number += 1
        candidate = _cut(name, longest=LONGEST - len(f"_{number}")) + f"_{number}"
    return candidate
