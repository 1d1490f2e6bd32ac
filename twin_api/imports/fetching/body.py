"""The body of an answer as its sender packed it, unpacked piece by piece."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import Final

from twin_api.imports.finding import FileRefused, refuse
from twin_api.texts import Text

STEP: Final = 1 << 20
MAX_RATIO: Final = 200  # unpacked to packed; maps written as text reach 30
GZIP: Final = 31


def unpacked(chunks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """The bytes themselves, in pieces of at most a MiB. Raises `FileRefused` for bombs and for packings nobody asked for."""
    if encoding.lower() in ("", "identity"):
        yield from chunks
        return
    if encoding.lower() not in ("gzip", "x-gzip"):
        raise refuse(
            Text("die Antwort ist anders gepackt als verlangt", "the answer is packed in another way than asked for"),
            Text("verlangt ist gzip oder gar nichts", "gzip or nothing at all is required"),
        )
    read, made, member = 0, 0, _Member()
    for chunk in chunks:
        read += len(chunk)
        for piece in member.pieces(chunk):
            made += len(piece)
            if made > STEP * 16 and made > read * MAX_RATIO:
                raise refuse(Text("die gepackte Antwort wird beim Auspacken zu groß", "the packed answer grows too large when unpacked"))
            yield piece
    yield member.rest()


class _Member:
    """A gzip file may be several, one after the other."""

    def __init__(self) -> None:
        self._unpack, self._begun = zlib.decompressobj(GZIP), False

    def pieces(self, chunk: bytes) -> Iterator[bytes]:
        while chunk:
            try:
                piece, self._begun = self._unpack.decompress(chunk, STEP), True
            except zlib.error:
                raise _damaged() from None
            chunk = self._unpack.unconsumed_tail or self._unpack.unused_data
            if self._unpack.eof:
                self._unpack, self._begun = zlib.decompressobj(GZIP), False
            yield piece

    def rest(self) -> bytes:
        last = self._unpack.flush()
        if self._begun and not self._unpack.eof:
            raise _damaged()
        return last


def _damaged() -> FileRefused:
    again = Text("später noch einmal versuchen", "try again later")
    return refuse(Text("die gepackte Antwort ist beschädigt", "the packed answer is damaged"), again)
