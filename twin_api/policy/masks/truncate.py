"""`{truncate: year}` or `{truncate: month}`: the first day of the year or month (of a moment: its beginning, in UTC)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, Self

from sqlalchemy import TIMESTAMP, ColumnElement, cast, func, literal_column

from twin_api.policy.masks.mask import NO_ROW, MaskRefused, ValueMask
from twin_api.policy.rule import Row
from twin_api.texts import Text

UNITS = ("month", "year")  # the finer first


@dataclass(frozen=True, slots=True)
class Truncate:
    word: ClassVar[str] = "truncate"
    unit: str

    @classmethod
    def parse(cls, argument: object, type_: str) -> Self:
        if type_ not in ("date", "datetime"):
            what = Text(f"gekürzt werden nur Zeiten, nicht `type: {type_}`", f"only times can be truncated, not `type: {type_}`")
            raise MaskRefused(what, Text("`keep` schreiben oder das Attribut weglassen", "write `keep`, or leave the attribute out"))
        if argument not in UNITS:
            what = Text("gekürzt wird auf das Jahr oder den Monat", "a time is truncated to its year or month")
            raise MaskRefused(
                what, Text("`{truncate: year}` oder `{truncate: month}` schreiben", "write `{truncate: year}` or `{truncate: month}`")
            )
        return cls(str(argument))

    @property
    def reads(self) -> tuple[str, ...]:
        return ()

    def shown_type(self, type_: str) -> str:
        return type_

    def shown_values(self) -> tuple[str, ...] | None:
        return None

    def sql(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        unit: ColumnElement[Any] = literal_column(f"'{self.unit}'")
        if column.type.python_type is datetime:
            return func.date_trunc(unit, column, literal_column("'UTC'"))
        return cast(func.date_trunc(unit, cast(column, TIMESTAMP(timezone=False))), column.type)

    def value(self, value: Any, row: Row = NO_ROW) -> Any:
        if value is None:
            return None
        if isinstance(value, datetime):
            value = value.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        return value.replace(day=1, month=1 if self.unit == "year" else value.month)

    def shows_at_least(self, other: ValueMask) -> bool:
        return isinstance(other, Truncate) and UNITS.index(self.unit) <= UNITS.index(other.unit)

    def as_policy(self) -> dict[str, Any]:
        return {self.word: self.unit}
