"""`twin policy …`: check, apply, drift and matrix of the policy files."""

from __future__ import annotations

import typer
from rich.progress import Progress
from rich.table import Table

from twin_api.cli import context
from twin_api.policy.check import APPROVALS_NOTE
from twin_api.policy.documents import Policies
from twin_api.policy.matrix import matrix
from twin_api.publish.apply import Plan, apply_policies
from twin_api.publish.bulk import hold_writers, published_layers, rebuild_layer
from twin_api.publish.drift import find_drift
from twin_api.publish.layers import missing_layers
from twin_api.publish.switch import SwitchBlocked
from twin_api.texts import Text

app = typer.Typer(no_args_is_help=True, help="Check, apply and compare the policy files.")


@app.command()
def check() -> None:
    """Load the policy folder and say everything that is wrong with it."""
    loaded = context.policies()
    layers, roles = len(loaded.layers), len(loaded.roles)
    context.say(Text(f"In Ordnung: {layers} Layer, {roles} Rollen.", f"All is well: {layers} layers, {roles} roles."))
    context.say(APPROVALS_NOTE)


@app.command()
def apply() -> None:
    """Publish what the policies grant; servers show it at once."""
    loaded = context.policies()
    with context.owner() as connection:
        absent = missing_layers(connection, loaded.layers)
        if absent:
            names = ", ".join(absent)
            context.fail(
                Text(
                    f"Im Speicher fehlen: {names}. Zuerst `twin layers apply` aufrufen.",
                    f"Not in the store: {names}. Run `twin layers apply` first.",
                )
            )
        with Progress(console=context.errors, transient=True) as bar:
            task = bar.add_task("…", total=None)
            try:
                plan = apply_policies(
                    connection, loaded, context.today(loaded), context.secrets(),
                    lambda what, done, total: bar.update(task, description=what, completed=done, total=total),
                )  # fmt: skip
            except SwitchBlocked:
                context.fail(_BLOCKED)
    context.say(_outcome(plan))


_BLOCKED = Text(
    "Jemand hält die veröffentlichten Tabellen fest; nichts wurde geändert. Später noch einmal versuchen.",
    "Somebody holds the published tables; nothing was changed. Try again later.",
)


def _outcome(plan: Plan) -> Text:
    shown = sum(len(entries) for entries in plan.wanted.values())
    return Text(
        f"Angewendet: {shown} Datensätze in {len(plan.wanted)} Zwillingen, {len(plan.new)} Tabellen neu gebaut, "
        f"{len(plan.stale)} entfernt, {len(plan.moved)} Sichten umgestellt.",
        f"Applied: {shown} collections in {len(plan.wanted)} twins, {len(plan.new)} tables built, {len(plan.stale)} dropped, "
        f"{len(plan.moved)} views moved.",
    )


@app.command()
def drift() -> None:
    """Compare every published table with what its definition yields now; exit code 1 if any differs."""
    with context.owner() as connection:
        found = find_drift(connection)
    wrong = [entry for entry in found if entry]
    for entry in wrong:
        context.say(Text(
            f"{entry.layer} ({entry.relation}): {entry.missing} Zeilen fehlen, {entry.surplus} zu viel, {entry.triggers_off} Auslöser "
            f"aus, Zahlen {'falsch' if entry.figures_wrong else 'richtig'}",
            f"{entry.layer} ({entry.relation}): {entry.missing} rows missing, {entry.surplus} surplus, {entry.triggers_off} triggers off, "
            f"figures {'wrong' if entry.figures_wrong else 'right'}",
        ))  # fmt: skip
    if wrong:
        context.fail(Text("Abweichungen gefunden. `twin policy rebuild` baut sie neu.", "Drift found. `twin policy rebuild` builds anew."))
    context.say(Text(f"Keine Abweichung in {len(found)} Tabellen.", f"No drift in {len(found)} tables."))


@app.command()
def rebuild() -> None:
    """Build every published table anew from the store; readers go on."""
    with context.owner() as connection:
        layers = published_layers(connection)
        with Progress(console=context.errors, transient=True) as bar:
            for layer in bar.track(layers, description="…"):
                with connection.transaction():
                    hold_writers(connection, layer)
                    rebuild_layer(connection, layer)
    context.say(Text(f"Neu gebaut: {len(layers)} Layer.", f"Built anew: {len(layers)} layers."))


@app.command(name="matrix")
def show_matrix() -> None:
    """Print who sees what today."""
    loaded = context.policies()
    context.console.print(_table(loaded))


def _table(loaded: Policies) -> Table:
    lang = context.settings().lang
    heads = (Text("Rolle", "Role"), Text("Datensatz", "Collection"), Text("Zeilen", "Rows"), Text("Geometrie", "Geometry"),
             Text("Merkmale", "Attributes"), Text("bis", "until"))  # fmt: skip
    table = Table(*(head.say(lang) for head in heads), show_lines=True)
    last = ""
    for row in matrix(loaded, context.today(loaded)):
        role, last = "" if row.role == last else row.role, row.role
        table.add_row(role, row.collection, row.rows, row.geometry, row.attributes, str(row.until or ""))
    return table
