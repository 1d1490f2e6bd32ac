"""Where the processes of one server keep their metrics, so that each can tell those of all."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

_FOLDER: Final = "twin-metrics-"


def make_shared() -> Path:
    """A new folder for the metrics of one server's processes; those of servers that have ended are removed. Named after this process."""
    base = Path(tempfile.gettempdir())
    for old in base.glob(f"{_FOLDER}*"):
        words = old.name.removeprefix(_FOLDER).partition("-")[0]
        if words.isdigit() and not is_alive(int(words)) and old.lstat().st_uid == os.geteuid():
            shutil.rmtree(old, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{_FOLDER}{os.getpid()}-"))


def is_alive(pid: int) -> bool:
    with suppress(PermissionError):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
    return True
