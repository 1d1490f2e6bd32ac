"""A real place from OpenStreetMap with invented inspections: shapes and names are real, every finding is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pyogrio.raw
import shapely

from twin_api.layers.musterdorf import inspections, manholes
from twin_api.layers.musterdorf.layers import Row, sheet
from twin_api.layers.musterdorf.sheet import Cell

SOURCES: Final[dict[str, tuple[str, dict[str, str]]]] = {  # layer -> layer of the extract, its column for each attribute
    "gebaeude": ("buildings", {"osm_id": "osm_id", "osm_way_id": "osm_way_id", "name": "name", "art": "building", "nutzung": "amenity"}),
    "strassen": ("roads", {"osm_id": "osm_id", "name": "name", "art": "highway"}),
    "landnutzung": (
        "landuse",
        {
            "osm_id": "osm_id", "osm_way_id": "osm_way_id", "name": "name",
            "nutzung": "landuse", "natur": "natural", "freizeit": "leisure",
        },
    ),
}  # fmt: skip
INSPECT: Final[dict[str, Callable[[str], Mapping[str, Cell]]]] = {
    "gebaeude": inspections.of_building,
    "strassen": inspections.of_road,
}
WITH_SEWER: Final = {"residential", "living_street"}


class RealPlace(dict[str, Path]):
    """The files written, by layer; `dropped` counts the features left out because their geometry is not valid."""

    def __init__(self) -> None:
        super().__init__()
        self.dropped: dict[str, int] = {}


def write_real(source: Path, folder: Path) -> RealPlace:
    """Write the four sample layers from `source` (layers `buildings`, `roads`, `landuse` in EPSG:25832).

    An invalid geometry is left out and counted, never mended: the import would refuse the file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    place = RealPlace()
    for layer in SOURCES:
        rows = list(_rows(source, layer))
        valid = [row for row in rows if row[0].is_valid]
        place.dropped[layer] = len(rows) - len(valid)
        place[layer] = sheet(layer, valid).write(folder)
        if layer == "strassen":
            place["kanalschaechte"] = sheet("kanalschaechte", _manholes(valid)).write(folder)
    return place


def _rows(source: Path, layer: str) -> Iterator[Row]:
    source_layer, names = SOURCES[layer]
    meta, _, geometries, columns = pyogrio.raw.read(source, layer=source_layer, columns=list(names.values()), force_2d=True)
    column: dict[str, Any] = dict(zip(meta["fields"], columns, strict=True))
    inspect = INSPECT.get(layer, _nothing)
    for number, geometry in enumerate(shapely.from_wkb(geometries)):
        known: dict[str, Cell] = {attribute: column[name][number] for attribute, name in names.items()}
        yield geometry, {**known, **inspect(f"{layer}/{known['osm_id'] or known['osm_way_id']}")}


def _manholes(roads: list[Row]) -> list[Row]:
    streets = [(str(row["osm_id"]), line) for line, row in roads if row["art"] in WITH_SEWER]
    return manholes.along((line for _, line in sorted(streets, key=lambda street: street[0])), every_m=90, apart_m=30)


def _nothing(_: str) -> Mapping[str, Cell]:
    return {}
