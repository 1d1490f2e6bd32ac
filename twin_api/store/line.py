"""A line to PostgreSQL: one connection that is asked one statement at a time, on libpq itself.

psycopg logs in, adapts values and knows the errors; between question and answer it would cost five times what libpq does
(decision 0022). Must never be asked a second time before the first answer is there.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections import Counter, OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from socket import SHUT_RDWR, socket
from typing import Any, Final

import psycopg
from psycopg import AsyncConnection
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq import ExecStatus, Format, TransactionStatus
from psycopg.pq.abc import PGresult
from psycopg.types.string import ByteaBinaryLoader

Params = Mapping[str, Any]

_PREPARED: Final = 300  # statements kept per connection ...
_CHARACTERS: Final = 500_000  # ... and what their texts come to: the server keeps a hundred bytes of each character
LONG: Final = 5000  # characters; a page with a filter of a few comparisons is shorter
_AGAIN: Final = 5  # a text that comes so often is prepared, even if nobody said that it would
_ANSWER_S: Final = 5.0  # a server that has not answered by then, well past every statement timeout, is frozen
_CANCEL_S: Final = 1.0
_NAMED: Final = re.compile(r"%(?:\((\w+)\)s|%)")
_GOOD: Final = (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK)


class Line:
    """Made of a connection that is logged in, in autocommit; belongs to the running event loop."""

    def __init__(self, connection: AsyncConnection[Any]) -> None:
        connection.adapters.register_loader("text", ByteaBinaryLoader)  # a page goes on to the client without becoming a Python string
        self._connection = connection
        self._libpq = connection.pgconn
        self._libpq.nonblocking = 1
        self._socket = self._libpq.socket
        self._values = Transformer(connection)
        self._prepared: OrderedDict[tuple[bytes, tuple[int, ...]], bytes] = OrderedDict()
        self._characters = 0  # of all that is prepared
        self._asked: Counter[bytes] = Counter()
        self._number = 0
        self._waiting: asyncio.Future[PGresult] | None = None
        self._result: PGresult | None = None
        self._since = 0.0
        self._watch: asyncio.TimerHandle | None = None
        self._has_left = False
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._socket, self._read)

    @property
    def is_idle(self) -> bool:
        """Whether it may be asked; False for good once the server has ended it."""
        return self._libpq.transaction_status == TransactionStatus.IDLE

    async def rows(self, sql: str, params: Params, *, is_often_asked: bool) -> list[tuple[Any, ...]]:
        """The answer to a statement with named places, `%(name)s`; text comes as UTF-8 bytes. Raises psycopg's errors."""
        text, names = _numbered(sql)
        values = self._values.dump_sequence([params[name] for name in names], [PyFormat.AUTO] * len(names))
        types, formats = self._values.types or (), self._values.formats
        name = await self._name(text, types, is_often_asked)
        if name is None:
            self._libpq.send_query_params(text, values, types, formats, Format.BINARY)
        else:
            self._libpq.send_query_prepared(name, values, formats, Format.BINARY)
        result = await self._answer()
        self._values.set_pgresult(result)
        try:
            return self._values.load_rows(0, result.ntuples, tuple)
        finally:
            self._values.set_pgresult(None)  # a page is large, and the next question may be long in coming

    async def _name(self, text: bytes, types: tuple[int, ...], is_often_asked: bool) -> bytes | None:
        """The name under which the statement is prepared; None where it is not worth it yet.

        INVARIANT: what the server keeps has a bound, whatever is asked. A long text of a client's making is not kept: it would push out
        all the others.
        """
        key = text, types
        name = self._prepared.get(key)
        if name is not None:
            self._prepared.move_to_end(key)
            return name
        if not is_often_asked and (len(text) > LONG or not self._comes_again(text)):
            return None
        while len(self._prepared) >= _PREPARED or self._characters + len(text) > _CHARACTERS:
            (gone, _), oldest = self._prepared.popitem(last=False)
            self._characters -= len(gone)
            self._libpq.send_query_params(b"DEALLOCATE " + oldest, None)
            await self._answer()
        self._number += 1
        name = b"s%d" % self._number
        self._libpq.send_prepare(name, text, types)
        await self._answer()
        self._prepared[key] = name
        self._characters += len(text)
        return name

    def _comes_again(self, text: bytes) -> bool:
        if len(self._asked) >= _PREPARED and text not in self._asked:
            self._asked.clear()
        self._asked[text] += 1
        return self._asked[text] >= _AGAIN

    async def _answer(self) -> PGresult:
        """What the server says to what has been sent."""
        self._waiting = self._loop.create_future()
        self._since = self._loop.time()
        if self._watch is None:
            self._watch = self._loop.call_later(_ANSWER_S, self._look)
        if self._libpq.flush():
            self._loop.add_writer(self._socket, self._write)
        try:
            result = await self._waiting
        finally:
            self._waiting = None
        if result.status not in _GOOD:
            raise psycopg.errors.error_from_result(result)
        return result

    def _write(self) -> None:
        try:
            if not self._libpq.flush():
                self._loop.remove_writer(self._socket)
        except psycopg.Error as error:
            self._lose(error)

    def _read(self) -> None:
        try:
            self._libpq.consume_input()
            while self._waiting is not None and not self._libpq.is_busy():
                result = self._libpq.get_result()
                if result is None:
                    self._hand_over()
                    return
                self._result = result
                if result.status not in _GOOD:  # it may be the last word; uvloop, told of a line that broke, calls once and never again
                    self._libpq.consume_input()
        except psycopg.Error as error:
            self._lose(error)

    def _hand_over(self) -> None:
        result, self._result = self._result, None
        if self._waiting is not None and not self._waiting.done() and result is not None:
            self._waiting.set_result(result)

    def _lose(self, error: psycopg.Error) -> None:
        """The server has hung up. Nobody may listen any longer, or the loop would call without an end."""
        self._leave()
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(error)

    def _look(self) -> None:
        """Cut the line to a server that does not answer: to cancel the statement would be to wait for the same server."""
        left_s = self._since + _ANSWER_S - self._loop.time()
        if self._waiting is None or left_s > 0:
            self._watch = self._loop.call_later(left_s, self._look) if self._waiting is not None else None
            return
        self._watch = None
        with suppress(OSError, psycopg.Error), socket(fileno=os.dup(self._libpq.socket)) as line:
            line.shutdown(SHUT_RDWR)
        self._read()  # the end, which uvloop may have stopped to tell
        if self._waiting is not None and not self._waiting.done():
            self._lose(psycopg.OperationalError("no answer in time"))

    def _leave(self) -> None:
        """Once only: the socket's number may be another line's by the next time."""
        if self._has_left:
            return
        self._has_left = True
        for forget in (self._loop.remove_reader, self._loop.remove_writer):
            with suppress(OSError):  # libpq has closed the socket by itself; the loop has forgotten it all the same
                forget(self._socket)
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None

    async def close(self) -> None:
        """Hang up, and end what the server is still working at for us."""
        self._leave()
        try:
            if self._libpq.transaction_status == TransactionStatus.ACTIVE:
                with suppress(psycopg.Error):
                    await self._connection.cancel_safe(timeout=_CANCEL_S)
        finally:
            await self._connection.close()  # whoever waits for the cancelling may be cancelled too


def _numbered(sql: str) -> tuple[bytes, Sequence[str]]:
    """The text with `$1`, `$2` … for its named places, and their names. Of the long ones, which clients make up, few are kept."""
    return (_short if len(sql) <= LONG else _long)(sql)


def _number(sql: str) -> tuple[bytes, Sequence[str]]:
    names: dict[str, int] = {}

    def number(found: re.Match[str]) -> str:
        return f"${names.setdefault(found[1], len(names) + 1)}" if found[1] else "%"

    return _NAMED.sub(number, sql).encode(), tuple(names)


_short = lru_cache(maxsize=4096)(_number)
_long = lru_cache(maxsize=256)(_number)
