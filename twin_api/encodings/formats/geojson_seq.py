"""GeoJSON Text Sequences (RFC 8142): each feature after a record separator, so that a reader need not hold the page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from twin_api.encodings.formats.form import Format
from twin_api.encodings.media import GEOJSON_SEQ
from twin_api.store.collection import Property

_SEPARATOR: Final = b"\x1e"


def write(features: bytes, properties: Sequence[Property]) -> bytes:
    return b"".join((_SEPARATOR, features.replace(b"\n", b"\n" + _SEPARATOR), b"\n")) if features else b""


FORMAT: Final = Format(GEOJSON_SEQ, write)
