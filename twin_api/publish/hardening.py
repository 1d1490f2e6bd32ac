"""What PUBLIC holds although `control.harden()` takes it: after an update of an extension, by hand, or where nobody could take it.

Must never know better than the database what is taken: the catalogue's functions are those that `control.harden()` itself names.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import psycopg
from psycopg import sql

from twin_api.publish.ground import foreign_things

Connection = psycopg.Connection[tuple[Any, ...]]

# kind -> (what is looked at, its access list, the letter of its default, its owner)
_HELD: Final = {
    "database": ("datname::text FROM pg_database WHERE datname = current_database()", "datacl", "d", "datdba"),
    "schema": ("nspname::text FROM pg_namespace WHERE nspname IN ('public', 'postgis')", "nspacl", "n", "nspowner"),
    "language": ("lanname::text FROM pg_language WHERE lanname IN ('plpgsql', 'sql')", "lanacl", "l", "lanowner"),
    "function": ("oid::regprocedure::text FROM pg_proc WHERE pronamespace = 'postgis'::regnamespace", "proacl", "f", "proowner"),
    "relation": (
        "oid::regclass::text FROM pg_class WHERE relnamespace = 'postgis'::regnamespace AND relkind IN ('r', 'v')",
        "relacl", "r", "relowner",
    ),
    "catalogue function": (
        "oid::regprocedure::text FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace AND prokind = 'f' "
        "AND (proname ~ {pattern} OR oid::regprocedure::text IN (SELECT function FROM control.was_public))",
        "proacl", "f", "proowner",
    ),
}  # fmt: skip
_BY_PUBLIC: Final = (
    "SELECT {what} AND EXISTS (SELECT FROM aclexplode(coalesce({acl}, acldefault('{letter}', {owner}))) a WHERE a.grantee = 0)"
)
_SOURCE_TEXTS: Final = (
    "SELECT 'pg_proc.' || t.attname FROM pg_attribute t JOIN pg_class c ON c.oid = t.attrelid WHERE c.oid = 'pg_proc'::regclass "
    "AND t.attname IN ('prosrc', 'prosqlbody') AND EXISTS (SELECT FROM (VALUES (c.relacl), (t.attacl)) AS l (acl), aclexplode(l.acl) a "
    "WHERE a.grantee = 0 AND a.privilege_type = 'SELECT')"
)
_PATTERN: Final = "SELECT substring(pg_get_functiondef('control.harden()'::regprocedure) FROM 'p\\.proname ~ ''([^'']+)''')"


class HardeningUnknown(Exception):
    """`control.harden()` is not there, is not of an administrator's making, or does not say which functions of the catalogue it takes."""


class Held(NamedTuple):
    """A right of PUBLIC: the kind of thing, and its name."""

    kind: str
    name: str


def still_public(connection: Connection) -> list[Held]:
    """Every right of PUBLIC that hardening takes; administrator's connection, some 20 ms. Raises `HardeningUnknown`."""
    if foreign_things(connection):
        raise HardeningUnknown()
    pattern = _pattern(connection)
    held = []
    for kind, (what, acl, letter, owner) in _HELD.items():
        query = sql.SQL(_BY_PUBLIC.format(what=what, acl=acl, letter=letter, owner=owner)).format(pattern=pattern)
        held += sorted(Held(kind, name) for (name,) in connection.execute(query).fetchall())
    return held + sorted(Held("column", name) for (name,) in connection.execute(_SOURCE_TEXTS).fetchall())


def harden(connection: Connection) -> None:
    """Take it all again, where anything is left to take: what PUBLIC does not hold is not touched."""
    if still_public(connection):
        connection.execute("SELECT control.harden()")


def readable_functions(connection: Connection) -> set[str]:
    """Names of the functions of PostGIS that a twin's statements call; nothing else may be granted to a twin."""
    row = connection.execute("SELECT control.reading()::text[]").fetchone()
    return set(row[0]) if row else set()


def _pattern(connection: Connection) -> sql.Literal:
    try:
        row = connection.execute(_PATTERN).fetchone()
    except psycopg.errors.UndefinedFunction:
        row = None
    if row is None or row[0] is None:
        raise HardeningUnknown()
    return sql.Literal(row[0])
