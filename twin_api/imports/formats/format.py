"""What a source format is: how it recognises its files, and what it can say of one before it is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

HEAD_BYTES = 1024 * 1024


def unknown_count(path: Path) -> int | None:
    """For a format whose reader never skips a feature by itself."""
    return None


@dataclass(frozen=True, slots=True)
class Format:
    """`count` says how many features the file holds where the reader would pass over broken ones in silence.

    It raises `FileRefused` for what it finds wrong on the way.
    """

    name: str
    suffixes: tuple[str, ...]
    drivers: tuple[str, ...]  # GDAL's; no other is let at the file
    recognises: Callable[[bytes], bool]
    count: Callable[[Path], int | None] = unknown_count
