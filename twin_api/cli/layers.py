"""`twin layers …`: the tables of the store."""

from __future__ import annotations

import typer

from twin_api.cli import context
from twin_api.publish.layers import LayersRefused, apply_layers
from twin_api.texts import Text

app = typer.Typer(no_args_is_help=True, help="The tables of the store, as the layer files describe them.")


@app.command()
def apply() -> None:
    """Create and extend the store's tables; refuses what would lose or retype data."""
    loaded = context.policies()
    with context.owner() as connection:
        try:
            outcome = apply_layers(connection, loaded.layers)
        except LayersRefused as refused:
            lines = [reason.say(context.settings().lang) for reason in refused.reasons]
            context.fail(Text("\n".join(lines), "\n".join(lines)))
    created, grown = ", ".join(outcome.created) or "–", ", ".join(outcome.grown) or "–"
    context.say(Text(f"Neue Tabellen: {created}. Neue Merkmale: {grown}.", f"New tables: {created}. New attributes: {grown}."))
