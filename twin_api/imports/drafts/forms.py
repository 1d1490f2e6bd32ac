"""The forms a text may have: a number, a day, a yes. Only what could be read back without doubt has one."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import date, datetime
from typing import Final

from twin_api.imports.values import INT64_MAX

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
_LETTERS: Final = {"YYYY": ("%Y", r"\d{4}"), "YY": ("%y", r"\d{2}"), "MM": ("%m", r"\d{2}"), "DD": ("%d", r"\d{2}"),
                   "hh": ("%H", r"\d{2}"), "mm": ("%M", r"\d{2}"), "ss": ("%S", r"\d{2}")}  # fmt: skip
PAIRS: Final = (("ja", "nein"), ("wahr", "falsch"), ("true", "false"), ("yes", "no"), ("j", "n"), ("y", "n"), ("t", "f"))
EMPTY: Final = ""
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
    found = set()
    if not 0 < len(value) <= 40:
        return frozenset()
    if value[-1].isdigit() or value[-1] in "Zz":
        found |= {name for name, fits in _FITS.items() if fits(value)}
    elif value in (value.lower(), value.upper(), value.capitalize()):
        found |= _WORDS.get(value.lower(), frozenset())
    return frozenset(found)


def is_null_word(value: str) -> bool:
    return value == EMPTY or value.strip().lower() in NULLS or not value.strip()


def means_unknown(value: str) -> bool:
    """In a column of numbers, days or yes and no."""
    return is_null_word(value) or value.strip().lower() in UNKNOWN


def _is_whole(value: str) -> bool:
    return _WHOLE.fullmatch(value) is not None and abs(int(value)) < INT64_MAX


def _is_moment(value: str) -> bool:
    """RFC 3339 or ISO 8601 with its offset from UTC."""
    with suppress(ValueError):
        return len(value) > 15 and value[4] == "-" and datetime.fromisoformat(value).tzinfo is not None
    return False


def _reads(form: str) -> Callable[[str], bool]:
    pattern, written = re.escape(form), form
    for letters, (directive, digits) in _LETTERS.items():
        pattern, written = pattern.replace(letters, digits), written.replace(letters, directive)
    shape = re.compile(pattern, re.ASCII)

    def fits(value: str) -> bool:
        with suppress(ValueError):
            return shape.fullmatch(value) is not None and _is_day(datetime.strptime(value, written).date())
        return False

    return fits


def _is_day(day: date) -> bool:
    """Within what people note down; 19870101 as a whole number is one, 12345678 is not."""
    return 1500 <= day.year <= 2300


def _matches(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda value: pattern.fullmatch(value) is not None


_FITS: Final[Mapping[str, Callable[[str], bool]]] = {
    WHOLE: _is_whole,
    **{name: _matches(pattern) for name, pattern in NUMBERS.items()},
    **{form: _reads(form) for form in (*DAYS, *TIMES)},
    MOMENT: _is_moment,
}
BOOLEANS: Final = {"/".join(pair): pair for pair in PAIRS}
_WORDS: Final = {word: frozenset(name for name, pair in BOOLEANS.items() if word in pair) for pair in PAIRS for word in pair}
