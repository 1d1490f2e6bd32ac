"""Fields, meadows and woods between the settlements, and the tracks that lead to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely

from twin_api.layers.musterdorf.chance import Array, generator
from twin_api.layers.musterdorf.plan import ORIGIN, Plan
from twin_api.layers.musterdorf.stream import Stream

FIELD_M: Final = (196.0, 92.0)
TRACK_EVERY: Final = 4  # rows of fields
TRACK_FIELDS: Final = 4  # along one piece of track
SHIFTS: Final = (0.0, 0.31, 0.62)  # of a field's length, from rows to rows
_EDGES: Final = np.array([[0, 0.31, 0.62, 1], [0.31, 0.62, 1, 1.31], [0.62, 1, 1.31, 1.62]])  # a vertex where any neighbour may have one
LEAST_M2: Final = 600


@dataclass(frozen=True, slots=True)
class Fields:
    shapes: Array
    green: Array  # meadow or wood, not ploughed
    tracks: Array


def plough(plan: Plan, boundary: Any, obstacles: Array, settlements: Array, stream: Stream) -> Fields:
    """`obstacles` are roads; like `settlements` and the stream they are cut out of the fields."""
    phase = generator(plan.seed, "fields").random(3) * 2 * np.pi
    columns, rows = (int(plan.radius_m * 1.15 / size) + 1 for size in FIELD_M)
    i, j = (index.ravel() for index in np.meshgrid(np.arange(-columns, columns), np.arange(-rows, rows)))
    low = np.where(j % TRACK_EVERY == 0, 2.5, 0.0)
    high = np.where(j % TRACK_EVERY == TRACK_EVERY - 1, 2.5, 0.0)
    shift = j // 2 % len(SHIFTS)  # boundaries of fields do not run on for ever
    u = (i[:, None] + _EDGES[shift]) * FIELD_M[0]
    bottom, top = (np.broadcast_to(v[:, None], u.shape) for v in (j * FIELD_M[1] + low, (j + 1) * FIELD_M[1] - high))
    ring = np.concatenate([_bend(u, bottom, phase), _bend(u, top, phase)[:, ::-1]], axis=1)
    cells = shapely.polygons(ring)
    shapely.prepare(boundary)
    cells = cells[shapely.intersects(boundary, cells)]
    edge = ~shapely.contains(boundary, cells)
    cells[edge] = shapely.intersection(cells[edge], boundary)
    water = shapely.buffer(stream.axis, 9, quad_segs=2)
    for cut in (settlements, np.append(obstacles, water)):
        cells = _parts(_without(cells, cut))
    cells = _parts(shapely.set_precision(cells, 0.01))
    middle = shapely.centroid(cells)
    x, y = shapely.get_x(middle), shapely.get_y(middle)
    wood = np.sin(x / 820 + phase[0]) * np.sin(y / 760 + phase[1]) > 0.62
    tracks = _tracks(columns, rows, phase)
    tracks = tracks[shapely.contains(boundary, tracks) & ~shapely.intersects(stream.axis, tracks)]
    hit = shapely.STRtree(settlements).query(tracks, predicate="intersects")[0]
    return Fields(cells, wood | (stream.away_m(middle) < 105), np.delete(tracks, np.unique(hit)))


def _bend(u: Array, v: Array, phase: Array) -> Array:
    x = u + 60 * np.sin(v / 900 + phase[0]) + 16 * np.sin(v / 260 + phase[2])
    y = v + 75 * np.sin(u / 800 + phase[1]) + 14 * np.sin(u / 300 + phase[2])
    turn = 0.3 + phase[0] / 3
    return np.round(np.stack([x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)], axis=-1) + ORIGIN, 2)


def _tracks(columns: int, rows: int, phase: Array) -> Array:
    first, lines = np.meshgrid(
        np.arange(-columns, columns, TRACK_FIELDS), np.arange(-rows // TRACK_EVERY, rows // TRACK_EVERY) * TRACK_EVERY
    )
    u = (first.ravel()[:, None] + np.arange(TRACK_FIELDS * 2 + 1) / 2) * FIELD_M[0]
    v = np.broadcast_to((lines.ravel() * FIELD_M[1])[:, None], u.shape)
    tracks: Array = shapely.linestrings(_bend(u, v, phase))
    return tracks


def _without(cells: Array, cuts: Array) -> Array:
    """Cut each shape out of the cells it touches: the first of every cell at once, then the second, until none is left."""
    cell, cut = shapely.STRtree(cuts).query(cells, predicate="intersects")
    order = np.lexsort((cut, cell))
    cell, cut = cell[order], cut[order]
    cells = cells.copy()
    while len(cell):
        first = np.append(True, cell[1:] != cell[:-1])
        cells[cell[first]] = shapely.difference(cells[cell[first]], cuts[cut[first]])
        cell, cut = cell[~first], cut[~first]
    return cells


def _parts(cells: Array) -> Array:
    """Their polygons one by one, without those that nobody would plough."""
    parts = shapely.get_parts(cells)
    large: Array = parts[(shapely.get_type_id(parts) == 3) & (shapely.area(parts) > LEAST_M2)]
    return large
