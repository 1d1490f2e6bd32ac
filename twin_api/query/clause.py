"""Clauses: what a request narrows a collection by. A clause has a shape, which becomes SQL text, and values, which stay parameters."""

from __future__ import annotations

from dataclasses import dataclass
from math import log, pi, radians, tan
from typing import Any, Final, Protocol

import sqlalchemy as sa

from twin_api.layers.table import COLUMN_TYPES
from twin_api.store.collection import MERCATOR, MERCATOR_SRID, PLACE

Params = dict[str, Any]
Columns = tuple[tuple[str, sa.types.TypeEngine[Any]], ...]

_EARTH_RADIUS_M: Final = 6378137.0
_POLE_DEGREES: Final = 89.9  # Web Mercator has no poles
_PRINTED_DEGREES: Final = 0.5e-7  # coordinates are printed to seven digits; a box drawn on a printed point has to find it
_MARGIN_M: Final = 2.0  # PostGIS compares boxes in single precision, up to half a metre off at these coordinates


class Clause(Protocol):
    """The shape of a clause: hashable, without any value of the request. `columns` are those it reads besides the key."""

    @property
    def columns(self) -> Columns: ...

    def condition(self, rows: sa.FromClause) -> sa.ColumnElement[bool]:
        """The condition over published rows, with the clause's values as named parameters."""


@dataclass(frozen=True, slots=True)
class Equals:
    """`attribute=value`; text compares by code point."""

    attribute: str
    type: str

    @property
    def columns(self) -> Columns:
        return ((self.attribute, COLUMN_TYPES[self.type]),)

    def condition(self, rows: sa.FromClause) -> sa.ColumnElement[bool]:
        return rows.c[self.attribute] == sa.bindparam(f"is_{self.attribute}", type_=COLUMN_TYPES[self.type])


@dataclass(frozen=True, slots=True)
class During:
    """The temporal property lies in a closed interval, or is not known (/req/core/fc-time-response C); an open end has no bound."""

    attribute: str
    type: str
    starts: bool
    ends: bool

    @property
    def columns(self) -> Columns:
        return ((self.attribute, COLUMN_TYPES[self.type]),)

    def condition(self, rows: sa.FromClause) -> sa.ColumnElement[bool]:
        column = rows.c[self.attribute]
        bounds: list[sa.ColumnElement[bool]] = []
        if self.starts:
            bounds.append(column >= sa.bindparam("time_from", type_=column.type))
        if self.ends:
            bounds.append(column <= sa.bindparam("time_to", type_=column.type))
        return sa.or_(column.is_(None), sa.and_(*bounds))


@dataclass(frozen=True, slots=True)
class InBox:
    """The geometry meets one box, or either of two where the box crosses the antimeridian, or there is none (/req/core/fc-bbox-response C).

    Exact: the index finds candidates; what lies well inside needs no further test, what is near the edge is intersected.
    """

    boxes: int

    @property
    def columns(self) -> Columns:
        return ((MERCATOR, sa.types.NullType()),)

    def condition(self, rows: sa.FromClause) -> sa.ColumnElement[bool]:
        geometry = rows.c[MERCATOR]
        is_nowhere = rows.c[PLACE] == sa.literal_column("''")  # said of the place, whose index finds it: GiST would search all of its own
        return sa.or_(is_nowhere, *(self._meets(geometry, number) for number in range(self.boxes)))

    def _meets(self, geometry: sa.ColumnElement[Any], number: int) -> sa.ColumnElement[bool]:
        box, inner = envelope(f"box{number}"), envelope(f"inner{number}")
        overlaps: sa.ColumnElement[bool] = geometry.op("&&", is_comparison=True)(box)
        within: sa.ColumnElement[bool] = geometry.op("@", is_comparison=True)(inner)
        # CASE, not OR: an OR of two indexable tests is planned as two searches of the index
        return sa.and_(overlaps, sa.case((within, sa.true()), else_=sa.func.ST_Intersects(geometry, box, type_=sa.Boolean)))


def envelope(name: str) -> sa.ScalarSelect[Any]:
    """The box as an uncorrelated sub-select: computed once per statement, not once per row."""
    corners = [sa.bindparam(f"{name}_{corner}", type_=sa.Double) for corner in range(4)]
    return sa.select(sa.func.ST_MakeEnvelope(*corners, sa.literal_column(str(MERCATOR_SRID)), type_=sa.types.NullType())).scalar_subquery()


def box_params(west: float, south: float, east: float, north: float) -> tuple[InBox, Params]:
    """The clause and its values for a box in CRS84 degrees; west > east crosses the antimeridian.

    A box along meridians and parallels is one in Web Mercator too, so the test is as exact there.
    """
    spans = [(west, east)] if west <= east else [(west, 180.0), (-180.0, east)]
    params: Params = {}
    for number, (left, right) in enumerate(spans):
        low = mercator(left - _PRINTED_DEGREES, south - _PRINTED_DEGREES)
        corners = (*low, *mercator(right + _PRINTED_DEGREES, north + _PRINTED_DEGREES))
        shift = (_MARGIN_M, _MARGIN_M, -_MARGIN_M, -_MARGIN_M)
        inner = [corner + by for corner, by in zip(corners, shift, strict=True)]
        if inner[0] >= inner[2] or inner[1] >= inner[3]:
            inner = [1e9, 1e9, 1e9, 1e9]  # too small to have an inside: nothing lies there
        params |= {f"box{number}_{i}": value for i, value in enumerate(corners)}
        params |= {f"inner{number}_{i}": value for i, value in enumerate(inner)}
    return InBox(len(spans)), params


def mercator(longitude: float, latitude: float) -> tuple[float, float]:
    latitude = max(-_POLE_DEGREES, min(_POLE_DEGREES, latitude))
    return _EARTH_RADIUS_M * radians(longitude), _EARTH_RADIUS_M * log(tan(pi / 4 + radians(latitude) / 2))
