"""From the previous version's database to this one's: migrations, rights, and what this version publishes otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from twin_api.backup.in_force import plan_in_force, prove, publish_in_force
from twin_api.publish.apply import Progress
from twin_api.publish.ground import connect_administrator
from twin_api.publish.migrate import find_revision, list_revisions, migrate
from twin_api.store.engine import Server
from twin_api.store.secrets import Secrets


@dataclass(frozen=True, slots=True)
class Way:
    """What an upgrade has before it. `tables` is how many are published anew; None where only the migrated database can tell."""

    revision: str
    ahead: tuple[str, ...]
    tables: int | None

    def __bool__(self) -> bool:
        return bool(self.ahead or self.tables)


class TooNew(Exception):
    """The database was made by a newer version of the program, or holds no town."""


def find_way(admin: str, secrets: Secrets, now: datetime) -> Way:
    """Changes nothing. Raises `TooNew`."""
    revision, known = find_revision(admin), list_revisions()
    if revision not in known:
        raise TooNew()
    ahead = tuple(known[known.index(revision) + 1 :])
    if ahead:
        return Way(revision, ahead, None)
    with Server.of(admin, secrets).connect("owner") as connection:
        plan = plan_in_force(connection, now)
    return Way(revision, ahead, len(plan.new) if plan is not None else 0)


def upgrade(admin: str, secrets: Secrets, now: datetime, on_progress: Progress = lambda what, done, total: None) -> int:
    """Go it; says how many tables were published anew. Repeatable: what was done before it failed is found done.

    Servers go on serving: a migration waits for a lock two seconds at most, and the switch to new tables takes some milliseconds.
    Raises `StoreBusy`, `SwitchBlocked`, `LayersRefused`, `PolicyInvalid`, `NotTheSame`.
    """
    migrate(admin, secrets)
    with connect_administrator(admin) as connection:
        connection.execute("SELECT control.harden()")
    with Server.of(admin, secrets).connect("owner") as connection:
        connection.autocommit = True
        plan = publish_in_force(connection, secrets, now, on_progress)
        prove(connection)
    return len(plan.new) if plan is not None else 0
