"""The folder of backups: which there are, which is the newest, which may go."""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final

from twin_api.backup.sealed import MAGIC

SUFFIX: Final = ".twinbackup"
_NAME: Final = re.compile(r"(?P<database>[^.].*)-(?P<at>\d{8}T\d{6}Z)\.twinbackup")
_FORM: Final = "%Y%m%dT%H%M%SZ"


class FolderBusy(Exception):
    """Another backup is being written to the folder."""


@dataclass(frozen=True, slots=True)
class Backup:
    path: Path
    database: str
    at: datetime
    octets: int


def list_backups(folder: Path, database: str | None = None) -> list[Backup]:
    """Every finished backup, the oldest first; what does not begin like one is none. `OSError` where the folder is closed."""
    names = os.listdir(folder) if folder.exists() else []
    found = [backup for name in names if (backup := _as_backup(folder / name)) is not None]
    return sorted((b for b in found if database in (None, b.database)), key=lambda b: (b.at, b.path))


def newest_backup(folder: Path, database: str | None = None) -> Backup | None:
    found = list_backups(folder, database)
    return found[-1] if found else None


def _as_backup(path: Path) -> Backup | None:
    named = _NAME.fullmatch(path.name)
    if named is None:
        return None
    try:
        with path.open("rb") as file:
            begins = file.read(len(MAGIC)) == MAGIC
        return Backup(path, named["database"], _moment(named["at"]), path.stat().st_size) if begins else None
    except (OSError, ValueError):
        return None


def _moment(text: str) -> datetime:
    return datetime.strptime(text, _FORM).replace(tzinfo=UTC)


def remove_old(folder: Path, database: str, keep: int, made: Path) -> list[Path]:
    """Delete all but the newest `keep`; what was just made stays whatever the clock says."""
    others = [backup for backup in list_backups(folder, database) if backup.path != made]
    gone = [backup.path for backup in others[: max(len(others) - max(keep, 1) + 1, 0)]]
    for path in gone:
        path.unlink(missing_ok=True)
    return gone


@contextmanager
def new_file(folder: Path, database: str, now: datetime) -> Iterator[tuple[Path, IO[bytes]]]:
    """A file to be written, which gets its name only when it is whole and on the disk; left by an exception, nothing remains.

    Raises `FolderBusy`.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{database}-{now.astimezone(UTC).strftime(_FORM)}{SUFFIX}"
    draft = folder / f".{path.name}.part"
    with _alone(folder):
        for left in folder.glob(f".*{SUFFIX}.part"):  # by one that was killed
            left.unlink(missing_ok=True)
        try:
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as file:
                yield path, file
                file.flush()
                os.fsync(file.fileno())
            os.replace(draft, path)
            _sync_folder(folder)
        finally:
            draft.unlink(missing_ok=True)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    lock = os.open(folder / ".lock", os.O_RDONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise FolderBusy() from None
    finally:
        os.close(lock)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
