"""What a policy change means on the live store: rows gained and lost for each role, and what the apply will cost.

Must never print a value of a row: ids alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

import psycopg
import sqlalchemy as sa

from twin_api.policy.compare import Change, compare
from twin_api.policy.documents import Grant, Policies
from twin_api.policy.finding import PolicyInvalid
from twin_api.policy.load import load_applied
from twin_api.publish.definition import Definition, compile_grant
from twin_api.publish.projection import store_source, visible
from twin_api.publish.statement import sql_text
from twin_api.publish.table import PUBLISHED

Connection = psycopg.Connection[tuple[Any, ...]]

SAMPLES: Final = 3
ROW_BYTES: Final = 900  # of a published row with its indexes, where nothing has been measured yet
ROWS_PER_S: Final = 15_000  # built on one core, likewise


Side = tuple[str, str] | None  # layer, and a select of ids


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows that a role sees afterwards and did not before, or the reverse; None where the store is not ready to be asked."""

    gained: int
    lost: int
    gained_ids: tuple[UUID, ...]
    lost_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    change: Change
    rows: Rows | None

    @property
    def widens(self) -> bool:
        """Whether the role sees more of anything; what could not be counted counts as more."""
        return bool(self.change.gained) or self.rows is None or self.rows.gained > 0

    def as_json(self) -> dict[str, Any]:
        change, rows = self.change, self.rows
        return {
            "role": change.role,
            "collection": change.collection,
            "kind": change.kind,
            "widens": self.widens,
            "gained": [text.as_json() for text in change.gained],
            "lost": [text.as_json() for text in change.lost],
            "told": [text.as_json() for text in change.told],
            "rows": {"gained": rows.gained, "lost": rows.lost} if rows else None,
        }


@dataclass(frozen=True, slots=True)
class Forecast:
    """What building the new tables will take."""

    tables: int
    rows: int
    bytes: int
    seconds: float


def applied_policies(files: dict[str, str]) -> Policies | None:
    """The policies of stored files; None where there are none, or where this version of the program reads them no longer."""
    try:
        return load_applied(files) if files else None
    except PolicyInvalid:
        return None


def find_differences(connection: Connection, before: Policies | None, after: Policies, day: date) -> list[Difference]:
    """Every change with its rows on the live store. Connection of the owner; takes about as long as reading the layers concerned."""
    known: dict[tuple[Side, Side], Rows | None] = {}  # roles that share what citizens see are counted once
    differences = []
    for change in compare(before, after, day):
        sides = _side(before, change.before), _side(after, change.after)
        if sides not in known:
            known[sides] = _rows(connection, *sides) if change.rows_differ else Rows(0, 0, (), ())
        differences.append(Difference(change, known[sides]))
    return differences


def _rows(connection: Connection, old: Side, new: Side) -> Rows | None:
    try:
        with connection.transaction():
            return _counted(connection, old, new)
    except psycopg.ProgrammingError:  # no such table, column or operator: the layer itself changes with this apply
        return None


def _counted(connection: Connection, old: Side, new: Side) -> Rows:
    is_one_layer = old is not None and new is not None and old[0] == new[0]
    gained, come = _count(connection, new, old if is_one_layer else None)
    lost, gone = _count(connection, old, new if is_one_layer else None)
    return Rows(gained, lost, come, gone)


def _side(policies: Policies | None, grant: Grant | None) -> Side:
    """The ids of the rows that are shown, as SQL, and their layer; None where nothing is."""
    if policies is None or grant is None:
        return None
    return _visible(compile_grant(policies, grant))


def _visible(definition: Definition) -> tuple[str, str]:
    source = store_source(definition)
    return definition.layer, sql_text(sa.select(source.c.id).where(visible(definition, source)))


def _count(connection: Connection, shown: Side, but_not: Side) -> tuple[int, tuple[UUID, ...]]:
    if shown is None:
        return 0, ()
    without = f" EXCEPT ({but_not[1]})" if but_not else ""
    query = (
        f"WITH h AS MATERIALIZED (({shown[1]}){without}) "
        f"SELECT (SELECT count(*) FROM h), ARRAY(SELECT id FROM h ORDER BY id LIMIT {SAMPLES})"
    )
    row = connection.execute(query.encode(), binary=True).fetchone()
    return (int(row[0]), tuple(row[1] or ())) if row else (0, ())


def forecast(connection: Connection, new: Iterable[Definition]) -> Forecast:
    """From what published tables of the same layers take now, and how fast the last apply was."""
    definitions = list(new)
    expected = {definition: _expected(connection, definition) for definition in definitions}
    rows = sum(expected.values())
    width = sum(number * _row_bytes(connection, definition.layer) for definition, number in expected.items())
    row = connection.execute(
        "SELECT (outcome ->> 'rows')::float8 / nullif((outcome ->> 'seconds')::float8, 0) FROM control.policy "
        "WHERE (outcome ->> 'rows')::float8 >= 1000 ORDER BY id DESC LIMIT 1"
    ).fetchone()
    rate = float(row[0]) if row and row[0] else ROWS_PER_S
    return Forecast(len(definitions), rows, int(width), rows / rate)


def _expected(connection: Connection, definition: Definition) -> int:
    if definition.groups is not None:
        return len(definition.groups.values)
    try:
        with connection.transaction():
            return _count(connection, _visible(definition), None)[0]
    except psycopg.ProgrammingError:
        return 0


def _row_bytes(connection: Connection, layer: str) -> float:
    query = (
        f"SELECT sum(pg_total_relation_size(format('{PUBLISHED}.%%I', relation)::regclass))::float8 / nullif(sum(count), 0) "
        "FROM published.definition WHERE layer = %s AND kind = 'items' AND count >= 100"
    )
    row = connection.execute(query.encode(), [layer]).fetchone()
    return float(row[0]) if row and row[0] else ROW_BYTES
