"""Building footprints to measure with: real ones moved over a grid where there is test data, else rectangles and L-shapes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pyogrio
import shapely
from numpy.typing import NDArray

REAL = Path("osm-bayreuth-nord") / "bayreuth-nord_25832.gpkg"
TOWN_M = 20_000.0  # a copy of the town every 20 km
SRID = 25832
COLUMNS = ("id", "nummer", "name", "art", "nutzung", "baujahr", "hoehe_m", "zustand", "bemerkung", "geometry")

Row = tuple[Any, ...]
Texts = list[tuple[str | None, str | None, str | None]]  # name, art, nutzung


def describe_source(testdata: Path) -> str:
    return "OpenStreetMap, north of Bayreuth, copied over a grid" if (testdata / REAL).is_file() else "generated rectangles and L-shapes"


def rows(testdata: Path, wanted: int) -> Iterator[Row]:
    """As many buildings as wanted, the same ones in each run, in the order of `COLUMNS`; geometry as EWKB in EPSG:25832."""
    chance = np.random.default_rng(1)
    shapes, texts = _read(testdata / REAL) if (testdata / REAL).is_file() else _generate(chance)
    copies = -(-wanted // len(shapes))
    side = int(np.ceil(np.sqrt(copies)))
    number = 0
    for copy in range(copies):
        shift = np.array([copy % side - side // 2, copy // side - side // 2]) * TOWN_M
        moved = shapely.transform(shapes, lambda points, by=shift: points + by)
        geometries = shapely.to_wkb(shapely.set_srid(moved, SRID), include_srid=True)
        for (name, art, nutzung), geometry in zip(texts, geometries, strict=True):
            if number == wanted:
                return
            number += 1
            year, height = int(chance.integers(1850, 2026)), float(chance.integers(30, 250)) / 10
            state = ("gut", "mittel", "schlecht")[int(chance.integers(3))]
            id = UUID(bytes=chance.bytes(16), version=4)
            yield id, number, name, art, nutzung, year, height, state, f"Begehung {number}", geometry


def _read(path: Path) -> tuple[NDArray[Any], Texts]:
    _, _, geometries, fields = pyogrio.raw.read(path, layer="buildings", columns=["name", "building", "amenity"])
    texts = [(name, art, use) for name, art, use in zip(*fields, strict=True)]
    return shapely.from_wkb(geometries), texts


def _generate(chance: np.random.Generator, number: int = 4_000) -> tuple[NDArray[Any], Texts]:
    """Streets of houses on a square of 6 km, so about as dense as a village."""
    corners = np.array([[0, 0], [14, 0], [14, 6], [9, 6], [9, 10], [4, 10], [0, 10], [0, 0]], dtype=float)
    shapes = []
    for _ in range(number):
        angle = chance.uniform(0, np.pi)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        ring = corners * chance.uniform(0.7, 1.6) @ turn + chance.uniform(0, 6_000, 2) + (684_000, 5_540_000)
        shapes.append(shapely.multipolygons([shapely.polygons(ring)]))
    kinds: Texts = [(None, "yes", None), ("Haus Nord", "house", None), (None, "school", "school")]
    return np.array(shapes), [kinds[int(chance.integers(3))] for _ in range(number)]
