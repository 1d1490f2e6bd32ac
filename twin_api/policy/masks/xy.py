"""`xy`: the geometry without its heights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

from sqlalchemy import ColumnElement, func

from twin_api.policy.masks.mask import Coordinates, GeometryMask, MaskRefused, refuse_argument
from twin_api.policy.rule import World
from twin_api.texts import Text


@dataclass(frozen=True, slots=True)
class Xy:
    word: ClassVar[str] = "xy"

    @classmethod
    def parse(cls, argument: object, type_: str) -> Self:
        refuse_argument(cls.word, argument)
        if not type_.endswith("Z"):
            what = Text("der Layer hat keine Höhen, die `xy` weglassen könnte", "the layer has no heights that `xy` could leave out")
            raise MaskRefused(what, Text("`keep` schreiben", "write `keep`"))
        return cls()

    def shown_type(self, stored_type: str) -> str | None:
        return stored_type.removesuffix("Z")

    def sql(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        return func.ST_Force2D(column)

    def point(self, coordinates: Coordinates, world: World | None = None) -> Coordinates | None:
        return tuple(coordinates[:2])

    def shows_at_least(self, other: GeometryMask) -> bool:
        return other.word != "keep"

    def as_policy(self) -> str:
        return self.word
