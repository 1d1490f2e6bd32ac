"""A backup every night, in a process of its own, and an alarm where the last one is too old.

Must never hold up the calendar.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import structlog

from twin_api.backup.folder import newest_backup

_log = structlog.get_logger(__name__)
HOUR_UTC: Final = 1  # between two and three at night in Germany
RETRY: Final = timedelta(hours=1)
TOO_OLD: Final = timedelta(hours=50)  # one night may fail
REMIND: Final = timedelta(days=1)
END_S: Final = 20.0


@dataclass(slots=True)
class Nightly:
    """`start` starts the process that makes a backup."""

    start: Callable[[], subprocess.Popen[bytes]]
    since: datetime
    process: subprocess.Popen[bytes] | None = None
    tried_at: datetime | None = None
    told_at: datetime | None = None

    def look(self, folder: Path, database: str, now: datetime) -> int:
        """Start one if it is due, complain where the last one is too old; says how many were started."""
        if self.process is not None and self.process.poll() is not None:
            if self.process.returncode:
                _log.error("backup_failed", exit_code=self.process.returncode)
            self.process = None
        newest = newest_backup(folder, database)
        last = newest.at if newest is not None else None
        self._complain(last, now)
        is_waiting = self.process is not None or (self.tried_at is not None and now - self.tried_at < RETRY)
        if is_waiting or (last is not None and last >= _night_before(now)):
            return 0
        self.process, self.tried_at = self.start(), now
        return 1

    def _complain(self, last: datetime | None, now: datetime) -> None:
        if now - (last or self.since) > TOO_OLD and (self.told_at is None or now - self.told_at >= REMIND):
            self.told_at = now
            _log.error("backup_old", last_good=last.isoformat() if last else "never")

    def wait(self) -> None:
        if self.process is not None:
            self.process.wait()

    def stop(self) -> None:
        """End what runs; it leaves nothing behind."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(END_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def _night_before(now: datetime) -> datetime:
    tonight = now.replace(hour=HOUR_UTC, minute=0, second=0, microsecond=0)
    return tonight if tonight <= now else tonight - timedelta(days=1)
