"""SQLAlchemy's expressions as finished SQL text, for bodies of functions and for definitions that are stored."""

from __future__ import annotations

from typing import Any, Final

import psycopg
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import ExecutableDDLElement
from sqlalchemy.sql import ClauseElement
from sqlalchemy.types import UserDefinedType

# `named` leaves per cent signs alone; the text is never given to a driver with parameters
_DIALECT = postgresql.dialect(paramstyle="named")  # type: ignore[no-untyped-call]


# what the meaning of generated SQL and of its results would otherwise take from the session
PINNED: Final = ("standard_conforming_strings = on", "\"TimeZone\" = 'UTC'", "\"DateStyle\" = 'ISO, YMD'", "extra_float_digits = 1")


class PlainGeometry(UserDefinedType[Any]):
    """A geometry inside the database: unlike GeoAlchemy2's type it is not wrapped in `ST_AsEWKB` when selected."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "geometry"


def pin_session(connection: psycopg.Connection[Any]) -> None:
    """Until the end of the transaction: what texts, times and numbers mean, whatever the session or the database had been told."""
    for setting in PINNED:
        connection.execute(f"SET LOCAL {setting}".encode())


def execute_one(connection: psycopg.Connection[Any], statement: str) -> None:
    """Run one generated statement. INVARIANT: never two, whatever a literal in it holds: the extended protocol takes one only."""
    connection.execute(statement.encode(), binary=True)


def literal(text: str) -> str:
    """A text as SQL, the same under every setting of `standard_conforming_strings`."""
    return "E'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def sql_text(statement: ClauseElement | ExecutableDDLElement) -> str:
    """The statement with its values as literals."""
    return str(statement.compile(dialect=_DIALECT, compile_kwargs={"literal_binds": True}))


def quoted(*names: str) -> str:
    """A qualified identifier, always in quotes."""
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)
