"""What the tables of the store are now, read from the catalogue.

Must never read a row: what stands in the tables is the business of whoever plans.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import psycopg

from twin_api.publish.unread import UNREAD

Connection = psycopg.Connection[tuple[Any, ...]]

_TABLES: Final = "FROM pg_class c {} WHERE c.relnamespace = 'store'::regnamespace AND c.relkind = 'r'"
_COLUMNS: Final = "SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod) " + _TABLES.format(
    "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
)
_CHECKS: Final = "SELECT c.relname, a.attname, k.conname " + _TABLES.format(
    "JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'c' AND cardinality(k.conkey) = 1 "
    "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.conkey[1]"
)
_KEYS: Final = "SELECT c.relname, a.attname " + _TABLES.format(
    "JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'u' AND k.conname = c.relname || '_key' "
    "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (k.conkey)"
)
_UNREAD: Final = "SELECT c.relname, p.prosrc " + _TABLES.format(
    f"JOIN pg_trigger t ON t.tgrelid = c.oid AND t.tgname = '{UNREAD}' JOIN pg_proc p ON p.oid = t.tgfoid"
)


@dataclass(slots=True)
class StoredTable:
    """A layer's table: types by column, names of CHECK constraints by column, and the columns of its key."""

    columns: dict[str, str] = field(default_factory=dict)
    checks: dict[str, list[str]] = field(default_factory=dict)
    key: set[str] = field(default_factory=set)
    unread: str | None = None  # the body of the function that withdraws marks


def stored_tables(connection: Connection) -> dict[str, StoredTable]:
    """Every table of the store by its name; types as `format_type` prints them, in lower case."""
    tables: dict[str, StoredTable] = {}
    for table, column, type_ in connection.execute(_COLUMNS.encode()).fetchall():
        tables.setdefault(table, StoredTable()).columns[column] = type_.removeprefix("postgis.").lower()
    for table, column, name in connection.execute(_CHECKS.encode()).fetchall():
        tables[table].checks.setdefault(column, []).append(name)
    for table, column in connection.execute(_KEYS.encode()).fetchall():
        tables[table].key.add(column)
    for table, body in connection.execute(_UNREAD.encode()).fetchall():
        tables[table].unread = body
    return tables
