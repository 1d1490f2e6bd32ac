"""Withdrawal: out of every twin at once, without any approval, and kept out by every later apply until it is lifted.

Must never wait for anything that takes long: a collection is entered in every role's `_closed`, which nobody else writes; an item is
deleted from what is published.
INVARIANT: it is written down and committed first, an item's under a lock of `published.definition` (ROW EXCLUSIVE): so it comes wholly
before or after the last part of an apply or a large import, which hold the table against that and look at `withdrawn` once more. Whatever
goes then goes one row and one transaction at a time: somebody who waits for nothing while holding something is no part of a deadlock.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import psycopg
from psycopg import sql

from twin_api.layers.table import STORE
from twin_api.publish.recognition import mark_withdrawn
from twin_api.publish.statement import quoted
from twin_api.publish.table import PUBLISHED
from twin_api.store.audit import note

Connection = psycopg.Connection[tuple[Any, ...]]

STORE_WAIT_MS: Final = 300
_WITHDRAWN_OF: Final = (
    "SELECT s.collection FROM published.shown s JOIN published.withdrawn w USING (collection) WHERE w.item IS NULL AND s.schema = {schema}"
)


class NothingToWithdraw(Exception):
    """No twin shows a collection of that name, or no row of its layer has that id."""


class NotWithdrawn(Exception):
    """What is to be shown again was not withdrawn."""


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """What was done: the twins that showed the collection, and others over the same layer that still stand (role, collection)."""

    layer: str
    closed: tuple[str, ...]
    others: tuple[tuple[str, str], ...]


def withdraw(connection: Connection, collection: str, item: UUID | None = None) -> Withdrawal:
    """Take a collection, or one item of its layer, out of every twin; connection of the owner, not in a transaction.

    With `item` it goes from every collection over the layer. Figures stay until their next refresh, which leaves it out.
    """
    layer = _layer_of(connection, collection)
    if item is not None and not _is_there(connection, layer, item):
        raise NothingToWithdraw()
    if item is None:
        _withdraw_collection(connection, collection, layer)
    else:
        _withdraw_item(connection, collection, layer, item)
    return _told(connection, collection, layer)


def _withdraw_collection(connection: Connection, collection: str, layer: str) -> None:
    """Closed before anybody is waited for; an apply that is ending may still have opened it elsewhere, so once more after that."""
    with connection.transaction():
        _write_down(connection, collection, layer, None)
    keep_withdrawn(connection)
    with connection.transaction():
        _wait_for_the_end_of_an_apply(connection)
    keep_withdrawn(connection)


def _withdraw_item(connection: Connection, collection: str, layer: str, item: UUID) -> None:
    with connection.transaction():
        _wait_for_the_end_of_an_apply(connection)
        _write_down(connection, collection, layer, item)
        _mark(connection, layer)  # while it is there: a writer that we wait for below may be deleting it
    _delete_item(connection, layer, item)
    _delete_late(connection, layer, item)
    _mark(connection, layer)


def _wait_for_the_end_of_an_apply(connection: Connection) -> None:
    connection.execute("LOCK TABLE published.definition IN ROW EXCLUSIVE MODE")


def _write_down(connection: Connection, collection: str, layer: str, item: UUID | None) -> None:
    insert = "INSERT INTO published.withdrawn (collection, layer, item) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING"
    connection.execute(insert, [collection, layer, item])
    note(connection, "twin.withdraw", {"collection": collection, "item": str(item) if item else None})


def lift(connection: Connection, collection: str, item: UUID | None = None) -> str:
    """End a withdrawal; an item is back at once where it is granted, a collection with the next apply at the latest. Says the layer."""
    with connection.transaction():
        remove = "DELETE FROM published.withdrawn WHERE collection = %s AND item IS NOT DISTINCT FROM %s RETURNING layer"
        row = connection.execute(remove, [collection, item]).fetchone()
        if row is None:
            raise NotWithdrawn()
        if item is not None:
            # an update that changes nothing lets the triggers look at the row again
            again = sql.SQL("UPDATE {} SET id = id WHERE id = %s").format(sql.Identifier(STORE, row[0]))
            connection.execute(again, [item])
        note(connection, "twin.withdraw.lift", {"collection": collection, "item": str(item) if item else None})
    keep_withdrawn(connection)
    return str(row[0])


def withdrawn_collections(connection: Connection) -> frozenset[str]:
    return frozenset(name for (name,) in connection.execute("SELECT collection FROM published.withdrawn WHERE item IS NULL").fetchall())


def keep_withdrawn(connection: Connection) -> None:
    """Every twin's `_closed` names what it shows and is withdrawn, and nothing else: readers look there on each request."""
    for (schema,) in connection.execute("SELECT schema FROM published.role ORDER BY schema").fetchall():
        names = {"closed": sql.Identifier(schema, "_closed"), "withdrawn": sql.SQL(_WITHDRAWN_OF).format(schema=schema)}
        with suppress(psycopg.errors.UndefinedTable), connection.transaction():  # a role that has gone meanwhile
            connection.execute(sql.SQL("INSERT INTO {closed} {withdrawn} ON CONFLICT DO NOTHING").format(**names))
            connection.execute(sql.SQL("DELETE FROM {closed} WHERE collection NOT IN ({withdrawn})").format(**names))


def finish_withdrawals(connection: Connection) -> int:
    """Take out what a withdrawal that was killed after its commit had only written down; says how many items that concerns."""
    keep_withdrawn(connection)
    for (layer,) in connection.execute("SELECT DISTINCT layer FROM published.withdrawn WHERE item IS NOT NULL").fetchall():
        _mark(connection, layer)
    query = "SELECT layer, item FROM published.withdrawn WHERE item IS NOT NULL ORDER BY at"
    return sum(_delete_item(connection, layer, item) for layer, item in connection.execute(query).fetchall())


def _mark(connection: Connection, layer: str) -> None:
    """A layer that an apply holds is not waited for: the worker comes back to it."""
    with suppress(psycopg.errors.LockNotAvailable, psycopg.errors.UndefinedTable), connection.transaction():
        connection.execute(f"SET LOCAL lock_timeout = {STORE_WAIT_MS}".encode())
        mark_withdrawn(connection, layer)


def leave_out_withdrawn(connection: Connection, relation: str) -> bool:
    """For a table that was built before it was locked: what has been withdrawn meanwhile goes. Whether that was anything."""
    table = quoted(PUBLISHED, relation)
    return connection.execute(f"DELETE FROM {table} WHERE id IN (SELECT item FROM published.withdrawn)".encode()).rowcount > 0


def heeds_withdrawals(connection: Connection, layer: str) -> bool:
    """Whether the layer's published tables leave out what is withdrawn; those of an older version do only after the next apply."""
    query = (
        "SELECT bool_and(strpos(array_to_string(statements, ' '), 'published.withdrawn') > 0) FROM published.definition WHERE layer = %s"
    )
    row = connection.execute(query, [layer]).fetchone()
    return row is None or row[0] is not False


def _layer_of(connection: Connection, collection: str) -> str:
    query = (
        "SELECT d.layer FROM published.shown s JOIN published.definition d USING (relation) WHERE s.collection = %s "
        "UNION ALL SELECT layer FROM published.withdrawn WHERE collection = %s LIMIT 1"
    )
    row = connection.execute(query, [collection, collection]).fetchone()
    if row is None:
        raise NothingToWithdraw()
    return str(row[0])


def _is_there(connection: Connection, layer: str, item: UUID) -> bool:
    """Whether a twin shows the item, or else the store has it. A layer that an apply holds is not waited for: it may be there."""
    for relation in _item_tables(connection, layer):
        with suppress(psycopg.errors.UndefinedTable):
            if connection.execute(f"SELECT FROM {quoted(PUBLISHED, relation)} WHERE id = %s".encode(), [item]).fetchone() is not None:
                return True
    try:
        with connection.transaction():
            connection.execute(f"SET LOCAL lock_timeout = {STORE_WAIT_MS}".encode())
            query = sql.SQL("SELECT FROM {} WHERE id = %s").format(sql.Identifier(STORE, layer))
            return connection.execute(query, [item]).fetchone() is not None
    except psycopg.errors.LockNotAvailable:
        return True


def _item_tables(connection: Connection, layer: str) -> list[str]:
    query = "SELECT relation FROM published.definition WHERE layer = %s AND kind = 'items' ORDER BY relation"
    return [relation for (relation,) in connection.execute(query, [layer]).fetchall()]


def _delete_item(connection: Connection, layer: str, item: UUID) -> bool:
    """From every published table of the layer at once; then count and reach are taken anew, which may have to wait for writers.

    Whether it was in any.
    """
    gone = []
    for relation in _item_tables(connection, layer):
        with suppress(psycopg.errors.UndefinedTable), connection.transaction():
            if connection.execute(f"DELETE FROM {quoted(PUBLISHED, relation)} WHERE id = %s".encode(), [item]).rowcount:
                gone.append(relation)
    for relation in gone:
        with suppress(psycopg.errors.UndefinedTable, psycopg.errors.NoDataFound), connection.transaction():
            connection.execute("SELECT published.measure(%s), published.spread(%s)", [relation, relation])
    return bool(gone)


def _delete_late(connection: Connection, layer: str, item: UUID) -> None:
    """Writers that were under way have not seen the withdrawal: once they have ended, whatever they published goes too."""
    with connection.transaction():
        connection.execute(f"LOCK TABLE {quoted(STORE, layer)} IN SHARE MODE".encode())
    _delete_item(connection, layer, item)


def _told(connection: Connection, collection: str, layer: str) -> Withdrawal:
    rows = shown_of(connection, layer)
    kept_out = withdrawn_collections(connection)
    closed = tuple(role for role, name in rows if name == collection)
    return Withdrawal(layer, closed, tuple((role, name) for role, name in rows if name != collection and name not in kept_out))


def shown_of(connection: Connection, layer: str) -> list[tuple[str, str]]:
    """The role and the collection of everything that is published of a layer, figures too; what is withdrawn still counts."""
    query = (
        "SELECT r.name, s.collection FROM published.shown s JOIN published.definition d USING (relation) "
        "JOIN published.role r USING (schema) WHERE d.layer = %s ORDER BY r.name, s.collection"
    )
    return [(role, collection) for role, collection in connection.execute(query, [layer]).fetchall()]


def list_withdrawn(connection: Connection) -> list[tuple[str, UUID | None, datetime]]:
    """Collections and items that are kept out, the oldest first."""
    query = "SELECT collection, item, at FROM published.withdrawn ORDER BY at, collection"
    return [(collection, item, at) for collection, item, at in connection.execute(query).fetchall()]
