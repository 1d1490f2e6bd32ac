"""Connections: one login per role, one pool per login.

Must never hand a connection of one role to another, and never send `SET ROLE`: what a connection may read is fixed at its login.
"""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Final

import psycopg
from psycopg import AsyncConnection, conninfo

from twin_api.problems import DatabaseAway, NotFound, TooBusy
from twin_api.seeing.visit import visit
from twin_api.store.line import Line, Params
from twin_api.store.secrets import SecretMissing, Secrets, is_twin_role
from twin_api.turns import Turns

# the statement took more time, room or patience than its login has
_BUSY: Final = (
    psycopg.errors.QueryCanceled, psycopg.errors.LockNotAvailable, psycopg.errors.ConfigurationLimitExceeded, psycopg.errors.OutOfMemory,
)  # fmt: skip
# a session outlives its role: made anew under the same name, the role has its rights and the old session has none
_DEAD: Final = (psycopg.OperationalError, psycopg.errors.InsufficientPrivilege)
_RESULT_GONE: Final = (psycopg.errors.FeatureNotSupported,)  # "cached plan must not change result type"
_SPOILING: Final = (asyncio.CancelledError, *_RESULT_GONE, psycopg.errors.InsufficientPrivilege)  # its line is not used again
_STALE: Final = (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn, psycopg.errors.UndefinedFunction)
_CONNECT_S: Final = 3  # whole seconds: libpq knows no others
_LOGIN_TRIES: Final = 10
_LOGIN_PAUSE_S: Final = 0.1
DRAFT: Final = "~"  # parts a town's name from what is said of a database that is not its own yet


def town_of(database: str) -> str:
    """The town whose database it is, or is to become: its logins are named after it."""
    return database.partition(DRAFT)[0]


def login_of(connection: psycopg.Connection[Any], suffix: str) -> str:
    """The name of one of the logins of the connection's town."""
    return f"{town_of(connection.info.dbname)}_{suffix}"


class SchemaMoved(Exception):
    """The statement names something that a policy change has taken away or retyped since it was written."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where PostgreSQL is, without any credentials (`address` in libpq's keywords), and where the logins' secrets lie."""

    address: str
    secrets: Secrets

    @classmethod
    def of(cls, address: str, secrets: Secrets) -> Server:
        """The server of an address, whose own credentials are left out."""
        told = conninfo.conninfo_to_dict(address)
        return cls(conninfo.make_conninfo(**{k: str(v) for k, v in told.items() if k not in ("user", "password", "passfile")}), secrets)

    @property
    def database(self) -> str:
        return str(conninfo.conninfo_to_dict(self.address)["dbname"])

    def conninfo(self, role: str) -> str:
        """The login `<town>_<role>` with its secret; raises `SecretMissing` where this process does not hold it."""
        login = {"user": f"{town_of(self.database)}_{role}", "password": self.secrets.read(role)}
        return conninfo.make_conninfo(self.address, **login, connect_timeout=_CONNECT_S, options="-c TimeZone=UTC")

    def connect(self, role: str) -> psycopg.Connection[tuple[Any, ...]]:
        """A plain connection for command lines and the worker."""
        return psycopg.connect(self.conninfo(role))


class Pool:
    """Connections of one login, last in first out, so that few stay warm; what is often asked is prepared once per connection.

    A request that finds none free within `wait_s` gets `TooBusy`; a server that does not answer gives `DatabaseAway`; the login of
    a role that a policy change has taken away gives `NotFound`.
    """

    def __init__(self, server: Server, role: str, size: int, wait_s: float) -> None:
        self._server = server
        self._role = role
        self._idle: deque[Line] = deque()
        self._places = Turns(size, sys.maxsize, wait_s)  # all stand in one line: first come, first served
        self._closed = False
        self._is_away = False
        self._is_tried = False  # by one request, on behalf of all
        self.in_use = 0
        self.waiting = 0

    @property
    def login(self) -> str:
        return self._role

    async def row(self, sql: str, params: Params, *, is_often_asked: bool = True) -> tuple[Any, ...] | None:
        """The first row of a single autocommit statement."""
        found = await self.rows(sql, params, is_often_asked=is_often_asked)
        return found[0] if found else None

    async def rows(self, sql: str, params: Params, *, is_often_asked: bool = True) -> list[tuple[Any, ...]]:
        """All rows of a single autocommit statement; text comes as UTF-8 bytes. What is often asked is prepared at once.

        A read is repeated once on a fresh connection if its connection turns out to be dead, or its login to be no more.
        """
        try:
            return await self._run(sql, params, is_often_asked)
        except _BUSY:
            raise TooBusy() from None
        except _DEAD:
            await self._close_idle()  # one died, so the others probably did
        try:
            return await self._run(sql, params, is_often_asked, fresh=True)
        except _BUSY:
            raise TooBusy() from None
        except _DEAD:
            raise DatabaseAway() from None

    async def _run(self, sql: str, params: Params, is_often_asked: bool, *, fresh: bool = False) -> list[tuple[Any, ...]]:
        if not self._places.take_at_once():
            self.waiting += 1
            try:
                await self._places.take(self._role)
            finally:
                self.waiting -= 1
        self.in_use += 1
        try:
            line = await self._find(fresh) if fresh or not self._idle else self._idle.pop()
            if not line.is_idle:  # the server has ended it since
                await line.close()
                line = await self._connect()
            since = perf_counter()
            try:
                rows = await line.rows(sql, params, is_often_asked=is_often_asked)
            except BaseException as error:
                await self._give_back(line, error)
                raise
            finally:
                visit().sql_s += perf_counter() - since
            await self._give_back(line) if self._closed else self._idle.append(line)
        except _STALE:
            raise SchemaMoved from None
        except _RESULT_GONE:
            await self._close_idle()  # their plans are as old
            raise SchemaMoved from None
        finally:
            self.in_use -= 1
            self._places.give_back()
        return rows

    async def _find(self, fresh: bool) -> Line:
        """A new line; where a fresh one is wanted it stands in for an idle one: there are never more than places."""
        if fresh and self._idle:
            await self._idle.pop().close()
        return await self._connect()

    async def _give_back(self, line: Line, error: BaseException | None = None) -> None:
        if self._closed or isinstance(error, _SPOILING) or not line.is_idle:
            await line.close()
        else:
            self._idle.append(line)

    async def _connect(self) -> Line:
        """A new connection. While PostgreSQL is away one request at a time tries, and the others are told at once."""
        if self._is_tried:
            raise DatabaseAway()
        self._is_tried = tries = self._is_away
        try:
            line = await self._log_in_soon()
        except (psycopg.OperationalError, DatabaseAway):
            self._is_away = True
            raise DatabaseAway() from None
        finally:
            self._is_tried &= not tries
        self._is_away = False
        return line

    async def _log_in_soon(self) -> Line:
        """A login that is refused is tried again for a moment: a policy change may be making or removing it."""
        for _ in range(_LOGIN_TRIES):
            try:
                return await self._log_in()
            except SecretMissing:
                raise (NotFound() if is_twin_role(self._role) else DatabaseAway()) from None
            except psycopg.OperationalError as error:
                if error.pgconn is None or not error.pgconn.used_password:
                    raise
            await asyncio.sleep(_LOGIN_PAUSE_S)
        raise DatabaseAway()

    async def _log_in(self) -> Line:
        return Line(await AsyncConnection.connect(self._server.conninfo(self._role), autocommit=True))

    async def _close_idle(self) -> None:
        while self._idle:
            await self._idle.pop().close()

    async def close(self) -> None:
        """End all connections, those in use when they come back."""
        self._closed = True
        await self._close_idle()
