"""Where a backup is restored to: a new database, which takes the town's name at the end, in one step; what stood there keeps another.

Must never let a server answer from a database that is only partly there.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from psycopg import conninfo, sql

from twin_api.backup.tables import Connection
from twin_api.publish.ground import connect_administrator
from twin_api.publish.migrate import create_database
from twin_api.store.engine import DRAFT, login_of

REPLACED: Final = "_replaced_"
UNFINISHED: Final = f"{DRAFT}restoring"
# logins of servers and writers that could come in before the tables they ask for are there
_HELD: Final = ("control", "writer", "audit")
_MARK: Final = "twin_restoring"  # a schema of the administrator's, in a database of somebody else's making that is being filled
_FILLED: Final = "SELECT to_regclass('control.alembic_version') IS NOT NULL OR to_regnamespace('store') IS NOT NULL"
_MARKED: Final = (
    "SELECT count(*) > 0 FROM pg_namespace n JOIN pg_roles r ON r.oid = n.nspowner WHERE n.nspname = %s AND (r.rolsuper OR r.rolcreaterole)"
)
_SCHEMAS: Final = "SELECT nspname FROM pg_namespace WHERE nspname IN ('store', 'published', 'control', %s) OR nspowner = to_regrole(%s)"
_BESIDE: Final = (
    "SELECT datname::text FROM pg_database WHERE EXISTS (SELECT FROM unnest(%s::text[]) k WHERE starts_with(datname, %s || k)) ORDER BY 1"
)


class PlaceTaken(Exception):
    """The database holds a town already."""


class RestoreUnderWay(Exception):
    """Somebody else is restoring to the same place."""


@dataclass(frozen=True, slots=True)
class Place:
    """The database to restore into; `before` is what the one that stands there now will be called."""

    admin: str
    before: str | None = None


@contextmanager
def empty_place(admin: str, *, replace: bool, now: datetime) -> Iterator[Place]:
    """An empty database, which stands under the name in `admin` when it is left. Raises `PlaceTaken`, `RestoreUnderWay`.

    Left by an exception, or killed at any moment, everything is as it was before; what is left then, the next one clears away. Servers
    go on until the last moment. A database that somebody made for us, and that is empty, is filled where it is.
    """
    name = str(conninfo.conninfo_to_dict(admin)["dbname"])
    with _alone(admin, name) as server:
        exists = server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is not None
        filled = exists and _is_filled(admin)
        if filled and not replace:
            raise PlaceTaken()
        if exists and not filled:
            with _held(server, name), _marked(admin):
                yield Place(admin)
            return
        before = f"{name}{REPLACED}{now.astimezone(UTC):%Y%m%d_%H%M%S}" if filled else None
        _drop(server, name + UNFINISHED)
        create_database(server, name + UNFINISHED)
        try:
            yield Place(conninfo.make_conninfo(admin, dbname=name + UNFINISHED), before)
            _take_name(admin, server, name, before)
        except BaseException:
            _drop(server, name + UNFINISHED)
            raise


def drop_replaced(admin: str) -> list[str]:
    """Drop the databases that restores have replaced, or did not finish; says which. Raises `RestoreUnderWay`."""
    name = str(conninfo.conninfo_to_dict(admin)["dbname"])
    with _alone(admin, name) as server:
        names = leftovers(server, name)
        for found in names:
            _drop(server, found)
    return names


def leftovers(server: Connection, name: str, kinds: tuple[str, ...] = (REPLACED, UNFINISHED)) -> list[str]:
    """The databases of restores beside the town's own."""
    return [str(found) for (found,) in server.execute(_BESIDE, [list(kinds), name]).fetchall()]


@contextmanager
def _alone(admin: str, name: str) -> Iterator[Connection]:
    """The administrator's session beside the town's database; nobody else restores to this place meanwhile."""
    with connect_administrator(conninfo.make_conninfo(admin, dbname="postgres")) as server:
        row = server.execute("SELECT pg_try_advisory_lock(hashtextextended('twin-api restore ' || %s, 0))", [name]).fetchone()
        if row is None or not row[0]:
            raise RestoreUnderWay()
        yield server


def _is_filled(admin: str) -> bool:
    """Whether a town stands there. What one who was killed has begun to fill is emptied first."""
    with connect_administrator(admin) as connection:
        if _one(connection, _MARKED, _MARK):
            _empty(connection)
        return _one(connection, _FILLED)


def _one(connection: Connection, query: str, *parameters: str) -> bool:
    row = connection.execute(query.encode(), parameters).fetchone()
    return row is not None and bool(row[0])


def _take_name(admin: str, server: Connection, name: str, before: str | None) -> None:
    """The new database is the town's from here on. INVARIANT: one transaction; there is no moment at which there is none, or half of one.

    What was replaced is closed: the town's logins have their rights in it still, and nothing is withdrawn there any more.
    """
    rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
    with _without_sessions(admin, [name, name + UNFINISHED]), server.transaction():
        if before is not None:
            server.execute(rename.format(sql.Identifier(name), sql.Identifier(before)))
            server.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(sql.Identifier(before)))
        server.execute(rename.format(sql.Identifier(name + UNFINISHED), sql.Identifier(name)))


@contextmanager
def _without_sessions(admin: str, names: list[str]) -> Iterator[None]:
    """End whoever is in these databases, again and again: PostgreSQL renames none with a session in it, and waits for the last to go."""
    done = threading.Event()

    def end_them() -> None:
        with connect_administrator(conninfo.make_conninfo(admin, dbname="postgres")) as connection:
            while not done.wait(0.05):
                connection.execute("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = ANY (%s)", [names])

    thread = threading.Thread(target=end_them, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _drop(server: Connection, name: str) -> None:
    server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def _marked(admin: str) -> Iterator[None]:
    """A database that somebody made for us is marked while it is filled; if that fails it stays, but as empty as it was."""
    with connect_administrator(admin) as connection:
        connection.execute(f"CREATE SCHEMA {_MARK}".encode())
    try:
        yield
    except BaseException:
        with connect_administrator(admin) as connection:
            _empty(connection)
        raise
    with connect_administrator(admin) as connection:
        connection.execute(f"DROP SCHEMA {_MARK}".encode())


def _empty(connection: Connection) -> None:
    """The mark goes last: whoever is killed here begins again."""
    schemas = [name for (name,) in connection.execute(_SCHEMAS, [_MARK, f'"{login_of(connection, "owner")}"']).fetchall()]
    for schema in sorted(schemas, key=lambda schema: schema == _MARK):
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
