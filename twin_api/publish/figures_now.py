"""Figures taken anew on somebody's word, before their time."""

from __future__ import annotations

from typing import Any

import psycopg

from twin_api.publish.bulk import sync
from twin_api.store.audit import note

Connection = psycopg.Connection[tuple[Any, ...]]


class NoFigures(Exception):
    """The role has no collection of figures of that name."""


def refresh_now(connection: Connection, role: str, collection: str) -> int:
    """Count anew and note it in the audit log; says how many groups have other figures. Other roles that share them share this too."""
    query = (
        "SELECT s.relation FROM published.shown s JOIN published.role r USING (schema) JOIN published.definition d USING (relation) "
        "WHERE r.name = %s AND s.collection = %s AND d.kind = 'figures'"
    )
    row = connection.execute(query, [role, collection]).fetchone()
    if row is None:
        raise NoFigures()
    with connection.transaction():
        changed = sync(connection, row[0])
        note(connection, "figures.refresh", {"role": role, "collection": collection})
    return changed
