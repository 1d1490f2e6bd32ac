"""The rows of a file on their way into the store: a temporary table of the importing transaction, filled by binary COPY."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import psycopg
from psycopg import sql
from psycopg.types.string import BytesBinaryDumper

from twin_api.layers.table import STORE

STAGING: Final = sql.Identifier("pg_temp", "import_staging")


class Ewkb(bytes):
    """Stands for a geometry where psycopg asks for a Python type."""


class Staging:
    """An open COPY; `add` takes rows in the order of the columns."""

    def __init__(self, copy: psycopg.Copy) -> None:
        self._copy = copy
        self.staged = 0

    def add(self, rows: Iterable[Sequence[Any]]) -> None:
        for row in rows:
            self._copy.write_row(row)
            self.staged += 1


@contextmanager
def staging(connection: psycopg.Connection, layer: str, columns: Sequence[str]) -> Iterator[Staging]:
    """Create the table like the layer's columns and fill it; it is gone with the transaction, whatever happens."""
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    connection.execute(
        sql.SQL("CREATE TEMPORARY TABLE import_staging ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA").format(
            names, sql.Identifier(STORE, layer)
        )
    )
    types = _types(connection)
    with connection.cursor() as cursor, cursor.copy(sql.SQL("COPY {} FROM STDIN (FORMAT binary)").format(STAGING)) as copy:
        copy.set_types(types)
        yield Staging(copy)
    connection.execute(sql.SQL("ANALYZE {}").format(STAGING))


def _types(connection: psycopg.Connection) -> list[int]:
    """The type of each column. PostGIS reads EWKB as its binary form, so a geometry goes out as the bytes it is."""
    rows = connection.execute(
        "SELECT a.atttypid::int8, t.typname FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid"
        " WHERE a.attrelid = 'pg_temp.import_staging'::regclass AND a.attnum > 0 ORDER BY a.attnum"
    ).fetchall()
    for oid, name in rows:
        if name == "geometry":
            connection.adapters.register_dumper(Ewkb, type("GeometryDumper", (BytesBinaryDumper,), {"oid": oid}))
    return [int(oid) for oid, _ in rows]
