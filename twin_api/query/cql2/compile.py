"""The tree of a filter, checked against a collection, becomes one clause and its values (OGC 21-065r2, Annexes B and C)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from twin_api.layers.table import COLUMN_TYPES
from twin_api.query.clause import Columns, Params
from twin_api.query.cql2.arrays import ARRAYS, bind_array
from twin_api.query.cql2.binding import Binding
from twin_api.query.cql2.compare import COMPARISONS, bind_between, bind_comparison, bind_in, bind_junction, bind_not, bind_null
from twin_api.query.cql2.expression import DECIMAL, Attribute, Expression, Literal, Operand, call, every, quoted, refuse
from twin_api.query.cql2.functions import bind_function
from twin_api.query.cql2.geometry import Shown
from twin_api.query.cql2.numbers import ARITHMETIC, as_decimal, read_number
from twin_api.query.cql2.parse import parse
from twin_api.query.cql2.spatial import SPATIAL, bind_geometry, bind_spatial
from twin_api.query.cql2.temporal import TEMPORAL, bind_temporal
from twin_api.query.cql2.texts import FOLDS, bind_fold, bind_like, read_text
from twin_api.query.cql2.times import read_time
from twin_api.query.crs import Crs
from twin_api.store.collection import GEOMETRY, MERCATOR, Collection

MAX_DEPTH: Final = 24
MAX_PARTS: Final = 200  # operations and properties; the SQL of some is as long as that of several others, and takes as long to be written
_GEOMETRY_PARTS: Final = 10
_PARTS: Final = {**dict.fromkeys(FOLDS, 5), "^": 5}
Bind = Callable[[Binding, str, list[Any]], Expression]


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter as a clause: its shape without values."""

    holds: Expression

    @property
    def columns(self) -> Columns:
        return tuple(dict.fromkeys(_columns(self.holds)))

    def condition(self, rows: sa.FromClause) -> sa.ColumnElement[bool]:
        return self.holds.sql(rows)


def read_filter(collection: Collection, text: str, lang: str, crs: Crs) -> tuple[Filter, Params]:
    """The clause and its values; raises `InvalidParameter` for `filter` with what would be right. Touches no database."""
    reader = _Reader(collection, crs)
    return Filter(reader.condition(parse(text, lang))), reader.params


def _columns(expression: Expression) -> Iterator[tuple[str, sa.types.TypeEngine[Any]]]:
    for part in every(expression):
        if isinstance(part, Attribute):
            yield part.name, COLUMN_TYPES[part.type]
        elif isinstance(part, Shown):
            yield from ((name, sa.types.NULLTYPE) for name in (GEOMETRY, MERCATOR))


class _Reader(Binding):
    """Every shape that is not named here is refused."""

    def __init__(self, collection: Collection, crs: Crs) -> None:
        super().__init__(collection, crs)
        self._depth = 0
        self._parts = 0

    def operand(self, node: Any) -> Operand:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            refuse(f"mehr als {MAX_DEPTH} Ebenen ineinander", f"more than {MAX_DEPTH} levels inside each other")
        read = self._read(node)
        self._depth -= 1
        return read

    def _read(self, node: Any) -> Operand:
        match node:
            case bool():
                return Literal("boolean", node)
            case int() | float():
                return Literal("number", read_number(node))
            case str():
                return read_text(node)
            case {"property": str(name), **more} if not more:
                found = self.property(name)
                self._spend(_GEOMETRY_PARTS if isinstance(found, Shown) else 1)
                return found
            case {"op": str(op), "args": [*args], **more} if not more:
                return self._operation(op, args)
            case {"date": text, **more} if not more:
                return read_time(text, "date")
            case {"timestamp": text, **more} if not more:
                return read_time(text, "datetime")
            case {"type": _} | {"bbox": _}:
                return bind_geometry(self, node)
        return refuse(*_misplaced(node))

    def _spend(self, parts: int) -> None:
        self._parts += parts
        if self._parts > MAX_PARTS:
            refuse("zu viele Eigenschaften und Operationen in einem Filter", "too many properties and operations in one filter")

    def _operation(self, op: str, args: list[Any]) -> Expression:
        name = op.lower()
        self._spend(_PARTS.get(name, 1))
        if name not in OPERATIONS:
            return bind_function(self, name, args)
        least, most, bind = OPERATIONS[name]
        if not least <= len(args) <= most:
            refuse(
                f"{quoted(op)} hat {len(args)} Operanden, verlangt sind {least}",
                f"{quoted(op)} has {len(args)} operands, wanted are {least}",
            )
        return bind(self, name, args)


def _bind_arithmetic(binding: Binding, op: str, args: list[Any]) -> Expression:
    one, other = (as_decimal(binding.expression(binding.operand(arg), "number")) for arg in args)
    return call(ARITHMETIC[op], DECIMAL, one, other)


def _misplaced(node: Any) -> tuple[str, str]:
    match node:
        case None:
            return "`NULL` vergleicht `IS NULL`", "`NULL` is compared by `IS NULL`"
        case list():
            return "hier steht eine Liste, verlangt ist ein Wert", "there is a list where a value is wanted"
        case {"interval": _}:
            return (
                "Zeiträume vergleichen `T_INTERSECTS`, `T_DURING` und andere",
                "intervals are compared by `T_INTERSECTS`, `T_DURING` and others",
            )
    word = quoted(", ".join(map(str, node)) if isinstance(node, dict) else node)
    return f"{word} ist kein Teil von CQL2", f"{word} is no part of CQL2"


# name -> the least and the greatest number of operands, and what reads them
OPERATIONS: Final[dict[str, tuple[int, int, Bind]]] = {
    **dict.fromkeys(("and", "or"), (2, MAX_PARTS, bind_junction)),
    "not": (1, 1, bind_not),
    **dict.fromkeys(COMPARISONS, (2, 2, bind_comparison)),
    "between": (3, 3, bind_between),
    "in": (2, 2, bind_in),
    "isnull": (1, 1, bind_null),
    "like": (2, 2, bind_like),
    **dict.fromkeys(FOLDS, (1, 1, bind_fold)),
    **dict.fromkeys(ARITHMETIC, (2, 2, _bind_arithmetic)),
    **dict.fromkeys(SPATIAL, (2, 2, bind_spatial)),
    **dict.fromkeys(TEMPORAL, (2, 2, bind_temporal)),
    **dict.fromkeys(ARRAYS, (2, 2, bind_array)),
}
