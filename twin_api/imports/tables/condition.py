"""A condition on the rows of a table that GDAL does not read, in SQLite's dialect, asked batch by batch."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Final

from twin_api.imports.finding import refuse
from twin_api.imports.format import Broken, Kind, Record
from twin_api.policy.finding import quoted, suggestion
from twin_api.texts import Text

AFFINITY: Final[Mapping[Kind, str]] = {"integer": "INTEGER", "number": "REAL", "boolean": "INTEGER"}
INT64_MAX: Final = 2**63 - 1
LITERAL: Final = re.compile(r"'(?:[^']|'')*'")
NAME: Final = re.compile(r'"(?:[^"]|"")*"')
TERM: Final = r'(?P<name>"(?:[^"]|"")*"|[^\W\d]\w*)'
COMPARED: Final = (
    re.compile(TERM + r"\s*(?:<=|>=|<>|!=|==|=|<|>|\bNOT\s+IN\s*\(|\bIN\s*\(|\bNOT\s+BETWEEN\b|\bBETWEEN\b)\s*[-+]?\.?\d", re.IGNORECASE),
    re.compile(r"(?<![\w.])\d[\w.]*\s*(?:<=|>=|<>|!=|==|=|<|>)\s*" + TERM),
)


class Condition:
    """Raises `FileRefused` for a condition that is none, names a column that is not there, or compares a text with a number."""

    def __init__(self, where: str, columns: Mapping[str, Kind]) -> None:
        self._columns = columns
        _check_names(where, columns)
        self._connection = sqlite3.connect(":memory:", isolation_level=None)
        declared = ", ".join(f"{_quoted(name)} {AFFINITY.get(kind, 'TEXT')}" for name, kind in columns.items())
        number = _quoted(_free(columns))
        self._query = f"SELECT {number} FROM batch WHERE ({where})"  # noqa: S608 - the importing person's own condition, on this one batch
        try:
            self._connection.execute(f"CREATE TABLE batch ({number} INTEGER PRIMARY KEY, {declared})")
            self._connection.execute(self._query)
        except sqlite3.Error as error:
            raise _not_understood(where, error) from None

    def choose(self, records: Sequence[Record]) -> list[Record]:
        """The records that fulfil it, and those that are broken: nobody knows what they would have said."""
        self._connection.execute("DELETE FROM batch")
        places = ", ".join("?" * (len(self._columns) + 1))
        whole = ((at, *map(_plain, record.cells)) for at, record in enumerate(records) if record.fault is None)
        self._connection.executemany(f"INSERT INTO batch VALUES ({places})", whole)  # noqa: S608 - question marks
        try:
            chosen = {at for (at,) in self._connection.execute(self._query)}
        except sqlite3.Error as error:
            raise _not_understood(self._query, error) from None
        return [record for at, record in enumerate(records) if record.fault is not None or at in chosen]


def _check_names(where: str, columns: Mapping[str, Kind]) -> None:
    """SQLite takes a quoted name that it does not know for a text, and finds every text greater than every number."""
    bare = LITERAL.sub("''", where)
    for name in map(_unquoted, NAME.findall(bare)):
        if name not in columns:
            what = Text(
                f"die Bedingung nennt eine Spalte {quoted(name)}, die es nicht gibt",
                f"the condition names a column {quoted(name)} that is not there",
            )
            raise refuse(what, suggestion(name, columns))
    for name in (_unquoted(found["name"]) for pattern in COMPARED for found in pattern.finditer(bare)):
        if name in _texts(columns):
            raise refuse(
                Text(f"die Bedingung vergleicht {quoted(name)} mit einer Zahl, die Spalte enthält aber Text",
                     f"the condition compares {quoted(name)} with a number, but the column holds text"),
                Text(f"""`CAST("{name}" AS REAL) > 5`, oder mit einem Text vergleichen: `"{name}" = '5'`""",
                     f"""`CAST("{name}" AS REAL) > 5`, or compare it with a text: `"{name}" = '5'`"""),
            )  # fmt: skip


def _texts(columns: Mapping[str, Kind]) -> Iterable[str]:
    return {spelling for name, kind in columns.items() if kind not in AFFINITY for spelling in (name, name.lower(), name.upper())}


def _free(columns: Iterable[str]) -> str:
    """A name for the rows' numbers that no column has."""
    return "number" + "_" * max((len(name) for name in columns), default=0)


def _plain(value: Any) -> Any:
    """As SQLite takes it."""
    if isinstance(value, Broken):
        return None
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    if isinstance(value, date):
        return value.isoformat()
    return float(value) if isinstance(value, int) and abs(value) > INT64_MAX else value


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _unquoted(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


def _not_understood(where: str, error: sqlite3.Error) -> Exception:
    return refuse(
        Text(
            f"die Bedingung {quoted(where)} lässt sich nicht auswerten: {error}",
            f"the condition {quoted(where)} cannot be evaluated: {error}",
        ),
        Text("eine Bedingung wie `\"status\" = 'steht'`", "a condition such as `\"status\" = 'steht'`"),
    )
