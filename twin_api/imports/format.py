"""What a source format is: how it recognises its files, and what it knows of them that their reader would not say."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

HEAD_BYTES = 1024 * 1024
Kind = Literal["text", "integer", "number", "boolean", "date", "datetime", "other"]
Doubt = tuple[int, str, Any]  # fid, column, the value as it stands in the file


@dataclass(frozen=True, slots=True)
class Table:
    """The part of a file that is read: one layer of it, its columns with their kinds, the features that fulfil `where`."""

    path: Path
    layer: str
    fid_column: str
    columns: Mapping[str, Kind]
    where: str | None


def unknown_count(path: Path) -> int | None:
    return None


def no_doubts(table: Table) -> Iterable[Doubt]:
    return ()


@dataclass(frozen=True, slots=True)
class Format:
    """`count` and `doubts` are for readers that leave out a broken feature, or turn a wrong value into another, in silence.

    `count` says how many features the file holds, and may raise `FileRefused`; `doubts` yields values that are not of their column's kind.
    """

    name: str
    suffixes: tuple[str, ...]
    drivers: tuple[str, ...]  # GDAL's; no other is let at the file
    recognises: Callable[[bytes], bool]
    options: Mapping[str, str] = field(default_factory=dict)  # GDAL's open options
    moments_in_utc: bool = False  # the format's standard says so for moments without offset
    count: Callable[[Path], int | None] = unknown_count
    doubts: Callable[[Table], Iterable[Doubt]] = no_doubts
