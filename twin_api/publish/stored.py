"""Rows of the store as policies read them, for explaining what a grant makes of them.

Must never be read for a role: it sees whole rows. Connection of the owner.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import psycopg
import shapely
from psycopg import sql

from twin_api.layers.table import GEOMETRY, ID, STORE
from twin_api.policy.documents import Layer
from twin_api.policy.rule import Row

Connection = psycopg.Connection[tuple[Any, ...]]


class LayerMissing(Exception):
    """The store has no table for the layer, or one without all of its attributes."""


def stored_row(connection: Connection, layer: Layer, id: UUID) -> Row | None:
    """One row: attribute -> value, `geometry` as a geometry of shapely. Raises `LayerMissing`."""
    rows = _rows(connection, layer, sql.SQL("WHERE {} = %s").format(sql.Identifier(ID)), [id])
    return rows[0] if rows else None


def stored_rows(connection: Connection, layer: Layer) -> list[Row]:
    """Every row of a layer, for layers of areas. Raises `LayerMissing`."""
    return _rows(connection, layer, sql.SQL(""), [])


def _rows(connection: Connection, layer: Layer, where: sql.Composable, values: list[Any]) -> list[Row]:
    place = sql.SQL("postgis.ST_AsBinary({})").format(sql.Identifier(GEOMETRY)) if layer.geometry is not None else sql.SQL("NULL::bytea")
    columns = sql.SQL(", ").join([place, *(sql.Identifier(name) for name in layer.attributes)])
    query = sql.SQL("SELECT {} FROM {} {}").format(columns, sql.Identifier(STORE, layer.name), where)
    try:
        found = connection.execute(query, values).fetchall()
    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn):
        raise LayerMissing() from None
    return [{**dict(zip(layer.attributes, rest, strict=True)), GEOMETRY: shapely.from_wkb(place)} for place, *rest in found]


def is_withdrawn(connection: Connection, collection: str, layer: str, id: UUID | None) -> bool:
    """Whether the collection, or this item of its layer, has been taken out of every twin; a store without that table withdraws nothing."""
    known = connection.execute("SELECT to_regclass('published.withdrawn') IS NOT NULL").fetchone()
    if known is None or not known[0]:
        return False
    query = "SELECT 1 FROM published.withdrawn WHERE (item IS NULL AND collection = %s) OR (item = %s AND layer = %s) LIMIT 1"
    return connection.execute(query, [collection, id, layer]).fetchone() is not None
