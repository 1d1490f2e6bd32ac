"""`{grid_m: n}`: the centre of the n-metre cell a point lies in, without height.

Cells are [k·n, (k+1)·n) counted from 0/0 in the layer's CRS, so grids of different roles nest when one n is a multiple of the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import floor
from typing import Any, ClassVar, Final, Self

from sqlalchemy import ColumnElement, func, literal

from twin_api.policy.masks.mask import Coordinates, GeometryMask, MaskRefused
from twin_api.policy.rule import World
from twin_api.texts import Text

LARGEST_CELL_M: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Grid:
    word: ClassVar[str] = "grid_m"
    cell_m: int

    @classmethod
    def parse(cls, argument: object, type_: str) -> Self:
        if type_ not in ("Point", "PointZ"):
            what = Text("Raster gibt es nur für Punkte", "grids are for points only")
            raise MaskRefused(what, Text("`keep`, `xy` oder `hide` schreiben", "write `keep`, `xy` or `hide`"))
        if not isinstance(argument, int) or isinstance(argument, bool) or not 0 < argument <= LARGEST_CELL_M:
            what = Text("die Zellengröße ist keine ganze Zahl von Metern über 0", "the cell size is not a whole number of metres above 0")
            raise MaskRefused(what, Text("etwa `{grid_m: 100}` schreiben", "write `{grid_m: 100}`, for example"))
        return cls(argument)

    def shown_type(self, stored_type: str) -> str | None:
        return "Point"

    def sql(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        centre = func.ST_MakePoint(self._centre_sql(func.ST_X(column)), self._centre_sql(func.ST_Y(column)))
        return func.ST_SetSRID(centre, func.ST_SRID(column))

    def _centre_sql(self, coordinate: ColumnElement[Any]) -> ColumnElement[Any]:
        cell = literal(float(self.cell_m))
        return func.floor(coordinate / cell) * cell + cell / literal(2.0)

    def point(self, coordinates: Coordinates, world: World | None = None) -> Coordinates | None:
        return tuple(floor(c / self.cell_m) * self.cell_m + self.cell_m / 2 for c in coordinates[:2])

    def shows_at_least(self, other: GeometryMask) -> bool:
        return other.word == "hide" or (isinstance(other, Grid) and other.cell_m % self.cell_m == 0)

    def as_policy(self) -> dict[str, Any]:
        return {self.word: self.cell_m}
