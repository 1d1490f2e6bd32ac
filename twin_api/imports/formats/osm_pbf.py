"""OpenStreetMap's PBF: a block header first, after its length in four bytes."""

from __future__ import annotations

from pathlib import Path

from twin_api.imports.description import Description
from twin_api.imports.format import Format
from twin_api.imports.guards.osm_blocks import check_blocks


def recognises(head: bytes) -> bool:
    return head[4:15] == b"\x0a\x09OSMHeader"


def prepare(path: Path, description: Description, folder: Path) -> Path:
    check_blocks(path)
    return path


FORMAT = Format("OSM PBF", (".pbf",), ("OSM",), recognises, prepare=prepare)
