"""An SQLite database from somewhere else: its schema is a program that runs when it is read, so only tables are let through.

A view can count without end, and GDAL asks every view of a GeoPackage for its columns as soon as the file is opened.
"""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from twin_api.imports.finding import FileRefused, refuse
from twin_api.imports.guards.gdal import harmless
from twin_api.policy.finding import quoted
from twin_api.texts import Text

SCHEMA_ENTRIES: Final = 20_000
COLUMNS: Final = 1_000
CONTENTS: Final = 1_000
VALUE_BYTES: Final = 1024 * 1024  # of a value while the schema is looked at
STEPS: Final = 20_000_000  # of SQLite's machine, for one view: about a second
STEPS_AT_ONCE: Final = 100_000
JOURNAL_MODE: Final = slice(18, 20)  # of the header: 1 for a rollback journal, 2 for a write-ahead log
SPATIAL_INDEX: Final = re.compile(r'CREATE VIRTUAL TABLE\s+"?rtree_', re.IGNORECASE)
USES_RTREE: Final = re.compile(r"\bUSING\s+rtree\s*\(", re.IGNORECASE)
ALLOWED_IN_VIEWS: Final = (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ)
TABLES: Final = Text("die Daten als gewöhnliche Tabelle in eine neue Datei ausgeben", "write the data as an ordinary table into a new file")


@dataclass(frozen=True, slots=True)
class Entry:
    type: str
    name: str
    sql: str

    @property
    def is_virtual(self) -> bool:
        return self.type == "table" and re.match(r"\s*CREATE\s+VIRTUAL\b", self.sql, re.IGNORECASE) is not None


def at_rest(path: Path, folder: Path) -> Path:
    """The database in a state to be read without writing beside it, if need be as a copy in `folder`.

    Raises `FileRefused` while another program has not finished writing.
    """
    for ending in ("-wal", "-journal"):
        side = path.with_name(path.name + ending)
        if side.is_file() and side.stat().st_size:
            what = Text(f"{quoted(path.name)} wird gerade bearbeitet", f"{quoted(path.name)} is being edited")
            raise refuse(what, Text("das andere Programm (etwa QGIS) schließen", "close the other program (QGIS, for example)"))
    with path.open("rb") as file:
        logged = file.read(100)[JOURNAL_MODE] != b"\1\1"
    return _without_log(path, folder) if logged else path


def check_schema(path: Path) -> None:
    """Raises `FileRefused` for whatever would run, hang or swell when the tables are listed and read."""
    with _reading(path), closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, VALUE_BYTES)
        connection.execute("PRAGMA trusted_schema = OFF")
        entries = _entries(path, connection)
        for entry in entries:
            _check_entry(path, connection, entry)
        _check_contents(path, connection, {entry.name.lower() for entry in entries if entry.type == "table" and not entry.is_virtual})


def _entries(path: Path, connection: sqlite3.Connection) -> list[Entry]:
    rows = connection.execute(f"SELECT type, name, coalesce(sql, '') FROM sqlite_master LIMIT {SCHEMA_ENTRIES + 1}").fetchall()  # noqa: S608 - a number of ours
    if len(rows) > SCHEMA_ENTRIES:
        what = Text(f"{quoted(path.name)} hat mehr als {SCHEMA_ENTRIES} Tabellen und Indizes",
                    f"{quoted(path.name)} has more than {SCHEMA_ENTRIES} tables and indexes")  # fmt: skip
        raise refuse(what, TABLES)
    return [Entry(*map(str, row)) for row in rows]


def _check_entry(path: Path, connection: sqlite3.Connection, entry: Entry) -> None:
    if entry.type == "view" and (entry.name.lower().startswith("gpkg_") or not _is_quick(connection, entry.name)):
        raise _bad(path, entry.name, Text("ist eine Sicht, die rechnet", "is a view that computes"))
    if entry.is_virtual and not (SPATIAL_INDEX.match(entry.sql) and USES_RTREE.search(entry.sql)):
        raise _bad(path, entry.name, Text("ist eine virtuelle Tabelle", "is a virtual table"))
    if entry.type == "table" and not entry.is_virtual:
        columns = connection.execute(f"PRAGMA table_xinfo({_name(entry.name)})").fetchall()
        if len(columns) > COLUMNS:
            raise _bad(path, entry.name, Text(f"hat mehr als {COLUMNS} Spalten", f"has more than {COLUMNS} columns"))
        if any(hidden for *_, hidden in columns):
            raise _bad(path, entry.name, Text("hat berechnete Spalten", "has generated columns"))


def _is_quick(connection: sqlite3.Connection, view: str) -> bool:
    """Whether the view only picks from tables, without functions and recursion, and ends soon."""
    connection.set_authorizer(lambda action, *_: sqlite3.SQLITE_OK if action in ALLOWED_IN_VIEWS else sqlite3.SQLITE_DENY)
    rounds = iter(range(STEPS // STEPS_AT_ONCE))
    connection.set_progress_handler(lambda: next(rounds, None) is None, STEPS_AT_ONCE)
    try:
        _exhaust(connection.execute(f"SELECT * FROM {_name(view)}"))  # noqa: S608 - the name is quoted
    except sqlite3.Error:
        return False
    finally:
        connection.set_authorizer(None)
        connection.set_progress_handler(None, 0)
    return True


def _exhaust(rows: Iterable[object]) -> None:
    for _ in rows:
        pass


def _check_contents(path: Path, connection: sqlite3.Connection, tables: set[str]) -> None:
    """What the file offers as layers are ordinary tables, and not more than anybody could choose from."""
    if "gpkg_contents" not in tables:
        raise _damaged(path)
    names = connection.execute(f"SELECT table_name FROM gpkg_contents LIMIT {CONTENTS + 1}").fetchall()  # noqa: S608 - a number of ours
    if len(names) > CONTENTS:
        what = Text(f"{quoted(path.name)} nennt mehr als {CONTENTS} Layer", f"{quoted(path.name)} names more than {CONTENTS} layers")
        raise refuse(what, TABLES)
    for (name,) in names:
        if str(name).lower() not in tables:
            raise _bad(path, str(name), Text("ist keine Tabelle", "is no table"))


def _without_log(path: Path, folder: Path) -> Path:
    """A copy that says of itself that it has no write-ahead log: else SQLite would create one beside the file."""
    copy = harmless(path, folder)
    shutil.copyfile(path, copy)
    with copy.open("r+b") as file:
        file.seek(JOURNAL_MODE.start)
        file.write(b"\1\1")
    return copy


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, UnicodeDecodeError):
        raise _damaged(path) from None


def _damaged(path: Path) -> FileRefused:
    what = Text(f"{quoted(path.name)} ist beschädigt", f"{quoted(path.name)} is damaged")
    return refuse(what, Text("Datei neu ausgeben lassen", "export the file again"))


def _bad(path: Path, name: str, problem: Text) -> FileRefused:
    return refuse(Text(f"{quoted(path.name)}: {quoted(name)} {problem.de}", f"{quoted(path.name)}: {quoted(name)} {problem.en}"), TABLES)


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
