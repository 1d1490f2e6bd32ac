"""How a withdrawn item is known again when its row comes back without its id: by the layer's key, or by all that it holds.

Must never let something be shown again because it was deleted and delivered anew.
"""

from __future__ import annotations

from typing import Any, Final

import psycopg

from twin_api.layers.table import ID, IMPORT, STORE
from twin_api.publish.statement import pin_session, quoted

Connection = psycopg.Connection[tuple[Any, ...]]

_COLUMNS: Final = """
SELECT a.attname FROM pg_attribute a
LEFT JOIN pg_constraint k ON k.conrelid = a.attrelid AND k.contype = 'u' AND k.conname = %(layer)s || '_key'
WHERE a.attrelid = to_regclass(%(table)s) AND a.attnum > 0 AND NOT a.attisdropped AND a.attname <> ALL (%(ours)s)
AND (k.conkey IS NULL OR a.attnum = ANY (k.conkey)) ORDER BY a.attnum"""


def mark_withdrawn(connection: Connection, layer: str) -> None:
    """Note by what the layer's withdrawn items are known; in a transaction. What is not in the store keeps its last mark."""
    if not _items(connection, layer):
        return
    pin_session(connection)
    mark = _mark(connection, layer)
    update = (
        f"UPDATE published.withdrawn w SET mark = {mark} FROM {quoted(STORE, layer)} t "
        f"WHERE w.layer = %s AND w.item = t.{ID} AND w.mark IS DISTINCT FROM {mark}"
    )
    connection.execute(update.encode(), [layer])


def recognise_withdrawn(connection: Connection, layer: str) -> int:
    """Give rows that are withdrawn items come back the ids those had; in the transaction that brought them. Says how many that were."""
    absent = f"NOT EXISTS (SELECT FROM {quoted(STORE, layer)} o WHERE o.{ID} = w.item)"
    query = f"SELECT FROM published.withdrawn w WHERE w.layer = %s AND w.mark IS NOT NULL AND {absent} LIMIT 1"
    if connection.execute(query.encode(), [layer]).fetchone() is None:
        return 0
    pin_session(connection)
    update = (
        f"UPDATE {quoted(STORE, layer)} t SET {ID} = found.item FROM (SELECT DISTINCT ON (w.item) w.item, t.{ID} AS now "
        f"FROM published.withdrawn w JOIN {quoted(STORE, layer)} t ON w.mark = {_mark(connection, layer)} "
        f"WHERE w.layer = %s AND {absent} ORDER BY w.item, t.{ID}) AS found WHERE t.{ID} = found.now"
    )
    return connection.execute(update.encode(), [layer]).rowcount


def _items(connection: Connection, layer: str) -> bool:
    return (
        connection.execute("SELECT FROM published.withdrawn WHERE layer = %s AND item IS NOT NULL LIMIT 1", [layer]).fetchone() is not None
    )


def _mark(connection: Connection, layer: str) -> str:
    """An expression over the row `t`; a digest, because what is withdrawn shall not stand in one more place."""
    words = {"layer": layer, "table": quoted(STORE, layer), "ours": [ID, IMPORT]}
    columns = ", ".join(f"t.{quoted(name)}" for (name,) in connection.execute(_COLUMNS, words).fetchall())
    return f"md5(ROW({columns})::text)"
