"""`keep`: the value or the geometry as it is stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

from sqlalchemy import ColumnElement

from twin_api.policy.masks.mask import Coordinates, GeometryMask, ValueMask, refuse_argument


@dataclass(frozen=True, slots=True)
class Keep:
    word: ClassVar[str] = "keep"

    @classmethod
    def parse(cls, argument: object, type_: str) -> Self:
        refuse_argument(cls.word, argument)
        return cls()

    def sql(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        return column

    def value(self, value: Any) -> Any:
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

    def point(self, coordinates: Coordinates) -> Coordinates | None:
        return tuple(coordinates)

    def shows_at_least(self, other: GeometryMask) -> bool:
        return True

    def as_policy(self) -> str:
        return self.word
