"""What the tests of imports are about: a database with a store, an attribute, a point, buildings in the shape of OpenStreetMap."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa

from twin_api.imports.description import ColumnRule, Description
from twin_api.imports.run import ImportRequest
from twin_api.layers.table import describe
from twin_api.policy.documents import Attribute, AttributeType, Layer, Place
from twin_api.texts import Text

Row = tuple[Any, ...]
OSM_POLICIES = Path(__file__).parents[1] / "osm" / "policies"
BUILDINGS = 287


@dataclass(frozen=True)
class Database:
    """The schema `store` with the tables of the layers asked for."""

    conninfo: str

    def connect(self) -> psycopg.Connection:
        return psycopg.connect(self.conninfo)

    def create(self, *layers: Layer) -> None:
        engine = sa.create_engine("postgresql+psycopg://", creator=self.connect, poolclass=sa.NullPool)
        for layer in layers:
            describe(layer).create(engine)

    def rows(self, query: str) -> list[Row]:
        with self.connect() as connection:
            return connection.execute(query.encode()).fetchall()

    def value(self, query: str) -> Any:
        return self.rows(query)[0][0]


def attribute(name: str, type_: AttributeType = "text", **more: Any) -> Attribute:
    class_ = more.pop("class_", "public")
    return Attribute(name, Text(name), type_, class_, Place("test", 1), **more)


def asked(
    *files: Path, columns: Mapping[str, str] | None = None, source_layer: str | None = None, where: str | None = None, **more: Any
) -> ImportRequest:
    """The request to import these files, with no more said of them than which column fills which attribute."""
    rules = {column: ColumnRule(name) for column, name in (columns or {}).items()}
    return ImportRequest(files, Description(rules, source_layer=source_layer, where=where), **more)


def point(x: float = 678_000.0, y: float = 5_540_000.0, *z: float) -> dict[str, Any]:
    return {"type": "Point", "coordinates": [x, y, *z]}


def write_buildings(path: Path, inspected: str) -> Path:
    """A GeoJSON file of houses in rows, all with the same ids and places in every file, and this condition."""
    features = [_building(number, inspected) for number in range(BUILDINGS)]
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::25832"}}
    path.write_text(json.dumps({"type": "FeatureCollection", "crs": crs, "features": features}))
    return path


def _building(number: int, condition: str) -> dict[str, Any]:
    x, y = 678_000.0 + number % 20 * 18, 5_540_000.0 + number // 20 * 40
    ring = [[x, y], [x + 10, y], [x + 10, y + 9], [x, y + 9], [x, y]]
    properties = {"osm_id": None, "osm_way_id": f"way-{number}", "art": "house", "zustand": condition, "geprueft_am": "2026-05-04"}
    return {"type": "Feature", "properties": properties, "geometry": {"type": "MultiPolygon", "coordinates": [[ring]]}}
