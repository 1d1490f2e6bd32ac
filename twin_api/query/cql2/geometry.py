"""Geometries of a filter: what the collection shows, and what the request draws. Both in CRS84 and on the grid of printed coordinates.

Coordinates are printed to seven digits of a degree, and compared as they are printed: what was copied from an answer is found again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

import numpy as np
import shapely
import sqlalchemy as sa
from shapely.errors import GEOSException

from twin_api.query.box import envelope, once
from twin_api.query.cql2.degrees import Coordinates, to_degrees
from twin_api.query.cql2.expression import GEOMETRY_TYPE, Expression, Sql, computed_once, quoted, refuse
from twin_api.query.crs import CRS84, Crs
from twin_api.store.collection import GEOMETRY, MERCATOR, MERCATOR_SRID

GEOMETRY_NAME: Final = "geometry"
MAX_VERTICES: Final = 500
GRID: Final = 1e-7
_OPPOSITE: Final = 1e-8  # of the earth's radius: a few centimetres; PostGIS minds less
_COLLECTION: Final = "GeometryCollection"
_TYPES: Final = ("Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon")
_PLAIN: Final = sa.types.NullType()  # a type of GeoAlchemy2 would become WKB wherever it is selected


@dataclass(frozen=True, slots=True)
class Shown:
    """The geometry of the collection's items; `kind` is its OGC type."""

    is_constant: ClassVar[bool] = False
    kind: str
    type: str = GEOMETRY_TYPE
    parts: tuple[Expression, ...] = ()

    def sql(self, rows: sa.FromClause) -> Sql:
        """In CRS84 on the grid. Where rounding spoils an area it is taken unrounded, and where that is not valid either it is NULL."""
        flat = sa.func.ST_Force2D(rows.c[GEOMETRY], type_=_PLAIN)
        degrees = sa.func.ST_Transform(flat, sa.literal_column("4326"), type_=_PLAIN)
        if self.kind.startswith(("Point", "MultiPoint")):
            return _on_grid(degrees)
        return computed_once(_first_valid, degrees)


@dataclass(frozen=True, slots=True)
class Drawn:
    """A geometry of the request, as EWKB in the parameter `name`; the parameters `name_0` to `name_3` are its box in Web Mercator.

    `is_measurable` belongs to its values, not to its shape: whether it can be measured on the spheroid.
    """

    is_constant: ClassVar[bool] = True
    name: str
    is_collection: bool
    is_measurable: bool = field(default=True, compare=False)
    type: str = GEOMETRY_TYPE
    parts: tuple[Expression, ...] = ()

    def sql(self, rows: sa.FromClause) -> Sql:
        # the cast from EWKB by its function's name: GeoAlchemy2 has its own idea of `ST_GeomFromWKB`
        return sa.select(sa.func.geometry(sa.cast(sa.bindparam(self.name), sa.LargeBinary()), type_=_PLAIN)).scalar_subquery()


@dataclass(frozen=True, slots=True)
class Boxed:
    """Whether the item's box meets the one in Web Mercator whose corners are the parameters `name_0` to `name_3`: the index finds it."""

    is_constant: ClassVar[bool] = False
    name: str
    type: str = "boolean"
    parts: tuple[Expression, ...] = ()

    def sql(self, rows: sa.FromClause) -> Sql:
        return rows.c[MERCATOR].op("&&", is_comparison=True)(once(envelope(self.name, MERCATOR_SRID)))


def _on_grid(degrees: Sql) -> Sql:
    return sa.func.ST_SnapToGrid(degrees, sa.literal_column(str(GRID)), type_=_PLAIN)


def _first_valid(degrees: Sql) -> Sql:
    return computed_once(_valid_of, _on_grid(degrees), degrees)


def _valid_of(rounded: Sql, degrees: Sql) -> Sql:
    return sa.case((sa.func.ST_IsValid(rounded, type_=sa.Boolean()), rounded), (sa.func.ST_IsValid(degrees, type_=sa.Boolean()), degrees))


def read_geometry(node: dict[str, Any], crs: Crs) -> shapely.Geometry:
    """The geometry of a GeoJSON node or of a `bbox`, in CRS84 on the grid, without heights. Raises `InvalidParameter`."""
    try:
        drawn = _shape(node) if "type" in node else _box(node["bbox"], crs)
        vertices = shapely.count_coordinates(drawn)
        if vertices > MAX_VERTICES:
            refuse(f"eine Geometrie hat mehr als {MAX_VERTICES} Stützpunkte", f"a geometry has more than {MAX_VERTICES} vertices")
        placed = shapely.transform(drawn, lambda points: _placed(points, crs))
    except (ValueError, TypeError, KeyError, IndexError, OverflowError, GEOSException):
        refuse(f"{quoted(node.get('type', 'bbox'))} ist keine Geometrie", f"{quoted(node.get('type', 'bbox'))} is no geometry")
    if shapely.is_empty(placed) or not shapely.is_valid(placed):
        refuse(
            "eine Geometrie ist leer oder ungültig: Ringe schließen sich und schneiden sich nicht",
            "a geometry is empty or invalid: rings close and do not cross themselves",
        )
    return placed


def is_measurable(placed: shapely.Geometry) -> bool:
    """Whether no edge leads from a point to the one opposite on the earth: it runs on every side at once, and PostGIS fails on it."""
    parts = shapely.get_parts(shapely.get_parts(placed))
    lines = np.concatenate([parts[shapely.get_dimensions(parts) == 1], shapely.get_rings(parts)])
    degrees, line = shapely.get_coordinates(lines, return_index=True)
    lon, lat = np.radians(degrees).T
    directions = np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
    apart = np.linalg.norm(directions[1:] + directions[:-1], axis=1)
    return not bool(np.any((apart < _OPPOSITE) & (line[1:] == line[:-1])))


def _shape(node: dict[str, Any]) -> shapely.Geometry:
    if node["type"] == _COLLECTION:
        return shapely.GeometryCollection([_plain(part) for part in node["geometries"]])
    return _plain(node)


def _plain(node: dict[str, Any]) -> shapely.Geometry:
    """A geometry that is no collection. Its positions are checked first: what reads them is written in C and trusts them."""
    if node["type"] not in _TYPES:
        raise ValueError
    levels = _TYPES.index(node["type"]) // 2 + _TYPES.index(node["type"]) % 2
    _check_positions(node["coordinates"], levels)
    polygons = {"Polygon": [node["coordinates"]], "MultiPolygon": node["coordinates"]}.get(node["type"], [])
    if any(ring[0] != ring[-1] for rings in polygons for ring in rings):
        raise ValueError
    return shapely.force_2d(shapely.geometry.shape({"type": node["type"], "coordinates": node["coordinates"]}))


def _check_positions(coordinates: Any, levels: int) -> None:
    if not isinstance(coordinates, list) or not coordinates:
        raise ValueError
    if levels:
        for part in coordinates:
            _check_positions(part, levels - 1)
    elif not 2 <= len(coordinates) <= 4 or any(isinstance(number, bool) or not isinstance(number, int | float) for number in coordinates):
        raise ValueError


def _box(corners: Any, crs: Crs) -> shapely.Geometry:
    """Four numbers or six, heights left out; where the first, a longitude, is greater than the third it crosses the antimeridian."""
    _check_positions([corners[:2], corners[2:4], *([corners[4:]] if len(corners) > 4 else [])], 1)
    west, south, east, north = corners if len(corners) == 4 else (corners[0], corners[1], corners[3], corners[4])
    if len(corners) not in (4, 6) or south > north:
        raise ValueError
    if west > east:
        if crs.srid != CRS84.srid or crs.axes_swapped or west > 180.0 or east < -180.0:
            raise ValueError
        return shapely.union_all([_box([west, south, 180.0, north], crs), _box([-180.0, south, east, north], crs)])
    box = shapely.box(west, south, east, north)
    return box if shapely.area(box) > 0 else shapely.LineString([(west, south), (east, north)]).envelope


def _placed(points: Coordinates, crs: Crs) -> Coordinates:
    degrees = np.rint(to_degrees(crs, points) / GRID) * GRID
    lon, lat = np.abs(degrees[:, 0]), np.abs(degrees[:, 1])
    if not bool(np.all(np.isfinite(degrees)) and np.all(lon <= 180.0) and np.all(lat <= 90.0)):
        refuse(
            f"eine Koordinate liegt außerhalb von {quoted(crs.uri)}: Reihenfolge der Achsen und `filter-crs` prüfen",
            f"a coordinate lies outside of {quoted(crs.uri)}: check the order of axes and `filter-crs`",
        )
    return degrees
