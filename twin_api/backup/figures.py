"""Figures come back as they were last taken: counted anew out of their time, they would betray what changed in between.

Must never put back figures of a definition that is no longer the same.
"""

from __future__ import annotations

from collections.abc import Iterator

from psycopg import sql

from twin_api.backup.manifest import FigureKept, TableKept
from twin_api.backup.tables import Connection, copy_in
from twin_api.publish.table import PUBLISHED


def are_published(connection: Connection, table: TableKept) -> bool:
    """Whether the same definition yields the same columns: a relation's name is a hash of its definition."""
    query = (
        "SELECT array_agg(a.attname::text ORDER BY a.attnum) = %s FROM pg_attribute a "
        "WHERE a.attrelid = to_regclass(%s) AND a.attnum > 0 AND NOT a.attisdropped"
    )
    row = connection.execute(query, [list(table.columns), f'"{table.schema}"."{table.name}"']).fetchone()
    return row is not None and bool(row[0])


def put_back(connection: Connection, table: TableKept, figure: FigureKept, some: Iterator[bytes]) -> None:
    """The rows, and the time they are of; told to every role that shows them. Connection of the owner."""
    with connection.transaction():
        connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(PUBLISHED, table.name)))
        copy_in(connection, table, some)
        update = "UPDATE published.definition SET synced_at = %s, was_empty = %s WHERE relation = %s"
        connection.execute(update, [figure.synced_at, figure.was_empty, figure.relation])
        connection.execute("SELECT published.measure(%s), published.spread(%s)", [figure.relation, figure.relation])
