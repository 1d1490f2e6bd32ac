"""What PUBLIC holds although `control.harden()` takes it: after an update of an extension, by hand, or where nobody could take it.

Must never know better than the database what is taken: the catalogue's functions are those that `control.harden()` itself names.
"""

from __future__ import annotations

from typing import Any, Final

import psycopg
from psycopg import sql

Connection = psycopg.Connection[tuple[Any, ...]]

_PUBLIC: Final = "EXISTS (SELECT FROM aclexplode(coalesce({acl}, acldefault('{kind}', {owner}))) a WHERE a.grantee = 0{more})"
_RIGHTS: Final = {
    "database": "SELECT datname::text FROM pg_database WHERE datname = current_database() AND "
    + _PUBLIC.format(acl="datacl", kind="d", owner="datdba", more=""),
    "schema": "SELECT nspname::text FROM pg_namespace WHERE nspname IN ('public', 'postgis') AND "
    + _PUBLIC.format(acl="nspacl", kind="n", owner="nspowner", more=""),
    "language": "SELECT lanname::text FROM pg_language WHERE lanname IN ('plpgsql', 'sql') AND "
    + _PUBLIC.format(acl="lanacl", kind="l", owner="lanowner", more=""),
    "function": "SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace = 'postgis'::regnamespace AND "
    + _PUBLIC.format(acl="proacl", kind="f", owner="proowner", more=""),
    "relation": "SELECT oid::regclass::text FROM pg_class WHERE relnamespace = 'postgis'::regnamespace AND relkind IN ('r', 'v') AND "
    + _PUBLIC.format(acl="relacl", kind="r", owner="relowner", more=" AND a.privilege_type = 'SELECT'"),
    "catalogue function": "SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace AND prokind = 'f' "
    "AND proname ~ {pattern} AND " + _PUBLIC.format(acl="proacl", kind="f", owner="proowner", more=""),
    "column": "SELECT 'pg_proc.' || attname FROM pg_attribute WHERE attrelid = 'pg_proc'::regclass AND attname IN ('prosrc', 'prosqlbody') "
    "AND (SELECT EXISTS (SELECT FROM aclexplode(relacl) a WHERE a.grantee = 0 AND a.privilege_type = 'SELECT') FROM pg_class "
    "WHERE oid = 'pg_proc'::regclass)",
}  # fmt: skip
_PATTERN: Final = "SELECT substring(pg_get_functiondef('control.harden()'::regprocedure) FROM 'p\\.proname ~ ''([^'']+)''')"


class HardeningUnknown(Exception):
    """`control.harden()` is not there, or does not say which functions of the catalogue it takes."""


def still_public(connection: Connection) -> list[str]:
    """Every right of PUBLIC that hardening takes, as `<kind> <name>`; administrator's connection, some 20 ms."""
    held = []
    for kind, query in _RIGHTS.items():
        found = connection.execute(sql.SQL(query).format(pattern=_pattern(connection))).fetchall()
        held += sorted(f"{kind} {name}" for (name,) in found)
    return held


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
