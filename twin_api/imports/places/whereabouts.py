"""Features that do not lie where the layer's can: what would bring them there is found out and said, never done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, Final, Literal

import numpy as np
from pyproj import CRS

from twin_api.imports.description import Description
from twin_api.imports.finding import NOTHING, Finding
from twin_api.imports.places.area import box_of, outside
from twin_api.imports.places.crs import Transform, place_roughly
from twin_api.policy.documents import Extent, Geometry
from twin_api.texts import Text

USUAL: Final = (25832, 25833, 4647, 5650, 31466, 31467, 31468, 31469, 4326, 3857, 2398, 2399)  # in Germany; axes are tried besides
AXES: Final[tuple[Literal["as-declared", "swapped"], ...]] = ("as-declared", "swapped")
PREFIXES: Final = (None, 31, 32, 33)
WEIGHTS: Final = {"crs": 3, "axes": 1, "zone_prefix": 1}  # of two guesses that fit, the smaller change is likelier
CONVINCING: Final = 0.9  # of the features outside must come to lie inside
TRIED: Final = 1_000  # features outside, after which a guess that brought none of them inside is given up
NO_CRS: Final = Text("die Datei nennt kein Koordinatensystem", "the file names no coordinate reference system")
SET_CRS: Final = Text(
    "in der Quelle das Koordinatensystem setzen und die Datei neu ausgeben, oder mit `crs: …` sagen, welches es ist",
    "set the CRS at the source and export the file again, or say with `crs: …` which it is",
)
CHECK: Final = Text("Koordinatensystem und Achsenfolge der Datei prüfen", "check the file's CRS and axis order")
SAY_SO: Final = Text("so angeben, wenn die Quelle es bestätigt", "say so if the source confirms it")


@dataclass(slots=True)
class Guess:
    """Another understanding of the file, as one would write it, and how many features it would bring inside."""

    said: Text
    weight: int
    place: Transform
    inside: int = 0


class Whereabouts:
    """Of one file: how many features lie outside, and which guess would bring how many of them inside. Memory: none per feature."""

    def __init__(self, geometry: Geometry, origin: CRS | None, description: Description, extent: Extent | None) -> None:
        self._geometry, self._origin, self._description = geometry, origin, description
        self._outside = outside(geometry, extent)
        self._guesses: list[Guess] | None = None
        self._read = self._away = 0
        self._area = Text("der Gemeinde", "the town")
        if extent is None:
            self._area = Text(f"des Gebiets von EPSG:{geometry.epsg}", f"the area of EPSG:{geometry.epsg}")

    @property
    def said_of_one(self) -> Text:
        return Text(f"liegt außerhalb {self._area.de}", f"lies outside {self._area.en}")

    def find_outside(self, raw: Any, placed: Any) -> Any:
        """Which features lie outside, of boxes (n, 4) as they stand in the file and as they came out in the layer's CRS."""
        away = self._outside(placed) if self._origin is not None else np.ones(len(placed), dtype=bool)
        self._read += len(away)
        self._away += int(away.sum())
        if away.any():
            self._try(raw[away])
        return away

    def conclude(self) -> Finding | None:
        """The one finding for the whole file, if most of it lies outside: then it is the file that is wrong, not its features."""
        fitting = self._fitting()
        if self._origin is None:
            would = self._would(fitting, Text(f" {self._area.de}", f" {self._area.en}"))
            return Finding(Text(NO_CRS.de + would.de, NO_CRS.say("en") + would.say("en")), SET_CRS)
        if self._away * 2 <= self._read:
            return None
        would, one = self._would(fitting), self._away == 1
        features = Text("Objekt", "feature") if self._read == 1 else Text("Objekten", "features")
        de = f"{self._away} von {self._read} {features.de} {'liegt' if one else 'liegen'} außerhalb {self._area.de}"
        en = f"{self._away} of {self._read} {features.en} {'lies' if one else 'lie'} outside {self._area.en}"
        return Finding(Text(de + would.de, en + would.say("en")), SAY_SO if fitting else CHECK)

    def _try(self, raw: Any) -> None:
        if self._guesses is None:
            self._guesses = list(_guesses(self._geometry, self._origin, self._description))
        for guess in self._guesses:
            guess.inside += int(np.count_nonzero(~self._outside(box_of(raw, guess.place))))
        if self._away >= TRIED:
            self._guesses = [guess for guess in self._guesses if guess.inside]

    def _fitting(self) -> list[Guess]:
        """The guesses of the smallest change that bring nearly all inside; several where systems differ by less than a town."""
        fitting = [guess for guess in self._guesses or () if guess.inside >= CONVINCING * self._away]
        least = min((guess.weight for guess in fitting), default=0)
        return [guess for guess in fitting if guess.weight == least]

    def _would(self, fitting: list[Guess], where: Text = NOTHING) -> Text:
        if not fitting:
            return NOTHING
        hits = min(guess.inside for guess in fitting)
        de, en = ("alle", "all") if hits == self._away > 1 else (str(hits), str(hits))
        said = Text(" oder ".join(guess.said.de for guess in fitting), " or ".join(guess.said.en for guess in fitting))
        return Text(
            f"; mit {said.de} {'läge' if hits == 1 else 'lägen'} {de} innerhalb{where.de}",
            f"; with {said.en} {en} would lie inside{where.en}",
        )


def _guesses(geometry: Geometry, origin: CRS | None, description: Description) -> Iterator[Guess]:
    """Axes, the zone in front of eastings, another CRS; a zone only with the file's own CRS, others hold it already where they may."""
    if origin is not None:
        for axes, zone in product(AXES, PREFIXES):
            yield from _guess(geometry, origin, description, replace(description, axes=axes, zone_prefix=zone))
    for epsg, axes in product(USUAL, AXES):
        crs = CRS.from_epsg(epsg)
        if origin is None or not crs.equals(origin, ignore_axis_order=True):
            yield from _guess(geometry, crs, description, replace(description, crs=f"EPSG:{epsg}", axes=axes, zone_prefix=None))


def _guess(geometry: Geometry, crs: CRS, now: Description, then: Description) -> Iterator[Guess]:
    changed = {key: getattr(then, key) for key in WEIGHTS if getattr(then, key) != getattr(now, key)}
    if changed:
        said = [_entry(key, value) for key, value in changed.items()]
        both = Text(", ".join(entry.de for entry in said), ", ".join(entry.en for entry in said))
        yield Guess(both, sum(WEIGHTS[key] for key in changed), place_roughly(geometry, crs, then))


def _entry(key: str, value: str | int | None) -> Text:
    """As one would write it, or leave it out."""
    return Text(f"`{key}` weggelassen", f"`{key}` left out") if value is None else Text(f"`{key}: {value}`", f"`{key}: {value}`")
