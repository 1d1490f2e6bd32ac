"""The four sample layers: how their files look, for the generated and for the real place alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import shapely

from twin_api.layers.musterdorf.sheet import Cell, Kind, Sheet

EPSG: Final = 25832
Row = tuple[shapely.Geometry, Mapping[str, Cell]]

GEOMETRY_TYPES: Final = {
    "gebaeude": "MultiPolygon",
    "strassen": "LineString",
    "landnutzung": "MultiPolygon",
    "kanalschaechte": "Point Z",
}
COLUMNS: Final[dict[str, dict[str, Kind]]] = {
    "gebaeude": {
        "osm_id": "text", "osm_way_id": "text", "name": "text", "art": "text", "nutzung": "text", "zustand": "text",
        "geprueft_am": "date", "maengel": "text", "pruefer": "text", "schaden_eur": "number",
    },
    "strassen": {
        "osm_id": "text", "name": "text", "art": "text", "zustandsnote": "number", "geprueft_am": "date", "bemerkung": "text",
    },
    "landnutzung": {"osm_id": "text", "osm_way_id": "text", "name": "text", "nutzung": "text", "natur": "text", "freizeit": "text"},
    "kanalschaechte": {
        "schacht_nr": "text", "baujahr": "integer", "sohle_m": "number", "zustand": "text", "bemerkung": "text", "geprueft_am": "date",
    },
}  # fmt: skip


def sheet(layer: str, rows: Iterable[Row]) -> Sheet:
    return Sheet(layer, GEOMETRY_TYPES[layer], EPSG, COLUMNS[layer], tuple(rows))
