"""The source formats, one file each. A file belongs to the first format whose suffix and content both fit."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from twin_api.imports.description import Description
from twin_api.imports.finding import refuse
from twin_api.imports.format import HEAD_BYTES, Format
from twin_api.imports.formats import geojson, geojson_lines, geopackage, osm_pbf
from twin_api.imports.source import Source, open_source, unreadable
from twin_api.policy.finding import quoted
from twin_api.texts import Text

FORMATS: Final[tuple[Format, ...]] = (geopackage.FORMAT, osm_pbf.FORMAT, geojson_lines.FORMAT, geojson.FORMAT)


def recognise(path: Path) -> Format:
    """The format of a file. Raises `FileRefused` for a file that is missing, unknown, or not what its name says."""
    if not path.is_file():
        raise refuse(
            Text(f"eine Datei {quoted(str(path))} gibt es nicht", f"there is no file {quoted(str(path))}"),
            Text("Name und Ordner prüfen", "check its name and folder"),
        )
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as error:
        raise unreadable(path, OSError(error.strerror or "")) from None
    by_name = [format_ for format_ in FORMATS if path.name.lower().endswith(format_.suffixes)]
    for format_ in by_name:
        if format_.recognises(head):
            return format_
    raise _unknown(path, by_name)


def open_file(path: Path, description: Description, folder: Path) -> Source:
    """The file, ready to be read batch by batch; only its own format's driver is let at it. `folder` is for what has to be unpacked."""
    return open_source(path, recognise(path), description, folder)


def _unknown(path: Path, by_name: list[Format]) -> Exception:
    if by_name:
        return refuse(
            Text(f"{quoted(path.name)} heißt wie {by_name[0].name}, ist es dem Inhalt nach aber nicht",
                 f"{quoted(path.name)} is named like {by_name[0].name} but its content is not"),
            Text("Datei neu ausgeben lassen", "export the file again"),
        )  # fmt: skip
    suffixes = ", ".join(dict.fromkeys(suffix for format_ in FORMATS for suffix in format_.suffixes))
    return refuse(
        Text(f"{quoted(path.name)} hat kein bekanntes Format", f"{quoted(path.name)} is in no known format"),
        Text(f"eine Datei mit der Endung {suffixes}", f"a file ending in {suffixes}"),
    )
