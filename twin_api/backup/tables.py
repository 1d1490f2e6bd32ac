"""Which tables a backup holds, read from the catalogue: the store, control, and of what is published only what no definition yields.

Must never change anything. Connection of the owner, in the transaction whose snapshot is backed up.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from typing import Any, Final

import psycopg
from psycopg import sql

from twin_api.backup.archive import Digest, Entry
from twin_api.backup.manifest import FigureKept, TableKept

Connection = psycopg.Connection[tuple[Any, ...]]
Progress = Callable[[str, int, int], None]  # what is being done, octets done, octets in all

_PIECE: Final = 1 << 18
# made anew by the migrations of the database that a backup is restored into
_OWN: Final = ("alembic_version", "was_public")
# asked as JSON, because older revisions have no such columns
_FIGURES: Final = (
    "SELECT relation, (to_jsonb(d) ->> 'synced_at')::timestamptz, (to_jsonb(d) ->> 'was_empty')::boolean "
    "FROM published.definition d WHERE to_jsonb(d) ->> 'kind' = 'figures' ORDER BY relation"
)
_TABLES: Final = """
SELECT n.nspname, c.relname, array_agg(a.attname::text ORDER BY a.attnum), pg_total_relation_size(c.oid)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
WHERE c.relkind = 'r' AND (n.nspname = 'store' OR (n.nspname = 'control' AND c.relname <> ALL (%(own)s))
  OR (n.nspname = 'published' AND (c.relname = 'withdrawn' OR c.relname = ANY (%(figures)s))))
GROUP BY n.nspname, c.relname, c.oid ORDER BY n.nspname, c.relname"""
_SEQUENCES: Final = (
    "SELECT format('%I.%I', schemaname, sequencename), last_value FROM pg_sequences "
    "WHERE schemaname IN ('store', 'control') AND last_value IS NOT NULL ORDER BY 1"
)


def figures_kept(connection: Connection) -> list[FigureKept]:
    return [FigureKept(*row) for row in connection.execute(_FIGURES).fetchall()]


def tables_kept(connection: Connection, figures: list[FigureKept]) -> dict[TableKept, int]:
    """Every table with its size in octets, indexes and all; held against being altered until the transaction ends."""
    names = {"own": list(_OWN), "figures": [figure.relation for figure in figures]}
    rows = connection.execute(_TABLES, names).fetchall()
    for schema, name, _, _ in rows:
        connection.execute(sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE").format(sql.Identifier(schema, name)))
    return {TableKept(schema, name, tuple(columns)): int(size) for schema, name, columns, size in rows}


def sequences_kept(connection: Connection) -> Mapping[str, int]:
    return {name: int(last) for name, last in connection.execute(_SEQUENCES).fetchall()}


def copy_out(connection: Connection, table: TableKept) -> Generator[bytes, None, None]:
    """The rows as text, a line each, in the order in which they lie."""
    held = bytearray()
    with connection.cursor() as cursor, cursor.copy(_copy(table, "TO STDOUT")) as copy:
        for row in copy:
            held += row
            if len(held) >= _PIECE:
                yield bytes(held)
                held.clear()
    yield bytes(held)


def copy_in(connection: Connection, table: TableKept, some: Iterator[bytes]) -> None:
    with connection.cursor() as cursor, cursor.copy(_copy(table, "FROM STDIN")) as copy:
        for piece in some:
            copy.write(piece)


def measure(connection: Connection, table: TableKept) -> Entry:
    """What the table would be in a backup; the transaction must be pinned as `pin_copy` does it."""
    digest = Digest()
    for piece in copy_out(connection, table):
        digest.take(piece)
    return digest.entry()


def pin_copy(connection: Connection) -> None:
    """Until the end of the transaction, a table that holds the same is copied as the same octets."""
    for setting in ("synchronize_seqscans = off", "IntervalStyle = 'postgres'", "bytea_output = 'hex'", "client_encoding = 'UTF8'"):
        connection.execute(f"SET LOCAL {setting}".encode())


def _copy(table: TableKept, direction: str) -> sql.Composed:
    columns = sql.SQL(", ").join(map(sql.Identifier, table.columns))
    return sql.SQL("COPY {} ({}) {}").format(sql.Identifier(table.schema, table.name), columns, sql.SQL(direction))
