"""From a value of the file to a value of the store: what fits an attribute's type, and why something does not."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any, Final

from twin_api.imports.format import Kind
from twin_api.policy.documents import Attribute
from twin_api.policy.finding import listed, quoted
from twin_api.texts import Text

INT64_MAX: Final = 2**63 - 1  # GDAL clamps longer integers to this, so it is refused itself
OFFSET: Final = re.compile(r"(Z|[+-]\d{2}(:?\d{2})?)$")
FULL_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
NO_TEXT: Final = re.compile("[\0\ud800-\udfff]")
WHOLE: Final = re.compile(r"[+-]?\d{1,19}")
DECIMAL: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?")
BOOLEANS: Final = {"true": True, "false": False, 1: True, 0: False}
Read = Callable[[Any], Any]


class Unfit(Exception):
    """The value does not fit; `expected` says what would."""

    def __init__(self, de: str, en: str) -> None:
        self.expected = Text(de, en)


def read_text(value: str) -> str:
    """Well-formed Unicode without NUL, which PostgreSQL cannot store; nothing is trimmed."""
    if NO_TEXT.search(value):
        raise Unfit("gültiger UTF-8-Text ohne NUL-Zeichen", "valid UTF-8 text without NUL characters")
    return value


def read_integer(value: int) -> int:
    if not -INT64_MAX < value < INT64_MAX:
        raise Unfit("eine ganze Zahl, die in 64 Bit passt", "a whole number that fits into 64 bits")
    return value


def read_whole(value: float) -> int:
    if not math.isfinite(value) or value != int(value) or abs(value) > 2**53:
        raise Unfit("eine ganze Zahl", "a whole number")
    return int(value)


def read_number(value: float) -> float:
    if not math.isfinite(value):
        raise Unfit("eine endliche Zahl", "a finite number")
    return float(value)


def read_written_whole(value: str) -> int:
    if not WHOLE.fullmatch(value):
        raise Unfit("eine ganze Zahl ohne Trennzeichen", "a whole number without separators")
    return read_integer(int(value))


def read_written_number(value: str) -> float:
    if not DECIMAL.fullmatch(value):
        raise Unfit("eine Zahl mit Dezimalpunkt, ohne Tausendertrennung", "a number with a decimal point and no thousands separator")
    return read_number(float(value))


def read_boolean(value: Any) -> bool:
    if value not in BOOLEANS:
        raise Unfit("`true` oder `false`", "`true` or `false`")
    return BOOLEANS[value]


def read_day(value: str) -> date:
    try:
        if FULL_DAY.fullmatch(value):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise Unfit("ein Tag wie 2026-11-20", "a day such as 2026-11-20")


def read_moment(value: str) -> datetime:
    """RFC 3339; a moment without an offset names no moment and is refused."""
    try:
        moment = datetime.fromisoformat(value) if len(value) > 10 else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise Unfit("ein Zeitpunkt mit Zeitzone wie 2026-11-20T08:30:00+01:00", "a moment with offset such as 2026-11-20T08:30:00+01:00")
    return moment.astimezone(UTC)


def read_utc_moment(value: str) -> datetime:
    """For formats whose standard says UTC where no offset is written."""
    return read_moment(value if OFFSET.search(value) else f"{value}Z")


READERS: Final[dict[tuple[str, Kind], Read]] = {  # attribute type, kind of column
    ("text", "text"): read_text,
    ("text", "integer"): str,
    ("integer", "integer"): read_integer,
    ("integer", "number"): read_whole,
    ("integer", "text"): read_written_whole,
    ("number", "number"): read_number,
    ("number", "integer"): read_number,
    ("number", "text"): read_written_number,
    ("boolean", "boolean"): bool,
    ("boolean", "integer"): read_boolean,
    ("boolean", "text"): read_boolean,
    ("date", "date"): lambda day: day,
    ("date", "text"): read_day,
    ("datetime", "datetime"): read_moment,
    ("datetime", "text"): read_moment,
}


def reader(attribute: Attribute, kind: Kind, moments_in_utc: bool = False) -> Read | None:
    """How to read this column into this attribute, enumeration included; `None` if a column of this kind never fits."""
    read = READERS.get((attribute.type, kind))
    if moments_in_utc and read is read_moment and kind == "datetime":
        return read_utc_moment
    if read is None or attribute.enum is None:
        return read
    allowed = frozenset(attribute.enum)

    def read_enum(value: Any) -> Any:
        known = read(value)
        if known not in allowed:
            raise _not_in(sorted(allowed))
        return known

    return read_enum


def shape(attribute: Attribute, value: Any) -> Text:
    """The value itself where everybody may see it (class `public`), otherwise only what it looks like."""
    if attribute.class_ == "public":
        return Text(quoted(value), quoted(value))
    if isinstance(value, str):
        return Text(f"Text mit {len(value)} Zeichen", f"text of {len(value)} characters")
    return Text("Wahrheitswert", "boolean") if isinstance(value, bool) else Text("Zahl", "number")


def _not_in(allowed: list[str]) -> Unfit:
    return Unfit(f"einer der Werte {listed(allowed, 12)}", f"one of the values {listed(allowed, 12)}")
