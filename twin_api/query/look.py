"""How an item is shown: its finished text as it lies there, or one made of the same published row in another CRS.

INVARIANT: nothing but the published row is read, whose geometry is masked already.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from twin_api.layers.table import COLUMN_TYPES
from twin_api.query.crs import Box, Crs, default_crs
from twin_api.store.collection import FEATURE, GEOMETRY, MERCATOR, MERCATOR_SRID, Description, Property
from twin_api.store.feature import PROPERTIES, feature_head, feature_of, word

Column = sa.ColumnElement[Any]
COMPUTED: Final = (4326, MERCATOR_SRID)  # into these every published geometry has been transformed already


@dataclass(frozen=True, slots=True)
class Look:
    """`crs` is None where the finished geometry is right; `srid` is the layer's own. `properties` are names and types, None for all."""

    crs: Crs | None = None
    srid: int = 0
    properties: tuple[tuple[str, str], ...] | None = None

    @property
    def columns(self) -> dict[str, sa.types.TypeEngine[Any]]:
        """The published columns that it reads besides the key."""
        geometries = (GEOMETRY, MERCATOR) if self.crs else ()
        shown = {name: COLUMN_TYPES[type_] for name, type_ in self.properties or ()}
        return {FEATURE: sa.Text(), **dict.fromkeys(geometries, sa.types.NullType()), **shown}

    def feature(self, rows: sa.FromClause) -> Column:
        """The feature of a row, as GeoJSON text."""
        finished: Column = rows.c[FEATURE]
        if self == FINISHED:
            return finished
        behind = sa.func.strpos(finished, word(PROPERTIES)).op("+")(_number(len(PROPERTIES)))
        head = sa.func.left(finished, behind.op("-")(_number(1))) if self.crs is None else self._head(self.crs, rows)
        if self.properties is None:
            return sa.func.concat(head, sa.func.substr(finished, behind))
        return feature_of(head, ((name, type_, rows.c[name]) for name, type_ in self.properties))

    def _head(self, crs: Crs, rows: sa.FromClause) -> Column:
        return feature_head(rows.c.id, sa.func.ST_AsGeoJSON(shown_in(crs, self.srid, rows), _number(crs.digits), _number(0)))


FINISHED: Final = Look()


def look_of(told: Description, crs: Crs, shown: Sequence[Property] | None = None) -> Look:
    properties = None if shown is None else tuple((p.name, p.type) for p in shown)
    is_right = told.epsg is None or crs == default_crs(told)
    if is_right and properties is None:
        return FINISHED
    return Look(None if is_right else crs, 0 if is_right else told.epsg or 0, properties)


def shown_in(crs: Crs, srid: int, rows: sa.FromClause) -> Column:
    """The published geometry in a CRS with its axes in order, outer rings counterclockwise as on the map; NULL outside of its reach."""
    geometry: Column = sa.func.ST_ForcePolygonCCW(transformed(crs, srid, rows))
    geometry = sa.func.ST_Force2D(geometry) if crs.is_flat else geometry
    return sa.func.ST_FlipCoordinates(geometry) if crs.axes_swapped else geometry


def transformed(crs: Crs, srid: int, rows: sa.FromClause) -> Column:
    """The published geometry in PostGIS' order of axes. Never fails: what PROJ could not compute is not tried."""
    if crs.srid == srid:
        return rows.c[GEOMETRY]
    geometry: Column = sa.func.ST_Transform(rows.c[GEOMETRY], _number(crs.srid))
    if crs.srid in COMPUTED or crs.reach is None:
        return geometry
    return sa.case((rows.c[MERCATOR].op("@", is_comparison=True)(_envelope(crs.reach)), geometry))


def _envelope(box: Box) -> Column:
    corners = [sa.literal_column(repr(corner), sa.Double) for corner in box]
    return sa.func.ST_MakeEnvelope(*corners, _number(MERCATOR_SRID), type_=sa.types.NullType())


def _number(number: int) -> Column:
    return sa.literal_column(str(number), sa.Integer)
