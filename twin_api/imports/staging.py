"""The rows of a file on their way into the store: a temporary table of the importing transaction, filled by binary COPY."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import psycopg
from psycopg import sql

from twin_api.imports.values.copy_rows import HEADER, TRAILER
from twin_api.layers.table import STORE

STAGING: Final = sql.Identifier("pg_temp", "import_staging")
MOST_REPEATED: Final = 100_001  # one more than can be rejected
FEATURE: Final = sql.Identifier("_feature")  # which of the file it is; no attribute begins with `_`


class Staging:
    """An open COPY; `add` takes rows in its binary form: number of the feature, then the columns."""

    def __init__(self, copy: psycopg.Copy) -> None:
        self._copy = copy
        self.staged = 0

    def add(self, rows: bytes, count: int) -> None:
        self._copy.write(rows)
        self.staged += count


@contextmanager
def staging(connection: psycopg.Connection, layer: str, columns: Sequence[str]) -> Iterator[Staging]:
    """Create the table like the layer's columns and fill it; it is gone with the transaction, whatever happens."""
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    create = "CREATE TEMPORARY TABLE import_staging ON COMMIT DROP AS SELECT 0::int8 AS {}, {} FROM {} WITH NO DATA"
    connection.execute(sql.SQL(create).format(FEATURE, names, sql.Identifier(STORE, layer)))
    with connection.cursor() as cursor, cursor.copy(sql.SQL("COPY {} FROM STDIN (FORMAT binary)").format(STAGING)) as copy:
        copy.write(HEADER)
        yield Staging(copy)
        copy.write(TRAILER)
    connection.execute(sql.SQL("ANALYZE {}").format(STAGING))


def repeated_keys(connection: psycopg.Connection, key: Sequence[str]) -> list[tuple[int, int]]:
    """Features whose key an earlier feature has already, and which that is; of very many only the first."""
    words = {
        "most": sql.Literal(MOST_REPEATED),
        "names": sql.SQL(", ").join(map(sql.Identifier, key)),
        "staging": STAGING,
        "feature": FEATURE,
    }
    any_twice = sql.SQL("SELECT FROM {staging} GROUP BY {names} HAVING count(*) > 1 LIMIT 1")
    if connection.execute(any_twice.format(**words)).fetchone() is None:
        return []
    pairs = sql.SQL(
        "SELECT later, earlier FROM (SELECT {feature} AS later, min({feature}) OVER (PARTITION BY {names}) AS earlier FROM {staging}) "
        "AS pairs WHERE later <> earlier ORDER BY later LIMIT {most}"
    )
    return connection.execute(pairs.format(**words)).fetchall()


def drop_features(connection: psycopg.Connection, features: Iterable[int]) -> int:
    """Take features out of what is staged."""
    delete = sql.SQL("DELETE FROM {} WHERE {} = ANY (%s)").format(STAGING, FEATURE)
    return connection.execute(delete, [list(features)]).rowcount
