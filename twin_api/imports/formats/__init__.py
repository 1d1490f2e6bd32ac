"""The source formats, one file each. A file belongs to the first format whose suffix and content both fit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

from twin_api.imports.description import Description
from twin_api.imports.finding import refuse
from twin_api.imports.format import HEAD_BYTES, Format
from twin_api.imports.formats import csv_table, flatgeobuf, geojson, geojson_lines, geopackage, gml, osm_pbf, shapefile, xlsx
from twin_api.imports.guards.archive import unpack_gz, unpack_zip
from twin_api.imports.source import Source, choose, open_source, unreadable
from twin_api.imports.tables import returned
from twin_api.imports.tables.sheet import open_sheet
from twin_api.policy.finding import quoted
from twin_api.texts import Text

FORMATS: Final[tuple[Format, ...]] = (
    geopackage.FORMAT, shapefile.FORMAT, flatgeobuf.FORMAT, osm_pbf.FORMAT, geojson_lines.FORMAT, geojson.FORMAT, gml.FORMAT,
    xlsx.FORMAT, csv_table.FORMAT,
)  # fmt: skip
COLUMNS: Final = 1_000
PACKED: Final = (".gz", ".zip")
BESIDE_DATA: Final = (".xml", ".txt")  # metadata and readme, if there is anything else in an archive


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
    path, description = unpacked(path, description, folder)
    format_ = recognise(path)
    if format_ is csv_table.FORMAT:
        description = returned.described(path, description)
    source = open_sheet(path, format_, description, folder) if format_.sheet else open_source(path, format_, description, folder)
    if len(source.columns) > COLUMNS:
        what = Text(f"{quoted(path.name)} hat {len(source.columns)} Spalten", f"{quoted(path.name)} has {len(source.columns)} columns")
        raise refuse(what, Text(f"höchstens {COLUMNS}", f"at most {COLUMNS}"))
    return source


def unpacked(path: Path, description: Description, folder: Path) -> tuple[Path, Description]:
    """The file itself, or the one inside; of several, the one that the description's `source_layer` names."""
    name = path.name.lower()
    if not name.endswith(PACKED) or not path.is_file():
        return path, description
    if name.endswith(".gz"):
        return unpack_gz(path, folder), description
    home = unpack_zip(path, folder)
    inside = {str(file.relative_to(home).with_suffix("")): file for file in _data_files(home)}
    if not inside:
        raise _unknown(path, [])
    if len(inside) == 1:
        return next(iter(inside.values())), description
    return inside[choose(path.name, list(inside), description.source_layer)], replace(description, source_layer=None)


def _data_files(home: Path) -> list[Path]:
    files = [file for file in sorted(home.rglob("*")) if file.is_file() and file.name.lower().endswith(_suffixes()) and not _is_fork(file)]
    return [file for file in files if not file.name.lower().endswith(BESIDE_DATA)] or files


def _is_fork(file: Path) -> bool:
    """What one maker's computers add to every archive."""
    return file.name.startswith("._") or "__MACOSX" in file.parts


def _suffixes() -> tuple[str, ...]:
    return tuple(dict.fromkeys(suffix for format_ in FORMATS for suffix in format_.suffixes))


def _unknown(path: Path, by_name: list[Format]) -> Exception:
    if by_name:
        return refuse(
            Text(f"{quoted(path.name)} heißt wie {by_name[0].name}, ist es dem Inhalt nach aber nicht",
                 f"{quoted(path.name)} is named like {by_name[0].name} but its content is not"),
            Text("Datei neu ausgeben lassen", "export the file again"),
        )  # fmt: skip
    suffixes = ", ".join((*_suffixes(), *PACKED))
    return refuse(
        Text(f"{quoted(path.name)} hat kein bekanntes Format", f"{quoted(path.name)} is in no known format"),
        Text(f"eine Datei mit der Endung {suffixes}", f"a file ending in {suffixes}"),
    )
