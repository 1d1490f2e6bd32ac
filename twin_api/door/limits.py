"""What one request may be, what one client may ask, and how much is in work at once. All of it is the memory of one process.

Must never answer one client by what another does, save that the server is busy.
"""

from __future__ import annotations

import asyncio
from math import ceil
from time import monotonic
from types import TracebackType
from typing import Any, Final, cast

from starlette.types import Scope

from twin_api.door.bucket import Buckets
from twin_api.door.precedence import Precedence
from twin_api.identity.subject import CITIZEN, FAMILIES
from twin_api.problems import ContentNotTaken, HeadersTooLarge, TooBusy, TooManyParameters, TooManyRequests, UriTooLong
from twin_api.settings import Settings
from twin_api.turns import Turns

_Task = asyncio.Task[Any]

MAX_URI: Final = 8192
MAX_HEADERS: Final = 64
MAX_HEADER_BYTES: Final = 32_768
MAX_PARAMETERS: Final = 64

FAILURES: Final = 30  # wrong tokens from one address at once; afterwards one each `_FAILURE_S`
_FAILURE_S: Final = 2.0
_GRUDGE_S: Final = 60.0
_LOOK_S: Final = 0.25  # how much longer than it may a request can take
_YIELD_S: Final = 0.1  # councils and administrations go first, and citizens are not forgotten
_FEW: Final = 1  # citizens' requests at once where one of theirs ...
_SHORTLY_S: Final = 1.0  # ... was in work so short a time ago


def check_size(scope: Scope) -> None:
    """Refuse what is larger than any request of this house. INVARIANT: touches nothing but the head of the request."""
    query: bytes = scope["query_string"]
    if len(scope["raw_path"]) + len(query) > MAX_URI:
        raise UriTooLong()
    if query.count(b"&") >= MAX_PARAMETERS:
        raise TooManyParameters()
    size, has_content = 0, False
    for name, value in scope["headers"]:
        size += len(name) + len(value)
        has_content |= name == b"transfer-encoding" or (name == b"content-length" and value != b"0")
    if size > MAX_HEADER_BYTES or len(scope["headers"]) > MAX_HEADERS:
        raise HeadersTooLarge()
    if has_content and scope["method"] in ("GET", "HEAD"):
        raise ContentNotTaken()


class Limits:
    """The bounds of a process. A client is a token's public part or an address; None is this machine itself, which is not counted."""

    def __init__(self, settings: Settings) -> None:
        self._asked = Buckets(settings.rate, settings.burst) if settings.rate else None
        self._failed = Buckets(1 / _FAILURE_S, FAILURES)
        self._guessed = Buckets(1 / _FAILURE_S, FAILURES)
        self._bounds = Bounds(settings.request_s)
        at_once = settings.requests
        self._turns = {family: Turns(at_once, settings.waiting, settings.pool_wait_s) for family in FAMILIES}
        self._precedence = Precedence(_YIELD_S, _FEW, _SHORTLY_S)

    def spend(self, client: str | None) -> None:
        """Count a request; raises `TooManyRequests`."""
        if client is None or self._asked is None:
            return
        wait_s = self._asked.spend(client, monotonic())
        if wait_s:
            raise _too_many(wait_s, self._asked)

    def check_failures(self, client: str | None) -> None:
        """Raises `TooManyRequests` for an address from which too many wrong tokens came."""
        wait_s = self._failed.wait_s(client, monotonic()) if client else 0.0
        if wait_s:
            raise _too_many(wait_s, self._failed)

    def note_failure(self, client: str | None) -> None:
        if client:
            self._failed.owe(client, monotonic(), _GRUDGE_S)

    def check_guesses(self, client: str | None, token: str) -> None:
        """Raises `TooManyRequests` for an address from which too many wrong secrets of this one token came."""
        wait_s = self._guessed.wait_s(f"{client} {token}", monotonic()) if client else 0.0
        if wait_s:
            raise _too_many(wait_s, self._guessed)

    def note_guess(self, client: str | None, token: str) -> None:
        if client:
            self._guessed.owe(f"{client} {token}", monotonic(), _GRUDGE_S)

    def work(self, role: str, client: str | None) -> Work:
        """A turn in the role's family, and a bound on the time it takes."""
        family = role.partition("/")[0]
        return Work(self._turns[family], client or "", self._precedence, family == CITIZEN, self._bounds)


class Work:
    """`async with`: wait for a turn, keep it while working, end in `TooBusy` what takes too long. Citizens' work yields to the others'."""

    __slots__ = ("_begun", "_bounds", "_client", "_precedence", "_turns", "_yields")

    def __init__(self, turns: Turns, client: str, precedence: Precedence, yields: bool, bounds: Bounds) -> None:
        self._turns = turns
        self._client = client
        self._precedence = precedence
        self._yields = yields
        self._bounds = bounds

    async def __aenter__(self) -> None:
        if not self._turns.take_at_once():
            await self._turns.take(self._client)
        if not self._yields:
            self._precedence.begin()
        elif not self._precedence.pass_at_once():
            try:
                await self._precedence.let_pass()
            except BaseException:
                self._turns.give_back()
                raise
        self._begun = self._bounds.begin()

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        (self._precedence.leave if self._yields else self._precedence.end)()
        self._turns.give_back()
        if self._bounds.end(self._begun, kind):
            raise TooBusy() from None


class Bounds:
    """A bound on the time of tasks. One look over all of them now and then costs less than a timer for each."""

    def __init__(self, at_most_s: float) -> None:
        self._at_most_s = at_most_s
        self._look_s = min(_LOOK_S, at_most_s / 4)
        self._running: dict[_Task, float] = {}
        self._overdue: set[_Task] = set()
        self._looks_in: asyncio.AbstractEventLoop | None = None

    def begin(self) -> tuple[_Task, int]:
        """The running task may take so long from now on."""
        loop = asyncio.get_running_loop()
        task = cast("_Task", asyncio.current_task(loop))
        self._running[task] = loop.time() + self._at_most_s
        if self._looks_in is not loop:
            self._looks_in = loop
            loop.call_later(self._look_s, self._look, loop)
        return task, task.cancelling()

    def end(self, begun: tuple[_Task, int], kind: type[BaseException] | None) -> bool:
        """Called once, when the work is over: whether it was this bound, and nobody else, that ended it with `kind`."""
        task, cancelled_before = begun
        self._running.pop(task, None)
        if task not in self._overdue:
            return False
        self._overdue.remove(task)
        return task.uncancel() <= cancelled_before and kind is not None and issubclass(kind, asyncio.CancelledError)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for task in [task for task, end in self._running.items() if end <= now]:
            del self._running[task]
            self._overdue.add(task)
            task.cancel()
        self._looks_in = loop if self._running else None
        if self._looks_in:
            loop.call_later(self._look_s, self._look, loop)


def _too_many(wait_s: float, buckets: Buckets) -> TooManyRequests:
    """With the headers of draft-ietf-httpapi-ratelimit-headers, in the form they have since its ninth version."""
    seconds = ceil(wait_s)
    return TooManyRequests(seconds, f'"client";q={buckets.burst};w={ceil(buckets.window_s)}')
