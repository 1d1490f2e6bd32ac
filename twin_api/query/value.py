"""Values as they stand in a query string, read as a property's type. What cannot be read is a 400 that says what would be right."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from math import isfinite
from typing import Any, Final

from psycopg.types.numeric import Int8

from twin_api.problems import InvalidParameter
from twin_api.texts import Text

_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\d([Tt]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d))?", re.ASCII)
_BIGINT: Final = 2**63


def read_value(parameter: str, type_: str, text: str) -> Any:
    """The value for a property of a layer type; raises `InvalidParameter`."""
    try:
        return _READERS[type_](text)
    except ValueError:
        raise InvalidParameter(parameter, Text(f"`{parameter}` verlangt ", f"`{parameter}` wants ") + _WANTED[type_]) from None


def read_number(text: str) -> float:
    """A finite decimal number; raises ValueError."""
    if len(text) > 64 or not _NUMBER.fullmatch(text) or not isfinite(value := float(text)):
        raise ValueError
    return value


def read_instant(text: str) -> date | datetime:
    """An RFC 3339 full-date or date-time; raises ValueError."""
    if not _INSTANT.fullmatch(text):
        raise ValueError
    if len(text) == 10:
        return date.fromisoformat(text)
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except OverflowError:  # in UTC it lies before the year 1 or after 9999
        raise ValueError from None


def _read_text(text: str) -> str:
    if "\x00" in text:
        raise ValueError
    return text


def _read_integer(text: str) -> Int8:
    if not re.fullmatch(r"[+-]?\d{1,19}", text, re.ASCII) or not -_BIGINT <= int(text) < _BIGINT:
        raise ValueError
    return Int8(int(text))


def _read_boolean(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError
    return text == "true"


def _read_date(text: str) -> date:
    value = read_instant(text)
    if isinstance(value, datetime):
        raise ValueError
    return value


def _read_datetime(text: str) -> datetime:
    value = read_instant(text)
    if not isinstance(value, datetime):
        raise ValueError
    return value


_READERS: Final[dict[str, Callable[[str], Any]]] = {
    "text": _read_text, "integer": _read_integer, "number": read_number, "boolean": _read_boolean, "date": _read_date,
    "datetime": _read_datetime,
}  # fmt: skip
_WANTED: Final = {
    "text": Text("Text ohne das Zeichen U+0000", "text without the character U+0000"),
    "integer": Text("eine ganze Zahl innerhalb von 64 Bit, etwa `1987`", "a whole number within 64 bits, such as `1987`"),
    "number": Text("eine Dezimalzahl mit Punkt, etwa `12.5`", "a decimal number, such as `12.5`"),
    "boolean": Text("`true` oder `false`", "`true` or `false`"),
    "date": Text("einen Tag, etwa `2026-11-20`", "a date, such as `2026-11-20`"),
    "datetime": Text("eine Zeit mit Zone, etwa `2026-11-20T12:00:00Z`", "a time with offset, such as `2026-11-20T12:00:00Z`"),
}
