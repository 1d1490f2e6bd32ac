"""`bbox`: a box in any offered CRS becomes clauses over published rows (OGC 17-069r4, 7.15.3; OGC 18-058r1, `bbox-crs`).

Exact: the index finds candidates, and what is near the edge is intersected. A box drawn on a printed coordinate finds it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import atan, degrees, exp, log, pi, radians, tan
from typing import Any, Final

import sqlalchemy as sa

from twin_api.problems import InvalidParameter
from twin_api.query.clause import Clause, Columns, Params
from twin_api.query.crs import CRS84, CRS84H, WEB_MERCATOR, Box, Crs, offered_crs, read_crs
from twin_api.query.look import transformed
from twin_api.query.value import read_number
from twin_api.store.collection import GEOMETRY, MERCATOR, MERCATOR_SRID, PLACE, Collection
from twin_api.texts import Text

EARTH_RADIUS_M: Final = 6378137.0
HALF_WORLD_M: Final = pi * EARTH_RADIUS_M
_POLE_DEGREES: Final = 89.9  # Web Mercator has no poles
_MARGIN_M: Final = 2.0  # PostGIS compares boxes in single precision, up to half a metre off at these coordinates
_STEPS: Final = 64  # points on a side of a box that becomes a curve in Web Mercator
_BENT: Final = 1e-5  # how far a side bends away between two of them, as a part of the square of their distance; more than it ever does
_FARTHEST_M: Final = 1e9  # no coordinate is larger
_HEIGHT_MARGIN_M: Final = 0.005
_WANTED: Final = Text(
    "`bbox` verlangt vier Zahlen, zwei Ecken in der Reihenfolge der Achsen von `bbox-crs`, ohne sie West,Süd,Ost,Nord in Grad, etwa "
    "`11.4,49.9,11.6,50.1`; oder sechs, jede Ecke mit ihrer Höhe",
    "`bbox` wants four numbers, two corners in the order of the axes of `bbox-crs`, without it west,south,east,north in degrees, such as "
    "`11.4,49.9,11.6,50.1`; or six, each corner with its height",
)
_NO_TYPE: Final = sa.types.NullType()


@dataclass(frozen=True, slots=True)
class InBox:
    """The geometry meets a box in Web Mercator, or one of two across the antimeridian, or there is none (/req/core/fc-bbox-response C)."""

    boxes: int

    @property
    def columns(self) -> Columns:
        return ((MERCATOR, _NO_TYPE),)

    def condition(self, rows: sa.FromClause) -> sa.ColumnElement[bool]:
        return sa.or_(_is_nowhere(rows), *(self._meets(rows.c[MERCATOR], number) for number in range(self.boxes)))

    def _meets(self, geometry: sa.ColumnElement[Any], number: int) -> sa.ColumnElement[bool]:
        box, inner = once(envelope(f"box{number}", MERCATOR_SRID)), once(envelope(f"inner{number}", MERCATOR_SRID))
        within: sa.ColumnElement[bool] = geometry.op("@", is_comparison=True)(inner)
        # CASE, not OR: an OR of two indexable tests is planned as two searches of the index
        return sa.and_(_overlaps(geometry, box), sa.case((within, sa.true()), else_=sa.func.ST_Intersects(geometry, box, type_=sa.Boolean)))


_IN_BOX: Final = (InBox(1), InBox(2))


@dataclass(frozen=True, slots=True)
class InBoxOf:
    """The geometry, transformed into a CRS of other lines than Web Mercator's, meets one of the boxes there, or there is none.

    `is_indexed` where the boxes can be computed in Web Mercator, whose index then finds candidates; else every row is looked at.
    """

    crs: Crs
    srid: int
    boxes: int
    is_indexed: bool

    @property
    def columns(self) -> Columns:
        return ((GEOMETRY, _NO_TYPE), (MERCATOR, _NO_TYPE))

    def condition(self, rows: sa.FromClause) -> sa.ColumnElement[bool]:
        return sa.or_(_is_nowhere(rows), *(self._meets(rows, number) for number in range(self.boxes)))

    def _meets(self, rows: sa.FromClause, number: int) -> sa.ColumnElement[bool]:
        box = envelope(f"box{number}", self.crs.srid)
        meets: sa.ColumnElement[bool] = sa.func.ST_Intersects(transformed(self.crs, self.srid, rows), once(box), type_=sa.Boolean)
        if not self.is_indexed:
            return meets
        dense = sa.func.ST_Segmentize(box, sa.bindparam(f"step{number}", type_=sa.Double))
        there = sa.func.ST_Expand(sa.func.ST_Transform(dense, _number(MERCATOR_SRID)), sa.bindparam(f"slack{number}", type_=sa.Double))
        return sa.and_(_overlaps(rows.c[MERCATOR], once(there)), meets)


@dataclass(frozen=True, slots=True)
class Between:
    """Something of the item lies between two heights, or it has no place."""

    @property
    def columns(self) -> Columns:
        return ((GEOMETRY, _NO_TYPE),)

    def condition(self, rows: sa.FromClause) -> sa.ColumnElement[bool]:
        lowest, highest = (sa.bindparam(name, type_=sa.Double) for name in ("lowest", "highest"))
        geometry = rows.c[GEOMETRY]
        lies = sa.and_(sa.func.ST_ZMax(geometry) >= lowest, sa.func.ST_ZMin(geometry) <= highest)
        return sa.or_(_is_nowhere(rows), lies)


def read_box(collection: Collection, text: str, uri: str | None) -> tuple[Sequence[Clause], Params]:
    """The clauses of a `bbox` in the CRS of this address; raises `InvalidParameter`. None where there is nothing to narrow."""
    crs = read_box_crs(collection, uri)
    try:
        low, high, heights = _corners(text)
        boxes = _boxes(crs, *((*low[::-1], *high[::-1]) if crs.axes_swapped else (*low, *high)))
    except ValueError:
        raise InvalidParameter("bbox", _WANTED) from None
    told = collection.description
    if told.epsg is None:
        return (), {}
    clause, params = _clause(crs, told.epsg, boxes)
    if heights is None or not told.has_heights:
        return (clause,), params
    return (clause, Between()), params | {"lowest": heights[0] - _HEIGHT_MARGIN_M, "highest": heights[1] + _HEIGHT_MARGIN_M}


def read_box_crs(collection: Collection, uri: str | None) -> Crs:
    """/req/crs/fc-bbox-crs-valid-default-value, /req/crs/fc-bbox-crs-valid-value; raises `InvalidParameter`."""
    return CRS84 if uri is None else read_crs("bbox-crs", uri, box_crs(collection))


def box_crs(collection: Collection) -> tuple[Crs, ...]:
    return tuple(dict.fromkeys((CRS84, CRS84H, *offered_crs(collection.description))))


def _corners(text: str) -> tuple[tuple[float, float], tuple[float, float], tuple[float, float] | None]:
    """Two corners, and the lowest and the highest height where there are any. Raises ValueError."""
    numbers = [read_number(part) for part in text[:512].split(",")]
    if len(numbers) == 4:
        return (numbers[0], numbers[1]), (numbers[2], numbers[3]), None
    if len(numbers) != 6 or numbers[2] > numbers[5]:
        raise ValueError
    return (numbers[0], numbers[1]), (numbers[3], numbers[4]), (numbers[2], numbers[5])


def _boxes(crs: Crs, west: float, south: float, east: float, north: float) -> list[Box]:
    """One box, or two where it crosses the antimeridian: west of it and east of it. Raises ValueError for none."""
    edge, top = (180.0, 90.0) if crs.is_degrees else (HALF_WORLD_M if crs == WEB_MERCATOR else _FARTHEST_M, _FARTHEST_M)
    farthest = 180.0 if crs.is_degrees else _FARTHEST_M
    if south > north or max(abs(south), abs(north)) > top or max(abs(west), abs(east)) > farthest:
        raise ValueError
    if west <= east:
        return [(west, south, east, north)]
    if edge == _FARTHEST_M or max(abs(west), abs(east)) > edge:
        raise ValueError  # elsewhere there is no antimeridian to cross
    return [(west, south, edge, north), (-edge, south, east, north)]


def _clause(crs: Crs, srid: int, boxes: Sequence[Box]) -> tuple[Clause, Params]:
    by = crs.margin
    grown = [(west - by, south - by, east + by, north + by) for west, south, east, north in boxes]
    if crs.srid == CRS84.srid:  # along meridians and parallels: boxes in Web Mercator too, and as exact there
        return _in_mercator([(*mercator(west, south), *mercator(east, north)) for west, south, east, north in grown])
    if crs == WEB_MERCATOR:
        return _in_mercator(grown)
    is_indexed = all(_holds(crs.box_reach, box) for box in grown)
    params = _numbered("box", grown)
    if is_indexed:
        for number, (west, south, east, north) in enumerate(grown):
            step = max(east - west, north - south) / _STEPS
            params |= {f"step{number}": step, f"slack{number}": _MARGIN_M + _BENT * step**2}
    return InBoxOf(crs, srid, len(grown), is_indexed), params


def _in_mercator(boxes: Sequence[Box]) -> tuple[Clause, Params]:
    return _IN_BOX[len(boxes) - 1], _numbered("box", boxes) | _numbered("inner", [_inner(*box) for box in boxes])


def _inner(west: float, south: float, east: float, north: float) -> Box:
    inner = (west + _MARGIN_M, south + _MARGIN_M, east - _MARGIN_M, north - _MARGIN_M)
    # too small to have an inside: nothing lies there
    return inner if inner[0] < inner[2] and inner[1] < inner[3] else (1e9, 1e9, 1e9, 1e9)


def _numbered(name: str, boxes: Sequence[Box]) -> Params:
    params: Params = {}
    for number, box in enumerate(boxes):
        params.update(zip(_corner_names(name, number), box, strict=True))
    return params


@lru_cache(maxsize=8)
def _corner_names(name: str, number: int) -> tuple[str, ...]:
    return tuple(f"{name}{number}_{corner}" for corner in range(4))


def _holds(reach: Box | None, box: Box) -> bool:
    return reach is not None and reach[0] <= box[0] and reach[1] <= box[1] and box[2] <= reach[2] and box[3] <= reach[3]


def share_of(collection: Collection, shape: Sequence[Clause], params: Params) -> float:
    """The part of the collection's extent that is asked for, as far as it is known; 1 for all of it, and for two boxes."""
    if collection.bbox is None or _IN_BOX[0] not in shape:
        return 1.0
    west, south, east, north = _extent(collection.bbox)
    if west >= east or south >= north:
        return 1.0  # also across the antimeridian
    corners: list[float] = [params[name] for name in _corner_names("box", 0)]
    left, bottom, right, top = corners
    width, height = min(east, right) - max(west, left), min(north, top) - max(south, bottom)
    return max(0.0, width) * max(0.0, height) / ((east - west) * (north - south))


@lru_cache(maxsize=1024)
def _extent(bbox: Box) -> Box:
    return (*mercator(*bbox[:2]), *mercator(*bbox[2:]))


def mercator(longitude: float, latitude: float) -> tuple[float, float]:
    """Metres in Web Mercator for degrees in CRS84."""
    latitude = max(-_POLE_DEGREES, min(_POLE_DEGREES, latitude))
    return EARTH_RADIUS_M * radians(longitude), EARTH_RADIUS_M * log(tan(pi / 4 + radians(latitude) / 2))


def latitude(northing: float) -> float:
    """Degrees north for metres in Web Mercator."""
    return degrees(2 * atan(exp(northing / EARTH_RADIUS_M)) - pi / 2)


def _is_nowhere(rows: sa.FromClause) -> sa.ColumnElement[bool]:
    return rows.c[PLACE] == sa.literal_column("''")  # said of the place, whose index finds it: GiST would search all of its own


def _overlaps(geometry: sa.ColumnElement[Any], box: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    return geometry.op("&&", is_comparison=True)(box)


def envelope(name: str, srid: int) -> sa.ColumnElement[Any]:
    corners = [sa.bindparam(f"{name}_{corner}", type_=sa.Double) for corner in range(4)]
    return sa.func.ST_MakeEnvelope(*corners, _number(srid), type_=_NO_TYPE)


def once(geometry: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """As an uncorrelated sub-select: computed once per statement, not once per row."""
    return sa.select(geometry).scalar_subquery()


def _number(number: int) -> sa.ColumnElement[int]:
    return sa.literal_column(str(number))
