"""The doctor called on a town of the tests, and its remedies taken at their word."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner, Result

from tests.towns import Town
from twin_api.cli import app, context
from twin_api.cli.doctor.check import Examined, examine
from twin_api.cli.doctor.checks import CHECKS
from twin_api.cli.doctor.patient import Patient
from twin_api.publish.bulk import hold_writers, published_layers, rebuild_layer
from twin_api.publish.migrate import migrate
from twin_api.settings import Settings


def settings(town: Town, **changed: Any) -> Settings:
    told = {"server": None, "database_url": town.admin, "policies": town.policies_folder, "home": town.folder}
    return town.settings(**{**told, **changed})


def call(monkeypatch: pytest.MonkeyPatch, told: Settings, *words: str) -> Result:
    """`twin doctor` as it is typed."""
    monkeypatch.setattr(context, "settings", lambda: told)
    return CliRunner().invoke(app, ["doctor", *words])


def look(town: Town, name: str, clock: Callable[[], datetime] = lambda: datetime.now(UTC), **changed: Any) -> Examined:
    """One check of the town as it is now."""
    patient = Patient(settings(town, **changed), clock)
    try:
        return examine(next(check for check in CHECKS if check.name == name), patient)
    finally:
        patient.close()


def complaints(examined: Examined) -> list[str]:
    """Faults and warnings in English, and why it could not look."""
    found = [f"{finding.severity}: {finding.what.say('en')}" for finding in examined.findings if finding.severity != "note"]
    return found + ([examined.unseen.say("en")] if examined.unseen else [])


def follow(town: Town, remedy: str) -> None:
    """Do what the remedy says: a command of ours, or SQL of a superuser."""
    for step in remedy.split(" && "):
        if step == "twin migrate":
            migrate(town.admin, town.secrets)
        elif step == "twin policy apply":
            town.apply()
        elif step == "twin policy rebuild":
            rebuild(town)
        else:
            assert step.endswith(";"), f"nobody can follow {step!r}"
            with town.superuser() as connection:
                connection.execute(step.encode())


def rebuild(town: Town) -> None:
    with town.login("owner") as connection:
        for layer in published_layers(connection):
            with connection.transaction():
                hold_writers(connection, layer)
                rebuild_layer(connection, layer)


def document(result: Result) -> dict[str, Any]:
    told: dict[str, Any] = orjson.loads(result.stdout)
    return told
