"""GeoPackage (OGC 12-128): an SQLite file that says so in its header, and whose columns hold what each row pleases."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from twin_api.imports.description import Description
from twin_api.imports.format import Doubt, Format, Kind, Table
from twin_api.imports.guards.database import at_rest, check_schema

APPLICATION_IDS: Final = (b"GPKG", b"GP10", b"GP11")
WRONG: Final[dict[Kind, str]] = {  # reading them anyway, GDAL makes 0 of `abc`, 1.0 of `1,5` and 2 March of 30 February
    "integer": "typeof({0}) NOT IN ('integer', 'null')",
    "number": "typeof({0}) NOT IN ('real', 'integer', 'null')",
    "boolean": "{0} IS NOT NULL AND (typeof({0}) <> 'integer' OR {0} NOT IN (0, 1))",
    "date": "{0} IS NOT NULL AND (typeof({0}) <> 'text' OR date({0}, '+0 days') IS NOT {0})",
}


def recognises(head: bytes) -> bool:
    return head.startswith(b"SQLite format 3\0") and head[68:72] in APPLICATION_IDS


def doubts(table: Table) -> Iterator[Doubt]:
    """Values of another storage class than their column's, which SQLite lets anybody write. One pass over the table."""
    wrong = {name: WRONG[kind].format(_quoted(name)) for name, kind in table.columns.items() if kind in WRONG}
    if not wrong:
        return
    fid, layer = _quoted(table.fid_column or "rowid"), _quoted(table.layer)
    flagged = ", ".join(f"CASE WHEN {condition} THEN {_quoted(name)} END" for name, condition in wrong.items())
    query = f"SELECT {fid}, {flagged} FROM {layer} WHERE ({' OR '.join(wrong.values())})"  # noqa: S608 - names are quoted, nothing else is foreign
    with closing(sqlite3.connect(f"{table.path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        connection.text_factory = lambda octets: octets.decode(errors="replace")
        for row, *values in _rows(connection, query, table.where):
            yield from ((row, name, value) for name, value in zip(wrong, values, strict=True) if value is not None)


def _rows(connection: sqlite3.Connection, query: str, where: str | None) -> sqlite3.Cursor:
    """A condition that needs GDAL's own functions (`ST_Area` …) cannot be asked here: then every row is looked at."""
    if where is not None:
        with suppress(sqlite3.OperationalError):
            return connection.execute(f"{query} AND ({where})")
    return connection.execute(query)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def prepare(path: Path, description: Description, folder: Path) -> Path:
    database = at_rest(path, folder)
    check_schema(database)
    return database


FORMAT = Format("GeoPackage", (".gpkg",), ("GPKG",), recognises, prepare=prepare, moments_in_utc=True, doubts=doubts)
