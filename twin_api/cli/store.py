"""`twin migrate`: the database follows the program."""

from __future__ import annotations

from typing import Annotated

import typer

from twin_api.cli import context
from twin_api.publish.migrate import StoreUnfit, downgrade, migrate
from twin_api.texts import Text


def migrate_store(
    to: Annotated[str, typer.Option(help="revision to go to; head is the newest, base the start")] = "head",
    down: Annotated[bool, typer.Option("--down", help="go back to an earlier revision; the rows of the store stay")] = False,
) -> None:
    """Bring the database up to date: roles, functions, hardening, control tables."""
    admin = context.administrator(founding=not down)
    try:
        if down:
            downgrade(admin, to)
        else:
            migrate(admin, context.secrets(), to)
    except StoreUnfit as unfit:
        context.fail(Text(f"Diese Datenbank geht nicht: {unfit}.", f"This database will not do: {unfit}."))
    context.say(Text("Die Datenbank ist auf dem Stand.", "The database is up to date."))


def stop_cluster() -> None:
    """Stop the private cluster; every command that needs it starts it again."""
    context.cluster().stop()
    context.say(Text("Der private Cluster ruht.", "The private cluster rests."))
