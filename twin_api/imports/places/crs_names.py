"""Names of coordinate reference systems as they stand in German files, and what they mean."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Final

from pyproj import CRS
from pyproj.exceptions import CRSError

EPSG: Final = re.compile(r"(?:.*\bEPSG(?:/[\d.]*)?[:/]+|.*epsg\.xml#|)(\d{4,6})", re.IGNORECASE)
LONGEST: Final = 20_000  # characters of a definition; a compound one in WKT 2 has about 5,000
# the working group of the states' surveying authorities (GeoInfoDok); without a state at the end, where the datum is that of all
ADV: Final = {
    "ETRS89_UTM31": 25831, "ETRS89_UTM32": 25832, "ETRS89_UTM33": 25833, "ETRS89_Lat-Lon": 4258,
    "DE_DHDN_3GK2": 31466, "DE_DHDN_3GK3": 31467, "DE_DHDN_3GK4": 31468, "DE_DHDN_3GK5": 31469,
    "DE_DHHN92_NH": 5783, "DE_DHHN2016_NH": 7837,
}  # fmt: skip


ADDRESS: Final = r"\s*+(?!https?://(?:www\.)?opengis\.net/)(?:[\w+.-]+:/|file:|/|\\|\.{1,2}[/\\])"
ELSEWHERE: Final = re.compile(ADDRESS, re.IGNORECASE)


def leads_elsewhere(name: str) -> bool:
    """Whether a reader might fetch it, or open it as a file, to know what it means. Of addresses, only the registry's are mere names."""
    return ELSEWHERE.match(name) is not None


def find_named(name: str) -> CRS | None:
    """The CRS of this name, number or definition; None where there is none.

    Numbers that the registry of EPSG does not have are looked up in Esri's, whose servers write them as EPSG's (102329).
    """
    if len(name) > LONGEST:
        return None
    number = EPSG.fullmatch(name.strip())
    for form in (name.strip(), number and f"EPSG:{number[1]}", number and f"ESRI:{number[1]}", _of_adv(name.strip())):
        if form:
            with suppress(CRSError):
                return CRS.from_user_input(form)
    return None


def _of_adv(name: str) -> str | None:
    numbers = [ADV.get(part) for part in name.removeprefix("urn:adv:crs:").split("*")]
    return "EPSG:" + "+".join(map(str, numbers)) if None not in numbers else None
