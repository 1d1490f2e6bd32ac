"""The backups in a folder, by name and age. It must never open one: what is in a backup is the business of whoever made it."""

from __future__ import annotations

import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

ENDING = ".twinbackup"


class Backup(NamedTuple):
    path: Path
    at: datetime
    octets: int


def newest_backup(folder: Path) -> Backup | None:
    """The backup written last; drafts (names with a leading dot) and empty files are none. Raises `OSError` where the folder is closed."""
    if not folder.exists():
        return None
    found = [(path, path.stat()) for path in folder.glob(f"[!.]*{ENDING}")]
    made = [Backup(path, datetime.fromtimestamp(told.st_mtime, UTC), told.st_size) for path, told in found if stat.S_ISREG(told.st_mode)]
    return max((backup for backup in made if backup.octets), key=lambda backup: backup.at, default=None)
