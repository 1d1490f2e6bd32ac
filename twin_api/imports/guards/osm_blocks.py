"""The blocks of an OpenStreetMap PBF file, walked from length to length before a reader believes them.

Layout: four bytes with the length of a block header, the header with the length of the blob, the blob with its unpacked length
(`fileformat.proto`). A reader takes a file that ends within a length for a file that ends there.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

from twin_api.imports.finding import refuse
from twin_api.imports.guards.archive import RATIO, SMALL_BYTES
from twin_api.policy.finding import quoted
from twin_api.texts import Text

HEADER_BYTES: Final = 64 * 1024  # the format's own limits
BLOB_BYTES: Final = 32 * 1024 * 1024
RAW_SIZE: Final = 2  # number of the field with the unpacked length of a blob
DATA_SIZE: Final = 3  # of the one with the length of a blob
RAW: Final = 1
ZLIB: Final = 3
VARINT: Final = 0
LENGTH_DELIMITED: Final = 2
VARINT_BYTES: Final = 10


class Broken(Exception):
    """A length that is not there, or not possible."""


def check_blocks(path: Path) -> None:
    """Raises `FileRefused` unless the lengths lead exactly to the end of the file and no blob swells."""
    budget = max(SMALL_BYTES, RATIO * path.stat().st_size)
    try:
        with path.open("rb") as file:
            for unpacked in _blobs(file, path.stat().st_size):
                budget -= unpacked
                if unpacked > BLOB_BYTES or budget < 0:
                    raise Broken
    except Broken:
        what = Text(f"die Blöcke von {quoted(path.name)} sind beschädigt oder unvollständig",
                    f"the blocks of {quoted(path.name)} are damaged or incomplete")  # fmt: skip
        raise refuse(what, Text("die Datei noch einmal laden", "download the file again")) from None


def _blobs(file: IO[bytes], end: int) -> Iterator[int]:
    """The unpacked length of each."""
    at = 0
    while at < end:
        length = int.from_bytes(_exactly(file, 4), "big")
        if length > HEADER_BYTES:
            raise Broken
        size = _number(_exactly(file, length), DATA_SIZE)
        at += 4 + length + (size or 0)
        if size is None or size > BLOB_BYTES or at > end:
            raise Broken
        yield _unpacked(_exactly(file, size))


def _unpacked(blob: bytes) -> int:
    """How long its content is. A reader passes over a blob that is packed in a way it does not know."""
    size = _number(blob, RAW_SIZE)
    if not any(_holds(blob, field) for field in (RAW, ZLIB)):
        raise Broken
    return size or 0


def _exactly(file: IO[bytes], count: int) -> bytes:
    octets = file.read(count)
    if len(octets) < count:
        raise Broken
    return octets


def _number(message: bytes, wanted: int) -> int | None:
    """The value of a field that holds a whole number; `None` if the message has no such field."""
    return next((value for field, kind, value in _fields(message) if field == wanted and kind == VARINT), None)


def _holds(message: bytes, wanted: int) -> bool:
    return any(field == wanted and kind == LENGTH_DELIMITED for field, kind, _ in _fields(message))


def _fields(message: bytes) -> Iterator[tuple[int, int, int]]:
    """Number, kind, and value or length of each."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        value, at = _varint(message, at)
        yield key >> 3, key & 7, value
        at += value if key & 7 == LENGTH_DELIMITED else 0


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = 0
    for number, octet in enumerate(message[at : at + VARINT_BYTES]):
        value |= (octet & 0x7F) << 7 * number
        if not octet & 0x80:
            return value, at + number + 1
    raise Broken
