"""`twin layers …`: the tables of the store."""

from __future__ import annotations

from typing import Any

import psycopg
import typer

from twin_api.cli import context
from twin_api.policy.documents import Policies
from twin_api.publish.layers import LayersOutcome, LayersRefused, apply_layers
from twin_api.texts import Text

app = typer.Typer(no_args_is_help=True, help="The tables of the store, as the layer files describe them.")


@app.command()
def apply() -> None:
    """Create and extend the store's tables; refuses what would lose or retype data."""
    loaded = context.policies()
    with context.owner() as connection:
        outcome = layers_apply(connection, loaded)
    created, grown = ", ".join(outcome.created) or "–", ", ".join(outcome.grown) or "–"
    context.say(Text(f"Neue Tabellen: {created}. Neue Attribute: {grown}.", f"New tables: {created}. New attributes: {grown}."))
    if outcome.left:
        left = ", ".join(outcome.left)
        context.say(Text(f"Ohne Datei im Speicher, für niemanden sichtbar: {left}", f"In the store without a file, seen by nobody: {left}"))


def layers_apply(connection: psycopg.Connection[Any], loaded: Policies) -> LayersOutcome:
    """Make the store follow the layer files; ends with all reasons where it cannot."""
    try:
        return apply_layers(connection, loaded.layers)
    except LayersRefused as refused:
        context.fail_all(refused.reasons)
