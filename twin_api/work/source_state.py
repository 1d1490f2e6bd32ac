"""What became of each source, kept in the database: a try is noted before it begins, so that a crash counts as one that failed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from twin_api.texts import Text

Outcome = Literal["running", "imported", "unchanged", "refused", "failed"]
Connection = psycopg.Connection[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class SourceState:
    """`content`, `said` and `known` are of the last good state; see migration 0008."""

    name: str
    since: datetime
    tried_at: datetime | None = None
    tried: str | None = None
    failures: int = 0
    outcome: Outcome | None = None
    reasons: Sequence[Mapping[str, str]] = ()
    good_at: datetime | None = None
    content: str | None = None
    said: str | None = None
    known: Mapping[str, str] = field(default_factory=dict)


def read_states(connection: Connection) -> dict[str, SourceState]:
    with connection.cursor(row_factory=class_row(SourceState)) as cursor:
        return {state.name: state for state in cursor.execute("SELECT * FROM control.source").fetchall()}


def take(connection: Connection, name: str) -> bool:
    """Whether this session may run the source; then nobody else may until the session ends."""
    row = connection.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [f"twin source {name}"]).fetchone()
    return row is not None and bool(row[0])


def meet(connection: Connection, names: Sequence[str], now: datetime) -> None:
    """Note sources that are new: from now on data are expected of them."""
    query = "INSERT INTO control.source (name, since) SELECT unnest(%s::text[]), %s ON CONFLICT DO NOTHING"
    connection.execute(query, [list(names), now])


def begin(connection: Connection, name: str, said: str, now: datetime) -> SourceState:
    """Note a try; says how things stood."""
    meet(connection, [name], now)
    before = read_states(connection)[name]
    query = (
        "UPDATE control.source SET tried_at = %s, tried = %s, failures = failures + 1, outcome = 'running', reasons = '[]' WHERE name = %s"
    )
    connection.execute(query, [now, said, name])
    return before


def succeed(connection: Connection, name: str, outcome: Outcome, now: datetime, content: str, said: str, known: Mapping[str, str]) -> None:
    """Note a good end; within the transaction of an import it is true exactly if that is."""
    connection.execute(
        "UPDATE control.source SET failures = 0, outcome = %s, good_at = %s, content = %s, said = %s, known = %s WHERE name = %s",
        [outcome, now, content, said, Jsonb(dict(known)), name],
    )


def fail_running(connection: Connection, names: Sequence[str]) -> None:
    """Note that these ended without a word: killed, or worse."""
    connection.execute("UPDATE control.source SET outcome = 'failed' WHERE name = ANY (%s) AND outcome = 'running'", [list(names)])


def fail(connection: Connection, name: str, outcome: Outcome, reasons: Sequence[Text]) -> None:
    """Note a bad end. What was good stays in the store, and noted."""
    told = [reason.as_json() for reason in reasons]
    connection.execute("UPDATE control.source SET outcome = %s, reasons = %s WHERE name = %s", [outcome, Jsonb(told), name])
