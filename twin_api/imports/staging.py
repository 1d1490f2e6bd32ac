"""The rows of a file on their way into the store: a table filled by binary COPY."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import psycopg
from psycopg import sql

from twin_api.imports.values.copy_rows import HEADER, TRAILER
from twin_api.layers.table import ID, STORE
from twin_api.publish import bulk_beside
from twin_api.publish.bulk_beside import Beside

FEATURE: Final = sql.Identifier(bulk_beside.FEATURE)
MOST_REPEATED: Final = 100_001  # one more than can be rejected


@dataclass(frozen=True, slots=True)
class Staging:
    """The table, the connection that fills it, and the columns it has beside those of the file: `id` where rows have theirs already."""

    connection: psycopg.Connection
    table: sql.Identifier
    own: Sequence[str] = ()


def temporary(connection: psycopg.Connection, layer: str, columns: Sequence[str]) -> Staging:
    """A table like the layer's columns; it is gone with the transaction, whatever happens."""
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    create = "CREATE TEMPORARY TABLE import_staging ON COMMIT DROP AS SELECT 0::int8 AS {}, {} FROM {} WITH NO DATA"
    connection.execute(sql.SQL(create).format(FEATURE, names, sql.Identifier(STORE, layer)))
    return Staging(connection, sql.Identifier("pg_temp", "import_staging"))


def placed(place: Beside) -> Staging:
    """The table where other backends see the rows."""
    return Staging(place.connection, sql.Identifier(*place.rows), [ID])


@contextmanager
def filling(staging: Staging, columns: Sequence[str]) -> Iterator[Callable[[bytes], None]]:
    """Takes rows in the binary form of COPY: number of the feature, then the columns."""
    names = sql.SQL(", ").join([FEATURE, *map(sql.Identifier, columns)])
    copy_in = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(staging.table, names)
    with staging.connection.cursor() as cursor, cursor.copy(copy_in) as copy:
        copy.write(HEADER)
        yield copy.write
        copy.write(TRAILER)
    analyze(staging.connection, staging)


def analyze(connection: psycopg.Connection, staging: Staging) -> None:
    """How many rows there are is what matters to the plans; a tenth of the usual sample tells it."""
    with connection.transaction():
        connection.execute("SET LOCAL default_statistics_target = 10")
        connection.execute(sql.SQL("ANALYZE {}").format(staging.table))
        connection.execute("SET LOCAL default_statistics_target TO DEFAULT")


def repeated_keys(staging: Staging, key: Sequence[str]) -> list[tuple[int, int]]:
    """Features whose key an earlier feature has already, and which that is; of very many only the first."""
    words = {
        "most": sql.Literal(MOST_REPEATED),
        "names": sql.SQL(", ").join(map(sql.Identifier, key)),
        "staging": staging.table,
        "feature": FEATURE,
    }
    any_twice = sql.SQL("SELECT FROM {staging} GROUP BY {names} HAVING count(*) > 1 LIMIT 1")
    if staging.connection.execute(any_twice.format(**words)).fetchone() is None:
        return []
    pairs = sql.SQL(
        "SELECT later, earlier FROM (SELECT {feature} AS later, min({feature}) OVER (PARTITION BY {names}) AS earlier FROM {staging}) "
        "AS pairs WHERE later <> earlier ORDER BY later LIMIT {most}"
    )
    return staging.connection.execute(pairs.format(**words)).fetchall()


def drop_features(staging: Staging, features: Iterable[int]) -> int:
    """Take features out of what is staged."""
    delete = sql.SQL("DELETE FROM {} WHERE {} = ANY (%s)").format(staging.table, FEATURE)
    return staging.connection.execute(delete, [list(features)]).rowcount
