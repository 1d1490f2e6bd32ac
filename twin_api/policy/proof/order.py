"""The values of an attribute as whole numbers in the same order: what a solver reckons with instead of texts, doubles and days.

Must never merge two values that a rule tells apart, nor order them differently: each type the store knows is a finite chain (doubles
without NaN and infinities, -0 the same as 0; days and moments of the years 1 to 9999). A text counts by where it stands among those named.
"""

from __future__ import annotations

import struct
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

MICROSECOND: Final = timedelta(microseconds=1)
FIRST_MOMENT: Final = datetime(1, 1, 1, tzinfo=UTC)
LARGEST_DOUBLE: Final = 0x7FEF_FFFF_FFFF_FFFF  # its bits; those of the next one mean infinity
_SIGN: Final = 1 << 63


@dataclass(frozen=True, slots=True)
class Order:
    """One attribute's values as numbers from `lowest` to `highest`. `named` are the texts that rules compare with, ascending."""

    type: str
    named: Sequence[str] = ()

    @property
    def lowest(self) -> int:
        match self.type:
            case "integer":
                return -(2**63)
            case "number":
                return -LARGEST_DOUBLE
            case "date":
                return date.min.toordinal()
            case "text" if self.named and self.named[0] == "":
                return 1  # nothing comes before the empty text
        return 0

    @property
    def highest(self) -> int:
        match self.type:
            case "integer":
                return 2**63 - 1
            case "number":
                return LARGEST_DOUBLE
            case "date":
                return date.max.toordinal()
            case "datetime":
                return moment_number(datetime.max.replace(tzinfo=UTC))
            case "text":
                return 2 * len(self.named)
        return 1

    def number(self, value: Any) -> int:
        """Of a text: odd numbers are those named, even ones all the texts between two of them."""
        match self.type:
            case "number":
                return _double_number(float(value))
            case "date":
                return int(value.toordinal())
            case "datetime":
                return moment_number(value)
            case "text":
                before = bisect_left(self.named, value)
                return 2 * before + (before < len(self.named) and self.named[before] == value)
        return int(value)

    def value(self, number: int) -> Any:
        """A value with that number; of a text between two, one of them."""
        match self.type:
            case "boolean":
                return bool(number)
            case "number":
                return _double(number)
            case "date":
                return date.fromordinal(number)
            case "datetime":
                return moment(number)
            case "text":
                return self.named[number // 2] if number % 2 else _between(self.named, number // 2)
        return number


def order_of(type_: str, constants: Iterable[Any]) -> Order:
    """The order for an attribute that rules compare with these constants."""
    return Order(type_, tuple(sorted(set(constants))) if type_ == "text" else ())


def moment_number(value: datetime) -> int:
    """Microseconds since the beginning of the year 1, UTC."""
    return (value - FIRST_MOMENT) // MICROSECOND


def moment(number: int) -> datetime:
    return FIRST_MOMENT + number * MICROSECOND


def _double_number(value: float) -> int:
    bits: int = struct.unpack("<Q", struct.pack("<d", value))[0]
    return bits if bits < _SIGN else -(bits - _SIGN)


def _double(number: int) -> float:
    value: float = struct.unpack("<d", struct.pack("<Q", number if number >= 0 else _SIGN - number))[0]
    return value


def _between(named: Sequence[str], before: int) -> str:
    """A text above the first `before` of those named and below the rest; the store's texts hold no U+0000, so there always is one."""
    low = named[before - 1] if before else ""
    possible = (f"{low}{ending}" for ending in ("a", "-", " ", "\x01")) if before else iter(("-", " ", ""))
    return next(text for text in possible if before == len(named) or text < named[before])
