"""`reviewed`: a free text only where a person has read it, otherwise nothing.

Which boolean attribute says so stands in the layer file: `free_text: {reviewed: bemerkung_gelesen}`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

from sqlalchemy import ColumnElement, case

from twin_api.policy.masks.mask import NO_ROW, ValueMask, refuse_argument
from twin_api.policy.rule import Row


@dataclass(frozen=True, slots=True)
class Reviewed:
    word: ClassVar[str] = "reviewed"
    flag: str = ""  # filled in by whoever knows the layer

    @classmethod
    def parse(cls, argument: object, type_: str) -> Self:
        refuse_argument(cls.word, argument)
        return cls()

    @property
    def reads(self) -> tuple[str, ...]:
        return (self.flag,)

    def shown_type(self, type_: str) -> str:
        return type_

    def shown_values(self) -> tuple[str, ...] | None:
        return None

    def sql(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        flag: ColumnElement[Any] = column.table.c[self.flag]  # the mark stands in the same row
        return case((flag.is_(True), column))

    def value(self, value: Any, row: Row = NO_ROW) -> Any:
        return value if row.get(self.flag) is True else None

    def shows_at_least(self, other: ValueMask) -> bool:
        return isinstance(other, Reviewed)

    def as_policy(self) -> str:
        return self.word
