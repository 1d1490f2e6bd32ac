"""FlatGeobuf: eight bytes of magic, a header, features one after the other."""

from __future__ import annotations

from typing import Final

from twin_api.imports.format import Format

MAGIC: Final = b"fgb\x03fgb"


def recognises(head: bytes) -> bool:
    return head.startswith(MAGIC)


FORMAT: Final = Format("FlatGeobuf", (".fgb",), ("FlatGeobuf",), recognises)
