"""OpenStreetMap's PBF: a block header first, after its length in four bytes."""

from __future__ import annotations

from twin_api.imports.format import Format


def recognises(head: bytes) -> bool:
    return head[4:15] == b"\x0a\x09OSMHeader"


FORMAT = Format("OSM PBF", (".pbf",), ("OSM",), recognises)
