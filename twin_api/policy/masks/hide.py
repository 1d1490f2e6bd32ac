"""`hide`: no geometry at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

from sqlalchemy import ColumnElement, null

from twin_api.policy.masks.mask import Coordinates, GeometryMask, refuse_argument
from twin_api.policy.rule import World


@dataclass(frozen=True, slots=True)
class Hide:
    word: ClassVar[str] = "hide"

    @classmethod
    def parse(cls, argument: object, type_: str) -> Self:
        refuse_argument(cls.word, argument)
        return cls()

    def shown_type(self, stored_type: str) -> str | None:
        return None

    def sql(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        return null()

    def point(self, coordinates: Coordinates, world: World | None = None) -> Coordinates | None:
        return None

    def shows_at_least(self, other: GeometryMask) -> bool:
        return other.word == "hide"

    def as_policy(self) -> str:
        return self.word
