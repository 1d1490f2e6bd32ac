"""How a table of text is written: its encoding, its separator, and the row that holds the names of its columns."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SUFFIXES: Final = (".csv", ".tsv", ".txt")
SEPARATORS: Final = (";", ",", "\t", "|")
QUOTED: Final = re.compile(r'"(?:[^"]|"")*"')
CHUNK: Final = 1024 * 1024
HEAD: Final = 64 * 1024
ROWS: Final = 40


@dataclass(frozen=True, slots=True)
class Writing:
    """`encoding` is None for UTF-8, `separator` where it is the only one of its kind in the header; `header` counts from 1."""

    encoding: str | None
    separator: str | None
    header: int


def read_writing(path: Path) -> Writing:
    """Looks at the whole file for its encoding and at its beginning for the rest; memory does not grow with it."""
    encoding = _encoding(path)
    with path.open("rb") as file:
        head = file.read(HEAD).decode(encoding or "utf-8-sig", errors="replace")
    rows = {separator: _rows(head, separator) for separator in SEPARATORS}
    separator = max(SEPARATORS, key=lambda sign: _agreement(rows[sign]))
    header = _header(rows[separator])
    line = QUOTED.sub("", "".join(head.splitlines()[header - 1 : header]))
    signs = [sign for sign in SEPARATORS if sign in line]
    return Writing(encoding, None if len(signs) < 2 else separator, header)


def _encoding(path: Path) -> str | None:
    """UTF-8 if all of it is; else Windows-1252 where bytes stand that ISO-8859-1 has no letters for."""
    decoder, is_utf8, windows = codecs.getincrementaldecoder("utf-8")(), True, False
    with path.open("rb") as file:
        if file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            return "utf-16"
        file.seek(0)
        while chunk := file.read(CHUNK):
            try:
                decoder.decode(chunk) if is_utf8 else ""
            except UnicodeDecodeError:
                is_utf8 = False
            windows = windows or any(octet in chunk for octet in _WINDOWS)
    return None if is_utf8 else "windows-1252" if windows else "iso-8859-1"


_WINDOWS: Final = [bytes([octet]) for octet in range(0x80, 0xA0)]


def _rows(text: str, separator: str) -> list[list[str]]:
    """The first rows that are whole."""
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator):
            rows.append(row)
            if len(rows) > ROWS:
                break
    except csv.Error:
        return rows
    return rows[:ROWS] if len(rows) > ROWS or len(text) < HEAD // 2 else rows[:-1]


def _agreement(rows: list[list[str]]) -> tuple[int, int]:
    """How many rows have as many cells as the most; a separator that separates nothing agrees with itself for nothing."""
    (width, count), *_ = Counter(len(row) for row in rows if row).most_common(1) or [(1, 0)]
    return (count if width > 1 else 0, width)


def _header(rows: list[list[str]]) -> int:
    """The first row as wide as the table and not nearly empty; titles above it are narrower, or stand in one cell."""
    (width, _), *_ = Counter(len(row) for row in rows if row).most_common(1) or [(1, 0)]
    for number, row in enumerate(rows, start=1):
        if len(row) == width and 2 * sum(bool(cell.strip()) for cell in row) >= width:
            return number
    return 1


def is_written_table(path: Path) -> bool:
    """Whether the file is a table of text by its name; only there the rest has to be found out."""
    return path.name.lower().endswith(SUFFIXES)
