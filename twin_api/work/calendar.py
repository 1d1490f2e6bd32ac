"""The calendar: what has to happen at its time whether or not anybody asks.

Must never apply policy files that nobody applied: it works from those that are in force.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import psycopg
from psycopg import sql

from twin_api.policy.load import load_applied
from twin_api.publish.apply import applied_files, apply_policies
from twin_api.publish.bulk import sync
from twin_api.publish.bulk_beside import clear_left
from twin_api.publish.withdraw import finish_withdrawals
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
    policies = load_applied(applied_files(connection))
    # the store may have grown since: those files are not the last word on it
    apply_policies(connection, policies, now.astimezone(ZoneInfo(policies.town.time_zone)).date(), secrets, evolve=False)
    return expired


def _expired(connection: Connection, now: datetime) -> int:
    schemas = [schema for (schema,) in connection.execute("SELECT schema FROM published.role ORDER BY schema").fetchall()]
    count = sql.SQL("SELECT count(*) FROM {} WHERE shown_until <= %s")
    rows = [connection.execute(count.format(sql.Identifier(schema, "collection")), [now]).fetchone() for schema in schemas]
    return sum(int(row[0]) for row in rows if row)


def show_what_is_due(connection: Connection, secrets: Secrets, now: datetime) -> int:
    """End embargoes whose day or moment has come; says how many published rows that changed."""
    return sum(sync(connection, relation) for relation in _shown_from_now(connection, timedelta()))


def _shown_from_now(connection: Connection, since: timedelta) -> list[str]:
    """Published tables of which an embargo has ended, and not later than `since` ago."""
    query = "SELECT relation, layer, due, zone, synced_at FROM published.definition WHERE due IS NOT NULL ORDER BY relation"
    return [relation for relation, *embargo in connection.execute(query).fetchall() if _has_come(connection, since, *embargo)]


def _has_come(connection: Connection, since: timedelta, layer: str, due: str, zone: str, synced_at: datetime) -> bool:
    """Whether a row's day or moment lies between the last look and `since` before now, by the database's clock."""
    moment = sql.SQL("{0}::timestamp AT TIME ZONE {1}" if _is_day(connection, layer, due) else "{0}").format(
        sql.Identifier(due), sql.Literal(zone)
    )
    query = sql.SQL("SELECT EXISTS (SELECT FROM {} WHERE {} > %s AND {} <= now() - %s)")
    row = connection.execute(query.format(sql.Identifier("store", layer), moment, moment), [synced_at, since]).fetchone()
    return row is not None and bool(row[0])


def _is_day(connection: Connection, layer: str, attribute: str) -> bool:
    query = "SELECT atttypid = 'date'::regtype FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attname = %s"
    row = connection.execute(query, [f'store."{layer}"', attribute]).fetchone()
    return row is not None and bool(row[0])


_PERIODS: Final = {"daily": "day", "weekly": "week", "monthly": "month", "quarterly": "quarter", "yearly": "year"}


def refresh_figures(connection: Connection, secrets: Secrets, now: datetime) -> int:
    """Take figures anew whose period has ended since they were last taken; says how many collections of figures that were.

    Figures over a layer that was empty then are taken as soon as it holds something: they have never been figures of anything.
    """
    relations = _stale_figures(connection, now)
    for relation in relations:
        sync(connection, relation)
    return len(relations)


def _stale_figures(connection: Connection, now: datetime) -> list[str]:
    query = "SELECT relation, layer, refresh, zone, synced_at, was_empty FROM published.definition WHERE kind = 'figures' ORDER BY relation"
    stale = []
    for relation, layer, refresh, zone, synced_at, was_empty in connection.execute(query).fetchall():
        ended = sql.SQL(
            "SELECT date_trunc({0}, %s::timestamptz AT TIME ZONE {1}) AT TIME ZONE {1} > %s OR (%s AND EXISTS (SELECT FROM {2}))"
        )
        words = sql.Literal(_PERIODS[refresh]), sql.Literal(zone), sql.Identifier("store", layer)
        row = connection.execute(ended.format(*words), [now, synced_at, was_empty]).fetchone()
        if row is not None and row[0]:
            stale.append(relation)
    return stale


def keep_out_withdrawn(connection: Connection, secrets: Secrets, now: datetime) -> int:
    """Finish withdrawals that were interrupted; says how many items were still shown."""
    return finish_withdrawals(connection)


def clear_what_was_left(connection: Connection, secrets: Secrets, now: datetime) -> int:
    """Drop what imports have built beside the twins and were killed over; says of how many."""
    return clear_left(connection)


DUTIES: Final[tuple[Duty, ...]] = (
    keep_out_withdrawn, close_expired_releases, show_what_is_due, refresh_figures, clear_what_was_left,
)  # fmt: skip


def do_duties(connection: Connection, secrets: Secrets, now: datetime) -> dict[str, int | Exception]:
    """Do all that is due at `now`; by duty, how many things were done, or why it failed: one that fails holds up no other."""
    return {duty.__name__: _attempt(duty, connection, secrets, now) for duty in DUTIES}


@dataclass(frozen=True, slots=True)
class Undone:
    """What a worker that runs would have done by now."""

    releases: int
    embargoes: int
    figures: int


def find_undone(connection: Connection, now: datetime, grace: timedelta) -> Undone:
    """What has been due for longer than `grace`; changes nothing."""
    return Undone(
        _expired(connection, now - grace),
        len(_shown_from_now(connection, grace)),
        len(_stale_figures(connection, now - grace)),
    )


def _attempt(duty: Duty, connection: Connection, secrets: Secrets, now: datetime) -> int | Exception:
    try:
        return duty(connection, secrets, now)
    except Exception as error:
        return error
