"""The geometries of a file looked through: their types, whether they have heights, and how far they reach."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final, cast

import numpy as np
import shapely

from twin_api.policy.documents import GeometryType

FAMILIES: Final = ("Point", "LineString", "Polygon")
GERMAN: Final = {"Point": "Punkte", "LineString": "Linien", "Polygon": "Flächen"}


class Geometries:
    """Memory does not grow with the file."""

    def __init__(self) -> None:
        self.rows = self.missing = self.broken = self.raised = self.with_z = 0
        self._types: Counter[str] = Counter()
        self.bounds = np.array([np.inf, np.inf, -np.inf, -np.inf])

    def look(self, wkb: list[bytes | None]) -> None:
        shapes = shapely.from_wkb(np.array(wkb, dtype=object), on_invalid="ignore")
        there = shapes[~shapely.is_missing(shapes) & ~shapely.is_empty(shapes)]
        self.rows += len(wkb)
        self.missing += sum(octets is None for octets in wkb)
        self.broken += len(wkb) - len(there) - sum(octets is None for octets in wkb)
        self._types.update(shape.geom_type for shape in there)
        self._look_at_heights(there)
        self._reach(shapely.bounds(there))

    def _reach(self, bounds: Any) -> None:
        finite = np.vstack([self.bounds, bounds[np.isfinite(bounds).all(axis=1)]])
        self.bounds = np.concatenate([finite[:, :2].min(axis=0), finite[:, 2:].max(axis=0)])

    def _look_at_heights(self, shapes: Any) -> None:
        heights = shapes[shapely.has_z(shapes)]
        self.with_z += len(heights)
        if len(heights):
            z = shapely.get_coordinates(heights, include_z=True)[:, 2]
            self.raised += int(np.count_nonzero(np.isfinite(z) & (z != 0)))

    @property
    def known(self) -> int:
        return self._types.total()

    @property
    def type(self) -> GeometryType | None:
        """The type that most of them have or can be made part of; with heights if all have one and not all are zero."""
        by_family = self.families()
        if not by_family:
            return None
        family = by_family[0]
        multi = "Multi" if self._types[f"Multi{family}"] else ""
        return cast("GeometryType", f"{multi}{family}{'Z' if self.raised and self.with_z == self.known else ''}")

    def families(self) -> list[str]:
        """Points, lines, areas: those the file has, the most frequent first."""
        counts = {family: self._types[family] + self._types[f"Multi{family}"] for family in FAMILIES}
        return sorted((family for family in FAMILIES if counts[family]), key=lambda family: -counts[family])

    def remarks(self) -> list[str]:
        """What a person should know, in German."""
        found = []
        if len(self.families()) > 1:
            names = ", ".join(GERMAN[family] for family in self.families())
            found.append(f"die Datei mischt {names}: ein Layer hat eine Art; mit `where` in der Quelle eine wählen")
        if self.missing or self.broken:
            found.append(f"{self.missing + self.broken} Objekte haben keine lesbare Geometrie; so wird die Datei nicht übernommen")
        if self.with_z and not self.raised:
            found.append("alle Höhen der Datei sind 0: der Layer ist ohne Höhen angelegt")
        elif self.raised and self.with_z < self.known:
            found.append("nur ein Teil der Objekte hat Höhen: der Layer ist ohne Höhen angelegt")
        return found
