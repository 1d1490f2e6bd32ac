"""Where on earth a file lies, from its numbers: columns that hold places, and the coordinate system that puts them into Germany.

Must never decide: what is found here stands in a draft with its reason, and a person keeps or changes it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from pyproj import Transformer
from pyproj.exceptions import ProjError

from twin_api.imports.arrow import Values
from twin_api.imports.description import Place
from twin_api.imports.naming import attribute_name
from twin_api.imports.places.crs_names import find_named
from twin_api.policy.crs import LON_LAT

Bounds = tuple[float, float, float, float]  # west, south, east, north
GERMANY: Final[Bounds] = (4.5, 46.5, 16.5, 56.0)
AXES: Final = (
    ("x", "y"), ("lon", "lat"), ("long", "lat"), ("lng", "lat"), ("longitude", "latitude"), ("laenge", "breite"),
    ("laengengrad", "breitengrad"), ("ost", "nord"), ("ostwert", "nordwert"), ("rechtswert", "hochwert"), ("rechts", "hoch"),
    ("easting", "northing"), ("e", "n"), ("rw", "hw"), ("xcoord", "ycoord"), ("xkoord", "ykoord"), ("xkoordinate", "ykoordinate"),
    ("xwert", "ywert"),
)  # fmt: skip
COORDINATES: Final = {word for pair in AXES for word in pair} - {"laenge", "breite", "rechts", "hoch", "e", "n", "long"}
WKT: Final = re.compile(r"\s*(?:SRID=\d{4,6};)?\s*(?:MULTI)?(?:POINT|LINESTRING|POLYGON)\s*(?:Z\s*)?\(", re.IGNORECASE)
# what eastings and northings give away, tried in this order; {0} is the town's own
RANGES: Final[tuple[tuple[Bounds, str, int | None], ...]] = (
    (GERMANY, "EPSG:4326", None),
    ((32_200_000, 5_200_000, 32_960_000, 6_200_000), "EPSG:25832", 32),
    ((33_100_000, 5_200_000, 33_800_000, 6_200_000), "EPSG:25833", 33),
    ((2_300_000, 5_200_000, 2_700_000, 6_200_000), "EPSG:31466", None),
    ((3_300_000, 5_200_000, 3_700_000, 6_200_000), "EPSG:31467", None),
    ((4_300_000, 5_200_000, 4_700_000, 6_200_000), "EPSG:31468", None),
    ((5_300_000, 5_200_000, 5_700_000, 6_200_000), "EPSG:31469", None),
    ((100_000, 5_200_000, 960_000, 6_200_000), "EPSG:{0}", None),
    ((500_000, 5_800_000, 1_900_000, 7_600_000), "EPSG:3857", None),
)


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """What the file does not say itself, or says wrongly; `remarks` in German."""

    crs: str | None = None
    axes: Literal["as-declared", "swapped"] = "as-declared"
    zone_prefix: int | None = None
    remarks: tuple[str, ...] = ()


def whereabouts(bounds: Sequence[float], declared: str | None, town_epsg: int) -> Whereabouts:
    """How these bounds, x before y, come to lie in Germany; nothing to say if they do as declared, or never will."""
    here = (bounds[0], bounds[1], bounds[2], bounds[3])
    if not np.isfinite(here).all() or (declared is not None and _lies_in_germany(here, declared)):
        return Whereabouts()
    turned = (here[1], here[0], here[3], here[2])
    if declared is not None and _lies_in_germany(turned, declared):
        return Whereabouts(axes="swapped", remarks=("wie angegeben läge alles außerhalb Deutschlands, mit vertauschten Achsen nicht",))
    for extent, swapped in ((here, False), (turned, True)):
        found = _by_numbers(extent, town_epsg)
        if found is not None:
            remarks = (_reason(declared, swapped, found[1]),)
            return Whereabouts(found[0], "swapped" if swapped else "as-declared", found[1], remarks)
    missing = "die Datei nennt kein Koordinatensystem, und ihren Zahlen ist keines anzusehen: `crs` ergänzen"
    return Whereabouts(remarks=() if declared is not None else (missing,))


def _reason(declared: str | None, swapped: bool, prefix: int | None) -> str:
    said = "die Datei nennt kein Koordinatensystem" if declared is None else "das Koordinatensystem der Datei passt nicht zu ihren Zahlen"
    more = [*(["Hochwert vor Rechtswert"] if swapped else []), *([f"Zone {prefix} vor dem Rechtswert"] if prefix else [])]
    return ", ".join([said, *more]) + "; dieses passt, bitte prüfen"


def _by_numbers(bounds: Bounds, town_epsg: int) -> tuple[str, int | None] | None:
    for within, crs, prefix in RANGES:
        if _inside(bounds, within):
            return crs.format(town_epsg), prefix
    return None


def _inside(bounds: Sequence[float], within: Bounds) -> bool:
    return within[0] <= bounds[0] and within[1] <= bounds[1] and bounds[2] <= within[2] and bounds[3] <= within[3]


def _lies_in_germany(bounds: Bounds, declared: str) -> bool:
    crs = find_named(declared)
    if crs is None:
        return False
    try:
        flat = (crs.sub_crs_list[0] if crs.is_compound else crs).to_2d()
        west, south, east, north = Transformer.from_crs(flat, LON_LAT, always_xy=True).transform_bounds(*bounds)
    except ProjError:
        return False
    return _inside((west, south, east, north), GERMANY)


def find_place(columns: Mapping[str, Values], number: Callable[[str], float | None]) -> Place:
    """The columns of a table that hold the place, as headers and first values tell; an empty `Place` if none do."""
    for header, values in columns.items():
        texts = [value for value in values if isinstance(value, str) and value.strip()]
        if texts and all(WKT.match(text) for text in texts):
            return Place(wkt=header)
    names = {attribute_name(header): header for header in columns}
    for east, north in AXES:
        for name, header in names.items():
            other = _swapped(name, east, north)
            if other in names and _hold_places(_numbers(columns[header], number), _numbers(columns[names[other]], number)):
                height = names.get(_swapped(name, east, "z") or "")
                return Place(x=header, y=names[other], z=height if height and _numbers(columns[height], number) else None)
    return Place()


def is_coordinate(header: str) -> bool:
    """Whether a column beside a geometry holds it once more; a tree is also long and wide."""
    return any(word in COORDINATES for word in attribute_name(header).split("_"))


def bounds_of(columns: Mapping[str, Values], place: Place, number: Callable[[str], float | None]) -> Bounds | None:
    x, y = (_numbers(columns[name], number) if name else [] for name in (place.x, place.y))
    return (min(x), min(y), max(x), max(y)) if x and y else None


def _swapped(name: str, token: str, other: str) -> str | None:
    """`koordinate_x` with `y` in it; None where the word is not in the name."""
    words = name.split("_")
    return "_".join(other if word == token else word for word in words) if words.count(token) == 1 else None


def _hold_places(x: list[float], y: list[float]) -> bool:
    """Both filled with numbers, and such as could be places here: a tree is also long and wide."""
    if not x or len(x) != len(y):
        return False
    bounds, turned = (min(x), min(y), max(x), max(y)), (min(y), min(x), max(y), max(x))
    return _by_numbers(bounds, 0) is not None or _by_numbers(turned, 0) is not None


def _numbers(values: Iterable[Any], number: Callable[[str], float | None]) -> list[float]:
    """The values as numbers; empty where one is none."""
    found = [float(value) if isinstance(value, (int, float)) else number(value) for value in values if value not in (None, "")]
    return [] if None in found else [value for value in found if value is not None]
