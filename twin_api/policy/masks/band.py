"""`{band: [10, 20, 50]}`: the band a number lies in, as a word: `unter 10`, `10 bis unter 20`, `20 bis unter 50`, `ab 50`."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from math import isfinite
from typing import Any, ClassVar, Final, Self

from sqlalchemy import ColumnElement, Numeric, case, literal, literal_column

from twin_api.policy.masks.mask import NO_ROW, MaskRefused, ValueMask
from twin_api.policy.rule import Row
from twin_api.texts import Text

MOST_LIMITS: Final = 20


@dataclass(frozen=True, slots=True)
class Band:
    word: ClassVar[str] = "band"
    limits: tuple[Decimal, ...]  # ascending; each begins a band

    @classmethod
    def parse(cls, argument: object, type_: str) -> Self:
        if type_ not in ("integer", "number"):
            what = Text(f"Bänder gibt es nur für Zahlen, nicht für `type: {type_}`", f"bands are for numbers, not for `type: {type_}`")
            raise MaskRefused(what, Text("`keep` schreiben oder das Attribut weglassen", "write `keep`, or leave the attribute out"))
        numbers = argument if isinstance(argument, list) else []
        is_ascending = all(low < high for low, high in pairwise(numbers)) if all(_is_number(n) for n in numbers) else False
        if not 1 <= len(numbers) <= MOST_LIMITS or not is_ascending:
            what = Text("ein Band braucht 1 bis 20 aufsteigende Grenzen", "a band wants 1 to 20 ascending limits")
            raise MaskRefused(what, Text("etwa `{band: [10, 20, 50]}` schreiben", "write `{band: [10, 20, 50]}`, for example"))
        return cls(tuple(Decimal(repr(number)) for number in numbers))

    @property
    def reads(self) -> tuple[str, ...]:
        return ()

    def shown_type(self, type_: str) -> str:
        return "text"

    def shown_values(self) -> tuple[str, ...] | None:
        words = [_plain(limit) for limit in self.limits]
        return (f"unter {words[0]}", *(f"{low} bis unter {high}" for low, high in pairwise(words)), f"ab {words[-1]}")

    def sql(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        labels = self.shown_values() or ()
        # as doubles, like a stored number: a limit such as 0.1 is the double that is written so
        ends = [column < literal_column(f"({limit})::{'numeric' if _is_whole(column) else 'float8'}", Numeric()) for limit in self.limits]
        choices = [(end, literal(label)) for end, label in zip(ends, labels, strict=False)]
        return case((column.is_(None), literal_column("NULL::text")), *choices, else_=literal(labels[-1]))

    def value(self, value: Any, row: Row = NO_ROW) -> Any:
        if value is None:
            return None
        below = sum(1 for limit in self.limits if value >= (limit if isinstance(value, int) else float(limit)))
        return (self.shown_values() or ())[below]

    def shows_at_least(self, other: ValueMask) -> bool:
        return isinstance(other, Band) and set(other.limits) <= set(self.limits)

    def as_policy(self) -> dict[str, Any]:
        return {self.word: [int(limit) if limit == limit.to_integral_value() else float(limit) for limit in self.limits]}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value) and abs(value) <= 1e15


def _is_whole(column: ColumnElement[Any]) -> bool:
    return column.type.python_type is int


def _plain(limit: Decimal) -> str:
    return f"{limit.to_integral_value():f}" if limit == limit.to_integral_value() else f"{limit:f}"
