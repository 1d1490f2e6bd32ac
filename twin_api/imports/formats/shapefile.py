"""ESRI Shapefile: `.shp` with its `.shx` and `.dbf`, and perhaps `.prj` and `.cpg`, side by side; zipped ones have been unpacked."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from pyogrio.raw import read

from twin_api.imports.description import Description
from twin_api.imports.finding import FileRefused, refuse
from twin_api.imports.format import Doubt, Format, Table
from twin_api.imports.tables import dbf
from twin_api.policy.finding import quoted
from twin_api.texts import Text

MAGIC: Final = b"\x00\x00\x27\x0a"
SHX_HEADER, SHX_RECORD = 100, 8
NEEDED, WELCOME = (".shp", ".shx", ".dbf"), (".prj", ".cpg")


def recognises(head: bytes) -> bool:
    return head.startswith(MAGIC)


def options(description: Description) -> Mapping[str, str]:
    return {} if description.encoding is None else {"ENCODING": description.encoding}


def prepare(path: Path, description: Description, folder: Path) -> Path:
    """A folder with links to the parts that are read and to no other: an index beside them need not be true."""
    parts = {part.suffix.lower(): part for part in path.parent.iterdir() if part.stem == path.stem}
    home = Path(tempfile.mkdtemp(dir=folder))
    for suffix in NEEDED:
        if suffix not in parts:
            what = Text(f"zu {quoted(path.name)} fehlt die Datei `{suffix}`", f"{quoted(path.name)} lacks its file `{suffix}`")
            raise refuse(what, Text("alle Teile zusammen liefern, am besten als Zip", "deliver all parts together, best as a zip"))
    for suffix in (*NEEDED, *WELCOME):
        if suffix in parts:
            (home / f"{path.stem}{suffix}").symlink_to(parts[suffix].resolve())
    if description.encoding is None and ".cpg" not in parts:
        _check_encoding(path, parts[".dbf"])
    return home / f"{path.stem}.shp"


def _check_encoding(path: Path, attributes: Path) -> None:
    """Nothing says it: then its reader would take every umlaut for one of ISO 8859-1."""
    table = _opened(path, attributes)
    if not table.says_encoding and not dbf.is_ascii(table):
        raise refuse(
            Text(f"{quoted(path.name)} sagt nicht, wie seine Texte kodiert sind",
                 f"{quoted(path.name)} does not say how its texts are encoded"),
            Text("die Kodierung angeben, etwa `windows-1252`, oder eine Datei `.cpg` beilegen",
                 "name the encoding, for example `windows-1252`, or add a file `.cpg`"),
        )  # fmt: skip


def _opened(path: Path, attributes: Path) -> dbf.Table:
    try:
        return dbf.open_table(attributes)
    except ValueError:
        raise _damaged(path) from None


def _damaged(path: Path) -> FileRefused:
    what = Text(f"die Datei `.dbf` zu {quoted(path.name)} ist beschädigt", f"the file `.dbf` of {quoted(path.name)} is damaged")
    return refuse(what, Text("Datei neu ausgeben lassen", "export the file again"))


def count(path: Path) -> int:
    """Its reader passes over deleted records, but counts them; of tables of unequal length it reads the shorter one."""
    table = _opened(path, path.with_suffix(".dbf"))
    places = (path.with_suffix(".shx").stat().st_size - SHX_HEADER) // SHX_RECORD
    if places != table.announced:
        raise refuse(
            Text(f"{places} Geometrien, aber {table.announced} Zeilen mit Attributen",
                 f"{places} geometries, but {table.announced} rows of attributes"),
            Text("Datei neu ausgeben lassen", "export the file again"),
        )  # fmt: skip
    return dbf.count(table)


def doubts(table: Table) -> Iterable[Doubt]:
    attributes, names = _opened(table.path, table.path.with_suffix(".dbf")), table.names
    if len(names) != len(attributes.fields):
        raise _damaged(table.path)
    found = dbf.doubts(attributes, names, table.columns)
    return found if table.where is None else _chosen(table, found)


def _chosen(table: Table, found: Iterator[Doubt]) -> Iterator[Doubt]:
    """Those of the features that the condition chooses; it is asked again only if there are any."""
    chosen: set[int] | None = None
    for fid, column, value in found:
        if chosen is None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", RuntimeWarning)  # the reader's own remarks on the same values
                chosen = set(read(table.path, read_geometry=False, where=table.where, return_fids=True)[1].tolist())
        if fid in chosen:
            yield fid, column, value


FORMAT: Final = Format("Shapefile", (".shp",), ("ESRI Shapefile",), recognises, options, prepare, count=count, doubts=doubts)
