"""`sortby`: the order of a walk. Total: what is equal in it is ordered by place and id, and what has no value stands at its end.

INVARIANT: only what the collection shows is sorted by; a hidden name is as unknown as one that never was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from twin_api.layers.table import COLUMN_TYPES
from twin_api.problems import InvalidParameter
from twin_api.query.ask import read_names
from twin_api.query.clause import Params
from twin_api.query.value import read_value
from twin_api.store.collection import PLACE, Collection
from twin_api.store.twin import Key
from twin_api.texts import Text

SORTED_BY: Final = 8  # properties at most
_COMPARED: Final = 128  # characters of a text: the last ones of a page stand in the address of the next
_MANY: Final = Text(f"`sortby` nimmt höchstens {SORTED_BY} Merkmale", f"`sortby` takes {SORTED_BY} properties at most")

Column = sa.ColumnElement[Any]


@dataclass(frozen=True, slots=True)
class By:
    """One property to sort by; texts by code point."""

    attribute: str
    type: str
    falls: bool = False

    def value(self, rows: sa.FromClause) -> Column:
        column: Column = rows.c[self.attribute]
        return sa.func.left(column, sa.literal_column(str(_COMPARED)), type_=column.type) if self.type == "text" else column


@dataclass(frozen=True, slots=True)
class Order:
    """By these properties, then by place and id. Empty: the collection's own order, in which it lies on disk."""

    by: tuple[By, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.by)

    def keys(self, rows: sa.FromClause) -> list[Column]:
        """What a walk goes by, of published rows: place, id, and the values to sort by as `by0`, `by1` …"""
        return [rows.c[PLACE], rows.c.id, *(by.value(rows).label(f"by{number}") for number, by in enumerate(self.by))]

    def clauses(self, keys: sa.FromClause) -> list[Column]:
        """For ORDER BY, over a select of `keys`."""
        columns = [(keys.c[f"by{number}"], by) for number, by in enumerate(self.by)]
        return [*((c.desc() if by.falls else c.asc()).nulls_last() for c, by in columns), keys.c[PLACE], keys.c.id]

    def after(self, keys: sa.FromClause) -> sa.ColumnElement[bool]:
        """What comes after the row of the parameters that `params` gives."""
        # as sub-selects: for a place that it knows near the end of a walk, PostgreSQL would plan each page anew
        key = (sa.bindparam("after_place", type_=sa.Text()), sa.bindparam("after_id", type_=sa.Uuid()))
        place = [sa.select(part).scalar_subquery() for part in key]
        later: sa.ColumnElement[bool] = sa.tuple_(keys.c[PLACE], keys.c.id) > sa.tuple_(*place)
        for number, by in reversed(list(enumerate(self.by))):
            column, last = keys.c[f"by{number}"], sa.cast(sa.bindparam(f"after{number}"), COLUMN_TYPES[by.type])
            further = sa.and_(last.is_not(None), sa.or_(column.is_(None), column < last if by.falls else column > last))
            later = sa.or_(further, sa.and_(column.is_not_distinct_from(last), later))
        return later

    def params(self, after: Key) -> Params:
        """Raises ValueError for a key that belongs to another order."""
        if len(after.values) != len(self.by):
            raise ValueError
        told = zip(self.by, after.values, strict=True)
        return {f"after{number}": None if text is None else _read(by, text) for number, (by, text) in enumerate(told)}


def read_order(collection: Collection, text: str | None) -> Order:
    """`art,-gepflanzt`: rising, or falling after `-`; `+` may stand before what rises. Raises `InvalidParameter`."""
    if text is None:
        return Order()
    words = [word.strip() for word in text.split(",")]  # a `+` that was not encoded is a space
    shown = read_names("sortby", [word[1:] if word[:1] in ("+", "-") else word for word in words], collection)
    if len(shown) > SORTED_BY:
        raise InvalidParameter("sortby", _MANY)
    return Order(tuple(By(p.name, p.type, word.startswith("-")) for p, word in zip(shown, words, strict=True)))


def _read(by: By, text: str) -> Any:
    if len(text) > _COMPARED:
        raise ValueError
    try:
        return read_value("cursor", by.type, text)
    except InvalidParameter:
        raise ValueError from None


def order_types(order: Order) -> Sequence[tuple[str, sa.types.TypeEngine[Any]]]:
    return [(by.attribute, COLUMN_TYPES[by.type]) for by in order.by]
