"""`keep`: the value or the geometry as it is stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

from sqlalchemy import ColumnElement

from twin_api.policy.masks.mask import NO_ROW, Coordinates, GeometryMask, ValueMask, refuse_argument
from twin_api.policy.rule import Row, World


@dataclass(frozen=True, slots=True)
class Keep:
    word: ClassVar[str] = "keep"

    @classmethod
    def parse(cls, argument: object, type_: str) -> Self:
        refuse_argument(cls.word, argument)
        return cls()

    @property
    def reads(self) -> tuple[str, ...]:
        return ()

    def shown_type(self, type_: str) -> str:
        return type_

    def shown_values(self) -> tuple[str, ...] | None:
        return None

    def sql(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        return column

    def value(self, value: Any, row: Row = NO_ROW) -> Any:
        return value

    def shows_at_least(self, other: ValueMask) -> bool:
        return True

    def as_policy(self) -> str:
        return self.word


@dataclass(frozen=True, slots=True)
class KeepGeometry:
    word: ClassVar[str] = "keep"

    @classmethod
    def parse(cls, argument: object, type_: str) -> Self:
        refuse_argument(cls.word, argument)
        return cls()

    def shown_type(self, stored_type: str) -> str | None:
        return stored_type

    def sql(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        return column

    def point(self, coordinates: Coordinates, world: World | None = None) -> Coordinates | None:
        return tuple(coordinates)

    def shows_at_least(self, other: GeometryMask) -> bool:
        return True

    def as_policy(self) -> str:
        return self.word
