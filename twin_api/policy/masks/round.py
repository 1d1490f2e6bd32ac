"""`{round: n}`: the nearest multiple of n in the attribute's unit, halves away from zero."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, Numeric, Text, cast, func, literal_column

from twin_api.policy.masks.mask import ValueMask


@dataclass(frozen=True, slots=True)
class Round:
    """Computed in decimals on both sides: 0.15 rounds to 0.2 with a step of 0.1, as a person would."""

    word: ClassVar[str] = "round"
    step: Decimal

    def sql(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        step: ColumnElement[Any] = literal_column(f"{self.step:f}", Numeric())
        # a double becomes decimal by its shortest text, not by PostgreSQL's 15 digits
        exact = cast(cast(column, Text), Numeric)
        return cast(func.round(exact / step) * step, column.type)

    def value(self, value: Any) -> Any:
        if value is None:
            return None
        multiple = (Decimal(repr(value)) / self.step).quantize(Decimal(1), rounding=ROUND_HALF_UP) * self.step
        return type(value)(multiple)

    def shows_at_least(self, other: ValueMask) -> bool:
        return isinstance(other, Round) and (other.step == self.step)

    def as_policy(self) -> dict[str, Any]:
        return {self.word: int(self.step) if self.step == self.step.to_integral_value() else float(self.step)}
