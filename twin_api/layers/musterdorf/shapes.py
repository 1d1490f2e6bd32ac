"""Small things done to many shapes at once."""

from __future__ import annotations

import numpy as np
import shapely

from twin_api.layers.musterdorf.chance import Array


def multi(shapes: Array) -> Array:
    """Each polygon as a multipolygon of its own; multipolygons stay."""
    parts, owner = shapely.get_parts(shapes, return_index=True)
    wrapped: Array = shapely.multipolygons(parts, indices=owner)
    return wrapped


def inset(corners: Array, share: Array) -> Array:
    """Polygons with these corners, shrunk towards their middle to this share of their width."""
    middle = corners.mean(axis=1, keepdims=True)
    polygons: Array = shapely.polygons(np.round(middle + (corners - middle) * share[:, None, None], 2))
    return polygons
