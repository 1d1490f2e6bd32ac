"""Turns: so many requests are in work at once; those who wait are served client by client, not first come, first served.

Must never let one client's requests keep the others waiting longer than one of its own takes.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from contextlib import suppress
from time import monotonic

from twin_api.problems import TooBusy
from twin_api.seeing.visit import visit

Line = deque[asyncio.Future[None]]


class Turns:
    """`at_once` turns in all, `waiting` places to wait for one, each for `wait_s` at most. What goes beyond ends in `TooBusy`."""

    def __init__(self, at_once: int, waiting: int, wait_s: float) -> None:
        self._free = at_once
        self._places = waiting
        self._wait_s = wait_s
        self._lines: OrderedDict[str, Line] = OrderedDict()  # who is first is next

    def take_at_once(self) -> bool:
        """A turn, to be given back whatever happens, if one is free."""
        if not self._free:
            return False
        self._free -= 1
        return True

    async def take(self, client: str) -> None:
        """The same, after others if it must be. Raises `TooBusy`."""
        if self.take_at_once():
            return
        since = monotonic()
        turn = self._stand(client)
        patience = turn.get_loop().call_later(self._wait_s, _send_away, turn)
        try:
            await turn
        except BaseException:
            self._step_out(client, turn)
            raise
        finally:
            patience.cancel()
            visit().waited_s += monotonic() - since

    def give_back(self) -> None:
        """Hand the turn to the next client in line; its own next one stands behind the others'."""
        while self._lines:
            client, line = self._lines.popitem(last=False)
            turn = line.popleft()
            self._places += 1
            if line:
                self._lines[client] = line
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1

    def _stand(self, client: str) -> asyncio.Future[None]:
        line = self._lines.get(client)
        if not self._places:
            self._make_room(len(line) if line else 0)
            line = self._lines.get(client)
        if line is None:
            line = self._lines[client] = deque()
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        line.append(turn)
        self._places -= 1
        return turn

    def _make_room(self, own: int) -> None:
        """The last one in the longest line has to leave, if it is longer than the newcomer's would be."""
        longest = max(self._lines, key=lambda client: len(self._lines[client]), default="")
        line = self._lines.get(longest)
        if line is None or len(line) <= own + 1:
            raise TooBusy()
        turn = line.pop()
        self._places += 1
        _send_away(turn)

    def _step_out(self, client: str, turn: asyncio.Future[None]) -> None:
        """Leave the line. INVARIANT: a turn that was handed over in the same moment goes on to the next."""
        line = self._lines.get(client)
        if line is not None and turn in line:
            line.remove(turn)
            self._places += 1
            if not line:
                del self._lines[client]
        elif turn.done() and not turn.cancelled() and turn.exception() is None:
            self.give_back()


def _send_away(turn: asyncio.Future[None]) -> None:
    if not turn.done():
        turn.set_exception(TooBusy())


class Precedence:
    """While somebody who goes first is in work, those who yield do not begin; and shortly after, only `few` of them are at once.

    For who goes first stands behind all that are in work, whatever they wait for. Each of the others yields for `yield_s` at most.
    """

    def __init__(self, yield_s: float, few: int, shortly_s: float) -> None:
        self._yield_s, self._few, self._shortly_s = yield_s, few, shortly_s
        self._ahead = 0
        self._in_work = 0  # of those who yield
        self._seen = -shortly_s  # when the last one who goes first went
        self._line: deque[asyncio.Future[None]] = deque()

    def begin(self) -> None:
        self._ahead += 1

    def end(self) -> None:
        self._ahead -= 1
        self._seen = monotonic()
        self._call()

    def pass_at_once(self) -> bool:
        """Whether nobody has to be let past; then whoever asked is in work until `leave`."""
        if self._is_others_turn():
            return False
        self._in_work += 1
        if self._line:
            self._call()
        return True

    async def let_pass(self) -> None:
        """Whoever comes back from here is in work until `leave`."""
        if self._is_others_turn():
            with suppress(TimeoutError):
                async with asyncio.timeout(self._yield_s):
                    await self._stand()
        self._in_work += 1
        self._call()

    def leave(self) -> None:
        self._in_work -= 1
        self._call()

    def _is_others_turn(self) -> bool:
        return bool(self._ahead) or (self._in_work >= self._few and monotonic() - self._seen < self._shortly_s)

    async def _stand(self) -> None:
        while self._is_others_turn():
            called: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._line.append(called)
            try:
                await called
            finally:
                if called in self._line:
                    self._line.remove(called)

    def _call(self) -> None:
        """The next one in line; whoever begins or leaves calls the one behind."""
        while self._line and not self._is_others_turn():
            called = self._line.popleft()
            if not called.done():
                called.set_result(None)
                return
