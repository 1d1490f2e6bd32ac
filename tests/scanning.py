"""At the end of a run: nothing that the whole suite has produced, no log of PostgreSQL and no file of a test, holds a hidden value."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.unpacking import unpacked

# what no twin of the town of Kanaria shows to everybody; trees' numbers and kinds are said by tests of imports too
CANARY: Final = re.compile(rb"CANARY-(?:akte|antragsteller|bemerkung|pate|schacht|vermerk|quiet|logged|echo|hidden)-?\w{0,40}")
# where whoever holds the town's own key has unpacked a backup, and our own source, in which these tests are
_KNOWN: Final = re.compile(r"/rows/store\.|/twin_api-[^/]*\.tar\.gz$")
_LARGEST: Final = 50_000_000


def sizes(logs: Path) -> dict[Path, int]:
    """How far each log has been written, to look only at what is written from now on."""
    return {log: log.stat().st_size for log in logs.glob("*")} if logs.is_dir() else {}


def find_canaries(logs: Path, begun: dict[Path, int], folder: Path) -> list[str]:
    """File and canary, once each; one pass over the logs since `begun` and over all files of the tests."""
    found = [f"{log}: {canary}" for log in sorted(logs.glob("*")) for canary in _canaries(log, begun.get(log, 0))]
    return found + [f"{file}: {canary}" for file in _files(folder) for canary in _canaries(file, 0)]


def veil(logs: Path, begun: dict[Path, int]) -> None:
    """Make unreadable what was let into the logs on purpose."""
    for log in logs.glob("*"):
        with log.open("r+b") as opened:
            opened.seek(begun.get(log, 0))
            content = opened.read()
            opened.seek(begun.get(log, 0))
            opened.write(content.replace(b"CANARY", b"canary"))


def _files(folder: Path) -> Iterator[Path]:
    for file in sorted(folder.rglob("*")):
        if not _KNOWN.search(str(file)) and file.is_file() and not file.is_symlink() and file.stat().st_size < _LARGEST:
            yield file


def _canaries(file: Path, start: int) -> list[str]:
    try:
        with file.open("rb") as opened:
            opened.seek(start)
            content = opened.read()
    except FileNotFoundError:  # gone meanwhile
        return []
    return sorted({match.decode() for part in unpacked(content) for match in CANARY.findall(part)})
