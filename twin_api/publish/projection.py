"""The select that a definition stands for: visible rows, masked values, and everything a reader wants ready-made.

INVARIANT: masks apply first. Place, feature text and mercator geometry are functions of the masked row alone, so nothing that
a client can filter, sort, count or time depends on what is hidden.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa

from twin_api.layers.table import COLUMN_TYPES, STORE
from twin_api.layers.table import GEOMETRY as STORED_GEOMETRY
from twin_api.policy.masks import KeepGeometry
from twin_api.publish.definition import Definition
from twin_api.publish.figures import group_rows
from twin_api.publish.predicate import Place, is_not_withdrawn, predicate
from twin_api.publish.statement import PlainGeometry
from twin_api.store.collection import FEATURE, GEOMETRY, MERCATOR, MERCATOR_SRID, PLACE
from twin_api.store.feature import feature_head, feature_of

PLACE_DIGITS: Final = 10  # a geohash of 10 characters is a cell of about one metre
COORDINATE_DIGITS: Final = 7  # of a degree: about one centimetre
WGS: Final = "_wgs"
HEAD: Final = "_head"


def store_source(definition: Definition) -> sa.FromClause:
    """The layer's own table."""
    return _source(definition, definition.layer, schema=STORE)


def transition_source(definition: Definition, name: str) -> sa.FromClause:
    """A trigger's transition table with the layer's columns."""
    return _source(definition, name)


def _source(
    definition: Definition, name: str, more: Sequence[sa.ColumnClause[Any]] = (), schema: str | None = None
) -> sa.FromClause:  # fmt: skip
    # only columns that the definition itself reads; a hidden attribute is not even named
    columns: list[sa.ColumnClause[Any]] = [sa.column("id", sa.Uuid()), sa.column(STORED_GEOMETRY, PlainGeometry())]
    columns += [sa.column(name, COLUMN_TYPES[type_]) for name, type_ in definition.reads]
    return sa.table(name, *columns, *more, schema=schema).alias("r")


def project(definition: Definition, source: sa.FromClause) -> sa.Select[Any]:
    """Columns as in `published_columns`, one row per visible row of `source`."""
    shown = _placed(definition, _masked(definition, source))
    if not definition.geometry_type:
        return _finished(definition, shown, sa.literal_column("''"), feature_head(shown.c.id, sa.literal("null")))
    return _finished(definition, shown, _place(shown.c[WGS]), feature_head(shown.c.id, _geometry_json(shown.c[WGS])))


def prepare(definition: Definition) -> sa.Select[Any] | None:
    """The layer's whole rows with all that is derived from the shown geometry; None where none is shown.

    The same text for all definitions of a layer that show its geometry alike: what costs most of a projection can then be done once
    for all of them. It holds what they hide, so it is for whoever builds only. A geometry that is kept stands in it once.
    """
    if not definition.geometry_type or definition.groups is not None:
        return None
    source = store_source(definition)
    shown = [] if _is_kept(definition) else [_shown_geometry(definition, source)]
    masked = _fenced(sa.select(sa.literal_column("r.*"), *shown).select_from(source), "masked")
    geometry = sa.literal_column(f"masked.{STORED_GEOMETRY if _is_kept(definition) else GEOMETRY}", PlainGeometry())
    placed = _unflattened(sa.select(_wgs(geometry).label(WGS)).correlate(masked)).lateral("placed")
    head = feature_head(sa.literal_column("masked.id"), _geometry_json(placed.c[WGS]))
    derived = [_place(placed.c[WGS]).label(PLACE), head.label(HEAD), _mercator(geometry).label(MERCATOR)]
    return sa.select(sa.literal_column("masked.*"), *derived).select_from(masked, placed)


def project_prepared(definition: Definition, name: str) -> sa.Select[Any]:
    """The same rows as `project` yields on the store, from the temporary table `name` filled by `prepare`, and as they lie in it."""
    derived = [sa.column(GEOMETRY, PlainGeometry()), sa.column(MERCATOR, PlainGeometry()), sa.column(PLACE), sa.column(HEAD)]
    source = _source(definition, name, derived)
    geometry = _shown_geometry(definition, source) if _is_kept(definition) else source.c[GEOMETRY]
    masked = [*_masked_columns(definition, source), geometry, *(source.c[n] for n in (MERCATOR, PLACE, HEAD))]
    shown = _fenced(sa.select(*masked).where(visible(definition, source)), "masked")
    return _finished(definition, shown, shown.c[PLACE], shown.c[HEAD])


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
    columns = _masked_columns(definition, source)
    if definition.geometry_type:
        columns.append(_shown_geometry(definition, source))
    return _fenced(sa.select(*columns).where(visible(definition, source)), "masked")


def _masked_columns(definition: Definition, source: sa.FromClause) -> list[sa.ColumnElement[Any]]:
    return [source.c.id, *(column.mask.sql(source.c[column.name]).label(column.name) for column in definition.columns)]


def _shown_geometry(definition: Definition, source: sa.FromClause) -> sa.ColumnElement[Any]:
    return sa.type_coerce(definition.geometry.sql(source.c[STORED_GEOMETRY]), PlainGeometry()).label(GEOMETRY)


def _is_kept(definition: Definition) -> bool:
    """Whether the geometry is shown as it is stored."""
    return isinstance(definition.geometry, KeepGeometry)


def _placed(definition: Definition, masked: sa.FromClause) -> sa.FromClause:
    if not definition.geometry_type:
        return masked
    geometry = masked.c[GEOMETRY]
    return _fenced(sa.select(*masked.c, _mercator(geometry).label(MERCATOR), _wgs(geometry).label(WGS)), "placed")


def _mercator(geometry: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    return sa.type_coerce(sa.func.ST_Transform(sa.func.ST_Force2D(geometry), MERCATOR_SRID), PlainGeometry())


def _wgs(geometry: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """As RFC 7946 wants it: in WGS 84, outer rings counterclockwise."""
    return sa.type_coerce(sa.func.ST_ForcePolygonCCW(sa.func.ST_Transform(geometry, 4326)), PlainGeometry())


def _fenced(select: sa.Select[Any], name: str) -> sa.FromClause:
    """A subquery that PostgreSQL does not flatten: nothing in it is computed twice."""
    return _unflattened(select).subquery(name)


def _unflattened(select: sa.Select[Any]) -> sa.Select[Any]:
    # in quotes: a bare 0 is cast first, and PostgreSQL then takes it for an offset that no parallel worker can know
    return select.offset(sa.literal_column("'0'"))


def _place(wgs: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """Where the item stands in the order of the collection: near in space is near on disk."""
    return sa.func.coalesce(sa.func.ST_GeoHash(wgs, PLACE_DIGITS), "")


def _geometry_json(wgs: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    return sa.func.ST_AsGeoJSON(wgs, COORDINATE_DIGITS, 0)


def _finished(definition: Definition, shown: sa.FromClause, place: sa.ColumnElement[Any], head: sa.ColumnElement[Any]) -> sa.Select[Any]:
    columns: list[sa.ColumnElement[Any]] = [shown.c.id, place.label(PLACE), _feature(definition, shown, head).label(FEATURE)]
    if definition.geometry_type:
        columns += [shown.c[GEOMETRY], shown.c[MERCATOR]]
    return sa.select(*columns, *(shown.c[column.name] for column in definition.columns))


def _feature(definition: Definition, shown: sa.FromClause, head: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """The finished GeoJSON feature (RFC 7946), compact, properties in the layer's order."""
    return feature_of(head, ((column.name, column.shown_type, shown.c[column.name]) for column in definition.columns))
