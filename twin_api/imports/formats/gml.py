"""GML 2 and 3: what a WFS answers and what XPlanung and ALKIS deliver, every value as the text it is.

Left to itself, GDAL makes the number 7 of `007`, looks for schemas in the network and writes down what it found beside the file.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import pyogrio
from pyogrio.errors import DataSourceError

from twin_api.imports.description import Description
from twin_api.imports.finding import FileRefused, refuse
from twin_api.imports.format import Format
from twin_api.imports.guards.gdal import only, sealed
from twin_api.imports.guards.gml_scan import Scan
from twin_api.policy.finding import listed, quoted
from twin_api.texts import Text

DRIVERS: Final = ("GML",)
NAMESPACE: Final = b"http://www.opengis.net/gml"
NOTED: Final = re.compile("<(?:GeometryType|Extent[A-Za-z]+)>([^<]*)<")
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
    scan = Scan()
    scan.read(path)
    scan.findings.raise_any()
    if scan.several_systems() and description.crs is None:
        raise _several_systems(path, scan.several_systems())
    links = {which: _noted(path, folder, which) for which in ("YES", "NO")}
    _check_geometries(path, description, *links.values())
    return links["NO"]


def _noted(path: Path, folder: Path, all_geometries: str) -> Path:
    """A link to the file in a new folder, with the notes of its reader beside it."""
    link = sealed(path, folder)
    pyogrio.set_gdal_config_options(SETTINGS | {"GML_FETCH_ALL_GEOMETRIES": all_geometries})
    with only(DRIVERS), warnings.catch_warnings(), suppress(DataSourceError):
        warnings.simplefilter("ignore", RuntimeWarning)
        pyogrio.list_layers(link)
    return link


def _check_geometries(path: Path, description: Description, *links: Path) -> None:
    """Of several geometries of a feature the reader takes the last, or the first: where the two differ there are several."""
    first, last = (_extents(link.with_suffix(".gfs")) for link in links)
    several = [name for name in last if first.get(name) != last[name] and description.source_layer in (None, name)]
    if several:
        raise refuse(
            Text(f"{quoted(path.name)}: Objekte mit mehreren Geometrien in {listed(several)}",
                 f"{quoted(path.name)}: features with several geometries in {listed(several)}"),
            Text("je Objekt eine Geometrie ausgeben", "export one geometry for each feature"),
        )  # fmt: skip


def _extents(notes: Path) -> dict[str, list[str]]:
    """Feature type -> what its reader notes of its geometries: their type and extent."""
    text = notes.read_text() if notes.is_file() else ""
    return {part.partition("</Name>")[0]: NOTED.findall(part) for part in text.split("<Name>")[1:]}


def _several_systems(path: Path, systems: list[str]) -> FileRefused:
    """Two spellings of one may differ in the order of axes, and the reader names none then."""
    names = listed(systems)
    return refuse(
        Text(f"{quoted(path.name)} enthält mehrere Koordinatensysteme: {names}",
             f"{quoted(path.name)} holds several coordinate reference systems: {names}"),
        Text("je System eine Datei liefern", "deliver one file for each"),
    )  # fmt: skip


FORMAT: Final = Format("GML", (".gml", ".xml"), DRIVERS, recognises, options, prepare, sparse=True)
