"""A request for a page becomes one statement on published rows.

The rows that match are found first, by the spatial index where there is a box, and only their keys are kept; the finished texts are
fetched for the page alone. Without that fence the planner walks the order of the pages and filters, ten times slower.

That is the general way. Where few matches are expected a quick one is gone first, which takes the texts along; and where nothing narrows
a collection, one that does not add up bytes row by row. Each knows whether it was enough: if not, the general way answers alone. So a
wrong expectation costs time and nothing else, and every page is of one statement.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

import sqlalchemy as sa
from psycopg.types.numeric import Int8

from twin_api.problems import TooBusy
from twin_api.query.ask import Asked
from twin_api.query.box import share_of
from twin_api.query.clause import Clause
from twin_api.query.cql2.compile import Filter
from twin_api.query.look import FINISHED, Look
from twin_api.query.order import Order, order_types
from twin_api.query.window import MAX_LIMIT, Window, bind
from twin_api.store.collection import FEATURE, PLACE, Collection, collection_table, is_shown
from twin_api.store.feature import word
from twin_api.store.twin import NOT_COUNTED, Key, Statement, compile_statement

COUNTED: Final = 100_000  # a filtered collection is counted exactly up to here
PAGE_BYTES: Final = 16 * 1_048_576  # the item that passes it is the last one of its page
NEAR: Final = 2_000  # so many matches are taken along with their texts, or a page of them
_DENSER: Final = 3  # where items are asked for, they lie so many times denser than evenly over the extent

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

    def statement(self, schema: str, *, quick: bool = True) -> Statement:
        window = self.window
        is_own = any(isinstance(clause, Filter) for clause in window.shape)
        way = self._way() if quick else _general
        given = (window.shape, window.order, window.look, window.after is not None, "\n" if self.by_line else ",", way)
        sql = (_compile_own if is_own else _compile)(schema, self.collection.name, *given)
        params: dict[str, Any] = {"name": self.collection.name, "limit": Int8(window.limit), **window.params}
        if way is _near:
            params["near"] = Int8(min(max(NEAR, window.limit), COUNTED))
        if window.after is not None:
            params |= {"after_place": window.after.place, "after_id": window.after.id}
        return Statement(sql, params, is_often_asked=not is_own)

    def _way(self) -> Way:
        """The one that is gone first: a quick one where nothing narrows, or not more than a few matches are to be expected."""
        window = self.window
        if not window.shape and not window.order:
            return _uncounted
        if not window.shape or window.look != FINISHED:
            return _general
        expected = self.collection.count * share_of(self.collection, window.shape, window.params)
        return _near if expected <= max(NEAR // _DENSER, window.limit) else _general

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


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a statement is made for. `rows` are the published ones."""

    rows: sa.FromClause
    shape: Shape
    order: Order
    look: Look
    resumes: bool
    between: str

    @property
    def feature(self) -> sa.ColumnElement[Any]:
        return self.look.feature(self.rows).label(FEATURE)

    def keyed(self) -> sa.Select[Any]:
        """The keys of all that match."""
        return sa.select(*self.order.keys(self.rows)).where(*(clause.condition(self.rows) for clause in self.shape))

    def next(self, keys: sa.FromClause, *shown: sa.ColumnElement[Any]) -> sa.Select[Any]:
        """The next keys in their order, or what is `shown` of these rows."""
        return _next(keys, self.order, self.resumes, *shown)


Way = Callable[[_Asked], sa.Select[Any]]


def _text(schema: str, collection: str, shape: Shape, order: Order, look: Look, resumes: bool, between: str, way: Way) -> str:
    """The text for a collection and a set of clauses; the values are parameters, so there are few texts."""
    asked = _Asked(_rows(schema, collection, shape, order, look), shape, order, look, resumes, between)
    return compile_statement(_answer(schema, way(asked)))


def _uncounted(asked: _Asked) -> sa.Select[Any]:
    """Nothing narrows the collection: its own order is walked along."""
    keys, texts = _walk(asked)
    return _page(sa.null(), _uncut(texts, asked.between), keys, asked.order)


def _walk(asked: _Asked) -> tuple[sa.Select[Any], sa.Select[Any]]:
    # by the index even where a tenth of the rows, which PostgreSQL takes an unknown limit for, would rather be sorted
    most = asked.next(asked.rows, asked.feature).limit(_constant(MAX_LIMIT)).subquery("most")
    return asked.next(asked.rows), sa.select(most.c[FEATURE]).limit(_limit())


def _general(asked: _Asked) -> sa.Select[Any]:
    """However many match, and however long their texts."""
    rows, order = asked.rows, asked.order
    if not asked.shape and not order:
        keys, texts = _walk(asked)
        return _page(sa.null(), _cut(texts, asked.between), keys, order)
    every = asked.next(asked.keyed().subquery("every")).limit(_one_more())
    found, exact = _counted(asked, every) if asked.shape else (_fenced(every, "keys"), sa.null())
    page = sa.select(found).limit(_limit()).subquery("page")
    # looked up key by key: a join would be planned without knowing how few keys there are. By place first: neighbours share index pages
    feature = sa.select(asked.look.feature(rows)).where(rows.c[PLACE] == page.c[PLACE], rows.c.id == page.c.id).scalar_subquery()
    texts = sa.select(feature.label(FEATURE)).select_from(page)
    return _page(exact, _cut(texts, asked.between), sa.select(found), order)


_compile = lru_cache(maxsize=1024)(_text)
# filters have as many texts as clients have ideas, some of them long: they push out each other only
_compile_own = lru_cache(maxsize=256)(_text)


def _counted(asked: _Asked, every: sa.Select[Any]) -> tuple[sa.CTE, sa.ColumnElement[Any]]:
    """The keys of the page and one more, and how many match: few are found and kept, many are walked along."""
    hits = _fenced(asked.keyed().limit(_constant(COUNTED + 1)), "hits")
    count = _fenced(sa.select(sa.func.count().label("n")).select_from(hits), "hit_count")
    matched = sa.select(count.c.n).scalar_subquery()
    few = asked.next(hits).limit(_one_more()).where(matched <= _constant(COUNTED))
    many = every.where(matched > _constant(COUNTED))
    both = sa.union_all(sa.select(few.subquery("few")), sa.select(many.subquery("many"))).subquery("both")
    keys = _fenced(sa.select(both).order_by(*asked.order.clauses(both)), "keys")
    return keys, sa.case((matched <= _constant(COUNTED), matched), else_=_constant(NOT_COUNTED))


def _rows(schema: str, collection: str, shape: Shape, order: Order, look: Look) -> sa.FromClause:
    types: dict[str, sa.types.TypeEngine[Any]] = {"id": sa.Uuid(), PLACE: sa.Text(), **look.columns}
    types |= {name: type_ for clause in shape for name, type_ in clause.columns}
    types |= dict(order_types(order))
    return sa.table(collection, *(sa.column(name, type_) for name, type_ in types.items()), schema=schema)


def _fenced(select: sa.Select[Any], name: str) -> sa.CTE:
    return select.cte(name).prefix_with("MATERIALIZED")


def _next(keys: sa.FromClause, order: Order, resumes: bool, *shown: sa.ColumnElement[Any]) -> sa.Select[Any]:
    """The next keys in their order, or what is `shown` of these rows."""
    walk = sa.select(*(shown or _keys(keys, order))).select_from(keys).order_by(*order.clauses(keys))
    return walk.where(order.after(keys)) if resumes else walk


def _near(asked: _Asked) -> sa.Select[Any]:
    """The page of a few rows, which are read, sorted and counted once, their texts with them."""
    most = sa.bindparam("near", type_=sa.BigInteger())
    found = asked.keyed().add_columns(asked.feature).limit(most + _constant(1)).subquery("found")
    near = _fenced(_next(found, asked.order, False, *found.c), "near")
    count = _fenced(sa.select(sa.func.count().label("n")).select_from(near), "near_count")
    matched = sa.select(count.c.n).scalar_subquery()
    later = [asked.order.after(near)] if asked.resumes else []
    keys, texts = (sa.select(*columns).where(*later) for columns in (_keys(near, asked.order), (near.c[FEATURE],)))
    return _page(matched, _uncut(texts.limit(_limit()), asked.between, matched <= most), keys, asked.order)


def _cut(texts: sa.Select[Any], between: str) -> sa.Subquery:
    """The texts as one, and how many they are, up to the one that passes the bytes of a page."""
    read = _unflattened(texts).subquery("texts")
    length = sa.func.octet_length(read.c[FEATURE])  # PostgreSQL knows it without unpacking them
    running = sa.func.sum(length).over(rows=(None, 0))
    ahead = sa.select(read.c[FEATURE], (running - length).label("ahead")).subquery("measured")
    joined = sa.func.string_agg(ahead.c[FEATURE], word(between)).label("features")
    is_enough = sa.true().label("is_enough")
    return sa.select(joined, sa.func.count().label("n"), is_enough).where(ahead.c.ahead < _constant(PAGE_BYTES)).subquery("joined")


def _uncut(texts: sa.Select[Any], between: str, *so_far: sa.ColumnElement[bool]) -> sa.Subquery:
    """The texts as one, and how many they are; enough if no text was too long, nor all of them, and `so_far`.

    INVARIANT: not more than twice the bytes of a page are ever joined, however long the texts.
    """
    read = _unflattened(texts).subquery("texts")
    length = sa.func.octet_length(read.c[FEATURE])
    joined = sa.func.string_agg(read.c[FEATURE], word(between)).filter(length * _limit() <= _constant(2 * PAGE_BYTES))
    told = sa.select(joined.label("features"), sa.func.count().label("n"), sa.func.sum(length).label("bytes")).subquery("told")
    is_all = sa.func.octet_length(told.c.features) == told.c.bytes + (told.c.n - _constant(1)) * _constant(len(between))
    is_fit = sa.func.coalesce(sa.and_(is_all, told.c.bytes <= _constant(PAGE_BYTES)), told.c.n == _constant(0))
    return _unflattened(sa.select(told.c.features, told.c.n, sa.and_(is_fit, *so_far).label("is_enough"))).subquery("joined")


def _page(matched: sa.ColumnElement[Any], joined: sa.Subquery, keys: sa.Select[Any], order: Order) -> sa.Select[Any]:
    """One row: whether it is enough, matched, features, returned, place and id of the last, whether there are more, what it is sorted by.

    The texts go straight into one value, and that into the answer: what is kept in between is written and read again, which is half of
    the cost of a large page.
    """
    behind = sa.func.greatest(joined.c.n, _constant(1)) - _constant(1)
    edge = keys.offset(behind).limit(_constant(2)).subquery("edge")  # the last key of the page, and one after it
    are_two = sa.func.count().over() > _constant(1)
    last = sa.select(*_keys(edge, order), are_two.label("more")).limit(_constant(1)).lateral("last")
    more = sa.func.coalesce(last.c.more, sa.false()).label("more")
    columns: list[sa.ColumnElement[Any]] = [joined.c.is_enough, matched.label("matched"), joined.c.features, joined.c.n]
    columns += [last.c[PLACE], last.c.id, more, *_keys(last, order)[2:]]
    return sa.select(*columns).select_from(joined.outerjoin(last, sa.true()))


def _unflattened(select: sa.Select[Any]) -> sa.Select[Any]:
    """A fence: what is made of a column of it does not make the column anew each time."""
    return select.offset(_constant(0))


def _keys(rows: sa.FromClause, order: Order) -> list[sa.ColumnElement[Any]]:
    return [rows.c[PLACE], rows.c.id, *(rows.c[f"by{number}"] for number in range(len(order.by)))]


def _one_more() -> sa.ColumnElement[int]:
    """More than the page holds, to know whether there is another."""
    return _limit() + _constant(1)


def _limit() -> sa.ColumnElement[int]:
    """As a sub-select: with a limit it knows, PostgreSQL thinks a plan of its own better for each page, and plans each anew."""
    return sa.select(sa.bindparam("limit", type_=sa.BigInteger())).scalar_subquery()


def _constant(number: int) -> sa.ColumnElement[int]:
    """A number that belongs to the text of the statement, not to its parameters."""
    return sa.literal_column(str(number), sa.BigInteger())


def _answer(schema: str, page: sa.Select[Any]) -> sa.Select[Any]:
    """One row: version, count, and what a page says. No row at all where the collection is not shown (any more)."""
    told, answer = collection_table(schema), page.subquery("answer")
    return (
        sa.select(told.c.version, told.c.count, *answer.c)
        .select_from(told.join(answer, sa.true()))
        .where(told.c.name == sa.bindparam("name", type_=sa.Text()), is_shown(told))
    )
