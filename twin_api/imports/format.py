"""What a source format is: how it recognises its files, and what it knows of them that their reader would not say."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from twin_api.imports.description import Description
from twin_api.texts import Text

HEAD_BYTES = 1024 * 1024
Kind = Literal["text", "integer", "number", "boolean", "date", "datetime", "other"]
Doubt = tuple[int, str, Any]  # fid, column, the value as it stands in the file


@dataclass(frozen=True, slots=True)
class Table:
    """The part of a file that is read: one layer of it, its columns with their kinds, the features that fulfil `where`.

    `names` are all columns in the order of the file.
    """

    path: Path
    layer: str
    fid_column: str
    columns: Mapping[str, Kind]
    where: str | None
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Broken:
    """Stands in a cell for what is no value, or beside a row for what is no row of its table."""

    what: Text
    remedy: Text


@dataclass(frozen=True, slots=True)
class Record:
    """One row of a sheet. `number` is the row a person finds it at; `cells` are as many as there are columns, or none beside a `fault`."""

    number: int
    cells: Sequence[Any]
    fault: Broken | None = None


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table that its format reads by itself. `records` begins anew with each call, and holds `total` rows, the broken ones included."""

    name: str
    columns: Mapping[str, Kind]
    total: int
    records: Callable[[], Iterator[Record]]


def unknown_count(path: Path) -> int | None:
    return None


def no_doubts(table: Table) -> Iterable[Doubt]:
    return ()


def no_columns(path: Path, layer: str) -> Iterable[str]:
    return ()


def no_options(description: Description) -> Mapping[str, str]:
    return {}


def as_it_is(path: Path, description: Description, folder: Path) -> Path:
    return path


@dataclass(frozen=True, slots=True)
class Format:
    """`options` are GDAL's open options. `prepare` makes of the file one that GDAL may be let at, if need be a new one in `folder`.

    `prepare` raises `FileRefused` for what must not reach a reader at all. `tabular` files have rows, and their names in one of them.

    `sheet` reads what `prepare` made without GDAL, for formats whose GDAL driver guesses, pads or leaves out; it is told the file's name.

    `count` and `doubts` are for readers that leave out a broken feature, or turn a wrong value into another, in silence.

    `count` says how many features the file holds, and may raise `FileRefused`; `doubts` yields values that are not of their column's kind;
    `columns` names those of a layer, of which the reader may not speak.
    """

    name: str
    suffixes: tuple[str, ...]
    drivers: tuple[str, ...]  # GDAL's; no other is let at the file
    recognises: Callable[[bytes], bool]
    options: Callable[[Description], Mapping[str, str]] = no_options
    prepare: Callable[[Path, Description, Path], Path] = as_it_is
    tabular: bool = False
    sheet: Callable[[str, Path, Description], Sheet] | None = None
    moments_in_utc: bool = False  # the format's standard says so for moments without offset
    sparse: bool = False  # there is no list of columns: one that no feature has is none
    count: Callable[[Path], int | None] = unknown_count
    doubts: Callable[[Table], Iterable[Doubt]] = no_doubts
    columns: Callable[[Path, str], Iterable[str]] = no_columns
