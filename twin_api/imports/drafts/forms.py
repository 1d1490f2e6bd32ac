"""The forms a text may have: a number, a day, a yes. Only what could be read back without doubt has one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from functools import cache
from typing import Final

from twin_api.imports.values.plain import INT64_MAX

WHOLE: Final = "whole"
MOMENT: Final = "moment"
_WHOLE: Final = re.compile(r"-?(0|[1-9]\d{0,18})", re.ASCII)  # never with a leading zero: postal codes, municipality keys
_PLAIN: Final = r"(?:0|[1-9]\d{0,14})"
NUMBERS: Final[Mapping[str, re.Pattern[str]]] = {  # `12` is a whole number, and no stranger among decimals
    "point": re.compile(rf"-?(?:{_PLAIN}(?:\.\d+(?:[eE][+-]?\d{{1,3}})?)?|\.\d+)", re.ASCII),
    "comma": re.compile(rf"-?(?:{_PLAIN}(?:,\d+)?|,\d+)", re.ASCII),
    "point_groups": re.compile(rf"-?(?:{_PLAIN}|[1-9]\d{{0,2}}(?:\.\d{{3}})+)(?:,\d+)?", re.ASCII),
    "comma_groups": re.compile(rf"-?(?:{_PLAIN}|[1-9]\d{{0,2}}(?:,\d{{3}})+)(?:\.\d+)?", re.ASCII),
}
DAYS: Final = ("YYYY-MM-DD", "DD.MM.YYYY", "DD.MM.YY", "DD/MM/YYYY", "DD-MM-YYYY", "MM/DD/YYYY", "YYYY/MM/DD", "YYYYMMDD")
TIMES: Final = ("DD.MM.YYYY hh:mm", "DD.MM.YYYY hh:mm:ss", "YYYY-MM-DD hh:mm", "YYYY-MM-DD hh:mm:ss", "YYYY-MM-DDThh:mm:ss")
ISO_DAY: Final = DAYS[0]
_DIRECTIVES: Final = {"YYYY": "%Y", "YY": "%y", "MM": "%m", "DD": "%d", "hh": "%H", "mm": "%M", "ss": "%S"}
_ZEROS: Final = str.maketrans("123456789", "000000000")
PAIRS: Final = (("ja", "nein"), ("wahr", "falsch"), ("true", "false"), ("yes", "no"), ("j", "n"), ("y", "n"), ("t", "f"))
BOOLEANS: Final = {"/".join(pair): pair for pair in PAIRS}
# what stands for "not known" wherever it stands, and what only does where numbers or days are expected
NULLS: Final = frozenset({
    "-", "--", "---", "–", "k.a.", "k. a.", "k.a", "ka.", "n/a", "n.a.", "na", "#n/a", "#nv", "null", "<null>", "(null)", "none", "nan",
    "keine angabe", "ohne angabe", "nicht angegeben", "not available", "no data", "nodata", "keine daten",
})  # fmt: skip
UNKNOWN: Final = frozenset({
    "unbekannt", "unknown", "unbek.", "unb.", "?", "??", "n.b.", "nicht bekannt", "nicht erfasst", "offen", ".", "/", "x",
})  # fmt: skip


def forms_of(value: str) -> frozenset[str]:
    """The names of all forms this text has."""
    if not 0 < len(value) <= 40:
        return frozenset()
    if value[-1].isdigit() or value[-1] in "Zz":
        return frozenset((*_numbers(value), *(form for form in _BY_SHAPE.get(value.translate(_ZEROS), ()) if _is_day(value, form))))
    if value in (value.lower(), value.upper(), value.capitalize()):
        return _WORDS.get(value.lower(), frozenset())
    return frozenset()


def is_null_word(value: str) -> bool:
    return not value.strip() or value.strip().lower() in NULLS


def means_unknown(value: str) -> bool:
    """In a column of numbers, days or yes and no."""
    return is_null_word(value) or value.strip().lower() in UNKNOWN


def _numbers(value: str) -> Iterator[str]:
    if _WHOLE.fullmatch(value) and abs(int(value)) < INT64_MAX:
        yield WHOLE
    yield from (name for name, pattern in NUMBERS.items() if pattern.fullmatch(value))
    if _is_moment(value):
        yield MOMENT


def _is_moment(value: str) -> bool:
    """RFC 3339 or ISO 8601 with its offset from UTC."""
    with suppress(ValueError):
        return len(value) > 15 and value[4] == "-" and datetime.fromisoformat(value).tzinfo is not None
    return False


def _is_day(value: str, form: str) -> bool:
    """A day that exists, and within what people note down: 19870101 as a whole number is one, 12345678 is not."""
    with suppress(ValueError):
        return 1500 <= datetime.strptime(value, _directives(form)).year <= 2300
    return False


@cache
def _directives(form: str) -> str:
    for letters, directive in _DIRECTIVES.items():
        form = form.replace(letters, directive)
    return form


_SHAPES: Final = {form: re.sub("[YMDhms]", "0", form) for form in (*DAYS, *TIMES)}
_BY_SHAPE: Final = {shape: tuple(form for form, of_it in _SHAPES.items() if of_it == shape) for shape in _SHAPES.values()}
_WORDS: Final = {word: frozenset(name for name, pair in BOOLEANS.items() if word in pair) for pair in PAIRS for word in pair}
