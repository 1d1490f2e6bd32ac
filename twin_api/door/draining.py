"""Leaving in peace: after SIGTERM the process says that it is not ready, and keeps serving for a moment before it ends.

Must never take the signal from whoever set a handler before: it is handed on.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Draining:
    """Whether this process is about to end."""

    def __init__(self) -> None:
        self.has_begun = False

    @contextmanager
    def upon_sigterm(self, delay_s: float) -> Iterator[None]:
        """While inside, SIGTERM first begins the draining and reaches the server's own handler `delay_s` later; the second one at once."""
        if threading.current_thread() is not threading.main_thread():
            yield  # signals are the main thread's
            return
        loop = asyncio.get_running_loop()
        before = signal.getsignal(signal.SIGTERM)

        def end(number: int, frame: FrameType | None) -> None:
            if callable(before):
                before(number, frame)

        def begin(number: int, frame: FrameType | None) -> None:
            wait_s = 0.0 if self.has_begun else delay_s
            self.has_begun = True
            loop.call_soon_threadsafe(loop.call_later, wait_s, end, number, frame)

        signal.signal(signal.SIGTERM, begin)
        try:
            yield
        finally:
            signal.signal(signal.SIGTERM, before)
