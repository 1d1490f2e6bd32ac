"""Arcs as chords: GEOS and the store know straight lines only (types 8 to 12 of ISO 13249-3 WKB become 2, 3, 5 and 6).

An arc becomes the same points whichever way it is walked, so that two areas that share one still share a border.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

CIRCULAR, COMPOUND, CURVE_POLYGON, MULTI_CURVE, MULTI_SURFACE = 8, 9, 10, 11, 12
STRAIGHT: Final = {CIRCULAR: 2, COMPOUND: 2, CURVE_POLYGON: 3, MULTI_CURVE: 5, MULTI_SURFACE: 6}
OLD_Z: Final = 0x8000_0000
STEP: Final = math.radians(1)  # chords are off by less than 4 mm at a radius of 100 m …
DEVIATION: Final = 0.005  # … and by less than 5 mm at any radius, in a CRS in metres
MOST: Final = 3_600  # chords per arc, whatever its radius
PLAIN: Final = frozenset((z + code).to_bytes(4, "little") for z in (0, 1_000, OLD_Z) for code in range(1, 8))
HEADER: Final = struct.Struct("<BII")


def straighten_all(shapes: Sequence[bytes | None]) -> list[bytes | None]:
    """`straighten` for each; most kinds are seen at once to have no arcs."""
    return [shape if shape is None or shape[1:5] in PLAIN else straighten(shape) for shape in shapes]


def straighten(wkb: bytes | None) -> bytes | None:
    """The same geometry without arcs; what has none, and what is no WKB, comes back as it is."""
    if wkb is None or _base(int.from_bytes(wkb[1:5], "little")) not in STRAIGHT:
        return wkb
    try:
        return _geometry(wkb, 0)[0]
    except (struct.error, ValueError, IndexError, RecursionError):
        return wkb


def _base(code: int) -> int:
    return (code & ~OLD_Z) % 1_000


def _dimensions(code: int) -> int:
    thousands = (code & ~OLD_Z) // 1_000
    return 2 + bool(code & OLD_Z) + (0, 1, 1, 2)[thousands]


def _geometry(wkb: bytes, at: int) -> tuple[bytes, int]:
    """The straight form of what begins at `at`, and where it ends."""
    order, code, count = HEADER.unpack_from(wkb, at)
    base = _base(code)
    if base not in (2, 3, *STRAIGHT) or order != 1:
        raise ValueError(code)
    if base in (2, CIRCULAR, COMPOUND):
        points, end = _line(wkb, at)
        return HEADER.pack(1, code - base + 2, len(points)) + points.astype("<f8").tobytes(), end
    parts, at = [], at + HEADER.size
    for _ in range(count):
        part, at = _ring(wkb, at, _dimensions(code)) if base == 3 else _geometry(wkb, at)
        parts.append(part[5:] if base == CURVE_POLYGON else part)  # a ring has no header but its count
    return HEADER.pack(1, code - base + STRAIGHT.get(base, base), count) + b"".join(parts), at


def _ring(wkb: bytes, at: int, dimensions: int) -> tuple[bytes, int]:
    end = at + 4 + int.from_bytes(wkb[at : at + 4], "little") * dimensions * 8
    if end > len(wkb):
        raise ValueError(end)
    return wkb[at:end], end


def _line(wkb: bytes, at: int) -> tuple[Any, int]:
    """The points of a line string, of arcs, or of both in turn."""
    _, code, count = HEADER.unpack_from(wkb, at)
    at += HEADER.size
    if _base(code) != COMPOUND:
        points = np.frombuffer(wkb, "<f8", count * _dimensions(code), at).reshape(count, -1)
        return points if _base(code) == 2 else _chords(points), at + points.nbytes
    parts = []
    for number in range(count):
        points, at = _line(wkb, at)
        parts.append(points[1:] if number else points)
    return np.vstack(parts), at


def _chords(points: Any) -> Any:
    """Each arc begins where the one before ended: start, a point on the way, end."""
    if len(points) < 3 or len(points) % 2 == 0:
        return points
    arcs = [_arc(*points[first : first + 3]) for first in range(0, len(points) - 2, 2)]
    return np.vstack([arcs[0], *(arc[1:] for arc in arcs[1:])])


def _arc(start: Any, middle: Any, end: Any) -> Any:
    if tuple(end) < tuple(start):
        return _arc(end, middle, start)[::-1]
    centre = _centre(start, middle, end)
    if centre is None:
        return np.vstack([start, middle, end])
    radius = math.dist(start[:2], centre)
    first, on_the_way, last = (math.atan2(point[1] - centre[1], point[0] - centre[0]) for point in (start, middle, end))
    turn = (last - first) % math.tau or math.tau
    if (on_the_way - first) % math.tau > turn:  # the other way round
        turn -= math.tau
    count = min(MOST, max(2, math.ceil(abs(turn) / min(STEP, 2 * math.acos(max(-1.0, 1 - DEVIATION / radius)) or STEP))))
    share = np.linspace(0, 1, count + 1)[:, None]
    angles = first + turn * share[:, 0]
    way = np.hstack([centre + radius * np.column_stack([np.cos(angles), np.sin(angles)]), start[2:] + share * (end[2:] - start[2:])])
    way[0], way[-1] = start, end
    return way


def _centre(start: Any, middle: Any, end: Any) -> Any:
    """Of the circle through three points; `None` if they lie on a straight line. Start and end at one place: a whole circle."""
    if tuple(start[:2]) == tuple(end[:2]):
        return None if tuple(start[:2]) == tuple(middle[:2]) else (start[:2] + middle[:2]) / 2
    (ax, ay), (bx, by) = middle[:2] - start[:2], end[:2] - start[:2]
    double_area = 2 * (ax * by - ay * bx)
    if abs(double_area) < 1e-12 * (math.hypot(ax, ay) * math.hypot(bx, by) or 1) or not math.isfinite(double_area):
        return None
    a, b = ax * ax + ay * ay, bx * bx + by * by
    return start[:2] + np.array([by * a - ay * b, ax * b - bx * a]) / double_area
