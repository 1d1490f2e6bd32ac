"""Manholes along streets: where they stand, how high their lids lie, what the last inspection found. All invented."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import numpy as np
import shapely

from twin_api.layers.musterdorf.inspections import of_manhole
from twin_api.layers.musterdorf.layers import Row


def along(streets: Iterable[shapely.LineString], every_m: float, apart_m: float) -> list[Row]:
    """A manhole every `every_m` metres of each street, none nearer than `apart_m` to an earlier one.

    Numbers run in the order of the streets, so the caller's order decides them.
    """
    return [_manhole(f"K-{number:04d}", x, y) for number, (x, y) in enumerate(_apart(_spots(streets, every_m), apart_m), start=1)]


def height_m(x: float, y: float) -> float:
    """Invented ground above sea level: a valley floor that rises to the north-east, with gentle hills."""
    slope = (x - 678_000) * 0.004 + (y - 5_540_000) * 0.006
    hills = 6 * math.sin(x / 420) * math.cos(y / 530)
    return round(362 + slope + hills, 2)


def _manhole(number: str, x: float, y: float) -> Row:
    cover_m = height_m(x, y)
    return shapely.Point(x, y, cover_m), {"schacht_nr": number, **of_manhole(number, cover_m)}


def _spots(streets: Iterable[shapely.LineString], every_m: float) -> Iterator[tuple[float, float]]:
    for street in streets:
        distances = np.arange(min(every_m / 2, street.length / 2), street.length, every_m)
        for point in shapely.line_interpolate_point(street, distances):
            yield round(point.x, 2), round(point.y, 2)


def _apart(spots: Iterable[tuple[float, float]], apart_m: float) -> Iterator[tuple[float, float]]:
    cells: dict[tuple[int, int], list[tuple[float, float]]] = {}
    for x, y in spots:
        column, row = int(x // apart_m), int(y // apart_m)
        near = (other for i in (-1, 0, 1) for j in (-1, 0, 1) for other in cells.get((column + i, row + j), ()))
        if all(math.dist((x, y), other) >= apart_m for other in near):
            cells.setdefault((column, row), []).append((x, y))
            yield x, y
