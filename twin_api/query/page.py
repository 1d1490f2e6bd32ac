"""A request for a page becomes one statement on published rows.

The rows that match are found first, by the spatial index where there is a box, and only their keys are kept; the finished texts are
fetched for the page alone. Without that fence the planner walks the order of the pages and filters, ten times slower.

That is the general way. Where few matches are expected there is a quick one before it, which takes the texts along; and where nothing
narrows a collection, one that does not add up bytes row by row. Each knows whether it was enough: if not, the general way is gone, in
the same statement and snapshot. So a wrong expectation costs time and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
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
NEAR: Final = 3  # pages: so many matches are taken along with their texts

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
        is_own = any(isinstance(clause, Filter) for clause in window.shape)
        is_near = not is_own and self._expects_few()
        given = (window.shape, window.order, window.look, window.after is not None, "\n" if self.by_line else ",", is_near)
        sql = (_compile_own if is_own else _compile)(schema, self.collection.name, *given)
        params: dict[str, Any] = {"name": self.collection.name, "limit": Int8(window.limit), **window.params}
        if is_near:
            params["near"] = Int8(min(NEAR * window.limit, MAX_LIMIT, COUNTED))
        if window.after is not None:
            params |= {"after_place": window.after.place, "after_id": window.after.id}
        return Statement(sql, params, is_often_asked=not is_own)

    def _expects_few(self) -> bool:
        """Whether about a page of matches is to be expected, if items lay evenly; where they are asked for they lie denser."""
        window = self.window
        if not window.shape or window.look != FINISHED:
            return False
        return self.collection.count * share_of(self.collection, window.shape, window.params) <= window.limit

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


def _text(
    schema: str, collection: str, shape: Shape, order: Order, look: Look, resumes: bool, between: str, is_near: bool
) -> str:  # fmt: skip
    """The text for a collection and a set of clauses; the values are parameters, so there are few texts."""
    rows = _rows(schema, collection, shape, order, look)
    if not shape and not order:
        # by the index even where a tenth of the rows, which PostgreSQL takes an unknown limit for, would rather be sorted
        most = _next(rows, order, resumes, look.feature(rows).label(FEATURE)).limit(_constant(MAX_LIMIT)).subquery("most")
        keys, texts = _next(rows, order, resumes), sa.select(most.c[FEATURE]).limit(_limit())
        general = _page(sa.null(), _cut(texts, between), keys, order)
        return compile_statement(_answer(schema, order, general, _page(sa.null(), _uncut(texts, between), keys, order)))
    keyed = sa.select(*order.keys(rows)).where(*_conditions(rows, shape))
    every = _next(keyed.subquery("every"), order, resumes).limit(_one_more())
    found, exact = _counted(keyed, every, order, resumes) if shape else (_fenced(every, "keys"), sa.null())
    page = sa.select(found).limit(_limit()).subquery("page")
    # looked up key by key: a join would be planned without knowing how few keys there are. By place first: neighbours share index pages
    feature = sa.select(look.feature(rows)).where(rows.c[PLACE] == page.c[PLACE], rows.c.id == page.c.id).scalar_subquery()
    texts = sa.select(feature.label(FEATURE)).select_from(page)
    general = _page(exact, _cut(texts, between), sa.select(found), order)
    near = _near(keyed.add_columns(look.feature(rows).label(FEATURE)), order, resumes, between) if is_near else None
    return compile_statement(_answer(schema, order, general, near))


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
    walk = sa.select(*(shown or _keys(keys, order))).select_from(keys).order_by(*order.clauses(keys))
    return walk.where(order.after(keys)) if resumes else walk


def _near(rows: sa.Select[Any], order: Order, resumes: bool, between: str) -> sa.Select[Any]:
    """The page of a few rows, which are read, sorted and counted once, their texts with them."""
    most = sa.bindparam("near", type_=sa.BigInteger())
    found = rows.limit(most + _constant(1)).subquery("found")
    near = _fenced(_next(found, order, False, *found.c), "near")
    count = _fenced(sa.select(sa.func.count().label("n")).select_from(near), "near_count")
    matched = sa.select(count.c.n).scalar_subquery()
    later = [order.after(near)] if resumes else []
    keys, texts = (sa.select(*columns).where(*later) for columns in (_keys(near, order), (near.c[FEATURE],)))
    return _page(matched, _uncut(texts.limit(_limit()), between, matched <= most), keys, order)


def _cut(texts: sa.Select[Any], between: str) -> sa.Subquery:
    """The texts as one, and how many they are, up to the one that passes the bytes of a page."""
    read = _unflattened(texts).subquery("texts")
    length = sa.func.octet_length(read.c[FEATURE])  # PostgreSQL knows it without unpacking them
    running = sa.func.sum(length).over(rows=(None, 0))
    ahead = sa.select(read.c[FEATURE], (running - length).label("ahead")).subquery("measured")
    joined = sa.func.string_agg(ahead.c[FEATURE], word(between)).label("features")
    is_cut = sa.false().label("is_enough")
    return sa.select(joined, sa.func.count().label("n"), is_cut).where(ahead.c.ahead < _constant(PAGE_BYTES)).subquery("joined")


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


def _answer(schema: str, order: Order, general: sa.Select[Any], quick: sa.Select[Any] | None) -> sa.Select[Any]:
    """One row: version, count, and what a page says but for whether it is enough; of the quick one if that is.

    No row at all where the collection is not shown (any more).
    """
    told = collection_table(schema)
    page = (general if quick is None else quick).subquery("answer")
    columns: Sequence[sa.ColumnElement[Any]] = list(page.c)[1:]
    if quick is not None:
        # read only where it is asked for; a name of its own for each, for those of the quick one are the same
        rest = _fenced(sa.select(*(c.label(f"c{number}") for number, c in enumerate(general.subquery("whole").c))), "rest")
        others = [sa.select(rest.c[f"c{number}"]).scalar_subquery() for number in range(1, len(page.c))]
        columns = [sa.case((page.c.is_enough, column), else_=other) for column, other in zip(columns, others, strict=True)]
    return (
        sa.select(told.c.version, told.c.count, *columns)
        .select_from(told.join(page, sa.true()))
        .where(told.c.name == sa.bindparam("name", type_=sa.Text()), is_shown(told))
    )
