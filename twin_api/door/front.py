"""The outermost layer: every request gets an id, and what became of it is noted.

Must never take an id from a client, nor let an error that nobody else caught out as anything but a problem.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from os import urandom
from time import perf_counter
from typing import Any, Final

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from twin_api.door.place import home_of
from twin_api.door.refusing import refuse
from twin_api.problems import Unexpected
from twin_api.seeing.logs import LEVELS, Level, fault, write
from twin_api.seeing.visit import NONE, QUIET, Visit, enter, leave
from twin_api.texts import Language

Note = Callable[[Visit, float], None]

_METHODS: Final = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
_TRACE: Final = re.compile(rb"00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
_log = structlog.get_logger(__name__)


class Front:
    """`notes` get each visit and the seconds it took. `traced` where a proxy of ours writes `traceparent` (W3C Trace Context)."""

    def __init__(self, app: ASGIApp, notes: tuple[Note, ...], lang: Language, *, base_url: str = "", traced: bool = False) -> None:
        self._app = app
        self._notes = notes
        self._lang = lang
        self._base_url = base_url
        self._traced = traced
        self._ids = _random_ids()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = perf_counter()
        visit = Visit(next(self._ids), scope["method"] if scope["method"] in _METHODS else NONE)
        if self._traced:
            visit.trace = _trace_of(scope)
        header = (b"x-request-id", visit.id.encode())

        def send_seen(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start":
                visit.status = message["status"]
                message["headers"] = [*message.get("headers", ()), header]
            elif message["type"] == "http.response.body":
                visit.octets += len(message.get("body", b""))
            return send(message)

        entered = enter(visit)
        try:
            await self._app(scope, receive, send_seen)
        except Exception as error:
            _log.error("unexpected", **fault(error))
            if not visit.status:
                await refuse(Unexpected(), scope, self._lang, f"{home_of(scope, self._base_url)}/")(scope, receive, send_seen)
        finally:
            for note in self._notes:
                note(visit, perf_counter() - started)
            leave(entered)


def _random_ids() -> Iterator[str]:
    """128 bits each, fetched from the system for many at a time."""
    while True:
        bits = urandom(4096).hex()
        yield from (bits[start : start + 32] for start in range(0, len(bits), 32))


def log_visits(least: Level) -> Note:
    """Writes the line of a request, where that is wanted. Without the logger's detours: they cost more than all else that is done here."""

    def note(visit: Visit, took_s: float) -> None:
        level: Level = "debug" if visit.route in QUIET else "info"
        if LEVELS[level] >= LEVELS[least]:
            write(_line(level, visit, took_s))

    return note


def _line(level: Level, visit: Visit, took_s: float) -> dict[str, Any]:
    told: dict[str, Any] = {
        "time": datetime.now(UTC),
        "level": level,
        "event": "request",
        "request_id": visit.id,
        "role": visit.role,
        "route": visit.route,
        "method": visit.method,
        "status": visit.status,
        "bytes": visit.octets,
        "ms": round(took_s * 1000, 2),
    }
    if visit.sql_s:
        told["sql_ms"] = round(visit.sql_s * 1000, 2)
    if visit.waited_s:
        told["wait_ms"] = round(visit.waited_s * 1000, 2)
    if visit.token:
        told["token"] = visit.token
    if visit.problem:
        told["problem"] = visit.problem
    if visit.trace:
        told["trace_id"] = visit.trace
    return told


def _trace_of(scope: Scope) -> str:
    found = [_TRACE.fullmatch(value) for name, value in scope["headers"] if name == b"traceparent"]
    return found[0][1].decode() if len(found) == 1 and found[0] else ""
