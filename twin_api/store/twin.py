"""The twin: the window a handler gets. It shows one role's schema through that role's own login.

Must never take a role, a table or a policy from a caller: what it shows was decided when it was opened.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Protocol
from uuid import UUID

import orjson
import sqlalchemy as sa
import structlog
from sqlalchemy.dialects import postgresql

from twin_api.problems import NotFound, Problem, VersionsDiffer
from twin_api.store.collection import About, Collection, Description, about_table, collection_table, is_shown
from twin_api.store.engine import Pool, SchemaMoved

NOT_COUNTED: Final = -1  # more items match than are counted
UNFIT: Final = "the store is of another version than this program: run `twin upgrade` of the newer one, or serve with the one that fits it"

_STANDS: Final = "SELECT to_regnamespace(%(schema)s) IS NOT NULL"
_log = structlog.get_logger(__name__)
_DIALECT: Final = postgresql.dialect(paramstyle="pyformat")  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL text and its parameters. What is often asked is prepared once per connection, other texts when they turn out to be."""

    sql: str
    params: Mapping[str, Any]
    is_often_asked: bool = True


@dataclass(frozen=True, slots=True)
class Key:
    """Where an item stands in the order of a walk: the keyset for paging. `values` are those it is sorted by, as a client writes them."""

    place: str
    id: UUID
    values: tuple[str | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """Some items in order. `features` is their finished GeoJSON, joined by commas; `matched` is None beyond what is counted.

    `collection` is the one they were read from: it may be newer than the one that the request was checked against first.
    """

    collection: Collection
    features: bytes
    returned: int
    matched: int | None
    last: Key | None  # None: there is no next page


@dataclass(frozen=True, slots=True)
class Item:
    """One item as its finished GeoJSON feature, and the collection it was read from."""

    collection: Collection
    feature: bytes


class Look(Protocol):
    """How an item is shown; hashable, without any value of a request."""

    @property
    def columns(self) -> Mapping[str, sa.types.TypeEngine[Any]]: ...

    def feature(self, rows: sa.FromClause) -> sa.ColumnElement[Any]:
        """The GeoJSON text of a published row."""


class ItemQuery(Protocol):
    """A request for one item, bound to the collection it was checked against."""

    @property
    def collection(self) -> Collection: ...

    @property
    def id(self) -> UUID: ...

    @property
    def look(self) -> Look: ...

    def rebind(self, collection: Collection) -> ItemQuery:
        """The same request checked against the collection as it is now; raises `InvalidParameter`."""


class PageQuery(Protocol):
    """A request for a page, bound to the collection it was checked against."""

    @property
    def collection(self) -> Collection: ...

    def statement(self, schema: str, *, quick: bool = True) -> Statement:
        """One statement with the columns version, count, enough, matched, features, returned, place, id, more, and what it is sorted by.

        `enough` says whether the row is a page: always, unless it was `quick`.
        """

    def rebind(self, collection: Collection) -> PageQuery:
        """The same request checked against the collection as it is now; raises `InvalidParameter`."""


def compile_statement(statement: sa.ClauseElement) -> str:
    """The text for the driver; every value is a parameter."""
    return str(statement.compile(dialect=_DIALECT))


class Twin:
    """What one role sees. `name` is the role as in paths, `title` nothing a town must translate."""

    def __init__(self, name: str, pool: Pool, schema: str | None = None) -> None:
        self.name = name
        self.schema = schema or name.replace("/", "_")
        self._pool = pool
        self._known: dict[str, Collection] = {}
        self._memo: dict[Hashable, Any] = {}
        self._list = compile_statement(_select_collections(self.schema))
        self._about = compile_statement(sa.select(sa.cast(about_table(self.schema).c.told, sa.Text)))
        self._items: dict[tuple[str, Look], str] = {}
        self._is_unfit = False

    async def collections(self) -> Sequence[Collection]:
        """All collections, by name, with their figures of this moment. One round trip.

        Raises `NotFound` when the role has gone, `VersionsDiffer` where the store has another form than this program reads.
        """
        rows = await self._listed()
        if rows is None:  # the role may have come back since
            rows = await self._listed()
        if rows is None:
            raise self._unfit()
        self._is_unfit = False
        seen = [_as_collection(row, self._known, self._memo) for row in rows]
        self._known = {c.name: c for c in seen}
        return seen

    async def _listed(self) -> Sequence[tuple[Any, ...]] | None:
        """None where the role is there but its schema is not of the form that is read; raises `NotFound` where it has gone.

        INVARIANT: every table and column that a statement of ours reads is named in `self._list` or belongs to a collection.
        """
        try:
            return await self._pool.rows(self._list, {})
        except SchemaMoved:
            row = await self._pool.row(_STANDS, {"schema": self.schema})
            if row is None or not row[0]:
                raise NotFound() from None
            return None

    def _unfit(self) -> Problem:
        if not self._is_unfit:
            _log.error("store_unfit", role=self.name, what=UNFIT)
        self._is_unfit = True
        return VersionsDiffer()

    async def about(self) -> About:
        """What the twin says of itself. One round trip; nothing where the role has gone or was published by an older version."""
        try:
            row = await self._pool.row(self._about, {})
        except SchemaMoved:
            row = None
        return About.from_json(orjson.loads(row[0])) if row is not None else About()

    async def collection(self, name: str) -> Collection:
        """One collection with its figures of this moment; raises `NotFound`."""
        await self.collections()
        return self._find(name)

    async def known(self, name: str) -> Collection:
        """One collection as last seen: good for checking names, not for figures. A round trip only where it is not known yet."""
        if name not in self._known:
            await self.collections()
        return self._find(name)

    async def page(self, query: PageQuery) -> Page:
        """The page, from one statement in one snapshot.

        The row of `collection` is read in it, so a page never mixes two versions: where the collection is no longer the one that
        the request was checked against, the request is checked again.
        """
        quick = True
        for _ in range(4):
            statement = query.statement(self.schema, quick=quick)
            try:
                rows = await self._pool.rows(statement.sql, statement.params, is_often_asked=statement.is_often_asked)
            except SchemaMoved:
                rows = []
            if not rows or rows[0][0].decode() != query.collection.version:
                query = query.rebind(await self.collection(query.collection.name))
            elif rows[0][2]:
                return _as_page(query.collection, rows[0])
            else:
                quick = False
        raise NotFound()

    async def item(self, query: ItemQuery) -> Item:
        """The item; raises `NotFound` for what is not there, whatever the reason."""
        for _ in range(3):
            collection = query.collection
            try:
                rows = await self._pool.rows(self._item_sql(collection.name, query.look), {"id": query.id, "name": collection.name})
            except SchemaMoved:
                rows = []
            if rows and rows[0][0].decode() == collection.version:
                return _as_item(collection, rows[0])
            query = query.rebind(await self.collection(collection.name))
        raise NotFound()

    def _find(self, name: str) -> Collection:
        try:
            return self._known[name]
        except KeyError:
            raise NotFound() from None

    def _item_sql(self, collection: str, look: Look) -> str:
        if (collection, look) not in self._items:
            self._items[collection, look] = compile_statement(_select_item(self.schema, collection, look))
        return self._items[collection, look]


def _select_collections(schema: str) -> sa.Select[Any]:
    table = collection_table(schema)
    # as text: the driver hands it on as bytes for orjson
    description = sa.cast(table.c.description, sa.Text)
    columns = (table.c.name, description, table.c.count, table.c.bbox, table.c.starts, table.c.ends, table.c.version)
    return sa.select(*columns).where(is_shown(table)).order_by(table.c.name)


def _select_item(schema: str, collection: str, look: Look) -> sa.Select[Any]:
    """One row if the collection is shown: its version, and the feature or NULL."""
    told = collection_table(schema)
    columns = [sa.column(name, type_) for name, type_ in look.columns.items()]
    items = sa.table(collection, sa.column("id", sa.Uuid()), *columns, schema=schema)
    joined = told.outerjoin(items, items.c.id == sa.bindparam("id", type_=sa.Uuid()))
    is_named = told.c.name == sa.bindparam("name", type_=sa.Text())
    feature = sa.case((items.c.id.is_not(None), look.feature(items)))
    return sa.select(told.c.version, feature).select_from(joined).where(is_named, is_shown(told))


def _as_collection(row: tuple[Any, ...], known: Mapping[str, Collection], memo: dict[Hashable, Any]) -> Collection:
    """`known` are those seen before: of the same version, they are described alike."""
    name, description, count, bbox, starts, ends, version = row
    before = known.get(name.decode())
    is_known = before is not None and before.version == version.decode()
    return Collection(
        name=name.decode(),
        description=before.description if before and is_known else Description.from_json(orjson.loads(description)),
        count=count,
        bbox=tuple(bbox) if bbox else None,
        interval=(starts, ends) if starts or ends else None,
        version=version.decode(),
        memo=memo,
    )


def _as_item(collection: Collection, row: tuple[Any, ...]) -> Item:
    if row[1] is None:
        raise NotFound()
    return Item(collection, bytes(row[1]))


def _as_page(collection: Collection, row: tuple[Any, ...]) -> Page:
    _, count, _, matched, features, returned, place, id, more, *values = row
    last = Key(place.decode(), id, tuple(map(_written, values))) if more else None
    return Page(collection, features or b"", returned, _matched(count, matched), last)


def _written(value: Any) -> str | None:
    """A value as a query string writes it."""
    match value:
        case None:
            return None
        case bytes():
            return value.decode()
        case bool():
            return str(value).lower()
        case date():
            return value.isoformat()
        case _:
            return repr(value)


def _matched(count: int, matched: int | None) -> int | None:
    if matched is None:
        return count  # nothing narrows the collection
    return None if matched == NOT_COUNTED else matched
