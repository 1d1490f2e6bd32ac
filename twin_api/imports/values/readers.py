"""From a column of the file to an attribute: which reader fits, by both their types and by what is said of the column."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC
from fractions import Fraction
from functools import partial
from typing import Any, Final

from twin_api.imports.description import Reading
from twin_api.imports.format import Kind
from twin_api.imports.values.date_form import zone_of
from twin_api.imports.values.plain import Unfit, read_boolean, read_day, read_integer, read_midnight, read_moment, read_number, whole
from twin_api.imports.values.units import factor
from twin_api.imports.values.written import reader_of_text
from twin_api.policy.documents import Attribute
from twin_api.policy.finding import listed

PLAIN: Final = Reading()
NUMBER: Final = re.compile(r"-?\d{1,15}(\.\d+)?", re.ASCII)
Read = Callable[[Any], Any]

READERS: Final[dict[tuple[str, Kind], Read]] = {  # attribute type, kind of column
    ("text", "integer"): str,
    ("integer", "integer"): read_integer,
    ("integer", "number"): whole,
    ("number", "number"): read_number,
    ("number", "integer"): read_number,
    ("boolean", "boolean"): bool,
    ("boolean", "integer"): read_boolean,
    ("date", "date"): read_day,
    ("date", "datetime"): read_midnight,
}


def reader(attribute: Attribute, kind: Kind, reading: Reading = PLAIN, moments_in_utc: bool = False) -> Read | None:
    """How to read this column into this attribute, enumeration included; `None` if a column of this kind never fits.

    The reader gives `None` for what means "not known". Raises `ValueError` for a form of dates or a zone that is none.
    """
    read = _plain_reader(attribute, kind, reading, moments_in_utc)
    if read is None:
        return None
    read = in_unit(read, attribute, reading)
    return read if attribute.enum is None else one_of(read, frozenset(attribute.enum))


def _plain_reader(attribute: Attribute, kind: Kind, reading: Reading, moments_in_utc: bool) -> Read | None:
    if kind == "text":
        of_text = reader_of_text(attribute.type, reading)
        return _but_null(of_text, reading) if attribute.type in ("integer", "number") else of_text  # `-9999.0` is `-9999`
    if kind == "integer" and reading.values:  # codes such as 1, 2, 3
        of_text = reader_of_text(attribute.type, reading)
        return lambda code: of_text(str(code))
    if (attribute.type, kind) == ("datetime", "datetime"):
        zone = zone_of(reading.zone) if reading.zone else UTC if moments_in_utc else None
        return partial(read_moment, zone=zone)
    read = READERS.get((attribute.type, kind))
    return _but_null(read, reading) if read is not None and kind in ("integer", "number") else read


def _but_null(read: Read, reading: Reading) -> Read:
    """Numbers that mean "not known", such as -9999."""
    nulls = {float(text) for text in reading.nulls if NUMBER.fullmatch(text)}

    def read_or_null(value: Any) -> Any:
        number = read(value)
        return None if number in nulls else number

    return read_or_null if nulls else read


def in_unit(read: Read, attribute: Attribute, reading: Reading) -> Read:
    """Numbers of another unit, as the attribute's; the mapping has checked that there is a factor."""
    by = factor(reading.unit, attribute.unit) if reading.unit and attribute.unit else None
    if by is None or by == 1:
        return read
    back = whole if attribute.type == "integer" else float

    def convert(value: Any) -> Any:
        known = read(value)
        if known is None:
            return None
        try:
            return back(float(Fraction(str(known)) * by))  # 0.07 m are 7 cm, and not 7.000000000000001
        except OverflowError:
            raise Unfit("eine endliche Zahl", "a finite number") from None

    return convert


def one_of(read: Read, allowed: frozenset[str]) -> Read:
    def read_enum(value: Any) -> Any:
        known = read(value)
        if known is not None and known not in allowed:
            raise Unfit(f"einer der Werte {listed(sorted(allowed), 12)}", f"one of the values {listed(sorted(allowed), 12)}")
        return known

    return read_enum
