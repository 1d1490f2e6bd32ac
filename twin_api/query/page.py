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

from twin_api.query.clause import Clause
from twin_api.query.cql2.compile import Filter
from twin_api.query.window import Window, bind
from twin_api.store.collection import FEATURE, PLACE, Collection, collection_table, is_shown
from twin_api.store.twin import NOT_COUNTED, Statement, compile_statement

COUNTED: Final = 100_000  # a filtered collection is counted exactly up to here
PAGE_BYTES: Final = 16 * 1_048_576  # the item that passes it is the last one of its page

Shape = tuple[Clause, ...]


@dataclass(frozen=True, slots=True)
class Pages:
    """A window on one collection, ready to be read."""

    collection: Collection
    window: Window

    def statement(self, schema: str) -> Statement:
        after = self.window.after
        shape = self.window.shape
        is_own = any(isinstance(clause, Filter) for clause in shape)
        sql = (_compile_own if is_own else _compile)(schema, self.collection.name, shape, after is not None)
        params: dict[str, Any] = {"name": self.collection.name, "limit": Int8(self.window.limit), **self.window.params}
        if after is not None:
            params |= {"after_place": after.place, "after_id": after.id}
        return Statement(sql, params, is_often_asked=not is_own)

    def at_most(self, rows: int) -> Pages:
        """The same request with no more than so many rows in a page."""
        return replace(self, window=replace(self.window, limit=min(self.window.limit, rows)))

    def rebind(self, collection: Collection) -> Pages:
        window = replace(bind(collection, self.window.asked), limit=self.window.limit)
        return replace(self, collection=collection, window=window)


def _text(schema: str, collection: str, shape: Shape, resumes: bool) -> str:
    """The text for a collection and a set of clauses; the values are parameters, so there are few texts."""
    rows = _rows(schema, collection, shape)
    if not shape:
        return compile_statement(
            _answer(schema, sa.null(), _walk(rows, rows, resumes), _walk(rows, rows, resumes, FEATURE).limit(_limit()))
        )
    hits = _fenced(sa.select(rows.c[PLACE], rows.c.id).where(*_conditions(rows, shape)).limit(_constant(COUNTED + 1)), "hits")
    count = _fenced(sa.select(sa.func.count().label("n")).select_from(hits), "hit_count")
    matched = sa.select(count.c.n).scalar_subquery()
    few = _walk(hits, hits, resumes).limit(_one_more()).where(matched <= _constant(COUNTED))
    many = _walk(rows, rows, resumes).limit(_one_more()).where(matched > _constant(COUNTED), *_conditions(rows, shape))
    both = sa.union_all(sa.select(few.subquery("few")), sa.select(many.subquery("many"))).subquery("both")
    keys = _fenced(sa.select(both.c[PLACE], both.c.id).order_by(both.c[PLACE], both.c.id), "keys")
    page = sa.select(keys).limit(_limit()).subquery("page")
    # looked up key by key: a join would be planned without knowing how few keys there are. By place first: neighbours share index pages
    feature = sa.select(rows.c[FEATURE]).where(rows.c[PLACE] == page.c[PLACE], rows.c.id == page.c.id).scalar_subquery()
    exact = sa.case((matched <= _constant(COUNTED), matched), else_=_constant(NOT_COUNTED))
    return compile_statement(_answer(schema, exact, sa.select(keys), sa.select(feature.label(FEATURE)).select_from(page)))


_compile = lru_cache(maxsize=4096)(_text)
# filters have as many texts as clients have ideas, some of them long: they push out each other only
_compile_own = lru_cache(maxsize=256)(_text)


def _rows(schema: str, collection: str, shape: Shape) -> sa.FromClause:
    types: dict[str, sa.types.TypeEngine[Any]] = {"id": sa.Uuid(), PLACE: sa.Text(), FEATURE: sa.Text()}
    types |= {name: type_ for clause in shape for name, type_ in clause.columns}
    return sa.table(collection, *(sa.column(name, type_) for name, type_ in types.items()), schema=schema)


def _conditions(rows: sa.FromClause, shape: Shape) -> list[sa.ColumnElement[bool]]:
    return [clause.condition(rows) for clause in shape]


def _fenced(select: sa.Select[Any], name: str) -> sa.CTE:
    return select.cte(name).prefix_with("MATERIALIZED")


def _walk(source: sa.FromClause, rows: sa.FromClause, resumes: bool, *shown: str) -> sa.Select[Any]:
    """The next keys in the collection's order, or the columns `shown` of these rows."""
    key = (rows.c[PLACE], rows.c.id)
    walk = sa.select(*([rows.c[name] for name in shown] or key)).select_from(source).order_by(*key)
    if not resumes:
        return walk
    after = (sa.bindparam("after_place", type_=sa.Text()), sa.bindparam("after_id", type_=sa.Uuid()))
    return walk.where(sa.tuple_(*key) > sa.tuple_(*after))


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


def _answer(schema: str, matched: sa.ColumnElement[Any], keys: sa.Select[Any], texts: sa.Select[Any]) -> sa.Select[Any]:
    """One row: version, count, matched, features, returned, place and id of the last one, whether there are more.

    No row at all where the collection is not shown (any more). The texts go straight into one value: a page kept in between is
    written and read again, which is half of the cost of a large one.
    """
    told = collection_table(schema)
    read = _with_bytes_ahead(texts)
    joined = _fenced(
        sa.select(sa.func.string_agg(read.c[FEATURE], sa.literal_column("','")).label("features"), sa.func.count().label("n")).where(
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
    ]
    return (
        sa.select(*columns)
        .select_from(told.join(joined, sa.true()))
        .where(told.c.name == sa.bindparam("name", type_=sa.Text()), is_shown(told))
    )
