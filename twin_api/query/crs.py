"""Coordinate reference systems that a request may name by URI (OGC 18-058r1); their axes in the order of their authority."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from twin_api.problems import InvalidParameter
from twin_api.store.collection import Collection
from twin_api.texts import Text

Coordinates = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Crs:
    """`axes_swapped` where the URI's own order is latitude before longitude."""

    uri: str
    srid: int
    axes_swapped: bool = False

    def to_degrees(self, points: Coordinates) -> Coordinates:
        """Points (n, 2) in the URI's order of axes as longitude and latitude in CRS84; not finite where there is none."""
        ordered = points[:, ::-1] if self.axes_swapped else points
        if self.srid == 4326:
            return np.asarray(ordered, dtype=np.float64)
        return np.column_stack(_to_degrees(self.srid)(ordered[:, 0], ordered[:, 1]))


def _epsg(srid: int, *, axes_swapped: bool = False) -> Crs:
    return Crs(f"http://www.opengis.net/def/crs/EPSG/0/{srid}", srid, axes_swapped)


CRS84: Final = Crs("http://www.opengis.net/def/crs/OGC/1.3/CRS84", 4326)
CRS84H: Final = Crs("http://www.opengis.net/def/crs/OGC/0/CRS84h", 4326)
OFFERED: Final = (CRS84, CRS84H, _epsg(4326, axes_swapped=True), _epsg(3857), _epsg(25832), _epsg(25833))


def crs_of(collection: Collection) -> tuple[Crs, ...]:
    """All that a request on the collection may name: those of every collection, and its own."""
    own = collection.description.epsg
    return OFFERED if own is None or own in {crs.srid for crs in OFFERED} else (*OFFERED, _own(own))


def find_crs(parameter: str, uri: str, collection: Collection) -> Crs:
    """The CRS of that URI; raises `InvalidParameter` with all there are."""
    offered = crs_of(collection)
    for crs in offered:
        if crs.uri == uri.strip("[]").replace("https://", "http://", 1):
            return crs
    known = ", ".join(f"`{crs.uri}`" for crs in offered)
    raise InvalidParameter(parameter, Text(f"`{parameter}` verlangt eines von {known}", f"`{parameter}` wants one of {known}"))


@lru_cache(maxsize=64)
def _own(srid: int) -> Crs:
    """A layer's own CRS; Gauß-Krüger, for one, has its northing first."""
    from pyproj import CRS  # see below

    first = CRS.from_epsg(srid).axis_info[0].direction
    return _epsg(srid, axes_swapped=first.lower() in ("north", "south"))


@lru_cache(maxsize=64)
def _to_degrees(srid: int) -> Callable[..., tuple[Any, Any]]:
    from pyproj import Transformer  # only where somebody asks for it: a server that reads degrees needs none

    return Transformer.from_crs(srid, "OGC:CRS84", always_xy=True).transform
