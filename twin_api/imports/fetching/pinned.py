"""Connections that lead where they were checked to lead, and end in time."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

import httpcore

from twin_api.imports.fetching.reach import Reach
from twin_api.imports.finding import refuse
from twin_api.policy.finding import quoted
from twin_api.texts import Text

MAX_BYTES: Final = 1 << 30
MAX_SECONDS: Final = 1800.0
STALL_S: Final = 60.0  # without a byte
CONNECT_S: Final = 15.0
AGAIN: Final = Text("später noch einmal versuchen", "try again later")
Resolve = Callable[[str, int], Iterable[str]]


@dataclass(slots=True)
class Budget:
    """What one source may cost in all its requests together: bytes that are left, and the end of its time on the monotonic clock."""

    left: int
    until: float

    @classmethod
    def of(cls, seconds: float = MAX_SECONDS, size: int = MAX_BYTES) -> Budget:
        return cls(size, time.monotonic() + seconds)

    def spend(self, size: int) -> None:
        self.left -= size
        if self.left < 0:
            raise refuse(
                Text("die Antwort ist zu groß", "the answer is too large"), Text("einen Ausschnitt anfordern", "ask for a part of it")
            )

    def wait(self, longest: float | None = None) -> float:
        """How long the next step may take, in seconds."""
        left = self.until - time.monotonic()
        if left <= 0:
            raise refuse(Text("der Server braucht zu lange", "the server takes too long"), AGAIN)
        return min(left, STALL_S, longest or STALL_S)


class Pinned(httpcore.NetworkBackend):
    """Resolves a name once, checks every address it leads to, and connects to one of these and no other."""

    def __init__(self, reach: Reach, budget: Budget, resolve: Resolve) -> None:
        self._reach, self._budget, self._resolve = reach, budget, resolve
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:  # fmt: skip
        addresses = [str(self._reach.check_address(host, written)) for written in self._resolve(host, port)]
        for last, address in enumerate(addresses, 1 - len(addresses)):
            try:
                return _Timed(self._plain.connect_tcp(address, port, self._budget.wait(CONNECT_S), None, socket_options), self._budget)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if last == 0:
                    raise
        raise refuse(Text(f"einen Rechner {quoted(host)} gibt es nicht", f"there is no host {quoted(host)}"))


class _Timed(httpcore.NetworkStream):
    """A connection whose every step ends with the budget: a byte now and then buys no time."""

    def __init__(self, stream: httpcore.NetworkStream, budget: Budget) -> None:
        self._stream, self._budget = stream, budget

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._budget.wait(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._budget.wait(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Timed(self._stream.start_tls(ssl_context, server_hostname, self._budget.wait(CONNECT_S)), self._budget)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
