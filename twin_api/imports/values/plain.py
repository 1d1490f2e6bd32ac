"""What fits the types of the store, and why something does not."""

from __future__ import annotations

import math
import re
from datetime import date, datetime
from typing import Any, Final

from twin_api.imports.values.date_form import Zone, in_utc, in_zone
from twin_api.policy.documents import Attribute
from twin_api.policy.finding import quoted
from twin_api.texts import Text

INT64_MAX: Final = 2**63 - 1  # GDAL clamps longer integers to this, so it is refused itself
NO_TEXT: Final = re.compile("[\0\ud800-\udfff]")
BOOLEANS: Final = {"true": True, "false": False, 1: True, 0: False}


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


def whole(value: float) -> int:
    if not math.isfinite(value) or value != int(value) or abs(value) >= 2**53:
        raise Unfit("eine ganze Zahl", "a whole number")
    return int(value)


def read_number(value: float) -> float:
    if not math.isfinite(value):
        raise Unfit("eine endliche Zahl", "a finite number")
    return float(value)


def read_boolean(value: Any) -> bool:
    if value not in BOOLEANS:
        raise Unfit("`true` oder `false`", "`true` or `false`")
    return BOOLEANS[value]


def read_moment(value: str, zone: Zone | None = None) -> datetime:
    """RFC 3339, in UTC. Without offset it is a moment of `zone`; without that, or at an hour which the zone has twice, it names none."""
    try:
        moment = datetime.fromisoformat(value) if len(value) > 10 else None
    except ValueError:
        moment = None
    if moment is not None and moment.tzinfo is None and zone is not None:
        moment = in_zone(moment, zone)
    moment = in_utc(moment) if moment is not None and moment.tzinfo is not None else None
    if moment is None:
        raise Unfit("ein Zeitpunkt mit Zeitzone wie 2026-11-20T08:30:00+01:00", "a moment with offset such as 2026-11-20T08:30:00+01:00")
    return moment


def read_day(value: Any) -> date:
    if not isinstance(value, date):
        raise Unfit("ein Tag der Jahre 1 bis 9999", "a day of the years 1 to 9999")
    return value


def read_midnight(value: str) -> date:
    """A day that the file can only say as its first moment, as spreadsheets do."""
    day, _, time = value.partition("T")
    if time[:8] != "00:00:00" or time[8:].strip(".0"):
        raise Unfit("ein Tag ohne Uhrzeit", "a day without time")
    return date.fromisoformat(day)


def shape(attribute: Attribute, value: Any) -> Text:
    """The value itself where everybody may see it (class `public`), otherwise only what it looks like."""
    if attribute.class_ == "public":
        return Text(quoted(value), quoted(value))
    if isinstance(value, str):
        return Text(f"Text mit {len(value)} Zeichen", f"text of {len(value)} characters")
    return Text("Wahrheitswert", "boolean") if isinstance(value, bool) else Text("Zahl", "number")
