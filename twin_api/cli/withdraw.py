"""`twin withdraw`: out of every twin at once, and kept out until it is lifted."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import typer

from twin_api.cli import context
from twin_api.policy.load import load_applied
from twin_api.publish.apply import applied_files
from twin_api.publish.withdraw import Connection, NothingToWithdraw, NotWithdrawn, heeds_withdrawals, list_withdrawn, withdraw
from twin_api.publish.withdraw import lift as lift_withdrawal
from twin_api.texts import Text


def withdraw_collection(
    collection: Annotated[str | None, typer.Argument(metavar="COLLECTION", help="The collection, as twins show it.")] = None,
    id_: Annotated[UUID | None, typer.Option("--id", help="One item alone, from every collection over the same layer.")] = None,
    lift: Annotated[bool, typer.Option("--lift", help="Show it again where the policies grant it.")] = False,
) -> None:
    """Take a collection or an item out of every twin within two seconds, without any approval; without a name: list what is withdrawn."""
    with context.owner() as connection:
        if collection is None:
            _list(connection)
        elif lift:
            _lift(connection, collection, id_)
        else:
            _withdraw(connection, collection, id_)


def _withdraw(connection: Connection, collection: str, item: UUID | None) -> None:
    try:
        told = withdraw(connection, collection, item)
    except NothingToWithdraw:
        what = f"`{collection}`" + (f" {item}" if item else "")
        context.fail(Text(f"Kein Zwilling zeigt {what}. Nichts wurde geändert.", f"No twin shows {what}. Nothing was changed."))
    what = f"{collection} {item}" if item else collection
    context.say(Text(f"Zurückgezogen: {what}. Kein Zwilling zeigt es mehr.", f"Withdrawn: {what}. No twin shows it any more."))
    if item is None and told.others:
        others = ", ".join(f"{role}: {name}" for role, name in told.others)
        context.say(
            Text(
                f"Aus demselben Layer `{told.layer}` weiterhin gezeigt: {others}",
                f"Still shown from the same layer `{told.layer}`: {others}",
            )
        )
    command = f"twin withdraw --lift {collection}" + (f" --id {item}" if item else "")
    context.say(
        Text(f"Spätere Anwendungen ändern daran nichts. Aufheben: {command}", f"Later applies change nothing about it. Lift it: {command}")
    )
    if item is None or not heeds_withdrawals(connection, told.layer):
        _apply_again(connection)


def _lift(connection: Connection, collection: str, item: UUID | None) -> None:
    try:
        lift_withdrawal(connection, collection, item)
    except NotWithdrawn:
        context.fail(
            Text(
                "Das ist nicht zurückgezogen. `twin withdraw` listet, was es ist.", "That is not withdrawn. `twin withdraw` lists what is."
            )
        )
    if item is None:
        _apply_again(connection)
    context.say(Text("Wieder gezeigt, wo die Richtlinien es gewähren.", "Shown again where the policies grant it."))


def _apply_again(connection: Connection) -> None:
    """The policies in force once more: tables of what is withdrawn go, those of what was lifted are built."""
    files = applied_files(connection)
    if files:
        context.applied(connection, load_applied(files), evolve=False)


def _list(connection: Connection) -> None:
    rows = list_withdrawn(connection)
    if not rows:
        context.say(Text("Nichts ist zurückgezogen.", "Nothing is withdrawn."))
    for collection, item, at in rows:
        typer.echo(f"{at:%Y-%m-%d %H:%M}  {collection}" + (f"  {item}" if item else ""))
