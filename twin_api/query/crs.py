"""Coordinate reference systems that items can be asked in (OGC 18-058r1, Features Part 2), with their axes as the authority has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from twin_api.encodings.ground import Ground
from twin_api.problems import InvalidParameter
from twin_api.query.reach import area_reach
from twin_api.store.collection import MERCATOR_SRID, Description
from twin_api.texts import Text

_OGC: Final = "http://www.opengis.net/def/crs/OGC/"
_EPSG: Final = "http://www.opengis.net/def/crs/EPSG/0/"
_DIGITS_OF_DEGREES: Final = 7  # after the point, as in the finished texts: a centimetre
_DIGITS_OF_LENGTHS: Final = 2

_BOXES_OF_A_ZONE: Final = (-1e6, 0.0, 2e6, 9e6)

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Crs:
    """`uri` names it, `srid` is its number in PostGIS, which always puts east first; `axes_swapped` where the CRS itself puts north first.

    `digits` after the point are a centimetre: no shown place becomes finer in another CRS. `is_flat` knows no heights; in all
    others heights are the third coordinate as the layer stores them. `reach` is west, south, east, north in Web Mercator metres:
    what lies outside cannot be computed in this CRS.
    """

    uri: str
    srid: int
    axes_swapped: bool = False
    digits: int = _DIGITS_OF_LENGTHS
    is_flat: bool = False
    reach: Box | None = None

    @property
    def box_reach(self) -> Box | None:
        """In its own units, east first: boxes within it can be computed in Web Mercator. Not asked of degrees of WGS 84."""
        return _BOXES_OF_A_ZONE if self.reach else area_reach(self.srid)

    @property
    def is_degrees(self) -> bool:
        return self.digits == _DIGITS_OF_DEGREES

    @property
    def ground(self) -> Ground:
        """What a drawing of its coordinates needs to know."""
        if self.is_degrees:
            return Ground("degree", self.axes_swapped)
        if self.srid == MERCATOR_SRID:
            return Ground("mercator")
        return Ground("metre" if self.reach else "other", self.axes_swapped)

    @property
    def margin(self) -> float:
        """Half of the last digit: a box drawn on a printed point has to find it."""
        return 0.5 * 10.0**-self.digits


def _utm(zone: int) -> Crs:
    """ETRS89 / UTM in a northern zone, computed up to 45° from its middle."""
    middle = (6 * zone - 183) / 180 * 20037508.342789244
    reach = (middle - 5.0e6, -3.5e6, middle + 5.0e6, 1.9e7)
    return Crs(f"{_EPSG}{25800 + zone}", 25800 + zone, reach=reach)


CRS84: Final = Crs(f"{_OGC}1.3/CRS84", 4326, digits=_DIGITS_OF_DEGREES, is_flat=True)
CRS84H: Final = Crs(f"{_OGC}0/CRS84h", 4326, digits=_DIGITS_OF_DEGREES)
WGS84: Final = Crs(f"{_EPSG}4326", 4326, axes_swapped=True, digits=_DIGITS_OF_DEGREES)
WEB_MERCATOR: Final = Crs(f"{_EPSG}3857", MERCATOR_SRID)
COMMON: Final = (CRS84, WGS84, WEB_MERCATOR, _utm(32), _utm(33))


def default_crs(told: Description) -> Crs:
    """That of the finished texts (/req/core/crs84): CRS84, with heights CRS84h."""
    return CRS84H if told.has_heights else CRS84


def storage_crs(told: Description) -> Crs | None:
    """The layer's own; None without a geometry, or where nobody has said how its axes run."""
    known = next((crs for crs in COMMON[1:] if crs.srid == told.epsg), None)
    if known is not None or told.epsg is None or told.axes is None:
        return known
    digits = _DIGITS_OF_DEGREES if told.axes.degrees else _DIGITS_OF_LENGTHS
    return Crs(f"{_EPSG}{told.epsg}", told.epsg, told.axes.north_first, digits)


def offered_crs(told: Description) -> tuple[Crs, ...]:
    """In which a collection can be asked, its default first (/req/crs/fc-md-crs-list)."""
    own = storage_crs(told)
    return tuple(dict.fromkeys((default_crs(told), *COMMON, *([own] if own else []))))


def read_crs(parameter: str, uri: str, offered: Sequence[Crs]) -> Crs:
    """The CRS of this address; raises `InvalidParameter` (/req/crs/fc-crs-valid-value, /req/crs/fc-bbox-crs-valid-value)."""
    for crs in offered:
        if crs.uri == uri:
            return crs
    every = ", ".join(f"`{crs.uri}`" for crs in offered)
    raise InvalidParameter(parameter, Text(f"`{parameter}` verlangt eine von {every}", f"`{parameter}` wants one of {every}"))
