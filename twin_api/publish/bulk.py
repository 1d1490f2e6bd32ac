"""Set-wise publishing: a large write skips the triggers and has its published tables built anew, in the same transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import groupby
from typing import Any, Final

import psycopg

from twin_api.layers.table import STORE
from twin_api.publish.bulk_beside import Beside
from twin_api.publish.preview import make_way
from twin_api.publish.recognition import recognise_withdrawn
from twin_api.publish.statement import execute_one, pin_session, quoted
from twin_api.publish.switch import lock_for_switch
from twin_api.publish.table import PUBLISHED, is_fill
from twin_api.publish.unread import keep_unread
from twin_api.publish.withdraw import leave_out_withdrawn

Connection = psycopg.Connection[tuple[Any, ...]]

FROM_ROWS: Final = 5_000  # fewer rows are published row by row
SORTING_MEMORY: Final = "64MB"  # of each process that takes part


@contextmanager
def published_setwise(connection: Connection, layer: str, rows: int, place: Beside | None = None) -> Iterator[None]:
    """Around a write of `rows` rows to a layer; connection of the owner, inside the write's transaction.

    Readers keep reading the old tables until a switch of some milliseconds at the end; other writers of the layer wait.
    With a `place` the write is to bring just the rows that lie there: they are published from there meanwhile.
    """
    if rows < FROM_ROWS:
        yield
        recognise_withdrawn(connection, layer)
        return
    table = quoted(STORE, layer)
    hold_writers(connection, layer)
    connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER".encode())
    keep_unread(connection, layer)
    if place is not None:
        place.start(connection)
    yield
    renamed = recognise_withdrawn(connection, layer)
    connection.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER".encode())
    sync_by_area(connection, layer)  # first: it waits for writers of other layers, and from the switch on nobody should wait for us
    rebuild_layer(connection, layer, None if renamed else place)


def sync_by_area(connection: Connection, layer: str) -> None:
    """Bring every published table up to date that sorts its items by the areas of this layer; figures wait for their time."""
    query = "SELECT relation FROM published.definition WHERE %s = ANY (areas) AND kind = 'items' ORDER BY layer, relation"
    for (relation,) in connection.execute(query, [layer]).fetchall():
        sync(connection, relation)


def sync(connection: Connection, relation: str) -> int:
    """Take a published table anew from the store, changing only what differs; says how many rows that were."""
    row = connection.execute(f"SELECT {quoted(PUBLISHED, f'{relation}_sync')}()".encode()).fetchone()
    return int(row[0]) if row else 0


def hold_writers(connection: Connection, layer: str) -> None:
    """Let other writers of a layer wait until the end of the transaction."""
    connection.execute(f"LOCK TABLE {quoted(STORE, layer)} IN SHARE ROW EXCLUSIVE MODE".encode())


def published_layers(connection: Connection) -> list[str]:
    return [
        layer
        for (layer,) in connection.execute("SELECT DISTINCT layer FROM published.definition WHERE kind = 'items' ORDER BY layer").fetchall()
    ]


def rebuild_layer(connection: Connection, layer: str, place: Beside | None = None) -> None:
    """Build every published table of a layer anew and switch to it; inside a transaction that holds off the layer's writers.

    What has been built in `place` is taken from there.
    """
    pin_session(connection)
    ready = place.finish() if place is not None else []
    built = ready + _build(connection, layer, ready)
    shown = _shown(connection, built)
    lock_for_switch(connection, [(schema, collection) for schema, collection, _ in shown])
    for relation in built:
        beside = place if relation in ready else None
        _take_over(connection, relation, beside.schema if beside is not None else None)
        if leave_out_withdrawn(connection, relation) or beside is None:
            connection.execute("SELECT published.measure(%s)", [relation])
        else:
            beside.tell(connection, relation)
    for schema, collection, relation in shown:
        _point(connection, schema, collection, relation)
    for relation in built:
        make_way(connection, f"past_{relation}")
        connection.execute(f"DROP TABLE {quoted(PUBLISHED, f'past_{relation}')}".encode())
        connection.execute("SELECT published.spread(%s)", [relation])


def _build(connection: Connection, layer: str, ready: list[str]) -> list[str]:
    """Beside each published table of a layer the one to come; what several of them would compute alike is computed once."""
    query = (
        "SELECT relation, statements, shared FROM published.definition "
        "WHERE layer = %s AND kind = 'items' AND relation <> ALL (%s) ORDER BY shared, relation"
    )
    rows = connection.execute(query, [layer, ready]).fetchall()
    connection.execute(f"SET LOCAL work_mem = '{SORTING_MEMORY}'".encode())
    for shared, group in ((shared, list(group)) for shared, group in groupby(rows, lambda row: row[2][:2])):
        together = bool(shared) and len(group) > 1
        if together:
            execute_one(connection, shared[1])
        for relation, statements, (*_, fill) in group:
            _build_one(connection, relation, [fill if together and is_fill(s) else s for s in statements])
        if together:
            execute_one(connection, f"DROP TABLE pg_temp.{shared[0]}")
    return [relation for relation, _, _ in rows]


def _build_one(connection: Connection, relation: str, statements: Iterable[str]) -> None:
    for statement in statements:
        execute_one(connection, statement.replace(relation, f"next_{relation}"))


def _shown(connection: Connection, relations: list[str]) -> list[tuple[str, str, str]]:
    query = "SELECT schema, collection, relation FROM published.shown WHERE relation = ANY (%s) ORDER BY schema, collection"
    return [(s, c, r) for s, c, r in connection.execute(query, [relations]).fetchall()]


def _take_over(connection: Connection, relation: str, schema: str | None) -> None:
    """The new table in place of the old one; from `schema` if it was built there."""
    _rename(connection, relation, f"past_{relation}")
    if schema is None:
        _rename(connection, f"next_{relation}", relation)
    else:
        connection.execute(f"ALTER TABLE {quoted(schema, relation)} SET SCHEMA {PUBLISHED}".encode())


def _rename(connection: Connection, before: str, after: str) -> None:
    """A published table with its indexes, whose names begin with the table's."""
    query = "SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = to_regclass(%s)"
    indexes = connection.execute(query, [quoted(PUBLISHED, before)]).fetchall()
    connection.execute(f"ALTER TABLE {quoted(PUBLISHED, before)} RENAME TO {quoted(after)}".encode())
    for (index,) in indexes:
        renamed = index.rpartition(".")[2].strip('"').replace(before, after, 1)
        connection.execute(f"ALTER INDEX {index} RENAME TO {quoted(renamed)}".encode())


def _point(connection: Connection, schema: str, collection: str, relation: str) -> None:
    """The view keeps its columns and its grants and reads the new table."""
    query = (
        "SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute "
        "WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped"
    )
    view = quoted(schema, collection)
    for (columns,) in connection.execute(query, [view]).fetchall():
        connection.execute(f"CREATE OR REPLACE VIEW {view} AS SELECT {columns} FROM {quoted(PUBLISHED, relation)}".encode())
