"""Connections: one login per role, one pool per login.

Must never hand a connection of one role to another, and never send `SET ROLE`: what a connection may read is fixed at its login.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from psycopg import AsyncConnection, conninfo
from psycopg.abc import Buffer, Params
from psycopg.adapt import Loader
from psycopg.pq import Format
from psycopg.rows import tuple_row

from twin_api.problems import DatabaseAway, TooBusy
from twin_api.store.secrets import Secrets

_RESULT_GONE: Final = (psycopg.errors.FeatureNotSupported,)  # "cached plan must not change result type"
_STALE: Final = (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn, psycopg.errors.UndefinedFunction)


class SchemaMoved(Exception):
    """The statement names something that a policy change has taken away or retyped since it was written."""


class _Utf8(Loader):
    """Text as its UTF-8 bytes: a page goes from PostgreSQL to the client without becoming a Python string."""

    format = Format.BINARY

    def load(self, data: Buffer) -> bytes:
        return bytes(data)


@dataclass(frozen=True, slots=True)
class Server:
    """Where PostgreSQL is, without any credentials (`address` in libpq's keywords), and where the logins' secrets lie."""

    address: str
    secrets: Secrets

    @property
    def database(self) -> str:
        return str(conninfo.conninfo_to_dict(self.address)["dbname"])

    def conninfo(self, role: str) -> str:
        """The login `<database>_<role>` with its secret; raises `SecretMissing` where this process does not hold it."""
        return conninfo.make_conninfo(self.address, user=f"{self.database}_{role}", password=self.secrets.read(role), connect_timeout=5)

    def connect(self, role: str) -> psycopg.Connection[tuple[Any, ...]]:
        """A plain connection for command lines and the worker."""
        return psycopg.connect(self.conninfo(role))


class Pool:
    """Connections of one login, last in first out, so that few stay warm; every statement is prepared once per connection.

    A request that finds none free within `wait_s` gets `TooBusy`; a server that does not answer gives `DatabaseAway`.
    """

    def __init__(self, server: Server, role: str, size: int, wait_s: float) -> None:
        self._server = server
        self._role = role
        self._wait_s = wait_s
        self._idle: deque[AsyncConnection[Any]] = deque()
        self._places = asyncio.Semaphore(size)

    async def row(self, sql: str, params: Params) -> tuple[Any, ...] | None:
        """The first row of a single autocommit statement."""
        found = await self.rows(sql, params)
        return found[0] if found else None

    async def rows(self, sql: str, params: Params) -> Sequence[tuple[Any, ...]]:
        """All rows of a single autocommit statement; text comes as UTF-8 bytes.

        A read is repeated once on a fresh connection if its connection turns out to be dead.
        """
        try:
            return await self._run(sql, params)
        except psycopg.OperationalError as error:
            if isinstance(error, psycopg.errors.QueryCanceled | psycopg.errors.LockNotAvailable):
                raise TooBusy() from None
        try:
            return await self._run(sql, params)
        except psycopg.OperationalError:
            raise DatabaseAway() from None

    async def _run(self, sql: str, params: Params) -> Sequence[tuple[Any, ...]]:
        async with self._connection() as connection:
            try:
                cursor = await connection.execute(sql, params, prepare=True, binary=True)
                return await cursor.fetchall()
            except _RESULT_GONE:
                await connection.close()
                raise SchemaMoved from None
            except _STALE:
                raise SchemaMoved from None

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[AsyncConnection[Any]]:
        await self._take_place()
        try:
            connection = self._idle.pop() if self._idle else await self._connect()
            try:
                yield connection
            except asyncio.CancelledError:
                await connection.close()
                raise
            finally:
                if connection.closed or connection.broken:
                    self._drop_dead()
                else:
                    self._idle.append(connection)
        finally:
            self._places.release()

    async def _take_place(self) -> None:
        if not self._places.locked():
            await self._places.acquire()  # free: returns without waiting
            return
        try:
            await asyncio.wait_for(self._places.acquire(), self._wait_s)
        except TimeoutError:
            raise TooBusy() from None

    async def _connect(self) -> AsyncConnection[Any]:
        connection = await AsyncConnection.connect(self._server.conninfo(self._role), autocommit=True, row_factory=tuple_row)
        connection.adapters.register_loader("text", _Utf8)
        connection.prepared_max = 1000
        return connection

    def _drop_dead(self) -> None:
        """One connection died, so the others probably did: let them all be made anew."""
        self._idle.clear()

    async def close(self) -> None:
        while self._idle:
            await self._idle.pop().close()
