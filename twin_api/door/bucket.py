"""Token buckets: how much each client may still ask. In the memory of one process, of bounded size.

Must never count what one client does into what another is told.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

KNOWN: Final = 20_000  # clients remembered: about 4 MB; whoever was silent longest is forgotten first and begins with a full bucket


class Buckets:
    """A bucket of `burst` for each client, filled again with `rate` a second.

    One number per client: the time at which its bucket will be full (generic cell rate algorithm, ITU-T I.371).
    """

    def __init__(self, rate: float, burst: int, known: int = KNOWN) -> None:
        self._each_s = 1 / rate
        self.burst = burst
        self.window_s = burst / rate
        self._known = known
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def spend(self, client: str, now: float) -> float:
        """Take one; 0 if there was one, else the seconds until there will be."""
        full_at = self._full_at.get(client, now)
        filled = (full_at if full_at > now else now) + self._each_s
        wait_s = filled - now - self.window_s
        if wait_s > 1e-9:
            return wait_s
        self._note(client, filled)
        return 0.0

    def owe(self, client: str, now: float, at_most_s: float) -> None:
        """Take one even from an empty bucket; what is owed is forgotten after `at_most_s`."""
        filled = max(self._full_at.get(client, now), now) + self._each_s
        self._note(client, min(filled, now + self.window_s + at_most_s))

    def wait_s(self, client: str, now: float) -> float:
        """The seconds until one could be taken; 0 if it could be now."""
        return max(0.0, self._full_at.get(client, now) + self._each_s - now - self.window_s)

    def __len__(self) -> int:
        return len(self._full_at)

    def _note(self, client: str, full_at: float) -> None:
        self._full_at[client] = full_at
        self._full_at.move_to_end(client)
        if len(self._full_at) > self._known:
            self._full_at.popitem(last=False)
