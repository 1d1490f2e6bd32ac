"""How far boxes of a layer's own CRS can be computed in Web Mercator, whose index then finds what they hold."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from twin_api.store.collection import MERCATOR_SRID

_Box = tuple[float, float, float, float]

_AROUND_LON, _AROUND_LAT = 2.5, 1.0  # towns use a zone beyond its edge: this much is taken in by the policies too
_SIDE: Final = 33  # points that are looked at along a side of the area
_STEPS: Final = 64  # as in `box`: points on a side of a box
_BENT: Final = 5e-6  # half of what `box` allows a side to bend between two points, beside a metre of the two that it allows anyway
_EARTH: Final = (-180.0, -85.0, 180.0, 85.0)  # what Web Mercator shows


@lru_cache(maxsize=64)
def area_reach(srid: int) -> _Box | None:
    """The area of use and some room around it, in the CRS's own units, east first.

    None where boxes in it would tear, fold or bend too much in Web Mercator.
    """
    from pyproj import CRS, Transformer  # only where somebody asks for it: a server that reads degrees needs none

    crs = CRS.from_epsg(srid)
    if crs.area_of_use is None:
        return None
    west, south, east, north = crs.area_of_use.bounds
    if west >= east:  # across the antimeridian
        return None
    low = max(west - _AROUND_LON, _EARTH[0]), max(south - _AROUND_LAT, _EARTH[1])
    high = min(east + _AROUND_LON, _EARTH[2]), min(north + _AROUND_LAT, _EARTH[3])
    x, y = Transformer.from_crs("OGC:CRS84", crs, always_xy=True).transform(*_net((*low, *high)))
    reach = (float(x.min()), float(y.min()), float(x.max()), float(y.max()))
    if not np.isfinite(reach).all():
        return None
    there = Transformer.from_crs(crs, MERCATOR_SRID, always_xy=True).transform(*_net(reach))
    return reach if _is_smooth(*there, max(reach[2] - reach[0], reach[3] - reach[1])) else None


def _net(box: _Box) -> tuple[NDArray[Any], NDArray[Any]]:
    x, y = np.meshgrid(np.linspace(box[0], box[2], _SIDE), np.linspace(box[1], box[3], _SIDE))
    return x, y


def _is_smooth(x: NDArray[Any], y: NDArray[Any], side: float) -> bool:
    """Whether east stays east and north stays north, and no side of a box leaves the lines between its points by more than `box` allows."""
    if not (np.isfinite(x).all() and np.isfinite(y).all() and (np.diff(x, axis=1) > 0).all() and (np.diff(y, axis=0) > 0).all()):
        return False
    bent = max(np.abs(np.diff(x, n=2, axis=0)).max(), np.abs(np.diff(y, n=2, axis=1)).max()) / 8  # over the longest piece of the net
    return bool(bent * ((_SIDE - 1) / _STEPS) ** 2 <= 1.0 + _BENT * (side / _STEPS) ** 2)
