"""Non-interference in time, without a clock: the statements that requests run touch as many buffers in either town.

Compared are the totals of `EXPLAIN (ANALYZE, BUFFERS)`, hit and read together, of execution and of planning, each taken by the role's own
login. What only one of two sessions still had to read of the catalogue is not counted: where they differ, both are asked again when warm.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from tests.noninterference.asking import Answer, Request
from tests.noninterference.changes import ALONE, Changes
from tests.noninterference.harness import ENOUGH, Change, Run
from tests.noninterference.requests import READING
from tests.noninterference.towns import Pair, Side
from tests.towns import Connection

TIME: Final = 35  # its number in the catalogue of channels
TURNS: Final = 2  # between two VACUUMs
AT_ONCE: Final = 45  # statements that are measured then
TRIES: Final = 3  # a difference that is one stays: VACUUM passes over a page that a checkpoint is writing just then

Statement = tuple[str, Any]


def find_interference_in_time(pair: Pair, role: str, n: int, seed: int, counts: Counter[int]) -> list[str]:
    """As `find_interference`, and the statements that cost more in one town than in the other; they are counted as the channel of time."""
    run = Measuring(pair, role, seed, counts)
    try:
        run.go(n)
    finally:
        for connection in (*run.logins, *run.keepers):
            connection.close()
    return run.found


class Measuring(Run):
    """A run that measures what it hears; what is published lies alike on disk in both towns, or buffers could not be compared."""

    kinds = READING
    alone = tuple(change for change in ALONE if change is not Changes.reorder)

    def __init__(self, pair: Pair, role: str, seed: int, counts: Counter[int]) -> None:
        super().__init__(pair, role, seed, counts)
        self._schema = role.replace("/", "_")
        self._said: dict[str, Statement] = {}
        self.logins = [side.town.login(self._schema) for side in pair.sides]
        self.keepers = [side.town.superuser() for side in pair.sides]

    def _both(self, request: Request) -> tuple[tuple[Answer, Answer], list[str]]:
        answers, differences = super()._both(request)
        left = self._pair.left.town.database
        mine = [(sql, params) for database, login, sql, params in self.heard if (database, login) == (left, self._schema)]
        self._said |= {repr(statement): statement for statement in mine}
        return answers, differences

    def _settle(self) -> Changes:
        """Filled anew, and alike on disk too: what the role was shown before was another matter."""
        writes = super()._settle()
        self._said = {}
        self._tidy("VACUUM (FULL, ANALYZE)")
        return writes

    def _take_turn(self, changes: list[Change], chances: list[tuple[int, str]]) -> None:
        super()._take_turn(changes, chances)
        if self._turn % TURNS == 0:
            self._measure()

    def _write_alone(self, side: Side, write: Callable[[], None]) -> None:
        """INVARIANT: what the role reads of its collections is not written anew, not even with the same figures."""
        before = self._versions(side)
        super()._write_alone(side, write)
        if self._versions(side) != before:
            self.found.append(f"{self._role}, seed {self._seed}: hidden writes have written `{self._schema}.collection`: {write}")

    def _versions(self, side: Side) -> Any:
        keeper = self.keepers[self._pair.sides.index(side)]
        return keeper.execute(f"SELECT name, ctid::text, xmin::text FROM {self._schema}.collection ORDER BY name".encode()).fetchall()

    def _measure(self) -> None:
        """Some of the statements of this round, in the state that the towns are in now."""
        self._tidy()
        some = self._random.sample(sorted(self._said), min(len(self._said), AT_ONCE))
        for statement in some:
            if (told := self._apart(self._said[statement])) and len(self.found) < ENOUGH:
                self.found.append(told)
        self._counts[TIME] += len(some)

    def _tidy(self, command: str = "VACUUM (ANALYZE)") -> None:
        for connection in self.keepers:
            _tidy(connection, self._schema, command)

    def _apart(self, statement: Statement) -> str | None:
        """What is alike at first sight is alike: both sessions have run the same so far. What differs is looked at again when both are warm."""
        left, right = (_touched(connection, statement) for connection in self.logins)
        for _ in range(TRIES):
            if left == right:
                return None
            self._tidy()
            left, right = (_touched(connection, statement, times=2) for connection in self.logins)
        if left == right:
            return None
        where = [_by_relation(_plan(connection, statement)["Plan"]) for connection in self.logins]
        told = f"(execution, planning) touch {left} | {right} buffers, {where[0] - where[1]} | {where[1] - where[0]}"
        return f"{self._role}, seed {self._seed}: {told}: {statement}"


def _tidy(connection: Connection, schema: str, command: str) -> None:
    """The role's tables after VACUUM ANALYZE, which nobody else runs meanwhile: its moment would differ."""
    query = (
        "SELECT t::text, reloptions IS NULL FROM (SELECT to_regclass('published.' || relation) FROM published.shown WHERE schema = %s "
        "UNION SELECT to_regclass(schema || own) FROM published.role, (VALUES ('.collection'), ('._closed')) AS o (own) WHERE schema = %s) "
        "AS told (t) JOIN pg_class c ON c.oid = t"
    )
    for table, is_new in connection.execute(query, [schema, schema]).fetchall():
        if is_new:
            connection.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = off)".encode())
        # how often the figures were written that both towns show is another matter: the second of them is brought to what the first shows
        full = "VACUUM (FULL, ANALYZE)" if table.endswith(".collection") else command
        connection.execute(f"{full} {table}".encode())


def _touched(connection: Connection, statement: Statement, times: int = 1) -> tuple[int, int]:
    """Buffers of execution and of planning, the last time."""
    told = [_plan(connection, statement) for _ in range(times)][-1]
    return _total(told["Plan"]), _total(told.get("Planning", {}))


def _plan(connection: Connection, statement: Statement) -> dict[str, Any]:
    sql, params = statement
    row = connection.execute(f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) {sql}".encode(), params).fetchone()
    assert row is not None
    return dict(row[0][0])


def _total(node: dict[str, Any]) -> int:
    return sum(int(node.get(f"{kind} Blocks", 0)) for kind in ("Shared Hit", "Shared Read", "Local Hit", "Temp Read"))


def _by_relation(node: dict[str, Any]) -> Counter[str]:
    """The buffers that each table or index costs, those of the steps below it left out."""
    below = node.get("Plans", [])
    name = node.get("Index Name") or node.get("Relation Name") or node["Node Type"]
    return sum((_by_relation(each) for each in below), Counter({name: _total(node) - sum(map(_total, below))}))
