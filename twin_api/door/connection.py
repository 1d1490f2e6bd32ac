"""A client's connection: how long and how much it may take to ask, how slowly to read, and how it ends when the server does.

Must never wait for a client without an end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from os import urandom
from socket import SO_LINGER, SOL_SOCKET
from struct import pack
from typing import Final

import structlog
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from twin_api.door.cycle import AnswerCycle
from twin_api.problems import MEDIA_TYPE, HeadersTooLarge, Problem, RequestMalformed, RequestTooSlow
from twin_api.texts import Language

ARRIVE_S: Final = 10.0  # a request may take so long to arrive from its first byte on, and the first one from the connection on
MAX_HEAD: Final = 65_536  # read before the end of the head is seen; of a whole one, the door is the judge
MAX_DISCARDED: Final = 1_048_576  # content that came with a request and that nobody reads
UNREAD_S: Final = 30.0  # who takes less than `READ_BYTES` of an answer between two looks, for so long, is gone
READ_BYTES: Final = 1024
UNREAD_BYTES: Final = 128 * 1_048_576  # in the answers to all clients; beyond, who is reading longest is given up ...
UNREAD_GRACE_S: Final = 10.0  # ... unless it has not had so long for it ...
UNREAD_MOST: Final = 4 * UNREAD_BYTES  # ... which nobody has beyond this: in ten seconds a client may ask for a thousand answers
LOOK_S: Final = 2.0
FAREWELL_S: Final = 1.0  # a request that is on its way when the server ends is still answered
CONNECTIONS: Final = 1000
_NO_LINGERING: Final = pack("ii", 1, 0)
_log = structlog.get_logger(__name__)


class ClientConnection(HttpToolsProtocol):
    """uvicorn's protocol, with bounds. Each connection looks after itself every `LOOK_S` seconds."""

    owed_since: float | None  # since when we wait for a request; None while the client waits for an answer
    unread_since: float | None  # since when an answer is on its way
    answering: RequestResponseCycle | None  # what is in work; `cycle` is the last that was asked, which may still stand in line

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.owed_since, self.unread_since, self.answering = self.loop.time(), None, None
        self._has_asked = self._in_message = self._in_head = self._leaving = False
        self._head = self._content = self._unread = self._idle_looks = 0
        self._next_look = self.loop.call_later(LOOK_S, self._look)
        if len(self.connections) > self.app_state.get("connections", CONNECTIONS):
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        self._next_look.cancel()
        self._let_go()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._in_head:
            self._head += len(data)
            if self._head > MAX_HEAD:
                self._refuse(HeadersTooLarge())
        elif self._in_message:
            self._content += len(data)  # as it came: the parser keeps trailers, and what stands beside a chunk's size costs it time
            if self._content > MAX_DISCARDED:
                self._hang_up()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_message = self._in_head = True
        self._head = self._content = 0
        if self.owed_since is not None:
            self.owed_since = self.loop.time()

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        if type(self.cycle) is RequestResponseCycle:
            self.cycle.__class__ = AnswerCycle  # uvicorn names the class itself; nothing of the cycle has run yet
        self._in_head, self._has_asked = False, True
        self.answering = self.answering if self.pipeline else self.cycle
        if self._leaving:
            self.cycle.keep_alive = False

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._in_message = False
        self.owed_since = None if self._is_answering() else self.loop.time()

    def on_response_complete(self) -> None:
        self.answering = self.pipeline[-1][0] if self.pipeline else None
        super().on_response_complete()
        if not self._is_answering():
            self.owed_since = self.loop.time()
        if self.transport.get_write_buffer_size():
            self.unread_since = self.loop.time()
            self._give_up_slowest()

    def send_400_response(self, msg: str) -> None:
        self._refuse(RequestMalformed())

    def shutdown(self) -> None:
        """The server ends: what was asked is answered, with `Connection: close`, and so is what comes in the next moment."""
        self._leaving = True
        if self._is_answering():
            super().shutdown()
        else:
            self.loop.call_later(FAREWELL_S, self._leave)

    def _leave(self) -> None:
        if not self._is_answering():
            self.transport.close()

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _look(self) -> None:
        self._next_look = self.loop.call_later(LOOK_S, self._look)
        if self._is_late():
            if self._in_head:
                self._refuse(RequestTooSlow())
            self._hang_up()
        unread = self.transport.get_write_buffer_size()
        self._idle_looks = self._idle_looks + 1 if unread > max(0, self._unread - READ_BYTES) else 0
        self._unread = unread
        if self._idle_looks * LOOK_S >= UNREAD_S:
            self._cut_off()

    def _cut_off(self) -> None:
        """Without lingering: what the client has not read is dropped in the system's buffers too."""
        self._let_go()
        self.transport.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, _NO_LINGERING)
        self.transport.abort()

    def _is_late(self) -> bool:
        if self.owed_since is None:
            return False
        rests = self._has_asked and not self._in_message
        return self.loop.time() - self.owed_since > (self.timeout_keep_alive + LOOK_S if rests else ARRIVE_S)

    def _make_room(self) -> None:
        """Too many are connected: whoever owes us a request longest has to go."""
        owing = [other for other in self._others() if other.owed_since is not None and not other.transport.is_closing()]
        longest = min(owing, key=lambda other: other.owed_since or 0.0, default=self)
        longest.transport.close()

    def _give_up_slowest(self) -> None:
        reading = {other: other.transport.get_write_buffer_size() for other in (self, *self._others())}
        unread, now = sum(reading.values()), self.loop.time()
        for other in sorted(filter(reading.__getitem__, reading), key=lambda other: other.unread_since or now):
            if unread <= UNREAD_BYTES or (unread <= UNREAD_MOST and now - (other.unread_since or now) < UNREAD_GRACE_S):
                return
            other._cut_off()
            unread -= reading[other]

    def _others(self) -> Iterator[ClientConnection]:
        return (other for other in self.connections if isinstance(other, ClientConnection) and other is not self)

    def _refuse(self, problem: Problem) -> None:
        """The answer to what never became a request of the application."""
        if not self.transport.is_closing() and not self._is_answering():
            id = urandom(16).hex()
            _log.info("refused", request_id=id, status=problem.status, problem=problem.type)
            language: Language = self.app_state.get("lang", "de")
            body = problem.body(language)
            head = [
                f"HTTP/1.1 {problem.status} {type(problem).__name__}",
                f"content-type: {MEDIA_TYPE}",
                f"content-language: {language}",
                f"content-length: {len(body)}",
                "cache-control: no-store",
                "x-content-type-options: nosniff",
                f"x-request-id: {id}",
                "connection: close",
            ]
            self.transport.write("\r\n".join(head).encode() + b"\r\n\r\n" + body)
        self._hang_up()

    def _hang_up(self) -> None:
        self._let_go()
        self.transport.close()

    def _let_go(self) -> None:
        """Nobody is left to read what is being answered: to send it would be an error of ours in the log."""
        if self.answering is not None:
            self.answering.disconnected = True
            self.answering.message_event.set()
