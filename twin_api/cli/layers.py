"""`twin layers …`: the tables of the store."""

from __future__ import annotations

from typing import Any

import psycopg
import typer

from twin_api.cli import context
from twin_api.cli.infer import infer_layer
from twin_api.cli.origin import imports, origin
from twin_api.policy.documents import Policies
from twin_api.publish.layers import LayerPlan, LayersRefused, apply_layers, describe
from twin_api.texts import Text

app = typer.Typer(no_args_is_help=True, help="The tables of the store, as the layer files describe them.")
app.command(name="infer")(infer_layer)
app.command(name="imports")(imports)
app.command(name="origin")(origin)


@app.command()
def apply() -> None:
    """Let the store's tables follow the layer files; what is published changes with `twin policy apply`."""
    loaded = context.policies()
    with context.owner() as connection:
        plan = layers_apply(connection, loaded)
    done = describe(plan)
    for step in done or [Text("Der Speicher entspricht den Dateien.", "The store is what the files say.")]:
        context.say(step)
    if plan.left:
        left = ", ".join(plan.left)
        context.say(Text(f"Ohne Datei im Speicher, für niemanden sichtbar: {left}", f"In the store without a file, seen by nobody: {left}"))


def layers_apply(connection: psycopg.Connection[Any], loaded: Policies) -> LayerPlan:
    """Make the store follow the layer files; ends with all reasons where it cannot."""
    try:
        return apply_layers(connection, loaded.layers)
    except LayersRefused as refused:
        context.fail_all(refused.reasons)
