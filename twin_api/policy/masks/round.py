"""`{round: n}`: the nearest multiple of n in the attribute's unit, halves away from zero.

A coarser rounding follows from a finer one exactly where its step is an odd multiple: then its limits, half a step from each multiple,
are limits of the finer one too, and a half goes the same way in both. With an even multiple they lie amid the finer one's cells.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from math import isfinite
from typing import Any, ClassVar, Final, Self

from sqlalchemy import ColumnElement, Integer, Numeric, case, cast, func, literal_column
from sqlalchemy import Text as SqlText
from sqlalchemy.types import TypeEngine

from twin_api.policy.masks.mask import NO_ROW, MaskRefused, ValueMask
from twin_api.policy.rule import Row
from twin_api.texts import Text

SMALLEST: Final = 1e-9
LARGEST: Final = 1e15
# what the columns' types can hold; a multiple beyond it is unknown, not an error that would undo somebody's write
WHOLE_RANGE: Final = (Decimal(-(2**63)), Decimal(2**63 - 1))
DOUBLE_RANGE: Final = (Decimal("-1.7976931348623157e308"), Decimal("1.7976931348623157e308"))


@dataclass(frozen=True, slots=True)
class Round:
    """Computed in decimals on both sides: 0.15 rounds to 0.2 with a step of 0.1, as a person would."""

    word: ClassVar[str] = "round"
    step: Decimal

    @classmethod
    def parse(cls, argument: object, type_: str) -> Self:
        if type_ not in ("integer", "number"):
            raise MaskRefused(
                Text(f"gerundet werden nur Zahlen, nicht `type: {type_}`", f"only numbers can be rounded, not `type: {type_}`"),
                Text("`keep` schreiben oder das Attribut weglassen", "write `keep`, or leave the attribute out"),
            )
        if not isinstance(argument, int | float) or isinstance(argument, bool) or not SMALLEST <= argument <= LARGEST:
            what = Text("der Schritt ist keine Zahl über 0", "the step is not a number above 0")
            raise MaskRefused(what, Text("etwa `{round: 10}` schreiben", "write `{round: 10}`, for example"))
        if type_ == "integer" and argument != int(argument):
            what = Text("ganze Zahlen brauchen einen ganzen Schritt", "whole numbers need a whole step")
            raise MaskRefused(what, Text("etwa `{round: 1}` schreiben", "write `{round: 1}`, for example"))
        return cls(Decimal(repr(argument)))

    @property
    def reads(self) -> tuple[str, ...]:
        return ()

    def shown_type(self, type_: str) -> str:
        return type_

    def shown_values(self) -> tuple[str, ...] | None:
        return None

    def sql(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """Total: PostgreSQL evaluates the cast of a CASE only where its condition holds."""
        step: ColumnElement[Any] = literal_column(f"{self.step:f}", Numeric())
        # a double becomes decimal by its shortest text, not by PostgreSQL's 15 digits
        exact = cast(cast(column, SqlText), Numeric)
        multiple = func.round(exact / step) * step
        return self.fitted(multiple, column.type)

    @staticmethod
    def fitted(number: ColumnElement[Any], type_: TypeEngine[Any]) -> ColumnElement[Any]:
        """A decimal as a column's type; nothing where that type cannot hold it."""
        low, high = (literal_column(str(end), Numeric()) for end in (WHOLE_RANGE if isinstance(type_, Integer) else DOUBLE_RANGE))
        return case((number.between(low, high), cast(number, type_)))

    def value(self, value: Any, row: Row = NO_ROW) -> Any:
        if value is None or not isfinite(value):
            return None
        with localcontext(prec=700):  # every double, divided by every step, in full
            multiple = (Decimal(repr(value)) / self.step).quantize(Decimal(1), rounding=ROUND_HALF_UP) * self.step
            low, high = WHOLE_RANGE if isinstance(value, int) else DOUBLE_RANGE
            return type(value)(multiple + 0) if low <= multiple <= high else None  # + 0: no negative zero

    def shows_at_least(self, other: ValueMask) -> bool:
        """As far as the values have digits for it: a double does not show steps of less than a 2^52nd of itself."""
        if not isinstance(other, Round):
            return False
        ratio = Fraction(other.step) / Fraction(self.step)
        return ratio.denominator == 1 and ratio.numerator % 2 == 1

    def as_policy(self) -> dict[str, Any]:
        return {self.word: int(self.step) if self.step == self.step.to_integral_value() else float(self.step)}
