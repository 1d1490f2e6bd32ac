"""GML 2 and 3: what a WFS answers and what XPlanung and ALKIS deliver, every value as the text it is.

Left to itself, GDAL makes the number 7 of `007`, looks for schemas in the network and writes down what it found beside the file.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pyogrio

from twin_api.imports.description import Description
from twin_api.imports.finding import refuse
from twin_api.imports.format import Format
from twin_api.policy.finding import listed, quoted
from twin_api.texts import Text

NAMESPACE: Final = b"http://www.opengis.net/gml"
CHUNK: Final = 4 * 1024 * 1024
OVERLAP: Final = 1024
SRS: Final = re.compile(rb"""srsName\s*=\s*["']([^"'<>]{1,500})["']""")
SETTINGS: Final = {  # of the driver as a whole; it has no options for them
    "GML_FIELDTYPES": "ALWAYS_STRING",
    "GML_SKIP_RESOLVE_ELEMS": "ALL",
    "GML_DOWNLOAD_SCHEMA": "NO",
}


def recognises(head: bytes) -> bool:
    """XML that speaks of GML; a document type is refused here, since no GML needs one."""
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    return start.startswith(b"<") and NAMESPACE in head and b"<!DOCTYPE" not in head


def options(description: Description) -> Mapping[str, str]:
    return {"DOWNLOAD_SCHEMA": "NO", "EXPOSE_GML_ID": "YES"}


def prepare(path: Path, description: Description, folder: Path) -> Path:
    """A link in a folder of its own, where the reader may leave its notes and finds no schema that somebody laid beside the file."""
    pyogrio.set_gdal_config_options(SETTINGS)
    if description.crs is None:
        _check_systems(path)
    home = Path(tempfile.mkdtemp(dir=folder))
    link = home / f"{path.stem}.gml"
    link.symlink_to(path.resolve())
    return link


def _check_systems(path: Path) -> None:
    """One coordinate system for all: the reader takes the first it meets for the others, too."""
    found: dict[str, None] = {}
    before = b""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            found |= dict.fromkeys(name.decode(errors="replace") for name in SRS.findall(before + chunk))
            before = chunk[-OVERLAP:]
    if len({_authority(name) for name in found}) > 1:
        raise refuse(
            Text(f"{quoted(path.name)} enthält mehrere Koordinatensysteme: {listed(found)}",
                 f"{quoted(path.name)} holds several coordinate reference systems: {listed(found)}"),
            Text("je System eine Datei liefern", "deliver one file for each"),
        )  # fmt: skip


def _authority(name: str) -> str:
    """The code alone: `EPSG:25832` and `urn:ogc:def:crs:EPSG::25832` are the same place, and differ in the order of axes at most."""
    return re.split(r"[:/#]", name.strip())[-1].casefold()


FORMAT: Final = Format("GML", (".gml", ".xml"), ("GML",), recognises, options, prepare)
