"""GML 2 and 3: what a WFS answers and what XPlanung and ALKIS deliver, every value as the text it is.

Left to itself, GDAL makes the number 7 of `007`, looks for schemas in the network and writes down what it found beside the file.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pyogrio

from twin_api.imports.description import Description
from twin_api.imports.finding import FileRefused, refuse
from twin_api.imports.format import Format
from twin_api.imports.gml_scan import Scan
from twin_api.policy.finding import listed, quoted
from twin_api.texts import Text

NAMESPACE: Final = b"http://www.opengis.net/gml"
SETTINGS: Final = {  # of the driver as a whole; it has no options for them
    "GML_FIELDTYPES": "ALWAYS_STRING",
    "GML_SKIP_RESOLVE_ELEMS": "ALL",
    "GML_DOWNLOAD_SCHEMA": "NO",
    "GML_REPORT_COMPD_CS": "YES",
}


def recognises(head: bytes) -> bool:
    """XML that speaks of GML."""
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    return start.startswith(b"<") and NAMESPACE in head


def options(description: Description) -> Mapping[str, str]:
    return {"DOWNLOAD_SCHEMA": "NO", "EXPOSE_GML_ID": "YES"}


def prepare(path: Path, description: Description, folder: Path) -> Path:
    """A link in a folder of its own, where the reader may leave its notes and finds no schema that somebody laid beside the file."""
    pyogrio.set_gdal_config_options(SETTINGS)
    scan = Scan()
    scan.read(path)
    scan.findings.raise_any()
    if scan.several_systems() and description.crs is None:
        raise _several_systems(path, scan.several_systems())
    home = Path(tempfile.mkdtemp(dir=folder))
    link = home / f"{path.stem}.gml"
    link.symlink_to(path.resolve())
    return link


def _several_systems(path: Path, systems: list[str]) -> FileRefused:
    """Two spellings of one may differ in the order of axes, and the reader names none then."""
    names = listed(systems)
    return refuse(
        Text(f"{quoted(path.name)} enthält mehrere Koordinatensysteme: {names}",
             f"{quoted(path.name)} holds several coordinate reference systems: {names}"),
        Text("je System eine Datei liefern", "deliver one file for each"),
    )  # fmt: skip


FORMAT: Final = Format("GML", (".gml", ".xml"), ("GML",), recognises, options, prepare)
