"""GeoPackage (OGC 12-128): an SQLite file that says so in its header."""

from __future__ import annotations

from twin_api.imports.formats.format import Format

APPLICATION_IDS = (b"GPKG", b"GP10", b"GP11")


def recognises(head: bytes) -> bool:
    return head.startswith(b"SQLite format 3\0") and head[68:72] in APPLICATION_IDS


FORMAT = Format("GeoPackage", (".gpkg",), ("GPKG",), recognises)
