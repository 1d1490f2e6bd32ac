"""What the proofs share, and the table of planted leaks at the end of a run."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from tests.leaks.planted import CAUGHT, PLANTED
from tests.towns import Serving


@pytest.fixture(scope="session", autouse=True)
def _answers_at_once() -> None:
    """Without this each answer waits 40 ms for an acknowledgement: asyncio sets TCP_NODELAY only where a socket names its protocol."""
    begin = Serving.__init__

    def begin_at_once(self: Any, *args: Any) -> None:
        begin(self, *args)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    Serving.__init__ = begin_at_once  # type: ignore[method-assign]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Which proof caught which planted leak."""
    if not CAUGHT:
        return
    terminalreporter.section("planted leaks")
    for planted in PLANTED:
        if planted.name in CAUGHT:
            by = ", ".join(CAUGHT[planted.name]) or "NOT CAUGHT"
            terminalreporter.write_line(f"  {planted.name:<62} {by}")
    terminalreporter.write_line(f"  {sum(bool(by) for by in CAUGHT.values())} of {len(CAUGHT)} planted leaks caught")
