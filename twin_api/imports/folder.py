"""A folder for what is unpacked of a file: readable by nobody else, and gone afterwards, at the latest with the next import.

Whoever is killed leaves theirs behind, with data of every class in it. A lock tells those from others that are in use.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

PREFIX: Final = "twin-import-"
SETTLED_S: Final = 3600.0  # a folder that is older and that nobody holds has been left


@contextmanager
def own_folder() -> Iterator[Path]:
    """A new one, and those of the killed are removed."""
    for left in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        _remove_unused(left)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    lock = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _remove_unused(folder: Path) -> None:
    """Only our own: anybody may lay something of that name there."""
    with suppress(OSError):
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            told = os.fstat(lock)
            if told.st_uid == os.geteuid() and time.time() - told.st_mtime > SETTLED_S:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(lock)
