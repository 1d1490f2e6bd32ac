"""How the coordinates of a page lie on the ground: what a drawing needs to know of their CRS."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, cosh, radians
from typing import Final, Literal

_DEGREE_M: Final = 111_320.0  # of latitude, in the middle between equator and pole
_EARTH_M: Final = 6_378_137.0  # the radius that Web Mercator is computed with


@dataclass(frozen=True, slots=True)
class Ground:
    """The `unit` of both axes: `mercator` the metres of Web Mercator, longer towards the poles; how long an `other` one is, is unknown."""

    unit: Literal["degree", "metre", "mercator", "other"]
    north_first: bool = False

    def widths(self, north: float) -> float:
        """How wide a unit to the east is at this northing, measured by one to the north."""
        return max(0.01, cos(radians(north))) if self.unit == "degree" else 1.0

    def unit_m(self, north: float) -> float | None:
        """The length of a unit to the north, in metres."""
        if self.unit == "mercator":
            return 1.0 / cosh(north / _EARTH_M)
        return {"degree": _DEGREE_M, "metre": 1.0}.get(self.unit)


CRS84: Final = Ground("degree")
