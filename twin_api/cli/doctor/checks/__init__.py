"""The shelf of checks: a file each, and the tuple that names them in the order they are told."""

from __future__ import annotations

from typing import Final

from twin_api.cli.doctor.check import Check
from twin_api.cli.doctor.checks import (
    backups,
    clock,
    coordinates,
    database,
    deadlines,
    disk,
    drift,
    grants,
    hardening,
    logins,
    migrations,
    neighbours,
    network,
    policies,
    processes,
    secrets,
    server,
    sources,
    upkeep,
    versions,
)

CHECKS: Final[tuple[Check, ...]] = (
    database.CHECK,
    versions.CHECK,
    migrations.CHECK,
    policies.CHECK,
    drift.CHECK,
    upkeep.CHECK,
    logins.CHECK,
    grants.CHECK,
    hardening.CHECK,
    neighbours.CHECK,
    server.CHECK,
    secrets.CHECK,
    processes.CHECK,
    network.CHECK,
    coordinates.CHECK,
    sources.CHECK,
    deadlines.CHECK,
    disk.CHECK,
    backups.CHECK,
    clock.CHECK,
)
