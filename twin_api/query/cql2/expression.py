"""What a filter is made of: typed expressions without any value of the request, and values that wait for their type.

INVARIANT: every `sql` is total. No stored value and no parameter makes it fail; where nothing sensible can be said it is NULL.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Final, NoReturn, Protocol

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.elements import Grouping

from twin_api.layers.table import COLUMN_TYPES
from twin_api.problems import InvalidParameter
from twin_api.texts import Text

Sql = sa.ColumnElement[Any]

# besides the types of layer files: exact numbers, and what only some places can hold
DECIMAL: Final = "decimal"
GEOMETRY_TYPE: Final = "geometry"
FAMILIES: Final = {
    "integer": "number", "number": "number", DECIMAL: "number", "text": "text", "boolean": "boolean", "date": "time", "datetime": "time",
    GEOMETRY_TYPE: GEOMETRY_TYPE,
}  # fmt: skip
SQL_TYPES: Final[dict[str, sa.types.TypeEngine[Any]]] = COLUMN_TYPES | {"text": sa.Text(), DECIMAL: sa.Numeric()}
WORDS: Final = {
    "number": Text("eine Zahl", "a number"),
    "text": Text("Text", "text"),
    "boolean": Text("wahr oder falsch", "true or false"),
    "time": Text("eine Zeit", "a time"),
    GEOMETRY_TYPE: Text("eine Geometrie", "a geometry"),
}


class Expression(Protocol):
    """`is_constant` where nothing in it depends on a row."""

    is_constant: ClassVar[bool]

    @property
    def type(self) -> str: ...

    @property
    def parts(self) -> tuple[Expression, ...]: ...

    def sql(self, rows: sa.FromClause) -> Sql: ...


@dataclass(frozen=True, slots=True)
class Literal:
    """A value as it was written: `number` is int or float, whichever it was. What it is bound as follows from what it stands beside."""

    type: str
    value: Any


@dataclass(frozen=True, slots=True)
class Attribute:
    """A property of the collection that is no geometry."""

    is_constant: ClassVar[bool] = False
    name: str
    type: str
    parts: tuple[Expression, ...] = ()

    def sql(self, rows: sa.FromClause) -> Sql:
        return rows.c[self.name]


@dataclass(frozen=True, slots=True)
class Value:
    """A parameter of the statement; of a type with `[]` it is a list."""

    is_constant: ClassVar[bool] = True
    name: str
    type: str
    parts: tuple[Expression, ...] = ()

    def sql(self, rows: sa.FromClause) -> Sql:
        return sa.cast(sa.bindparam(self.name), sql_type(self.type))


@dataclass(frozen=True, slots=True)
class Call:
    """What `make` makes of the parts; it is a function of a module, so equal calls are equal."""

    is_constant: ClassVar[bool] = False
    make: Callable[..., Sql]
    type: str
    parts: tuple[Expression, ...]

    def sql(self, rows: sa.FromClause) -> Sql:
        return self.make(*(part.sql(rows) for part in self.parts))


@dataclass(frozen=True, slots=True)
class Once:
    """A constant that is computed once per statement, not once per row."""

    is_constant: ClassVar[bool] = True
    of: Expression

    @property
    def type(self) -> str:
        return self.of.type

    @property
    def parts(self) -> tuple[Expression, ...]:
        return (self.of,)

    def sql(self, rows: sa.FromClause) -> Sql:
        return sa.select(self.of.sql(rows)).scalar_subquery()


Operand = Expression | Literal


def call(make: Callable[..., Sql], type_: str, *parts: Expression) -> Expression:
    """The call; computed once where nothing in it depends on a row."""
    made = Call(make, type_, parts)
    return Once(made) if all(part.is_constant for part in parts) else made


def sql_type(type_: str) -> sa.types.TypeEngine[Any]:
    return ARRAY(SQL_TYPES[type_[:-2]]) if type_.endswith("[]") else SQL_TYPES[type_]


def computed_once(make: Callable[..., Sql], *values: Sql) -> Sql:
    """`make` of values that it names more than once: each is computed once, and its text stands in the statement once."""
    inner = sa.select(*(value.label(f"v{number}") for number, value in enumerate(values))).correlate_except(None)
    # in quotes as in `publish.projection`; without the offset PostgreSQL would put each value back wherever it is named
    source = inner.offset(sa.literal_column("'0'")).lateral()
    return sa.select(make(*(source.c[f"v{number}"] for number in range(len(values))))).scalar_subquery()


def collated(text: Sql, collation: str) -> Sql:
    """In brackets, without which some places of a statement do not take a collation."""
    return Grouping(sa.collate(text, collation))


def every(expression: Expression) -> Iterator[Expression]:
    """The expression and all within it."""
    yield expression
    for part in expression.parts:
        yield from every(part)


def refuse(de: str, en: str) -> NoReturn:
    """The filter is not right; says what would be."""
    raise InvalidParameter("filter", Text(de, en))


def quoted(word: object) -> str:
    """What the client wrote, in backticks, shortened and printable."""
    text = "".join(letter if letter.isprintable() else "?" for letter in str(word)[:61])
    return f"`{text[:60]}…`" if len(text) > 60 else f"`{text}`"
