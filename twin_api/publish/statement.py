"""SQLAlchemy's expressions as finished SQL text, for bodies of functions and for definitions that are stored."""

from __future__ import annotations

from typing import Any

from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import ExecutableDDLElement
from sqlalchemy.sql import ClauseElement
from sqlalchemy.types import UserDefinedType

# `named` leaves per cent signs alone; the text is never given to a driver with parameters
_DIALECT = postgresql.dialect(paramstyle="named")  # type: ignore[no-untyped-call]


class PlainGeometry(UserDefinedType[Any]):
    """A geometry inside the database: unlike GeoAlchemy2's type it is not wrapped in `ST_AsEWKB` when selected."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "geometry"


def sql_text(statement: ClauseElement | ExecutableDDLElement) -> str:
    """The statement with its values as literals."""
    return str(statement.compile(dialect=_DIALECT, compile_kwargs={"literal_binds": True}))


def quoted(*names: str) -> str:
    """A qualified identifier, always in quotes."""
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)
