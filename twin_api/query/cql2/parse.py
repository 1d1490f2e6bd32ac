"""The text of a filter, in either form, becomes one tree, after all that its size and spelling alone can be refused for."""

from __future__ import annotations

import re
from typing import Any, Final

import orjson

from twin_api.cql2_text import MAX_BYTES, NotCql2, bare, moments_of, parse_cql2
from twin_api.query.cql2.expression import refuse
from twin_api.query.cql2.numbers import EXACT
from twin_api.query.cql2.times import read_time
from twin_api.texts import Text

TEXT: Final = "cql2-text"
JSON: Final = "cql2-json"
LANGUAGES: Final = (TEXT, JSON)

_WHOLE: Final = re.compile(r"(?<![\w.])\d{16,}(?![\d.eE\w])")


def parse(text: str, lang: str) -> Any:
    """The tree of the filter (OGC 21-065r2, Annex C); raises `InvalidParameter`."""
    if any((ord(letter) < 32 and letter not in "\t\n\r") or ord(letter) == 127 for letter in text):
        refuse(
            "`filter` hat Steuerzeichen: in einem Text als `\\n` oder `\\t` schreiben",
            "`filter` has control characters: write `\\n` or `\\t` in a text",
        )
    return _parse_json(text) if lang == JSON else _parse_text(text)


def _parse_text(text: str) -> Any:
    """INVARIANT: whole numbers that the parser would round are refused before it sees them."""
    outside = bare(text)
    if any(int(digits[:400]) > EXACT for digits in _WHOLE.findall(outside)):
        refuse(
            "ganze Zahlen über 2^53 liest nur `filter-lang=cql2-json` genau",
            "whole numbers above 2^53 are read exactly by `filter-lang=cql2-json` only",
        )
    for written in moments_of(text):
        read_time(written, "datetime")
    try:
        return parse_cql2(text, Text("`filter`", "`filter`"))
    except NotCql2 as error:
        remedy = error.remedy or Text(
            "siehe OGC 21-065r2, etwa `art = 'Linde' AND hoehe_m > 20`", "see OGC 21-065r2, such as `art = 'Linde' AND hoehe_m > 20`"
        )
        refuse(f"{error.what.de}; {remedy.de}", f"{error.what.say('en')}; {remedy.en}")


def _parse_json(text: str) -> Any:
    if len(text.encode(errors="replace")) > MAX_BYTES:
        refuse("`filter` ist länger als 4 KiB", "`filter` is longer than 4 KiB")
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        refuse(
            "`filter` ist kein gültiges JSON; `filter-lang=cql2-text` liest Text",
            "`filter` is not valid JSON; `filter-lang=cql2-text` reads text",
        )
