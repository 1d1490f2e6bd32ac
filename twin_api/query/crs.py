"""Coordinate reference systems that a request may name by URI (OGC 18-058r1); their axes in the order of their authority."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from twin_api.problems import InvalidParameter
from twin_api.store.collection import Description
from twin_api.texts import Text

_OGC: Final = "http://www.opengis.net/def/crs/OGC/"
_EPSG: Final = "http://www.opengis.net/def/crs/EPSG/0/"


@dataclass(frozen=True, slots=True)
class Crs:
    """`uri` names it, `srid` is its number in PostGIS, which puts east first; `axes_swapped` where the CRS itself puts north first."""

    uri: str
    srid: int
    axes_swapped: bool = False


CRS84: Final = Crs(f"{_OGC}1.3/CRS84", 4326)
CRS84H: Final = Crs(f"{_OGC}0/CRS84h", 4326)
WGS84: Final = Crs(f"{_EPSG}4326", 4326, axes_swapped=True)
COMMON: Final = (CRS84, WGS84, *(Crs(f"{_EPSG}{srid}", srid) for srid in (3857, 25832, 25833)))


def offered_crs(told: Description) -> tuple[Crs, ...]:
    """In which a collection can be asked: the common ones and its own."""
    own = () if told.epsg is None else (_own(told.epsg),)
    high = (CRS84H,) if (told.geometry_type or "").endswith("Z") else ()
    return tuple(dict.fromkeys((*COMMON, *high, *own)))


def read_crs(parameter: str, uri: str, offered: Sequence[Crs]) -> Crs:
    """The CRS of this address; raises `InvalidParameter` with all there are."""
    for crs in offered:
        if crs.uri == uri:
            return crs
    every = ", ".join(f"`{crs.uri}`" for crs in offered)
    raise InvalidParameter(parameter, Text(f"`{parameter}` verlangt eines von {every}", f"`{parameter}` wants one of {every}"))


@lru_cache(maxsize=64)
def _own(srid: int) -> Crs:
    """A layer's own CRS; Gauß-Krüger, for one, has its northing first."""
    for crs in COMMON[1:]:
        if crs.srid == srid:
            return crs
    from pyproj import CRS  # only for a layer that is in none of the common ones

    first = CRS.from_epsg(srid).axis_info[0].direction.lower()
    return Crs(f"{_EPSG}{srid}", srid, axes_swapped=first in ("north", "south"))
