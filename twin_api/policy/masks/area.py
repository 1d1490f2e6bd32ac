"""`{area: ortsteile}`: one point that stands for the area an item lies in, the same for every item there, without height.

An item lies in the area that covers its point: a point itself, of lines and surfaces one point on them. Where areas touch, the first
by key has it, so that each item lies in one area at most; an item in none shows no place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self, TypeAlias

import shapely
import sqlalchemy as sa

from twin_api.policy.masks.mask import STORE, Coordinates, GeometryMask, MaskRefused
from twin_api.policy.rule import World
from twin_api.texts import Text


@dataclass(frozen=True, slots=True)
class Area:
    word: ClassVar[str] = "area"
    layer: str
    is_point: bool  # whether the masked layer holds single points
    key: tuple[str, ...] = ()  # of the area layer; filled in by whoever knows the layers

    @classmethod
    def parse(cls, argument: object, type_: str) -> Self:
        if not isinstance(argument, str) or not argument:
            what = Text("hinter `area` fehlt der Layer mit den Flächen", "after `area` the layer with the areas is missing")
            raise MaskRefused(what, Text("etwa `{area: ortsteile}` schreiben", "write `{area: ortsteile}`, for example"))
        return cls(argument, type_ in ("Point", "PointZ"))

    def shown_type(self, stored_type: str) -> str | None:
        return "Point"

    def sql(self, column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        point = standing_point(column, self.is_point)
        return area_of(self.layer, self.key, point, lambda area: sa.func.ST_PointOnSurface(area.c.geometry))

    def point(self, coordinates: Coordinates, world: World | None = None) -> Coordinates | None:
        area = (world or World()).area_of(self.layer, self.key, shapely.Point(coordinates[:2]))
        return None if area is None else tuple(shapely.point_on_surface(area["geometry"]).coords[0])

    def shows_at_least(self, other: GeometryMask) -> bool:
        return other.word == "hide" or (isinstance(other, Area) and other.layer == self.layer)

    def as_policy(self) -> dict[str, Any]:
        return {self.word: self.layer}


Shown: TypeAlias = Callable[[sa.FromClause], sa.ColumnElement[Any]]


def standing_point(geometry: sa.ColumnElement[Any], is_point: bool) -> sa.ColumnElement[Any]:
    """The point that decides in which area an item lies."""
    return sa.func.ST_Force2D(geometry) if is_point else sa.func.ST_PointOnSurface(sa.func.ST_Force2D(geometry))


def area_of(layer: str, key: Sequence[str], point: sa.ColumnElement[Any], shown: Shown, also: Sequence[str] = ()) -> sa.ColumnElement[Any]:
    """What `shown` makes of the first area of the layer, by key, that covers the point; NULL for no point and for no area.

    `also` names attributes besides the key that `shown` reads.
    """
    columns: list[sa.ColumnClause[Any]] = [
        sa.column("id"),
        sa.column("geometry"),
        *(sa.column(name) for name in dict.fromkeys((*key, *also))),
    ]
    area = sa.table(layer, *columns, schema=STORE).alias("a")
    covers = sa.func.ST_Intersects(area.c.geometry, point)
    return sa.select(shown(area)).where(covers).order_by(*(area.c[name] for name in key)).limit(sa.literal_column("1")).scalar_subquery()
