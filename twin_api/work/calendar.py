"""The calendar: what has to happen at its time whether or not anybody asks.

Must never apply policy files that nobody applied: it works from those that are in force.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import psycopg
from psycopg import sql

from twin_api.policy.load import load_texts
from twin_api.publish.apply import applied_files, apply_policies
from twin_api.store.secrets import Secrets

Connection = psycopg.Connection[tuple[Any, ...]]
Duty = Callable[[Connection, Secrets, datetime], int]


def close_expired_releases(connection: Connection, secrets: Secrets, now: datetime) -> int:
    """Take what is no longer released out of every twin; says how many collections that closed.

    Servers have not shown them since the release ended: this removes the rows as well.
    """
    expired = _expired(connection, now)
    if not expired:
        return 0
    policies = load_texts(applied_files(connection))
    # the store may have grown since: those files are not the last word on it
    apply_policies(connection, policies, now.astimezone(ZoneInfo(policies.town.time_zone)).date(), secrets, evolve=False)
    return expired


def _expired(connection: Connection, now: datetime) -> int:
    schemas = [schema for (schema,) in connection.execute("SELECT schema FROM published.role ORDER BY schema").fetchall()]
    count = sql.SQL("SELECT count(*) FROM {} WHERE shown_until <= %s")
    rows = [connection.execute(count.format(sql.Identifier(schema, "collection")), [now]).fetchone() for schema in schemas]
    return sum(int(row[0]) for row in rows if row)


DUTIES: Final[tuple[Duty, ...]] = (close_expired_releases,)


def do_duties(connection: Connection, secrets: Secrets, now: datetime) -> dict[str, int | Exception]:
    """Do all that is due at `now`; by duty, how many things were done, or why it failed: one that fails holds up no other."""
    return {duty.__name__: _attempt(duty, connection, secrets, now) for duty in DUTIES}


def _attempt(duty: Duty, connection: Connection, secrets: Secrets, now: datetime) -> int | Exception:
    try:
        return duty(connection, secrets, now)
    except Exception as error:
        return error
