"""Where the features of a layer can lie: in the area of its CRS, and not far from the town."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from pyproj import CRS, Transformer

from twin_api.policy.crs import area_of
from twin_api.policy.documents import Extent, Geometry

Boxes = Any  # array (n, 4): west, south, east, north
Outside = Callable[[Boxes], Any]  # boxes in the layer's CRS -> which of them lie outside


def outside(geometry: Geometry, extent: Extent | None) -> Outside:
    """Outside is what leaves the area of the layer's CRS, or does not touch the town grown by its own size on every side."""
    in_area = area_of(geometry.epsg)
    beside = _beside(geometry, extent) if extent is not None else None

    def lies_outside(boxes: Boxes) -> Any:
        away = ~(in_area(boxes[:, :2]) & in_area(boxes[:, 2:]))
        return away if beside is None else away | beside(boxes)

    return lies_outside


def box_of(boxes: Boxes, place: Callable[[Any], Any]) -> Boxes:
    """Boxes elsewhere, roughly: from two of their corners."""
    one, other = place(boxes[:, :2]), place(boxes[:, 2:])
    return np.column_stack([np.minimum(one, other), np.maximum(one, other)])


def _beside(geometry: Geometry, extent: Extent) -> Outside:
    width, height = extent.east - extent.west, extent.north - extent.south
    west, south, east, north = extent.west - width, extent.south - height, extent.east + width, extent.north + height
    to_town = Transformer.from_crs(CRS.from_epsg(geometry.epsg), CRS.from_epsg(extent.epsg), always_xy=True)

    def beside(boxes: Boxes) -> Any:
        if geometry.epsg != extent.epsg:
            boxes = box_of(boxes, lambda points: np.column_stack(to_town.transform(points[:, 0], points[:, 1])))
        touches = (boxes[:, 0] <= east) & (boxes[:, 2] >= west) & (boxes[:, 1] <= north) & (boxes[:, 3] >= south)
        return ~touches  # what is no number touches nothing

    return beside
