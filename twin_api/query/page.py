"""A request for a page becomes one statement on published rows.

The rows that match are found first, by the spatial index where there is a box, and only their keys are kept; the finished texts are
fetched for the page alone. Without that fence the planner walks the order of the pages and filters, ten times slower.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

import sqlalchemy as sa
from psycopg.types.numeric import Int8

from twin_api.problems import TooBusy
from twin_api.query.ask import Asked
from twin_api.query.clause import Clause
from twin_api.query.cql2.compile import Filter
from twin_api.query.look import Look
from twin_api.query.order import Order, order_types
from twin_api.query.window import MAX_LIMIT, Window, bind
from twin_api.store.collection import FEATURE, PLACE, Collection, collection_table, is_shown
from twin_api.store.feature import word
from twin_api.store.twin import NOT_COUNTED, Key, Statement, compile_statement

COUNTED: Final = 100_000  # a filtered collection is counted exactly up to here
PAGE_BYTES: Final = 16 * 1_048_576  # the item that passes it is the last one of its page

Shape = tuple[Clause, ...]


@dataclass(frozen=True, slots=True)
class Pages:
    """A window on one collection, ready to be read; `by_line` where features stand a line each, not after commas.

    With `east_first` coordinates stand as files want them, whatever the order of their CRS.
    """

    collection: Collection
    window: Window
    by_line: bool = False
    east_first: bool = False

    @classmethod
    def of(cls, collection: Collection, asked: Asked, *, by_line: bool = False, east_first: bool = False) -> Pages:
        """Raises `InvalidParameter`."""
        window = bind(collection, asked)
        if east_first and window.look.crs is not None:
            window = replace(window, look=replace(window.look, crs=replace(window.look.crs, axes_swapped=False)))
        return cls(collection, window, by_line, east_first)

    def statement(self, schema: str) -> Statement:
        window = self.window
        given = (window.shape, window.order, window.look, window.after is not None, "\n" if self.by_line else ",")
        is_own = any(isinstance(clause, Filter) for clause in window.shape)
        sql = (_compile_own if is_own else _compile)(schema, self.collection.name, *given)
        params: dict[str, Any] = {"name": self.collection.name, "limit": Int8(window.limit), **window.params}
        if window.after is not None:
            params |= {"after_place": window.after.place, "after_id": window.after.id}
        return Statement(sql, params, is_often_asked=not is_own)

    def at_most(self, rows: int) -> Pages:
        """The same request with no more than so many rows in a page."""
        return replace(self, window=replace(self.window, limit=min(self.window.limit, rows)))

    def rebind(self, collection: Collection) -> Pages:
        again = Pages.of(collection, self.window.asked, by_line=self.by_line, east_first=self.east_first)
        return again._at(self.window.limit, self.window.after)

    def whole(self, after: Key | None = None) -> Pages:
        """The largest page, whatever limit was asked for; the one after this key."""
        return self._at(MAX_LIMIT, after)

    def _at(self, limit: int, after: Key | None) -> Pages:
        try:
            params = self.window.params | (self.window.order.params(after) if after else {})
        except ValueError:  # another type than on the page before
            raise TooBusy() from None
        return replace(self, window=replace(self.window, limit=limit, after=after, params=params))


def _text(schema: str, collection: str, shape: Shape, order: Order, look: Look, resumes: bool, between: str) -> str:
    """The text for a collection and a set of clauses; the values are parameters, so there are few texts."""
    rows = _rows(schema, collection, shape, order, look)
    if not shape and not order:
        shown = _next(rows, order, resumes, look.feature(rows).label(FEATURE)).limit(_limit())
        return compile_statement(_answer(schema, order, sa.null(), _next(rows, order, resumes), shown, between))
    keyed = sa.select(*order.keys(rows)).where(*_conditions(rows, shape))
    every = _next(keyed.subquery("every"), order, resumes).limit(_one_more())
    keys, exact = _counted(keyed, every, order, resumes) if shape else (_fenced(every, "keys"), sa.null())
    page = sa.select(keys).limit(_limit()).subquery("page")
    # looked up key by key: a join would be planned without knowing how few keys there are. By place first: neighbours share index pages
    feature = sa.select(look.feature(rows)).where(rows.c[PLACE] == page.c[PLACE], rows.c.id == page.c.id).scalar_subquery()
    # not flattened: the text and twice its length would be looked up each on its own
    texts = sa.select(feature.label(FEATURE)).select_from(page).offset(_constant(0))
    return compile_statement(_answer(schema, order, exact, sa.select(keys), texts, between))


_compile = lru_cache(maxsize=4096)(_text)
# filters have as many texts as clients have ideas, some of them long: they push out each other only
_compile_own = lru_cache(maxsize=256)(_text)


def _counted(
    keyed: sa.Select[Any], every: sa.Select[Any], order: Order, resumes: bool
) -> tuple[sa.CTE, sa.ColumnElement[Any]]:  # fmt: skip
    """The keys of the page and one more, and how many match: few are found and kept, many are walked along."""
    hits = _fenced(keyed.limit(_constant(COUNTED + 1)), "hits")
    count = _fenced(sa.select(sa.func.count().label("n")).select_from(hits), "hit_count")
    matched = sa.select(count.c.n).scalar_subquery()
    few = _next(hits, order, resumes).limit(_one_more()).where(matched <= _constant(COUNTED))
    many = every.where(matched > _constant(COUNTED))
    both = sa.union_all(sa.select(few.subquery("few")), sa.select(many.subquery("many"))).subquery("both")
    keys = _fenced(sa.select(both).order_by(*order.clauses(both)), "keys")
    return keys, sa.case((matched <= _constant(COUNTED), matched), else_=_constant(NOT_COUNTED))


def _rows(schema: str, collection: str, shape: Shape, order: Order, look: Look) -> sa.FromClause:
    types: dict[str, sa.types.TypeEngine[Any]] = {"id": sa.Uuid(), PLACE: sa.Text(), **look.columns}
    types |= {name: type_ for clause in shape for name, type_ in clause.columns}
    types |= dict(order_types(order))
    return sa.table(collection, *(sa.column(name, type_) for name, type_ in types.items()), schema=schema)


def _conditions(rows: sa.FromClause, shape: Shape) -> list[sa.ColumnElement[bool]]:
    return [clause.condition(rows) for clause in shape]


def _fenced(select: sa.Select[Any], name: str) -> sa.CTE:
    return select.cte(name).prefix_with("MATERIALIZED")


def _next(keys: sa.FromClause, order: Order, resumes: bool, *shown: sa.ColumnElement[Any]) -> sa.Select[Any]:
    """The next keys in their order, or what is `shown` of these rows."""
    columns = [keys.c[PLACE], keys.c.id, *(keys.c[f"by{number}"] for number in range(len(order.by)))]
    walk = sa.select(*(shown or columns)).select_from(keys).order_by(*order.clauses(keys))
    return walk.where(order.after(keys)) if resumes else walk


def _with_bytes_ahead(texts: sa.Select[Any]) -> sa.Subquery:
    """The texts, each with the length of those before it on the page: PostgreSQL knows it without unpacking them."""
    read = texts.subquery("texts")
    length = sa.func.octet_length(read.c[FEATURE])
    running = sa.func.sum(length).over(rows=(None, 0))
    return sa.select(read.c[FEATURE], (running - length).label("ahead")).subquery("measured")


def _one_more() -> sa.ColumnElement[int]:
    """More than the page holds, to know whether there is another."""
    return _limit() + _constant(1)


def _limit() -> sa.BindParameter[int]:
    return sa.bindparam("limit", type_=sa.BigInteger())


def _constant(number: int) -> sa.ColumnElement[int]:
    """A number that belongs to the text of the statement, not to its parameters."""
    return sa.literal_column(str(number), sa.BigInteger())


def _answer(
    schema: str, order: Order, matched: sa.ColumnElement[Any], keys: sa.Select[Any], texts: sa.Select[Any], between: str
) -> sa.Select[Any]:  # fmt: skip
    """One row: version, count, matched, features, returned, place and id of the last one, whether there are more, what it is sorted by.

    No row at all where the collection is not shown (any more). The texts go straight into one value: a page kept in between is
    written and read again, which is half of the cost of a large one.
    """
    told = collection_table(schema)
    read = _with_bytes_ahead(texts)
    joined = _fenced(
        sa.select(sa.func.string_agg(read.c[FEATURE], word(between)).label("features"), sa.func.count().label("n")).where(
            read.c.ahead < _constant(PAGE_BYTES)
        ),
        "joined",
    )
    returned = sa.select(sa.func.greatest(joined.c.n, _constant(1))).scalar_subquery()
    edge = _fenced(keys.offset(returned - _constant(1)).limit(_constant(2)), "edge")  # the last key of the page, and one after it
    last = sa.select(edge).limit(_constant(1)).subquery("last")
    columns = [
        told.c.version,
        told.c.count,
        matched,
        joined.c.features,
        joined.c.n,
        sa.select(last.c[PLACE]).scalar_subquery(),
        sa.select(last.c.id).scalar_subquery(),
        sa.select(sa.func.count()).select_from(edge).scalar_subquery() > _constant(1),
        *(sa.select(last.c[f"by{number}"]).scalar_subquery() for number in range(len(order.by))),
    ]
    return (
        sa.select(*columns)
        .select_from(told.join(joined, sa.true()))
        .where(told.c.name == sa.bindparam("name", type_=sa.Text()), is_shown(told))
    )
