"""Building beside: what an empty layer is about to hold lies in a schema of its own, and several backends build its published tables.

They see nothing of the import's transaction, so the rows are committed there first. What a killed import leaves is dropped by
whoever comes next. Must never show anything: nobody but the owner may look into such a schema, and the tables that were built leave
it in the import's own transaction only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import groupby
from typing import Any, Final

import psycopg

from twin_api.layers.table import STORE
from twin_api.publish.statement import execute_one, literal, pin_session, quoted
from twin_api.publish.table import PUBLISHED, UNTENDED, is_fill, make_shared_beside
from twin_api.store.collection import MERCATOR

Connection = psycopg.Connection[tuple[Any, ...]]
Recipe = tuple[str, list[str], list[str]]  # a published table, the statements that make it, and its `shared_statements`

BEGIN: Final = "next_"  # how the schemas are called; no role's is called so
ROWS: Final = "rows"
MEASURED: Final = "measured"  # count and reach of each table that was built; no published table is called so
FEATURE: Final = "_feature"  # which of the file a row is; no attribute begins with `_`
BUILDERS: Final = 4
SETTINGS: Final = (
    "jit = off", "work_mem = '256MB'",  # only what is shared is sorted, by one alone
    "maintenance_work_mem = '64MB'", "max_parallel_maintenance_workers = 0",  # every processor builds a table
    "lock_timeout = '30s'",
    "synchronous_commit = off",  # the import's own commit comes later and takes these with it
    "default_statistics_target = 50",  # half the usual sample tells as much of rows that are all new
)  # fmt: skip
_LOCK: Final = "hashtextextended(%s, 0)"
_RECIPES: Final = (
    "SELECT relation, statements, shared FROM published.definition "
    "WHERE layer = %s AND kind = 'items' AND areas = '{}' AND shared <> '{}' ORDER BY shared, relation"
)
_COLUMNS: Final = (
    "SELECT attname, atttypid, atttypmod, attcollation FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attnum > 0 AND attname <> %s"
)


@contextmanager
def beside(connect: Callable[[], Connection], layer: str) -> Iterator[Beside | None]:
    """The place for an empty layer's rows, gone afterwards; to be left after the import's transaction.

    None where the layer is not empty, or none of its published tables depends on its rows alone.
    """
    with connect() as connection:
        connection.autocommit = True
        clear_left(connection)
        place = Beside(connect, connection, layer)
        if not place.open():
            yield None
            return
        try:
            yield place
        finally:
            place.close()


class Beside:
    """`rows` is a table like the layer's with `_feature` in front, filled through `connection`, which commits each statement."""

    def __init__(self, connect: Callable[[], Connection], connection: Connection, layer: str) -> None:
        self.connection, self.layer, self.schema = connection, layer, f"{BEGIN}{layer}"
        self.rows = (self.schema, ROWS)
        self._connect = connect
        self._threads = ThreadPoolExecutor(1 + BUILDERS)
        self._working: list[Connection] = []
        self._stopped = False
        self._built: Future[list[str]] | None = None

    def open(self) -> bool:
        """Make the schema and the table, if that pays."""
        if not _is_empty(self.connection, self.layer) or self.connection.execute(_RECIPES, [self.layer]).fetchone() is None:
            return False
        if self.connection.execute(f"SELECT pg_try_advisory_lock({_LOCK})", [self.schema]).fetchone() != (True,):
            return False
        with self.connection.transaction():
            _drop(self.connection, self.schema)  # if it was left just now
            self.connection.execute(f"CREATE SCHEMA {quoted(self.schema)}".encode())
            like = f"{FEATURE} int8, LIKE {quoted(STORE, self.layer)} INCLUDING DEFAULTS"
            self.connection.execute(f"CREATE UNLOGGED TABLE {quoted(*self.rows)} ({like}) {UNTENDED}".encode())
            told = "SELECT relation, count, reach FROM published.definition WITH NO DATA"
            self.connection.execute(f"CREATE UNLOGGED TABLE {quoted(self.schema, MEASURED)} AS {told}".encode())
        return True

    def start(self, connection: Connection) -> None:
        """Begin to build, if the layer still is as it was; `connection` holds off its writers, and apply."""
        columns = [set(connection.execute(_COLUMNS, [quoted(*table), FEATURE]).fetchall()) for table in (self.rows, (STORE, self.layer))]
        if _is_empty(connection, self.layer) and columns[0] == columns[1]:
            recipes = connection.execute(_RECIPES, [self.layer]).fetchall()
            self._built = self._threads.submit(self._build, recipes)

    def finish(self) -> list[str]:
        """Wait for the tables that were built; says which. They lie in `schema`."""
        return self._built.result() if self._built is not None else []

    def tell(self, connection: Connection, relation: str) -> None:
        """Count and reach of a table that was built, as its definition has them."""
        counted = f"UPDATE published.definition d SET count = m.count, reach = m.reach FROM {quoted(self.schema, MEASURED)} m"
        connection.execute(f"{counted} WHERE d.relation = m.relation AND m.relation = %s".encode(), [relation])

    def close(self) -> None:
        """Stop whatever still works, and leave nothing."""
        self._stopped = True
        for connection in list(self._working):
            with suppress(psycopg.Error):
                connection.cancel()
        self._threads.shutdown(cancel_futures=True)
        with suppress(psycopg.OperationalError):  # then whoever comes next
            _drop(self.connection, self.schema)

    def _build(self, recipes: list[Recipe]) -> list[str]:
        built: list[str] = []
        for shared, group in groupby(recipes, lambda recipe: recipe[2][:2]):
            made = make_shared_beside(shared, self.layer, self.schema, ROWS)
            if not made:
                continue
            self._run(made)
            building = {recipe[0]: self._threads.submit(self._run, _statements(recipe, self.schema)) for recipe in group}
            for one in building.values():
                one.result()
            built += building
        return built

    def _run(self, statements: list[str]) -> None:
        """In one transaction of a backend of its own."""
        with self._connect() as connection:
            self._working.append(connection)
            with connection.transaction():
                pin_session(connection)
                for setting in SETTINGS:
                    connection.execute(f"SET LOCAL {setting}".encode())
                for statement in statements:
                    if self._stopped:
                        raise psycopg.errors.QueryCanceled
                    execute_one(connection, statement)
            self._working.remove(connection)


def clear_left(connection: Connection) -> int:
    """Drop what killed imports have left; says of how many. Connection of the owner."""
    query = "SELECT nspname FROM pg_namespace WHERE starts_with(nspname, %s) AND nspowner = current_user::regrole ORDER BY nspname"
    cleared = 0
    for (schema,) in connection.execute(query, [BEGIN]).fetchall():
        with connection.transaction():
            if connection.execute(f"SELECT pg_try_advisory_xact_lock({_LOCK})", [schema]).fetchone() == (True,):
                _drop(connection, schema)
                cleared += 1
    return cleared


def _statements(recipe: Recipe, schema: str) -> list[str]:
    """Those of a published table, for a table of its name in another schema, filled from the shared one there and measured."""
    relation, statements, (shared, _, fill) = recipe
    own = [fill.replace(shared, quoted(schema, shared)) if is_fill(statement) else statement for statement in statements]
    moved = [re.sub(rf'("?){PUBLISHED}\1\.("?){relation}\2(?!\w)', lambda _: quoted(schema, relation), statement) for statement in own]
    measured = f"SELECT {literal(relation)}, count(*), ST_Extent({MERCATOR}) FROM {quoted(schema, relation)}"
    return [*moved, f"INSERT INTO {quoted(schema, MEASURED)} {measured}"]


def _is_empty(connection: Connection, layer: str) -> bool:
    return connection.execute(f"SELECT FROM {quoted(STORE, layer)} LIMIT 1".encode()).fetchone() is None


def _drop(connection: Connection, schema: str) -> None:
    connection.execute(f"DROP SCHEMA IF EXISTS {quoted(schema)} CASCADE".encode())
