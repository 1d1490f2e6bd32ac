"""What lies inside a backup: a gzipped tar, so that `age --decrypt | tar xz` takes it apart without us.

What is long is written in numbered parts, because a tar wants to know the size of each member beforehand.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import re
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from typing import IO, Final

from twin_api.backup.sealed import Damaged

PART: Final = 1 << 20
WHOLE: Final = 256 * PART
_LEVEL: Final = 3  # of compression: twice as fast as the usual 6, and hardly larger
_PLAIN: Final = (tarfile.REGTYPE, tarfile.AREGTYPE)
_NUMBER: Final = re.compile(r"/\d{6,}$")


@dataclass(frozen=True, slots=True)
class Entry:
    """What was written under one name; `lines` are rows where it is a table."""

    octets: int
    sha256: str
    lines: int


class Digest:
    """Counts and sums up what passes."""

    def __init__(self) -> None:
        self._hash, self._octets, self._lines = hashlib.sha256(), 0, 0

    def take(self, some: bytes) -> None:
        self._hash.update(some)
        self._octets += len(some)
        self._lines += some.count(b"\n")

    def entry(self) -> Entry:
        return Entry(self._octets, self._hash.hexdigest(), self._lines)


class Packing:
    """Members on their way into an archive; `entries` says what has been packed."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self.entries: dict[str, Entry] = {}

    def put(self, name: str, content: bytes) -> None:
        """A member that is at hand as a whole."""
        digest = Digest()
        digest.take(content)
        self._add(name, content)
        self.entries[name] = digest.entry()

    def put_parts(self, name: str, some: Iterator[bytes]) -> Entry:
        """A member whose size shows at its end."""
        digest, held, number = Digest(), bytearray(), 0
        for piece in some:
            digest.take(piece)
            held += piece
            if len(held) >= PART:
                self._add(f"{name}/{number:06}", bytes(held))
                held.clear()
                number += 1
        self._add(f"{name}/{number:06}", bytes(held))
        self.entries[name] = digest.entry()
        return self.entries[name]

    def _add(self, name: str, content: bytes) -> None:
        member = tarfile.TarInfo(name)
        member.size, member.mode = len(content), 0o600
        self._tar.addfile(member, io.BytesIO(content))


@contextmanager
def packing(sink: IO[bytes]) -> Iterator[Packing]:
    with gzip.GzipFile(fileobj=sink, mode="wb", compresslevel=_LEVEL, mtime=0) as packed, tarfile.open(fileobj=packed, mode="w|") as tar:
        yield Packing(tar)


def unpack(source: IO[bytes]) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Each name with its content in pieces, in the order of packing. Raises `Damaged` for what is no archive, there or in the content."""
    with _damage_named(), tarfile.open(fileobj=source, mode="r|gz") as tar:
        for name, members in groupby(tar, key=lambda member: _NUMBER.sub("", member.name)):
            yield name, _contents(tar, members)


def _contents(tar: tarfile.TarFile, members: Iterator[tarfile.TarInfo]) -> Iterator[bytes]:
    """INVARIANT: as many octets as there are. A link leads elsewhere, and a file with holes says of itself how long it is."""
    with _damage_named():
        for member in members:
            file = tar.extractfile(member) if member.type in _PLAIN and member.sparse is None else None
            if file is None:
                raise Damaged()
            while piece := file.read(PART):
                yield piece


def whole(content: Iterator[bytes]) -> bytes:
    """A member that is read at once: what describes a town. Raises `Damaged` where it is larger than any of them is."""
    held = bytearray()
    for piece in content:
        held += piece
        if len(held) > WHOLE:
            raise Damaged()
    return bytes(held)


@contextmanager
def _damage_named() -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, EOFError, OSError, ValueError) as error:  # the last for numbers in headers that are none
        raise Damaged() from error
