"""Spatial functions (OGC 21-065r2, 7.6) in CRS84, in the plane of longitude and latitude, as the standard means them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import shapely
import sqlalchemy as sa

from twin_api.query.box import mercator
from twin_api.query.cql2.binding import Binding
from twin_api.query.cql2.expression import Expression, Sql, call, computed_once, refuse
from twin_api.query.cql2.geometry import Boxed, Drawn, is_measurable, read_geometry
from twin_api.query.crs import CRS84

_MARGIN_M: Final = 2.0  # boxes are compared in single precision, up to half a metre off


def _calls(name: str) -> Callable[[Sql, Sql], Sql]:
    return lambda one, other: getattr(sa.func, name)(one, other, type_=sa.Boolean())


SPATIAL: Final[dict[str, Callable[[Sql, Sql], Sql]]] = {
    "s_intersects": _calls("ST_Intersects"),
    "s_disjoint": _calls("ST_Intersects"),  # of which it is the negation
    "s_equals": _calls("ST_Equals"),
    "s_touches": _calls("ST_Touches"),
    "s_within": _calls("ST_Within"),
    "s_contains": _calls("ST_Contains"),
    "s_overlaps": _calls("ST_Overlaps"),
    "s_crosses": _calls("ST_Crosses"),
}


def _after_meeting(op: str) -> Callable[[Sql, Sql], Sql]:
    """What PostGIS compares anew with each row: first what it prepares once for all of them, and which leaves few rows.

    What touches, overlaps or crosses another meets it, and neither is within the other.
    """
    meets, within, exact = SPATIAL["s_intersects"], SPATIAL["s_within"], SPATIAL[op]

    def compared(one: Sql, other: Sql) -> Sql:
        return sa.and_(meets(one, other), sa.not_(within(one, other)), sa.not_(within(other, one)), exact(one, other))

    return lambda one, other: computed_once(compared, one, other)


_AFTER_MEETING: Final = {op: _after_meeting(op) for op in ("s_touches", "s_overlaps", "s_crosses")}
TAKE_COLLECTIONS: Final = ("s_intersects", "s_disjoint")
MAX_PAIRS: Final = 20  # of parts that are compared where geometry collections are


def bind_spatial(binding: Binding, op: str, args: list[Any]) -> Expression:
    """A collection meets what one of its parts meets: GEOS fails on one whose areas overlap, each of them valid by itself."""
    pairs = [(one, other) for one in _parts(args[0]) for other in _parts(args[1])]
    if len(pairs) == 1 or op not in TAKE_COLLECTIONS:
        return _compared(binding, op, args)
    if len(pairs) > MAX_PAIRS:
        refuse(
            f"mehr als {MAX_PAIRS} Teile gemischter Geometrien: gleichartige als `MULTIPOINT`, `MULTILINESTRING`, `MULTIPOLYGON` schreiben",
            f"more than {MAX_PAIRS} parts of geometry collections: write like ones as `MULTIPOINT`, `MULTILINESTRING`, `MULTIPOLYGON`",
        )
    meets = call(sa.or_, "boolean", *(_compared(binding, "s_intersects", list(pair)) for pair in pairs))
    return call(sa.not_, "boolean", meets) if op == "s_disjoint" else meets


def _parts(node: Any) -> list[Any]:
    """Those of a geometry collection; anything else, also what is none after all, is one part."""
    match node:
        case {"type": "GeometryCollection", "geometries": [_, *_] as parts, **more} if not more and not any(map(_is_collection, parts)):
            return list(parts)
    return [node]


def _is_collection(node: Any) -> bool:
    return isinstance(node, dict) and node.get("type") == "GeometryCollection"


def _compared(binding: Binding, op: str, args: list[Any]) -> Expression:
    one, other = (binding.expression(binding.operand(arg), "geometry") for arg in args)
    if op not in TAKE_COLLECTIONS and any(isinstance(side, Drawn) and side.is_collection for side in (one, other)):
        refuse(
            f"`{op.upper()}` ist für gemischte Geometrien nicht erklärt: die Teile einzeln vergleichen",
            f"`{op.upper()}` has no meaning for a geometry collection: compare its parts one by one",
        )
    drawn = [side for side in (one, other) if isinstance(side, Drawn)]
    if len(drawn) == 1:
        exact = call(_AFTER_MEETING.get(op, SPATIAL[op]), "boolean", one, other)
        holds = call(sa.and_, "boolean", Boxed(drawn[0].name), exact)
    else:
        holds = call(SPATIAL[op], "boolean", one, other)
    return call(sa.not_, "boolean", holds) if op == "s_disjoint" else holds


def bind_geometry(binding: Binding, node: dict[str, Any]) -> Expression:
    """A geometry of the request with its box."""
    placed = read_geometry(node, binding.crs)
    name = binding.value("geometry", shapely.to_wkb(shapely.set_srid(placed, CRS84.srid), include_srid=True)).name
    west, south, east, north = shapely.bounds(placed)
    low, high = mercator(west, south), mercator(east, north)
    corners = (low[0] - _MARGIN_M, low[1] - _MARGIN_M, high[0] + _MARGIN_M, high[1] + _MARGIN_M)
    binding.params |= {f"{name}_{number}": corner for number, corner in enumerate(corners)}
    return Drawn(name, isinstance(placed, shapely.GeometryCollection), is_measurable(placed))
