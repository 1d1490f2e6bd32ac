"""Things along streets: at regular distances, on the axis or beside it."""

from __future__ import annotations

import numpy as np
import shapely

from twin_api.layers.musterdorf.chance import Array, steps_in_groups


def spread(lines: Array, count: int) -> tuple[Array, Array]:
    """`count` places on these lines, as evenly as the lines allow: which line, and how many metres along it."""
    length = shapely.length(lines)
    upto = np.floor(np.concatenate([[0.0], np.cumsum(length)]) * (count / max(length.sum(), 1e-9)) + 0.5).astype(int)
    each = np.diff(upto)
    line, step = steps_in_groups(each)
    return line, (step + 0.5) * length[line] / each[line]


def beside(lines: Array, line: Array, metres: Array, left_m: Array) -> Array:
    """Points this far to the left of the axis (negative: right), rounded to centimetres, as (x, y)."""
    length = shapely.length(lines[line])
    early, late = np.maximum(metres - 0.5, 0), np.minimum(metres + 0.5, length)
    before = shapely.get_coordinates(shapely.line_interpolate_point(lines[line], early))
    after = shapely.get_coordinates(shapely.line_interpolate_point(lines[line], late))
    along = after - before
    along /= np.maximum(np.hypot(*along.T), 1e-9)[:, None]
    at = shapely.get_coordinates(shapely.line_interpolate_point(lines[line], metres))
    points: Array = np.round(at + along[:, ::-1] * (-1, 1) * left_m[:, None], 2)
    return points


def alternating(line: Array, half_m: Array) -> Array:
    """Left and right by turns."""
    return np.where(np.arange(len(line)) % 2 == 0, 1, -1) * half_m
