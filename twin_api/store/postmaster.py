"""The server of a data folder, as the system shows it: which processes live there, and what they say of themselves.

Must never believe a process id alone: it may have been given anew.
"""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from twin_api.store.cluster_place import text_of


class Postmaster:
    """Of the data folder `data`, which may not be there yet."""

    def __init__(self, data: Path) -> None:
        self._data = data

    def pid(self) -> int | None:
        """Process id of the living server."""
        lines = self._lines()
        pid = int(lines[0]) if lines and lines[0].strip().isdigit() else None
        return pid if pid is not None and self._works_here(pid) else None

    def is_lost(self, socket_file: Path) -> bool:
        """Whether it has gone, is going, or listens where the home used to be."""
        if self.pid() is None:
            return True
        state = self._state()
        return state == "stopping" or (state == "ready" and not listens(socket_file))

    def processes(self) -> list[int]:
        """All of PostgreSQL's in this folder, those that a killed server left too."""
        return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and self._works_here(int(entry.name))]

    def _lines(self) -> list[str]:
        return text_of(self._data / "postmaster.pid").splitlines()

    def _state(self) -> str:
        """`starting`, `ready`, `stopping` or nothing, as the server writes it in line 8."""
        lines = self._lines()
        return lines[7].strip() if len(lines) > 7 else ""

    def _works_here(self, pid: int) -> bool:
        """True if a process is a PostgreSQL in this data folder: each of them works with it as its current folder."""
        try:
            if Path(f"/proc/{pid}/comm").read_text().strip() != "postgres":
                return False
            return os.path.samestat(os.stat(f"/proc/{pid}/cwd"), self._data.stat())
        except OSError:
            return False


def listens(socket_file: Path) -> bool:
    try:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(5)
            probe.connect(str(socket_file))
    except (FileNotFoundError, ConnectionRefusedError):
        return False
    except OSError:
        return True  # a full queue is a sign of life
    return True


def send(pid: int, how: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, how)


def comes_true(claim: Callable[[], bool], within_s: float) -> bool:
    end = time.monotonic() + within_s
    while not claim():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True
