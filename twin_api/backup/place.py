"""Where a backup is restored to: a database that is made for it, or an empty one; what stood there before is kept under another name.

Must never let a server answer from a database that is only partly there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import psycopg
from psycopg import conninfo, sql

from twin_api.backup.tables import Connection
from twin_api.publish.migrate import create_database

REPLACED: Final = "_replaced_"
# logins of servers and writers that could come in before the tables they ask for are there
_HELD: Final = ("control", "writer", "audit")
_FILLED: Final = "SELECT to_regclass('control.alembic_version') IS NOT NULL OR to_regnamespace('store') IS NOT NULL"


class PlaceTaken(Exception):
    """The database holds a town already."""


@dataclass(frozen=True, slots=True)
class Place:
    """The database to restore into; `before` is the name of the one that stood there."""

    admin: str
    before: str | None = None


@contextmanager
def empty_place(admin: str, *, replace: bool, now: datetime) -> Iterator[Place]:
    """An empty database under the name in `admin`. Left by an exception, everything is as it was before. Raises `PlaceTaken`."""
    name = str(conninfo.conninfo_to_dict(admin)["dbname"])
    with psycopg.connect(conninfo.make_conninfo(admin, dbname="postgres"), autocommit=True) as server:
        existed = _exists(server, name)
        before = _move_away(server, name, now) if existed and _make_sure(admin, replace) else None
        try:
            if before or not existed:
                create_database(server, name)
            with _held(server, name):
                yield Place(admin, before)
        except BaseException:
            if before or not existed:
                _drop(server, name)
            else:
                _empty(admin)
            if before:
                _rename(server, before, name, open_=True)
            raise


def drop_replaced(admin: str) -> list[str]:
    """Drop the databases that restores have replaced; says which."""
    name = str(conninfo.conninfo_to_dict(admin)["dbname"])
    with psycopg.connect(admin, autocommit=True) as server:
        query = "SELECT datname FROM pg_database WHERE starts_with(datname, %s) ORDER BY 1"
        names = [str(found) for (found,) in server.execute(query, [name + REPLACED]).fetchall()]
        for found in names:
            _drop(server, found)
    return names


def _exists(server: Connection, name: str) -> bool:
    return server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is not None


def _make_sure(admin: str, replace: bool) -> bool:
    """Whether there is something to move away."""
    with psycopg.connect(admin) as connection:
        row = connection.execute(_FILLED).fetchone()
    filled = row is not None and bool(row[0])
    if filled and not replace:
        raise PlaceTaken()
    return filled


def _move_away(server: Connection, name: str, now: datetime) -> str:
    before = f"{name}{REPLACED}{now.astimezone(UTC).strftime('%Y%m%d_%H%M%S')}"
    _rename(server, name, before, open_=False)
    return before


def _rename(server: Connection, name: str, to: str, *, open_: bool) -> None:
    """Ends every session in it; nobody comes in between.

    INVARIANT: what was replaced is closed. The town's logins have their rights in it still, and nothing is withdrawn there any more.
    """
    closed = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
    server.execute(closed.format(sql.Identifier(name), sql.SQL("false")))
    try:
        _end_sessions(server, name)
        server.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(name), sql.Identifier(to)))
        if open_:
            server.execute(closed.format(sql.Identifier(to), sql.SQL("true")))
    except BaseException:  # whoever interrupts here must not leave a town that nobody can enter
        server.execute(closed.format(sql.Identifier(name), sql.SQL("true")))
        raise


def _end_sessions(server: Connection, name: str) -> None:
    for _ in range(50):
        query = "SELECT count(pg_terminate_backend(pid, 1000)) FROM pg_stat_activity WHERE datname = %s"
        row = server.execute(query, [name]).fetchone()
        if row is not None and row[0] == 0:
            return


def _drop(server: Connection, name: str) -> None:
    server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _empty(admin: str) -> None:
    """A database that somebody made for us stays, but as empty as it was."""
    with psycopg.connect(admin, autocommit=True) as connection:
        known = connection.execute("SELECT to_regclass('published.role') IS NOT NULL").fetchone()
        schemas = ["store", "published", "control"]
        if known is not None and known[0]:
            schemas += [schema for (schema,) in connection.execute("SELECT schema FROM published.role").fetchall()]
        for schema in schemas:
            connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(schema)))


@contextmanager
def _held(server: Connection, name: str) -> Iterator[None]:
    """Keep these logins out meanwhile, where they are there already."""
    logins = [f"{name}_{suffix}" for suffix in _HELD]
    there = [login for (login,) in server.execute("SELECT rolname FROM pg_roles WHERE rolname = ANY (%s)", [logins]).fetchall()]
    for login in there:
        server.execute(sql.SQL("ALTER ROLE {} NOLOGIN").format(sql.Identifier(login)))
    try:
        yield
    finally:
        for login in there:
            server.execute(sql.SQL("ALTER ROLE {} LOGIN").format(sql.Identifier(login)))
