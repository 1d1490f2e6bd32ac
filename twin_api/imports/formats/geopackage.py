"""GeoPackage (OGC 12-128): an SQLite file that says so in its header, and whose columns hold what each row pleases."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
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
    "text": "instr(CAST({0} AS BLOB), x'00') > 0",  # it ends a text at NUL
}
BITS: Final = {"TINYINT": 15, "SMALLINT": 15, "MEDIUMINT": 31}  # of 70000 in a SMALLINT it makes 4464


def recognises(head: bytes) -> bool:
    return head.startswith(b"SQLite format 3\0") and head[68:72] in APPLICATION_IDS


def doubts(table: Table) -> Iterator[Doubt]:
    """Values of another storage class than their column's, which SQLite lets anybody write. One pass over the table."""
    with closing(_connected(table.path)) as connection:
        declared = _declared(connection, table.layer)
        wrong = {name: _wrong(name, kind, declared.get(name, "")) for name, kind in table.columns.items() if kind in WRONG}
        yield from _doubts(connection, table, wrong) if wrong else ()


def _wrong(name: str, kind: Kind, declared: str) -> str:
    """The condition for values that are not what the column says it holds."""
    condition, bits = WRONG[kind].format(_quoted(name)), BITS.get(declared.upper())
    return condition if bits is None else f"{condition} OR {_quoted(name)} NOT BETWEEN -{2**bits} AND {2**bits - 1}"


def _doubts(connection: sqlite3.Connection, table: Table, wrong: Mapping[str, str]) -> Iterator[Doubt]:
    fid, layer = _quoted(table.fid_column or "rowid"), _quoted(table.layer)
    flagged = ", ".join(f"CASE WHEN {condition} THEN {_quoted(name)} END" for name, condition in wrong.items())
    query = f"SELECT {fid}, {flagged} FROM {layer} WHERE ({' OR '.join(wrong.values())})"  # noqa: S608 - names are quoted, nothing else is foreign
    for row, *values in _rows(connection, query, table.where):
        yield from ((row, name, value) for name, value in zip(wrong, values, strict=True) if value is not None)


def _rows(connection: sqlite3.Connection, query: str, where: str | None) -> sqlite3.Cursor:
    """A condition that needs GDAL's own functions (`ST_Area` …) cannot be asked here: then every row is looked at."""
    if where is not None:
        with suppress(sqlite3.OperationalError):
            return connection.execute(f"{query} AND ({where})")
    return connection.execute(query)


def columns(path: Path, layer: str) -> Iterable[str]:
    """The reader passes over those of a type it does not know, such as `VARCHAR(5)` and `TIME`."""
    with closing(_connected(path)) as connection:
        return list(_declared(connection, layer))


def _connected(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    connection.text_factory = lambda octets: octets.decode(errors="replace")
    return connection


def _declared(connection: sqlite3.Connection, layer: str) -> dict[str, str]:
    """The columns of a table with the types they are declared with."""
    return {name: type_ for _, name, type_, *_ in connection.execute(f"PRAGMA table_info({_quoted(layer)})")}


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def prepare(path: Path, description: Description, folder: Path) -> Path:
    database = at_rest(path, folder)
    check_schema(database)
    return database


FORMAT = Format("GeoPackage", (".gpkg",), ("GPKG",), recognises, prepare=prepare, moments_in_utc=True, doubts=doubts, columns=columns)
