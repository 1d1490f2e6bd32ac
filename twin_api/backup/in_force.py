"""The policies in force, published anew by this version of the program.

Must never apply policy files that nobody applied, nor change the store's tables.
"""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from twin_api.backup.tables import Connection
from twin_api.policy.documents import Policies
from twin_api.policy.load import load_texts
from twin_api.publish.apply import Plan, Progress, applied_files, apply_policies, make_plan
from twin_api.publish.drift import find_drift
from twin_api.publish.layers import LayersRefused, check_layers
from twin_api.publish.statement import execute_one
from twin_api.publish.unread import unread_statements
from twin_api.store.secrets import Secrets


class NotTheSame(Exception):
    """What came of it is not what it should be."""

    def __init__(self, what: list[str]) -> None:
        super().__init__(", ".join(what))
        self.what = tuple(what)


def find_in_force(connection: Connection) -> Policies | None:
    """None before the first apply. Raises `PolicyInvalid` where this version of the program does not take them."""
    files = applied_files(connection)
    return load_texts(files) if files else None


def publish_in_force(connection: Connection, secrets: Secrets, now: datetime, on_progress: Progress) -> Plan | None:
    """Publish what this version would publish otherwise; connection of the owner, not in a transaction."""
    policies = find_in_force(connection)
    if policies is None:
        return None
    reasons = check_layers(connection, policies.layers)
    if reasons:
        raise LayersRefused(reasons)
    with connection.transaction():
        for layer in policies.layers.values():
            for statement in unread_statements(layer):
                execute_one(connection, statement)
    return apply_policies(connection, policies, _day(policies, now), secrets, on_progress, evolve=False)


def plan_in_force(connection: Connection, now: datetime) -> Plan | None:
    """What that would do; changes nothing."""
    policies = find_in_force(connection)
    return make_plan(connection, policies, _day(policies, now)) if policies is not None else None


def prove(connection: Connection) -> None:
    """Raises `NotTheSame` with the layers whose published tables are not what the policies say."""
    wrong = sorted({entry.layer for entry in find_drift(connection) if entry})
    if wrong:
        raise NotTheSame(wrong)


def _day(policies: Policies, now: datetime) -> date:
    return now.astimezone(ZoneInfo(policies.town.time_zone)).date()
