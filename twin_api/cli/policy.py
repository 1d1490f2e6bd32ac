"""`twin policy …`: check, apply, drift and matrix of the policy files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer
from rich.progress import Progress

from twin_api.cli import change, context, officer, question
from twin_api.cli.preview import preview
from twin_api.cli.prove import contained_policies, prove, say_proved
from twin_api.policy.approvals import missing_text
from twin_api.policy.documents import Policies
from twin_api.policy.lint import lint
from twin_api.policy.matrix import MatrixRow, matrix
from twin_api.publish.apply import Plan, applied_files
from twin_api.publish.bulk import hold_writers, published_layers, rebuild_layer
from twin_api.publish.bulk_beside import clear_left
from twin_api.publish.drift import find_drift
from twin_api.publish.layers import describe
from twin_api.texts import Text

app = typer.Typer(no_args_is_help=True, help="Check, apply and compare the policy files.")
app.command(name="lint")(officer.lint)
app.command(name="schema")(officer.schema)
app.command(name="report")(officer.report)
app.command(name="due")(officer.due)
app.command(name="diff")(change.diff)
app.command(name="preview")(preview)
app.command(name="prove")(prove)
app.command(name="history")(change.history)
app.command(name="revert")(change.revert)
app.command(name="refresh")(change.refresh)
app.command(name="test")(question.run_tests)
app.command(name="explain")(question.explain_policy)
app.command(name="approve")(question.approve_release)


@app.command()
def check(
    strict: Annotated[bool, typer.Option("--strict", help="exit code 1 if there are concerns")] = False,
) -> None:
    """Load the policy folder and say everything that is wrong with it, then what gives concern."""
    loaded = contained_policies()
    layers, roles = len(loaded.layers), len(loaded.roles)
    context.say(Text(f"In Ordnung: {layers} Layer, {roles} Rollen.", f"All is well: {layers} layers, {roles} roles."))
    waiting = {
        str(grant.place): grant for role in loaded.roles.values() for grants in role.grants.values() for grant in grants if grant.missing
    }
    for grant in waiting.values():
        context.say(missing_text(grant))
    say_proved(loaded)
    officer.say_concerns(lint(loaded), strict=strict)


@app.command()
def apply() -> None:
    """Publish what the policies grant; servers show it at once."""
    loaded = contained_policies()
    with context.owner() as connection:
        plan = context.applied(connection, loaded)
    for step in describe(plan.layers):
        context.say(step)
    context.say(_outcome(plan))


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
    """Compare every published table with what the applied policies yield now; exit code 1 if any differs."""
    loaded = context.policies()
    with context.owner() as connection:
        clear_left(connection)
        found, applied = find_drift(connection), applied_files(connection)
    wrong = [entry for entry in found if entry]
    for entry in wrong:
        context.say(Text(
            f"{entry.layer} ({entry.relation}): {entry.missing} Zeilen fehlen, {entry.surplus} zu viel, {entry.triggers_off} Auslöser "
            f"aus, Zahlen {'falsch' if entry.figures_wrong else 'richtig'}",
            f"{entry.layer} ({entry.relation}): {entry.missing} rows missing, {entry.surplus} surplus, {entry.triggers_off} triggers off, "
            f"figures {'wrong' if entry.figures_wrong else 'right'}",
        ))  # fmt: skip
    _note_unapplied(loaded, applied)
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


def _note_unapplied(loaded: Policies, applied: Mapping[str, str]) -> None:
    """Say it where the files are not those in force: drift speaks of what was applied."""
    names = {*loaded.files, *applied}
    changed = ", ".join(sorted(name for name in names if loaded.files.get(name) != applied.get(name)))
    if changed:
        context.say(Text(f"Geändert, aber noch nicht angewendet: {changed}", f"Changed but not applied yet: {changed}"))


@app.command(name="matrix")
def show_matrix(
    role: Annotated[str | None, typer.Option(help="this role alone")] = None,
) -> None:
    """Print who sees what today."""
    loaded = context.policies()
    last = None
    for row in matrix(loaded, context.today(loaded)):
        if role in (None, row.role):
            if row.role != last:
                typer.echo(f"\n{row.role}" if last else row.role)
            last = row.role
            typer.echo(_block(row))
    if last is None:
        context.fail(Text(f"Die Rolle {role} sieht nichts oder ist unbekannt.", f"The role {role} sees nothing or is unknown."))


def _block(row: MatrixRow) -> str:
    words = [("Zeilen", "rows", row.rows), ("Geometrie", "geometry", row.geometry), ("Attribute", "attributes", row.attributes),
             ("Zahlen", "figures", row.figures), ("bis", "until", str(row.until or ""))]  # fmt: skip
    lines = [f"  {row.collection}" + (f" ({row.layer})" if row.layer != row.collection else "")]
    lines += [f"    {Text(de, en).say(context.settings().lang):<10} {said}" for de, en, said in words if said]
    return "\n".join(lines)
