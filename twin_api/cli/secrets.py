"""`twin secrets …`: what a server process elsewhere needs to log in as its roles, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from twin_api.cli import context
from twin_api.cli.serve import hand_secrets, schemas_of
from twin_api.texts import Text

app = typer.Typer(no_args_is_help=True, help="Secrets of database roles, for servers of another user, container or machine.")


@app.callback()
def secrets() -> None:
    """With a callback, the one command keeps its name."""


@app.command()
def hand(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="folder for these secrets alone; a server's TWIN_SECRETS")],
    roles: Annotated[str, typer.Option(help="roles, separated by commas; all: every one, those to come included")] = "all",
) -> None:
    """Write the secrets of these roles to a folder, as files that only the folder's owner can read; repeatable."""
    names = schemas_of(roles)
    hand_secrets(names, folder)
    context.say(Text(f"Übergeben an {folder}: {roles}.", f"Handed to {folder}: {roles}."))
