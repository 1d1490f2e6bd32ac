"""Who goes first: while councils and administrations are in work, citizens' requests do not begin."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from time import monotonic


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
