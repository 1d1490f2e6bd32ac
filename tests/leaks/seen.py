"""What each role sees, worked out in Python from the rows of the store and the policy files: the reference that every proof compares with.

It uses the masks' and rules' own reference functions and never the SQL that is compiled from them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache, cached_property
from typing import Any
from uuid import UUID

import shapely
from pyproj import Transformer

from tests.towns import DAY, Town
from twin_api.policy.documents import Grant, Layer
from twin_api.policy.rule import shows

Coordinates = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Row:
    """One row of the store; `geometry` in the layer's CRS. `places` are its points in every form in which a place can be written."""

    id: UUID
    layer: str
    values: Mapping[str, Any]
    geometry: shapely.Geometry | None
    geohash: str


@dataclass(frozen=True)
class Item:
    """One item as a role must see it. `coordinates` in degrees, in any order; None where no geometry is shown."""

    row: Row
    properties: Mapping[str, Any]
    coordinates: Coordinates | None


class Seen:
    """The truth about a town at this moment: all rows, and what of them each role sees."""

    def __init__(self, town: Town, day: date = DAY) -> None:
        self.policies = town.policies
        self.day = day
        self.rows = {layer.name: list(_read_rows(town, layer)) for layer in self.policies.layers.values()}
        self._items: dict[tuple[str, str], list[Item]] = {}

    @cached_property
    def roles(self) -> list[str]:
        return list(self.policies.roles)

    def grants(self, role: str) -> Mapping[str, Grant]:
        """By collection."""
        return self.policies.roles[role].open_on(self.day)

    def layer(self, role: str, collection: str) -> Layer:
        return self.policies.layers[self.grants(role)[collection].layer]

    def items(self, role: str, collection: str) -> list[Item]:
        if (role, collection) not in self._items:
            grant = self.grants(role)[collection]
            layer = self.policies.layers[grant.layer]
            rows = [row for row in self.rows[layer.name] if shows(grant.rows, row.values)]
            self._items[role, collection] = [_item(row, grant, layer) for row in rows]
        return self._items[role, collection]

    def all_items(self, role: str) -> Iterator[tuple[str, Item]]:
        for collection in self.grants(role):
            for item in self.items(role, collection):
                yield collection, item


def _read_rows(town: Town, layer: Layer) -> Iterator[Row]:
    columns = ", ".join(f'r."{name}"' for name in layer.attributes)
    geometry = "r.geometry" if layer.geometry else "NULL::postgis.geometry"
    point = f"CASE WHEN postgis.GeometryType({geometry}) = 'POINT' THEN {geometry} END"
    query = (
        f"SELECT r.id, postgis.ST_AsBinary({geometry}), coalesce(postgis.ST_GeoHash(postgis.ST_Transform({point}, 4326), 10), ''), {columns} "
        f'FROM store."{layer.name}" r ORDER BY r.id'
    )
    with town.superuser() as connection:
        for id, wkb, geohash, *values in connection.execute(query.encode()).fetchall():
            read = {n: v.astimezone(UTC) if isinstance(v, datetime) else v for n, v in zip(layer.attributes, values, strict=True)}
            yield Row(id, layer.name, read, shapely.from_wkb(wkb) if wkb else None, geohash)


def _item(row: Row, grant: Grant, layer: Layer) -> Item:
    properties = {name: as_json(mask.value(row.values[name])) for name, mask in grant.attributes.items()}
    return Item(row, properties, _masked(row, grant, layer))


def _masked(row: Row, grant: Grant, layer: Layer) -> Coordinates | None:
    shown_type = layer.geometry and grant.geometry.shown_type(layer.geometry.type)
    if not shown_type or row.geometry is None or not layer.geometry:
        return None
    points = shapely.get_coordinates(row.geometry, include_z=shown_type.endswith("Z") or layer.geometry.type.endswith("Z")).tolist()
    return tuple(to_degrees(layer.geometry.epsg, masked) for point in points if (masked := grant.geometry.point(point)) is not None)


def as_json(value: Any) -> Any:
    """A stored value as GeoJSON writes it."""
    match value:
        case datetime():
            return value.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
        case date():
            return value.isoformat()
        case _:
            return value


def to_degrees(epsg: int, point: Any) -> tuple[float, ...]:
    return (*_transformer(epsg, 4326).transform(point[0], point[1]), *point[2:])


def to_lengths(epsg: int, other: int, point: Any) -> tuple[float, ...]:
    """In another CRS of metres, without its height."""
    return tuple(_transformer(epsg, other).transform(point[0], point[1]))


@cache
def _transformer(source: int, target: int) -> Transformer:
    return Transformer.from_crs(source, target, always_xy=True)
