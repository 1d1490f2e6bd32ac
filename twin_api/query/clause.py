"""Clauses: what a request narrows a collection by. A clause has a shape, which becomes SQL text, and values, which stay parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import sqlalchemy as sa

from twin_api.layers.table import COLUMN_TYPES

Params = dict[str, Any]
Columns = tuple[tuple[str, sa.types.TypeEngine[Any]], ...]


class Clause(Protocol):
    """The shape of a clause: hashable, without any value of the request. `columns` are those it reads besides the key."""

    @property
    def columns(self) -> Columns: ...

    def condition(self, rows: sa.FromClause) -> sa.ColumnElement[bool]:
        """The condition over published rows, with the clause's values as named parameters."""


@dataclass(frozen=True, slots=True)
class Equals:
    """`attribute=value`; text compares by code point."""

    attribute: str
    type: str

    @property
    def columns(self) -> Columns:
        return ((self.attribute, COLUMN_TYPES[self.type]),)

    def condition(self, rows: sa.FromClause) -> sa.ColumnElement[bool]:
        return rows.c[self.attribute] == sa.bindparam(f"is_{self.attribute}", type_=COLUMN_TYPES[self.type])


@dataclass(frozen=True, slots=True)
class During:
    """The temporal property lies in a closed interval, or is not known (/req/core/fc-time-response C); an open end has no bound."""

    attribute: str
    type: str
    starts: bool
    ends: bool

    @property
    def columns(self) -> Columns:
        return ((self.attribute, COLUMN_TYPES[self.type]),)

    def condition(self, rows: sa.FromClause) -> sa.ColumnElement[bool]:
        column = rows.c[self.attribute]
        bounds: list[sa.ColumnElement[bool]] = []
        if self.starts:
            bounds.append(column >= sa.bindparam("time_from", type_=column.type))
        if self.ends:
            bounds.append(column <= sa.bindparam("time_to", type_=column.type))
        return sa.or_(column.is_(None), sa.and_(*bounds))
