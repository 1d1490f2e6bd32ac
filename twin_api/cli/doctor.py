"""`twin doctor`: whether this machine, its database and its policies fit together; every finding with its remedy."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import typer

from twin_api.cli import context
from twin_api.imports.finding import Finding
from twin_api.imports.places.agreement import find_disagreements
from twin_api.imports.places.grids import offer_grids
from twin_api.texts import Text


@dataclass(frozen=True, slots=True)
class Check:
    """`look` yields what is wrong, and nothing if all is well."""

    title: Text
    look: Callable[[], Iterable[Finding]]


def look_at_coordinates() -> Iterable[Finding]:
    """The town's coordinate systems, transformed here and in the database."""
    offer_grids(context.settings().proj_data)
    policies = context.policies()
    targets = {policies.town.epsg} | {layer.geometry.epsg for layer in policies.layers.values() if layer.geometry is not None}
    with context.owner() as connection:
        return list(find_disagreements(connection, targets, policies.town.extent))


CHECKS: Final[tuple[Check, ...]] = (
    Check(
        Text("Koordinaten: Python und Datenbank rechnen gleich", "Coordinates: Python and database transform alike"), look_at_coordinates
    ),
)


def doctor() -> None:
    """Look for what is wrong with this machine and say what would mend it; exit code 1 if there is anything."""
    sound = True
    for check in CHECKS:
        findings = tuple(check.look())
        sound = sound and not findings
        mark = "✗" if findings else "✓"
        context.say(Text(f"{mark} {check.title.de}", f"{mark} {check.title.en}"))
        for finding in findings:
            text = finding.text()
            context.say(Text(f"    {text.de}", f"    {text.en}"))
    if not sound:
        raise typer.Exit(1)
