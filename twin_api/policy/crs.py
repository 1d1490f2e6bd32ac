"""Coordinate reference systems as policies name them: by EPSG number.

Must never guess a unit: a grid in metres over degrees would not be the grid that was decided.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError

from twin_api.policy.fields import integer_of
from twin_api.policy.finding import Findings, quoted
from twin_api.policy.yaml_file import Node
from twin_api.texts import Text

# towns use a zone beyond its edge: all of Bavaria writes EPSG:25832, which ends at 12° E
AROUND_LON, AROUND_LAT = 2.5, 1.0
LON_LAT: Final = CRS("OGC:CRS84")
Points = NDArray[np.float64]
Inside = NDArray[np.bool_]


def check_epsg(node: Node, findings: Findings) -> int:
    """The EPSG number of a horizontal CRS that exists; 25382 for 25832 is the usual slip."""
    before = len(findings)
    epsg = integer_of(node, findings)
    if len(findings) == before and unit_of(epsg) is None:
        what = Text(f"ein Koordinatensystem EPSG {quoted(epsg)} gibt es nicht", f"there is no coordinate system EPSG {quoted(epsg)}")
        remedy = Text("etwa `25832` (ETRS89 / UTM 32N) oder `25833` schreiben", "write `25832` (ETRS89 / UTM 32N) or `25833`, for example")
        findings.add(node.place, what, remedy)
    return epsg


@lru_cache(maxsize=256)
def unit_of(epsg: int) -> str | None:
    """`metre`, `degree` …: the unit of the first horizontal axis; None where the number names no horizontal CRS."""
    if not 1024 <= epsg <= 999_999:
        return None
    try:
        crs = CRS.from_epsg(epsg)
    except CRSError:
        return None
    return crs.axis_info[0].unit_name if crs.axis_info and (crs.is_projected or crs.is_geographic) else None


@lru_cache(maxsize=256)
def points_north_first(epsg: int) -> bool:
    """Whether the first axis of an existing CRS points north: latitude, or the northing of Gauß-Krüger."""
    return bool(CRS.from_epsg(epsg).axis_info[0].direction == "north")


def holds(epsg: int, *points: tuple[float, float]) -> bool:
    """Whether these points, x before y, lie in the CRS's area of use, with some room around it."""
    return bool(area_of(epsg)(np.array(points, dtype=float)).all())


@lru_cache(maxsize=64)
def area_of(epsg: int) -> Callable[[Points], Inside]:
    """A function from points (n, 2) in this CRS to which of them lie in its area of use, with some room around it."""
    crs = CRS.from_epsg(epsg)
    to_degrees = Transformer.from_crs(crs, LON_LAT, always_xy=True)
    west, south, east, north = crs.area_of_use.bounds if crs.area_of_use is not None else (-180.0, -90.0, 180.0, 90.0)

    def inside(points: Points) -> Inside:
        lon, lat = to_degrees.transform(points[:, 0], points[:, 1])
        in_lon = (lon >= west - AROUND_LON) & (lon <= east + AROUND_LON)
        in_lat = (lat >= south - AROUND_LAT) & (lat <= north + AROUND_LAT)
        return np.asarray(np.isfinite(lon) & np.isfinite(lat) & in_lon & in_lat)

    return inside
