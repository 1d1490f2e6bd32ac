"""Distances from a drawn place: what is too far away is known by its box, without being measured."""

from __future__ import annotations

from math import cos, radians
from typing import Final

import sqlalchemy as sa

from twin_api.query.box import HALF_WORLD_M, latitude
from twin_api.query.cql2.binding import Binding
from twin_api.query.cql2.expression import Call, Expression, Literal, Operand, call, every
from twin_api.query.cql2.functions import DISTANCE
from twin_api.query.cql2.geometry import Boxed, Drawn

_METRES_OF_A_DEGREE: Final = 110_000.0  # northwards, at least
_STRETCHED: Final = 1.01  # a metre northwards, on the spheroid, in Web Mercator beside the parallel's
_BULGE_M: Final = 500.0  # how far the shortest way between two corners, 80 km apart, lies beside the line on the map
_FARTHEST_DEGREES: Final = 85.0
_MIRRORED: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "="}


def narrowed(binding: Binding, op: str, one: Operand, other: Operand, compared: Expression) -> Expression:
    """`compared`, a comparison of these two, beside what their boxes alone say of it; `compared` itself where they say nothing."""
    if isinstance(one, Literal):
        op, one, other = _MIRRORED.get(op, ""), other, one
    drawn = _drawn_of(one)
    if drawn is None or not isinstance(other, Literal) or op not in _MIRRORED:
        return compared
    box = _reach(binding, drawn, float(other.value))
    if box is None:
        return compared
    near = Boxed(f"{drawn.name}_{len(binding.params)}")
    binding.params |= {f"{near.name}_{corner}": value for corner, value in enumerate(box)}
    if op.startswith(">"):
        return call(sa.or_, "boolean", call(sa.not_, "boolean", near), compared)
    return call(sa.and_, "boolean", near, compared)


def _drawn_of(operand: Operand) -> Drawn | None:
    """The place from which the item's distance is measured."""
    if not isinstance(operand, Call) or operand.make is not DISTANCE:
        return None
    drawn = [part for part in every(operand) if isinstance(part, Drawn)]
    return drawn[0] if len(drawn) == 1 else None  # the other side is the item's


def _reach(binding: Binding, drawn: Drawn, distance_m: float) -> tuple[float, float, float, float] | None:
    """The box in Web Mercator of all that is so near; None near the poles, and across the antimeridian."""
    west, south, east, north = (binding.params[f"{drawn.name}_{corner}"] for corner in range(4))
    reach_m = max(0.0, distance_m) + _BULGE_M
    farthest = max(abs(latitude(south)), abs(latitude(north))) + reach_m / _METRES_OF_A_DEGREE
    if farthest > _FARTHEST_DEGREES:
        return None
    by = reach_m * _STRETCHED / cos(radians(farthest))
    if max(abs(west - by), abs(east + by)) > HALF_WORLD_M:
        return None
    return west - by, south - by, east + by, north + by
