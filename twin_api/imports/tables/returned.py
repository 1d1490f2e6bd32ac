"""The table that an import wrote of its rejects, mended and brought back: it knows itself how it is written, whatever the original was."""

from __future__ import annotations

import codecs
from dataclasses import replace
from pathlib import Path
from typing import Final

from twin_api.imports.description import Description, Place

FEATURE, REASON, SHAPE = "_objekt", "_grund", "wkt"  # number in the import, what was wrong, the geometry of what is no table
SEPARATOR: Final = ";"
BEGINNING: Final = f"{FEATURE}{SEPARATOR}{REASON}{SEPARATOR}".encode()
HEADER_OCTETS: Final = 1 << 20


def is_returned(path: Path) -> bool:
    return _header(path).removeprefix(codecs.BOM_UTF8).startswith(BEGINNING)


def described(path: Path, description: Description) -> Description:
    """What is said of the original, but for separator, header row, encoding (spreadsheets may have changed it) and place of the rejects."""
    header = _header(path)
    if not is_returned(path):
        return description
    marked = header.startswith(codecs.BOM_UTF8)
    place = description.place
    if place == Place() and SHAPE.encode() in header.rstrip().split(SEPARATOR.encode()):
        place = Place(wkt=SHAPE)
    encoding = "utf-8" if marked else description.encoding
    return replace(description, separator=SEPARATOR, header=1, encoding=encoding, place=place)


def _header(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.readline(HEADER_OCTETS)
    except OSError:
        return b""  # whoever reads it in earnest says why it cannot be read
