"""Temporal functions over instants and intervals (OGC 21-065r2, 7.7): an instant begins and ends with itself.

Both sides are compared as moments, or by days in UTC where one of the times is a day.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import sqlalchemy as sa

from twin_api.query.cql2.binding import Binding
from twin_api.query.cql2.expression import FAMILIES, Call, Expression, Literal, Operand, Sql, call, refuse
from twin_api.query.cql2.times import read_time

OPEN: Final = ".."
_Ends = tuple[Operand | None, Operand | None]  # None: an open end

TEMPORAL: Final[dict[str, Callable[[Sql, Sql, Sql, Sql], Sql]]] = {
    "t_after": lambda start, end, start2, end2: start > end2,
    "t_before": lambda start, end, start2, end2: end < start2,
    "t_contains": lambda start, end, start2, end2: sa.and_(start < start2, end > end2),
    "t_disjoint": lambda start, end, start2, end2: sa.or_(end < start2, start > end2),
    "t_during": lambda start, end, start2, end2: sa.and_(start > start2, end < end2),
    "t_equals": lambda start, end, start2, end2: sa.and_(start == start2, end == end2),
    "t_finishedby": lambda start, end, start2, end2: sa.and_(start < start2, end == end2),
    "t_finishes": lambda start, end, start2, end2: sa.and_(start > start2, end == end2),
    "t_intersects": lambda start, end, start2, end2: sa.and_(end >= start2, start <= end2),
    "t_meets": lambda start, end, start2, end2: end == start2,
    "t_metby": lambda start, end, start2, end2: start == end2,
    "t_overlappedby": lambda start, end, start2, end2: sa.and_(start > start2, start < end2, end > end2),
    "t_overlaps": lambda start, end, start2, end2: sa.and_(start < start2, end > start2, end < end2),
    "t_startedby": lambda start, end, start2, end2: sa.and_(start == start2, end > end2),
    "t_starts": lambda start, end, start2, end2: sa.and_(start == start2, end < end2),
}


def bind_temporal(binding: Binding, op: str, args: list[Any]) -> Expression:
    ends = [end for arg in args for end in _ends(binding, arg)]
    type_ = binding.type_of_all([end for end in ends if end is not None] or [read_time("2000-01-01")])
    if FAMILIES[type_] != "time":
        refuse(f"`{op.upper()}` vergleicht Zeiten", f"`{op.upper()}` compares times")
    bound = [_unbounded(type_, number) if end is None else binding.bound(end, type_) for number, end in enumerate(ends)]
    return call(TEMPORAL[op], "boolean", *bound)


def _ends(binding: Binding, node: Any) -> _Ends:
    match node:
        case {"interval": [start, end], **more} if not more:
            ends = _end(binding, start), _end(binding, end)
            if isinstance(ends[0], Literal) and isinstance(ends[1], Literal) and _is_reversed(ends[0], ends[1]):
                refuse("ein Zeitraum endet vor seinem Anfang", "an interval ends before it begins")
            return ends
        case {"interval": _}:
            refuse(
                "`INTERVAL` verlangt Anfang und Ende, etwa `INTERVAL('2026-01-01','..')`",
                "`INTERVAL` wants a start and an end, such as `INTERVAL('2026-01-01','..')`",
            )
    instant = binding.operand(node)
    return instant, instant


def _end(binding: Binding, node: Any) -> Operand | None:
    if node == OPEN:
        return None
    return read_time(node) if isinstance(node, str) else binding.operand(node)


def _is_reversed(start: Literal, end: Literal) -> bool:
    return start.type == end.type and start.type in ("date", "datetime") and bool(start.value > end.value)


def _unbounded(type_: str, number: int) -> Expression:
    """Before all times as a start, after all as an end."""
    return Call(_UNBOUNDED[type_, bool(number % 2)], type_, ())


_UNBOUNDED: Final[dict[tuple[str, bool], Callable[[], Sql]]] = {
    ("date", False): lambda: sa.literal_column("'-infinity'::date", sa.Date()),
    ("date", True): lambda: sa.literal_column("'infinity'::date", sa.Date()),
    ("datetime", False): lambda: sa.literal_column("'-infinity'::timestamptz", sa.DateTime(timezone=True)),
    ("datetime", True): lambda: sa.literal_column("'infinity'::timestamptz", sa.DateTime(timezone=True)),
}
