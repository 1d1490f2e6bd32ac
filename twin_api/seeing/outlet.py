"""Where lines go out: standard output, by a thread of its own.

Must never keep whoever tells something waiting: while nobody reads, what does not fit into the room for lines is dropped and counted.
"""

from __future__ import annotations

import atexit
import logging
import os
import select
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Final

ROOM: Final = 10_000  # lines; some 4 MB
DRAIN_S: Final = 1.0
GATHER_S: Final = 0.02  # a line may rest so long: a thread that wakes for every one would take turns with whoever answers
_TOGETHER: Final = 500


class Outlet:
    """A file descriptor to which lines are written in the order in which they were told.

    `on_drop` is called for every line that is dropped. `tell_dropped` makes the line that says how many those were, once there is room.
    """

    def __init__(self, descriptor: int, room: int = ROOM) -> None:
        self._descriptor = descriptor
        self._room = room
        self._lines: deque[bytes] = deque()
        self._drains: deque[threading.Event] = deque()  # to be set when all that was told before has gone out
        self._rests = False  # the thread is waiting for the bell
        self._bell = threading.Event()
        self._start = threading.Lock()
        self._hurry = threading.Event()
        self._is_started = False
        self._dropped = 0
        self._told = 0
        self.on_drop: Callable[[], object] = lambda: None
        self.tell_dropped: Callable[[int], bytes] = lambda count: b""

    def write(self, line: bytes) -> None:
        """Take a whole line, its end included; returns at once."""
        if len(self._lines) >= self._room:
            self._dropped += 1
            self.on_drop()
            return
        self._lines.append(line)
        if self._rests:  # INVARIANT: put first, then look whether the thread rests; it looks the other way round
            self._bell.set()
        if not self._is_started:
            self._begin()

    def flush(self) -> None:
        """Nothing is kept back here: the thread writes what there is, soon."""

    def drain(self, within_s: float = DRAIN_S) -> bool:
        """Wait until all that was told before has gone out, but no longer than that; says whether it has."""
        reached = threading.Event()
        self._drains.append(reached)
        self._hurry.set()
        self._bell.set()
        return not self._is_started or reached.wait(within_s)

    def _begin(self) -> None:
        with self._start:
            if not self._is_started:
                self._is_started = True
                threading.Thread(target=self._run, name="log", daemon=True).start()
                atexit.register(self.drain)

    def _run(self) -> None:
        while True:
            self._wait()
            reached = [self._drains.popleft() for _ in range(len(self._drains))]
            lines = [self._lines.popleft() for _ in range(len(self._lines))]
            dropped = self._dropped
            if dropped > self._told:
                lines.append(self.tell_dropped(dropped - self._told))
                self._told = dropped
            with suppress(OSError):  # whoever read has gone
                self._write(b"".join(lines))
            for each in reached:
                each.set()

    def _wait(self) -> None:
        """For a line, and a moment longer for what else there is to tell, unless somebody waits to end."""
        self._rests = True
        while not (self._lines or self._drains):
            self._bell.wait()
            self._bell.clear()
        self._rests = False
        if not self._drains and len(self._lines) < _TOGETHER:
            self._hurry.wait(GATHER_S)
        self._hurry.clear()

    def _write(self, content: bytes) -> None:
        """By the descriptor: a thread that is kept waiting inside of `sys.stdout` would keep the interpreter from ending."""
        while content:
            select.select([], [self._descriptor], [])  # somebody may have made it one that does not wait
            with suppress(BlockingIOError):
                content = content[os.write(self._descriptor, content) :]


STANDARD: Final = Outlet(1)


class Outgoing(logging.Handler):
    """What libraries log goes the same way."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            STANDARD.write(self.format(record).encode() + b"\n")
        except Exception:
            self.handleError(record)
