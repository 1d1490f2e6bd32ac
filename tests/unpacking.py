"""What is packed in a file: gzip, zstd, bzip2, xz and zip (so .xlsx, .kmz and evidence too), also one within the other.

A GeoPackage and a tar are not packed and are read as they are; what is encrypted stays closed.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from io import BytesIO
from typing import IO, Any, Final

import zstandard

LARGEST: Final = 50_000_000  # of one file, unpacked; what goes beyond is not looked at: tests of hostile files pack terabytes
DEEPEST: Final = 3  # a .csv.gz within a .zip within a .tar.gz
_STEP: Final = 1 << 20
_BROKEN: Final = (EOFError, OSError, ValueError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, zstandard.ZstdError, RuntimeError, NotImplementedError)  # fmt: skip


def unpacked(content: bytes, depth: int = DEEPEST) -> Iterator[bytes]:
    """The content itself, and all that is packed in it as far as it can be read."""
    yield content
    for part in _parts(content) if depth else ():
        yield from unpacked(part, depth - 1)


def _parts(content: bytes) -> Iterator[bytes]:
    for magic, opened in _STREAMS.items():
        if content.startswith(magic):
            yield _read(opened(BytesIO(content)), LARGEST)
    if content.startswith(b"PK\x03\x04"):
        yield from _members(content)


def _members(content: bytes) -> Iterator[bytes]:
    left = LARGEST
    with suppress(*_BROKEN), zipfile.ZipFile(BytesIO(content)) as archive:
        for entry in archive.infolist():
            with suppress(*_BROKEN), archive.open(entry) as member:
                told = _read(member, left)
                left -= len(told)
                yield told


def _read(packed: IO[bytes] | Any, most: int) -> bytes:
    """Up to `most` bytes; of a torn or broken file what comes before the tear."""
    told, read = bytearray(), getattr(packed, "read1", packed.read)
    with suppress(*_BROKEN):
        while len(told) < most and (some := read(min(_STEP, most - len(told)))):
            told += some
    return bytes(told)


_STREAMS: Final[dict[bytes, Callable[[IO[bytes]], Any]]] = {
    b"\x1f\x8b": lambda source: gzip.GzipFile(fileobj=source),
    b"\x28\xb5\x2f\xfd": lambda source: zstandard.ZstdDecompressor().stream_reader(source, read_across_frames=True),
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\x00": lzma.LZMAFile,
}
