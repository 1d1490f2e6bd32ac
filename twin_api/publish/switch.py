"""The moment of a switch: the locks on what readers read, had quickly or given back.

INVARIANT: waiting for a lock never makes a reader wait longer than `LOCK_WAIT_MS` at a time, and no reader within its own
statement timeout is ever ended.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Final

import psycopg

from twin_api.publish.statement import quoted

LOCK_WAIT_MS: Final = 200
PATIENCE_S: Final = 3.0
READERS_TIMEOUT: Final = "2 seconds"  # the statement timeout of every reader's login
GIVE_UP_S: Final = 30.0


class SwitchBlocked(Exception):
    """The locks could not be had: somebody who is no reader holds a twin's tables. Nothing was changed."""


class StoreBusy(Exception):
    """Somebody holds what a migration has to change."""

    def __init__(self) -> None:
        super().__init__("somebody holds tables that have to be changed; try again later, what is done already stays")


def lock_for_switch(connection: psycopg.Connection[tuple[Any, ...]], views: Sequence[tuple[str, str]]) -> None:
    """Lock the views with the tables under them against readers, until the end of the transaction.

    A collection that does not exist yet has nothing to lock. Writers whose changes show are waited for first, while readers go on.
    """
    try:
        connection.execute("LOCK TABLE published.definition IN SHARE ROW EXCLUSIVE MODE")
    except psycopg.errors.LockNotAvailable:
        raise SwitchBlocked() from None
    names = [name for name in (quoted(*view) for view in sorted(set(views))) if _exists(connection, name)]
    if not names:
        return
    connection.execute(f"SET LOCAL lock_timeout = {LOCK_WAIT_MS}".encode())
    started = time.monotonic()
    while not _try_lock(connection, names):
        waited = time.monotonic() - started
        if waited > GIVE_UP_S:
            raise SwitchBlocked()
        if waited > PATIENCE_S:
            _end_overdue_readers(connection, names)
        time.sleep(0.05)


def _try_lock(connection: psycopg.Connection[tuple[Any, ...]], names: Sequence[str]) -> bool:
    try:
        with connection.transaction():
            connection.execute(f"LOCK TABLE {', '.join(names)} IN ACCESS EXCLUSIVE MODE".encode())
    except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
        return False
    return True


def _exists(connection: psycopg.Connection[tuple[Any, ...]], name: str) -> bool:
    row = connection.execute("SELECT to_regclass(%s)", [name]).fetchone()
    return row is not None and row[0] is not None


def _end_overdue_readers(connection: psycopg.Connection[tuple[Any, ...]], names: Sequence[str]) -> None:
    connection.execute(
        "SELECT control.end_readers(array_agg(DISTINCT r), %s) FROM (SELECT to_regclass(n)::oid AS r FROM unnest(%s::text[]) AS n "
        "UNION SELECT s.relation FROM unnest(%s::text[]) AS n, LATERAL (SELECT d.refobjid AS relation FROM pg_rewrite w JOIN pg_depend d "
        "ON d.objid = w.oid WHERE w.ev_class = to_regclass(n) AND d.refclassid = 'pg_class'::regclass) AS s) AS relations",
        [READERS_TIMEOUT, list(names), list(names)],
    )
