"""Texts that stand for numbers, days, moments and truth values, read as the file's description says they are written."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Any, Final

from twin_api.imports.description import Reading
from twin_api.imports.values.date_form import DateForm, zone_of
from twin_api.imports.values.plain import Unfit, read_boolean, read_integer, read_moment, read_number, read_text
from twin_api.policy.documents import AttributeType
from twin_api.policy.finding import quoted

WHOLE: Final = re.compile(r"[+-]?\d{1,19}", re.ASCII)
DECIMAL: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
FULL_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def reader_of_text(type_: AttributeType, reading: Reading) -> Callable[[str], Any]:
    """A reader of the texts of a column; `None` for those that mean "not known". Raises `ValueError` for a form or zone that is none."""
    read = _READERS[type_](reading)
    nulls, values = reading.nulls, reading.values

    def read_or_null(text: str) -> Any:
        stripped = text.strip()
        if stripped in nulls:
            return None
        if stripped in values:
            return read(values[stripped])
        return read(text if type_ == "text" else stripped)

    return read_or_null if nulls or values or type_ != "text" else read


def _integer(reading: Reading) -> Callable[[str], int]:
    group = ungrouped(reading)

    def read(text: str) -> int:
        plain = group(text)
        if not WHOLE.fullmatch(plain):
            de, en = _separators(reading)
            raise Unfit(f"eine ganze Zahl{de}", f"a whole number{en}")
        return read_integer(int(plain))

    return read


def _number(reading: Reading) -> Callable[[str], float]:
    group = ungrouped(reading)

    def read(text: str) -> float:
        plain = group(text)
        if reading.decimal == ",":
            plain = "?" if "." in plain else plain.replace(",", ".")
        if not DECIMAL.fullmatch(plain):
            mark = ("Dezimalkomma", "comma") if reading.decimal == "," else ("Dezimalpunkt", "point")
            de, en = _separators(reading)
            raise Unfit(f"eine Zahl mit {mark[0]}{de}", f"a number with a decimal {mark[1]}{en}")
        return read_number(float(plain))

    return read


def ungrouped(reading: Reading) -> Callable[[str], str]:
    """Takes separators of thousands out, where they stand as they must: before groups of three digits."""
    if not reading.thousands:
        return lambda text: text
    mark = re.escape(reading.thousands)
    grouped = re.compile(rf"[+-]?\d{{1,3}}({mark}\d{{3}})+(?!\d|{mark}).*", re.ASCII)
    return lambda text: text.replace(reading.thousands, "") if grouped.fullmatch(text) else text


def _separators(reading: Reading) -> tuple[str, str]:
    if not reading.thousands:
        return ", ohne Tausendertrennung", " and no thousands separator"
    return f", Tausender durch {quoted(reading.thousands)} getrennt", f", thousands separated by {quoted(reading.thousands)}"


def _day(reading: Reading) -> Callable[[str], date]:
    form = DateForm(reading.dates, reading.zone) if reading.dates else None

    def read(text: str) -> date:
        day = form.day(text) if form else _iso_day(text)
        if day is None:
            raise Unfit(f"ein Tag der Form {_named(reading)}", f"a day of the form {_named(reading)}")
        return day

    return read


def _iso_day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if FULL_DAY.fullmatch(text) else None
    except ValueError:
        return None


def _moment(reading: Reading) -> Callable[[str], datetime]:
    zone = zone_of(reading.zone) if reading.zone else None
    if not reading.dates:
        return lambda text: read_moment(text, zone)
    form = DateForm(reading.dates, reading.zone)

    def read(text: str) -> datetime:
        moment = form.moment(text)
        if moment is None:
            there = f" in der Zone {reading.zone}" if zone else "; dazu gehört `zone`"
            zoned = f" in the zone {reading.zone}" if zone else "; `zone` has to be said with it"
            raise Unfit(f"ein eindeutiger Zeitpunkt der Form {_named(reading)}{there}", f"one moment of the form {_named(reading)}{zoned}")
        return moment

    return read


def _named(reading: Reading) -> str:
    return f"`{reading.dates or 'YYYY-MM-DD'}`"


_READERS: Final[dict[str, Callable[[Reading], Callable[[str], Any]]]] = {
    "text": lambda reading: read_text,
    "integer": _integer,
    "number": _number,
    "boolean": lambda reading: read_boolean,
    "date": _day,
    "datetime": _moment,
}
