"""Geometries as they can be seen on a small sheet: nothing finer than its grid, and never more than can be drawn at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

Points = NDArray[np.float64]  # (n, 2): to the east, to the north
Drawn = NDArray[np.int64]  # (n, 2): to the right, downwards, in whole units of the sheet

POINT, LINE, AREA = range(3)
MOST: Final = 6_000  # vertices of a drawing
_MOST_SNAPPED: Final = 20_000  # before they are thinned out: that takes the square of the time at worst
_STEPS: Final = (1, 2, 4, 8, 16)  # of the grid, in units
_BITS: Final = 13  # of a coordinate on the sheet
_NESTED: Final = {  # how deep the points of each type lie, and what they draw
    "Point": (0, POINT), "MultiPoint": (1, POINT), "LineString": (1, LINE), "MultiLineString": (2, LINE),
    "Polygon": (2, AREA), "MultiPolygon": (3, AREA),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Parts:
    """All points of some geometries in a row. `part` says to which part a point belongs, `item` and `kind` what that is a part of."""

    points: Points
    part: NDArray[np.int64]
    item: NDArray[np.int64]
    kind: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Outline:
    """What is to be drawn of one geometry: parts of a kind; rings are closed without their last point. Coordinates are whole units."""

    item: int
    parts: Sequence[tuple[int, Drawn]]

    @property
    def kind(self) -> int:
        return max(kind for kind, _ in self.parts)

    @property
    def box(self) -> tuple[int, int, int, int]:
        every = np.concatenate([points for _, points in self.parts])
        (left, top), (right, bottom) = every.min(axis=0).tolist(), every.max(axis=0).tolist()
        return left, top, right, bottom


def read_parts(geometries: Sequence[Mapping[str, Any] | None], *, north_first: bool) -> Parts | None:
    """The parts of GeoJSON geometries; None where there is nothing to draw."""
    read = [(item, kind, points) for item, geometry in enumerate(geometries) for kind, points in _parts_of(geometry)]
    if not read:
        return None
    points = np.concatenate([points for _, _, points in read])
    lengths = [len(points) for _, _, points in read]
    return Parts(
        points[:, ::-1] if north_first else points,
        np.repeat(np.arange(len(read)), lengths),
        np.array([item for item, _, _ in read]),
        np.array([kind for _, kind, _ in read]),
    )


def outlines(parts: Parts, on_sheet: Callable[[Points], Points]) -> list[Outline]:
    """The outlines on the sheet, in the order of the geometries: about `MOST` vertices, on a coarser grid where there are many.

    What even the coarsest makes no simpler is drawn as the box that it fills.
    """
    parts = replace(parts, points=on_sheet(parts.points))
    for step in _STEPS:
        parts = _snapped(parts, step)
        if len(parts.points) <= _MOST_SNAPPED:
            thinned = _thinned(parts, 0.75 * step)
            if len(thinned.points) <= MOST:
                return _outlines(thinned)
    return _outlines(_boxed(parts))


def _parts_of(geometry: Mapping[str, Any] | None) -> Iterator[tuple[int, Points]]:
    open = [geometry] if geometry else []
    while open:
        one = open.pop()
        if one["type"] == "GeometryCollection":
            open += reversed(one["geometries"])
            continue
        depth, kind = _NESTED[one["type"]]
        for coordinates in _flat(one["coordinates"], depth):
            if coordinates:
                yield kind, np.array(coordinates, dtype=float)[:, :2]


def _flat(coordinates: Any, depth: int) -> list[Any]:
    """Lists of positions, whatever they were nested in."""
    if depth == 0:
        return [[coordinates] if coordinates else []]
    if depth == 1:
        return [coordinates]
    for _ in range(depth - 2):
        coordinates = [inner for outer in coordinates for inner in outer]
    return list(coordinates)


def _snapped(parts: Parts, step: int) -> Parts:
    """On a grid of this step, without repetitions. A part that shrinks to a point is drawn only if its item has no other."""
    on_grid = np.rint(parts.points / step) * step
    kind = parts.kind[parts.part]
    moved = np.ones(len(on_grid), dtype=bool)
    moved[1:] = (on_grid[1:] != on_grid[:-1]).any(axis=1) | (parts.part[1:] != parts.part[:-1])
    kept = moved & (kind != POINT)
    lengths = np.bincount(parts.part[kept], minlength=len(parts.item))
    is_whole = kept & (lengths[parts.part] > 1)
    has_whole = np.bincount(parts.item[parts.part[is_whole]], minlength=parts.item.max() + 1) > 0
    is_dot = (kind == POINT) | ((lengths[parts.part] == 1) & ~has_whole[parts.item[parts.part]])
    dots = _once(on_grid[is_dot], parts.item[parts.part[is_dot]])
    # each item's dots are a part of their own, after all others
    count = len(parts.item)
    return Parts(
        np.concatenate([on_grid[is_whole], dots[0]]),
        np.concatenate([parts.part[is_whole], count + dots[1]]),
        np.concatenate([parts.item, np.arange(parts.item.max() + 1)]),
        np.concatenate([parts.kind, np.full(parts.item.max() + 1, POINT)]),
    )


def _once(points: Points, item: NDArray[np.int64]) -> tuple[Points, NDArray[np.int64]]:
    """Each point of an item once, in an order of their own."""
    x, y = points.astype(np.int64).T
    keys = np.unique((item << 2 * _BITS) | (x << _BITS) | y)
    mask = (1 << _BITS) - 1
    return np.stack([keys >> _BITS & mask, keys & mask], axis=1).astype(float), keys >> 2 * _BITS


def _thinned(parts: Parts, tolerance: float) -> Parts:
    """Lines and rings without the points that they pass by no more than so far (Douglas and Peucker 1973)."""
    is_dot = parts.kind[parts.part] == POINT
    numbers, compact = np.unique(parts.part[~is_dot], return_inverse=True)
    if not len(numbers):
        return parts
    lines = shapely.simplify(shapely.linestrings(parts.points[~is_dot], indices=compact), tolerance, preserve_topology=False)
    points, index = shapely.get_coordinates(lines, return_index=True)
    every, part = np.concatenate([points, parts.points[is_dot]]), np.concatenate([numbers[index], parts.part[is_dot]])
    return Parts(every, part, parts.item, parts.kind)


def _boxed(parts: Parts) -> Parts:
    """With boxes for all items that have more than their share of the vertices."""
    item = parts.item[parts.part]
    sizes = np.bincount(item)
    heavy = np.flatnonzero(sizes > MOST // np.count_nonzero(sizes))
    is_light = ~np.isin(item, heavy)
    boxes = [_box(parts.points[item == one]) for one in heavy]
    return Parts(
        np.concatenate([parts.points[is_light], *boxes]),
        np.concatenate([parts.part[is_light], np.repeat(len(parts.item) + np.arange(len(heavy)), 5)]),
        np.concatenate([parts.item, heavy]),
        np.concatenate([parts.kind, np.full(len(heavy), AREA)]),
    )


def _box(points: Points) -> Points:
    (left, top), (right, bottom) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    return np.array([[left, top], [left, bottom], [right, bottom], [right, top], [left, top]])


def _outlines(parts: Parts) -> list[Outline]:
    if not len(parts.points):
        return []
    edges = np.flatnonzero(np.diff(parts.part)) + 1
    found: dict[int, list[tuple[int, Drawn]]] = {}
    for number, points in zip(parts.part[np.concatenate([[0], edges])], np.split(parts.points, edges), strict=True):
        kind = int(parts.kind[number])
        drawn = points.astype(np.int64)
        is_closed = kind == AREA and len(drawn) > 2 and (drawn[0] == drawn[-1]).all()
        found.setdefault(int(parts.item[number]), []).append((kind, drawn[:-1] if is_closed else drawn))
    return [Outline(item, found[item]) for item in sorted(found)]
