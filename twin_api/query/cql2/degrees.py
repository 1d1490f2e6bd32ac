"""The coordinates of a filter, whatever CRS they are written in, as longitude and latitude in CRS84."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin_api.query.crs import CRS84, Crs

Coordinates = NDArray[np.float64]


def to_degrees(crs: Crs, points: Coordinates) -> Coordinates:
    """Points (n, 2) in the CRS's own order of axes; not finite where a point lies outside of the CRS."""
    ordered = points[:, ::-1] if crs.axes_swapped else points
    if crs.srid == CRS84.srid:
        return np.asarray(ordered, dtype=np.float64)
    return np.column_stack(_transformation(crs.srid)(ordered[:, 0], ordered[:, 1]))


@lru_cache(maxsize=64)
def _transformation(srid: int) -> Callable[..., tuple[Any, Any]]:
    from pyproj import Transformer  # only where somebody asks for it: a server that reads degrees needs none

    return Transformer.from_crs(srid, "OGC:CRS84", always_xy=True).transform
