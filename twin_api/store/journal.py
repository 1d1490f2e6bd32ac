"""Where rows come from: every import, with its files, checksums and licence; rows of the store name the import that last changed them.

Must never hold a value of a row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from twin_api.layers.table import STORE
from twin_api.store.audit import note

Connection = psycopg.Connection[Any]


@dataclass(frozen=True, slots=True)
class Origin:
    """What an import is made of. `files` has name, SHA-256 and octets of each; `source` is the name of a scheduled source."""

    layer: str
    files: Sequence[Mapping[str, Any]]
    holder: str
    licence: str
    source: str | None = None
    replace: bool = False


@dataclass(frozen=True, slots=True)
class Import:
    """An import as the journal keeps it; `counts` are features read, rows inserted, updated, unchanged, deleted and rejected."""

    id: int
    at: datetime
    layer: str
    source: str | None
    files: Sequence[Mapping[str, Any]]
    holder: str
    licence: str
    counts: Mapping[str, int]


class Journal:
    """Enters imports in the transaction that makes them: an entry stands there only if the rows do."""

    def begin(self, connection: Connection, origin: Origin) -> int:
        insert = "INSERT INTO control.import (layer, source, files, holder, licence) VALUES (%s, %s, %s, %s, %s) RETURNING id"
        files = Jsonb([dict(file) for file in origin.files])
        row = connection.execute(insert, [origin.layer, origin.source, files, origin.holder, origin.licence]).fetchone()
        assert row is not None  # noqa: S101 - an INSERT with RETURNING
        return int(row[0])

    def end(self, connection: Connection, id: int, origin: Origin, counts: Mapping[str, int]) -> None:
        """What came of it, and the line of the audit log: the last step before the commit."""
        connection.execute("UPDATE control.import SET counts = %s WHERE id = %s", [Jsonb(dict(counts)), id])
        files = {"files": [dict(file) for file in origin.files], "source": origin.source, "replace": origin.replace}
        note(connection, "layer.import", {"import": id, "layer": origin.layer, **files, **counts})


def list_imports(connection: Connection, layer: str | None = None, most: int = 50) -> list[Import]:
    """The latest imports, the newest first."""
    query = (
        "SELECT id, at, layer, source, files, holder, licence, counts FROM control.import "
        "WHERE %(layer)s::text IS NULL OR layer = %(layer)s ORDER BY id DESC LIMIT %(most)s"
    )
    return [Import(*row) for row in connection.execute(query, {"layer": layer, "most": most}).fetchall()]


def find_origin(connection: Connection, layer: str, item: UUID) -> tuple[bool, Import | None]:
    """Whether the layer holds the item, and the import that last changed it, if it was one."""
    query = sql.SQL(
        "SELECT i.id, i.at, i.layer, i.source, i.files, i.holder, i.licence, i.counts "
        "FROM {} t LEFT JOIN control.import i ON i.id = t.import_id WHERE t.id = %s"
    )
    row = connection.execute(query.format(sql.Identifier(STORE, layer)), [item]).fetchone()
    return row is not None, None if row is None or row[0] is None else Import(*row)
