"""Turns: so many requests are in work at once; those who wait are served client by client, not first come, first served.

Must never let one client's requests keep the others waiting longer than one of its own takes.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
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
