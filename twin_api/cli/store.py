"""`twin migrate`: the database follows the program."""

from __future__ import annotations

from typing import Annotated

import typer

from twin_api.cli import context
from twin_api.publish.migrate import StoreUnfit, downgrade, is_superuser, migrate
from twin_api.texts import Text

_PARTLY_OPEN = Text(
    "Der Verwalter ist kein Superuser: was PostgreSQL und PostGIS jedem erlauben (Größen und Statistik fremder Tabellen), bleibt offen.",
    "The administrator is no superuser: what PostgreSQL and PostGIS allow everybody (sizes and statistics of others' tables) stays open.",
)


def migrate_store(
    to: Annotated[str, typer.Option(help="revision to go to; head is the newest, base the start")] = "head",
    down: Annotated[bool, typer.Option("--down", help="go back to an earlier revision; the rows of the store stay")] = False,
) -> None:
    """Bring the database up to date: roles, functions, hardening, control tables."""
    admin = context.administrator(founding=not down)
    try:
        if down:
            downgrade(admin, context.secrets(), to)
        else:
            migrate(admin, context.secrets(), to)
    except StoreUnfit as unfit:
        context.fail(Text(f"Diese Datenbank geht nicht: {unfit}.", f"This database will not do: {unfit}."))
    context.say(Text("Die Datenbank ist auf dem Stand.", "The database is up to date."))
    if not is_superuser(admin):
        context.say(_PARTLY_OPEN)


def stop_cluster() -> None:
    """Stop the private cluster; every command that needs it starts it again."""
    context.cluster().stop()
    context.say(Text("Der private Cluster ruht.", "The private cluster rests."))
