"""From staging into the store by key: at most one DELETE, one UPDATE and one INSERT, so that triggers fire once for each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import psycopg
from psycopg import sql

from twin_api.imports.finding import refuse
from twin_api.imports.staging import FEATURE, Staging, analyze
from twin_api.layers.table import GEOMETRY, ID, IMPORT, STORE
from twin_api.policy.documents import Layer
from twin_api.texts import Text

FEW: Final = 10  # deleted rows that anybody can oversee
GONE: Final = sql.Identifier("pg_temp", "import_gone")
PAIRS: Final = sql.Identifier("pg_temp", "import_pairs")


@dataclass(frozen=True, slots=True)
class Merge:
    """A comparison of staging and store, done; `write` makes it true. Staging then holds only rows that are new or differ."""

    layer: Layer
    staging: Staging
    columns: Sequence[str]
    changed: int
    unchanged: int
    gone: int
    known: bool  # whether any row of staging has its key in the store
    stored: int = 0  # rows of the store before; counted where rows will go

    @property
    def touched(self) -> int:
        """An upper bound of the rows of the store that will change."""
        return self.changed + self.gone

    def check_shrinking(self) -> None:
        """Refuse to delete most of a layer: half a delivery, or an empty one, looks just like a town that lost its trees."""
        left = self.changed + self.unchanged
        if self.gone and (left == 0 or (2 * left < self.stored and self.gone >= FEW)):
            what = Text(f"statt {self.stored} Objekten kommen {left}: das meiste würde gelöscht",
                        f"{left} features come in place of {self.stored}: most would be deleted")  # fmt: skip
            remedy = Text("ist es richtig so, `--may-shrink` sagen, in einer Quelle `may_shrink: true`",
                          "if that is right, say `--may-shrink`, in a source `may_shrink: true`")  # fmt: skip
            raise refuse(what, remedy)

    def write(self, connection: psycopg.Connection, import_id: int | None) -> Counts:
        """Statement by statement, sets only; what would change nothing is not sent."""
        deleted = _delete(connection, self.layer) if self.gone else 0
        updated = _update(connection, self.layer, self.staging, self.columns, import_id) if self.known else 0
        if self.known:
            _drop_known(connection, self.layer, self.staging)
        inserted = _insert(connection, self.layer, self.staging, self.columns, import_id) if self.changed > updated else 0
        return Counts(inserted, updated, self.unchanged, deleted)


@dataclass(frozen=True, slots=True)
class Counts:
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0


def compare(
    connection: psycopg.Connection, layer: Layer, staging: Staging, columns: Sequence[str], staged: int, replace: bool
) -> Merge:  # fmt: skip
    """Lock the layer's rows and find what differs in one of `columns`; with `replace` also what the file does not have.

    Edits wait from here to the end of the transaction: none may add a key meanwhile. Readers of twins do not notice.
    Without a key a row is the same only if it holds the same: what differs in anything is another row.
    """
    connection.execute("SET LOCAL jit = off")
    connection.execute("SET LOCAL work_mem = '64MB'")
    connection.execute(sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(_table(layer)))
    with _hashing(connection):
        if not layer.key:
            _pair_alike(connection, layer, staging, columns)
        gone = _find_gone(connection, layer, staging) if replace else 0
        unchanged = _drop_unchanged(connection, layer, staging, columns) if layer.key else _drop_paired(connection, staging)
        known = bool(layer.key) and staged > unchanged and _any_known(connection, layer, staging)
    if unchanged:
        analyze(connection, staging)
    stored = _count(connection, layer) if gone else 0
    return Merge(layer, staging, columns, staged - unchanged, unchanged, gone, known, stored)


def lock(connection: psycopg.Connection, layer: Layer) -> None:
    """Imports of one layer queue here, until their transactions end; this one may rest while others read and build for it."""
    connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
    connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"twin import {layer.name}"])


@contextmanager
def _hashing(connection: psycopg.Connection) -> Iterator[None]:
    """Staging and store are joined by hashing: statistics of a layer that was just filled are old, and a loop would take hours.

    Not for statements that fire triggers, which look at few rows of much.
    """
    connection.execute("SET LOCAL enable_nestloop = off")
    yield
    connection.execute("SET LOCAL enable_nestloop = on")


def _count(connection: psycopg.Connection, layer: Layer) -> int:
    row = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(_table(layer))).fetchone()
    return int(row[0]) if row else 0


def _table(layer: Layer) -> sql.Composable:
    return sql.Identifier(STORE, layer.name)


def _same_key(layer: Layer) -> sql.Composable:
    """Whether row `s` and row `t` have the same key. As records, because those count NULLs as equal and can still be hashed."""
    if len(layer.key) == 1:
        return sql.SQL("s.{0} = t.{0}").format(sql.Identifier(layer.key[0]))
    sides = [sql.SQL(", ").join(sql.Identifier(alias, name) for name in layer.key) for alias in "st"]
    return sql.SQL("ROW({})::record = ROW({})::record").format(*sides)


def _pair_alike(connection: psycopg.Connection, layer: Layer, staging: Staging, columns: Sequence[str]) -> None:
    """For a layer without key: each staged row with one of the store that holds the same, several that are alike one by one."""
    pairs = (
        "CREATE TEMPORARY TABLE import_pairs ON COMMIT DROP AS WITH s AS ({staged}), t AS ({stored}) "
        "SELECT s.row AS staged, t.row AS stored FROM s JOIN t USING (digest, number)"
    )
    held = sql.SQL("md5(ROW({})::text)").format(sql.SQL(", ").join(map(sql.Identifier, columns)))
    numbered = "SELECT {row} AS row, {held} AS digest, row_number() OVER (PARTITION BY {held} ORDER BY {row}) AS number FROM {table}"
    staged = sql.SQL(numbered).format(row=FEATURE, held=held, table=staging.table)
    stored = sql.SQL(numbered).format(row=sql.Identifier(ID), held=held, table=_table(layer))
    connection.execute(sql.SQL(pairs).format(staged=staged, stored=stored))


def _find_gone(connection: psycopg.Connection, layer: Layer, staging: Staging) -> int:
    statement = "CREATE TEMPORARY TABLE import_gone ON COMMIT DROP AS SELECT t.{} FROM {} t WHERE NOT EXISTS ({})"
    counterpart = (
        sql.SQL("SELECT FROM {} s WHERE {}").format(staging.table, _same_key(layer))
        if layer.key
        else sql.SQL("SELECT FROM {} p WHERE p.stored = t.{}").format(PAIRS, sql.Identifier(ID))
    )
    return connection.execute(sql.SQL(statement).format(sql.Identifier(ID), _table(layer), counterpart)).rowcount


def _drop_unchanged(connection: psycopg.Connection, layer: Layer, staging: Staging, columns: Sequence[str]) -> int:
    equal = sql.SQL(" AND ").join([_same_key(layer), *(_equal(name) for name in columns if name not in layer.key)])
    return connection.execute(sql.SQL("DELETE FROM {} s USING {} t WHERE {}").format(staging.table, _table(layer), equal)).rowcount


def _drop_paired(connection: psycopg.Connection, staging: Staging) -> int:
    return connection.execute(sql.SQL("DELETE FROM {} s USING {} p WHERE p.staged = s.{}").format(staging.table, PAIRS, FEATURE)).rowcount


def _equal(name: str) -> sql.Composable:
    """Geometries are compared byte by byte: which `=` of PostGIS is meant depends on the search path."""
    cast = sql.SQL("::bytea" if name == GEOMETRY else "")
    return sql.SQL("t.{0}{1} IS NOT DISTINCT FROM s.{0}{1}").format(sql.Identifier(name), cast)


def _any_known(connection: psycopg.Connection, layer: Layer, staging: Staging) -> bool:
    query = sql.SQL("SELECT FROM {} s, {} t WHERE {} LIMIT 1").format(staging.table, _table(layer), _same_key(layer))
    return connection.execute(query).fetchone() is not None


def _delete(connection: psycopg.Connection, layer: Layer) -> int:
    statement = "DELETE FROM {table} t USING {gone} g WHERE t.{id} = g.{id}"
    return connection.execute(sql.SQL(statement).format(table=_table(layer), gone=GONE, id=sql.Identifier(ID))).rowcount


def _update(
    connection: psycopg.Connection, layer: Layer, staging: Staging, columns: Sequence[str], import_id: int | None
) -> int:  # fmt: skip
    """Ids stay; attributes that are not in `columns` stay."""
    sets = [sql.SQL("{0} = s.{0}").format(sql.Identifier(name)) for name in columns if name not in layer.key]
    if not sets:
        return 0
    sets.append(sql.SQL("{} = {}").format(sql.Identifier(IMPORT), sql.Literal(import_id)))
    statement = sql.SQL("UPDATE {} t SET {} FROM {} s WHERE {}").format(
        _table(layer), sql.SQL(", ").join(sets), staging.table, _same_key(layer)
    )
    return connection.execute(statement).rowcount


def _drop_known(connection: psycopg.Connection, layer: Layer, staging: Staging) -> None:
    with _hashing(connection):
        statement = sql.SQL("DELETE FROM {} s USING {} t WHERE {}").format(staging.table, _table(layer), _same_key(layer))
        connection.execute(statement)


def _insert(
    connection: psycopg.Connection, layer: Layer, staging: Staging, columns: Sequence[str], import_id: int | None
) -> int:  # fmt: skip
    """All that staging still holds. Without a look at the store, whose rows would have to be read while they grow."""
    names = sql.SQL(", ").join(map(sql.Identifier, [*staging.own, *columns]))
    statement = sql.SQL("INSERT INTO {0} ({1}, {2}) SELECT {1}, {3} FROM {4}")
    words = _table(layer), names, sql.Identifier(IMPORT), sql.SQL("{}::int8").format(sql.Literal(import_id)), staging.table
    return connection.execute(statement.format(*words)).rowcount
