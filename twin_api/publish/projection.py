"""The select that a definition stands for: visible rows, masked values, and everything a reader wants ready-made.

INVARIANT: masks apply first. Place, feature text and mercator geometry are functions of the masked row alone, so nothing that
a client can filter, sort, count or time depends on what is hidden.
"""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa

from twin_api.layers.table import COLUMN_TYPES, STORE
from twin_api.layers.table import GEOMETRY as STORED_GEOMETRY
from twin_api.publish.definition import Column, Definition
from twin_api.publish.figures import group_rows
from twin_api.publish.predicate import Place, is_not_withdrawn, predicate
from twin_api.publish.statement import PlainGeometry
from twin_api.store.collection import FEATURE, GEOMETRY, MERCATOR, MERCATOR_SRID, PLACE

PLACE_DIGITS: Final = 10  # a geohash of 10 characters is a cell of about one metre
COORDINATE_DIGITS: Final = 7  # of a degree: about one centimetre


def store_source(definition: Definition) -> sa.FromClause:
    """The layer's own table."""
    return _source(definition, definition.layer, schema=STORE)


def transition_source(definition: Definition, name: str) -> sa.FromClause:
    """A trigger's transition table with the layer's columns."""
    return _source(definition, name)


def _source(definition: Definition, name: str, schema: str | None = None) -> sa.FromClause:
    # only columns that the definition itself reads; a hidden attribute is not even named
    columns: list[sa.ColumnClause[Any]] = [sa.column("id", sa.Uuid()), sa.column(STORED_GEOMETRY, PlainGeometry())]
    columns += [sa.column(name, COLUMN_TYPES[type_]) for name, type_ in definition.reads]
    return sa.table(name, *columns, schema=schema).alias("r")


def project(definition: Definition, source: sa.FromClause) -> sa.Select[Any]:
    """Columns as in `published_columns`, one row per visible row of `source`."""
    shown = _placed(definition, _masked(definition, source))
    columns: list[sa.ColumnElement[Any]] = [shown.c.id, _place(definition, shown).label(PLACE), _feature(definition, shown).label(FEATURE)]
    if definition.geometry_type:
        columns += [shown.c[GEOMETRY], shown.c[MERCATOR]]
    return sa.select(*columns, *(shown.c[column.name] for column in definition.columns))


def published_columns(definition: Definition) -> list[str]:
    geometries = [GEOMETRY, MERCATOR] if definition.geometry_type else []
    return ["id", PLACE, FEATURE, *geometries, *(column.name for column in definition.columns)]


def visible(definition: Definition, source: sa.FromClause) -> sa.ColumnElement[bool]:
    """The rows of `source` that the definition speaks of: those of its rule, and none that has been withdrawn."""
    stored = (definition.stored_type or "") if definition.groups is None else ("Point" if definition.groups.members_are_points else "")
    return sa.and_(predicate(definition.rows, source, Place(stored in ("Point", "PointZ"), definition.zone)), is_not_withdrawn(source))


def _masked(definition: Definition, source: sa.FromClause) -> sa.FromClause:
    if definition.groups is not None:
        return _fenced(group_rows(definition, definition.groups, source, visible(definition, source)), "masked")
    columns: list[sa.ColumnElement[Any]] = [source.c.id]
    columns += [column.mask.sql(source.c[column.name]).label(column.name) for column in definition.columns]
    if definition.geometry_type:
        columns.append(sa.type_coerce(definition.geometry.sql(source.c[STORED_GEOMETRY]), PlainGeometry()).label(GEOMETRY))
    return _fenced(sa.select(*columns).where(visible(definition, source)), "masked")


def _placed(definition: Definition, masked: sa.FromClause) -> sa.FromClause:
    if not definition.geometry_type:
        return masked
    flat = sa.func.ST_Transform(sa.func.ST_Force2D(masked.c[GEOMETRY]), MERCATOR_SRID)
    wgs = sa.func.ST_ForcePolygonCCW(sa.func.ST_Transform(masked.c[GEOMETRY], 4326))
    columns = [sa.type_coerce(flat, PlainGeometry()).label(MERCATOR), sa.type_coerce(wgs, PlainGeometry()).label("_wgs")]
    return _fenced(sa.select(*masked.c, *columns), "placed")


def _fenced(select: sa.Select[Any], name: str) -> sa.FromClause:
    """A subquery that PostgreSQL does not flatten: nothing in it is computed twice."""
    return select.offset(sa.literal_column("0")).subquery(name)


def _place(definition: Definition, shown: sa.FromClause) -> sa.ColumnElement[Any]:
    """Where the item stands in the order of the collection: near in space is near on disk."""
    if not definition.geometry_type:
        return sa.literal_column("''")
    return sa.func.coalesce(sa.func.ST_GeoHash(shown.c._wgs, PLACE_DIGITS), "")


def _feature(definition: Definition, shown: sa.FromClause) -> sa.ColumnElement[Any]:
    """The finished GeoJSON feature (RFC 7946), compact, properties in the layer's order, absent values as null."""
    geometry: sa.ColumnElement[Any] = sa.literal("null")
    if definition.geometry_type:
        geometry = sa.func.coalesce(sa.func.ST_AsGeoJSON(shown.c._wgs, COORDINATE_DIGITS, 0), "null")
    parts: list[Any] = ['{"type":"Feature","id":"', shown.c.id, '","geometry":', geometry, ',"properties":{']
    for number, column in enumerate(definition.columns):
        parts += [f'{"," if number else ""}"{column.name}":', sa.func.coalesce(_json(column, shown.c[column.name]), "null")]
    # concat takes at most 100 arguments
    chunks = [sa.func.concat(*parts[start : start + 90]) for start in range(0, len(parts), 90)]
    return sa.func.concat(*chunks, "}}") if len(chunks) > 1 else sa.func.concat(*parts, "}}")


def _json(column: Column, value: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """One value as JSON text; NULL stays NULL."""
    match column.shown_type:
        case "integer" | "boolean":
            return sa.cast(value, sa.Text)
        case "datetime":
            naive = sa.cast(sa.func.to_json(sa.func.timezone("UTC", value)), sa.Text)
            return sa.func.rtrim(naive, '"').op("||")('Z"')
        case _:
            return sa.cast(sa.func.to_json(value), sa.Text)
