"""The command `twin`. What a command needs is imported when it is called: a third of a short one's time would go into the others'."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.metadata import version as distribution_version
from typing import Annotated, Any, Final

import psycopg
import typer
from pydantic import ValidationError
from typer.core import TyperGroup

from twin_api.publish.switch import StoreBusy, SwitchBlocked
from twin_api.store.embedded import SocketFolderForeign
from twin_api.store.machine import ClusterFailed, PostgresMissing
from twin_api.store.secrets import SecretExposed, SecretMissing, SecretsNotOurs
from twin_api.texts import Text

# what can be wrong with a machine and is nobody's programming error; each says itself what to do
_FACTS: Final = (
    ClusterFailed,
    PostgresMissing,
    SocketFolderForeign,
    SecretExposed,
    SecretMissing,
    SecretsNotOurs,
    StoreBusy,
    SwitchBlocked,
)

COMMANDS: Final = {  # in the order of `--help`: a function, or an app of several commands, in a module of this package
    "policy": ("policy", "app"),
    "layers": ("layers", "app"),
    "token": ("token", "app"),
    "sources": ("sources", "app"),
    "secrets": ("secrets", "app"),
    "backup": ("backup", "app"),
    "restore": ("backup", "restore"),
    "upgrade": ("upgrade", "upgrade_town"),
    "demo": ("demo", "demo"),
    "init": ("init", "init_town"),
    "tour": ("tour", "tour"),
    "import": ("import_", "import_file"),
    "doctor": ("doctor.command", "doctor"),
    "evidence": ("evidence.command", "evidence"),
    "migrate": ("store", "migrate_store"),
    "stop": ("store", "stop_cluster"),
    "serve": ("serve", "serve"),
    "work": ("work", "work"),
    "withdraw": ("withdraw", "withdraw_collection"),
    "openapi": ("openapi", "write_openapi"),
    "problems": ("problems", "list_problems"),
}


class OnDemand(TyperGroup):
    """The commands by name, each imported when it is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name]
        found: Any = getattr(import_module(f"{__name__}.{module}"), name)
        if isinstance(found, typer.Typer):
            group = typer.main.get_group(found)
            group.name = cmd_name
            return group
        alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        alone.command(name=cmd_name)(found)
        return typer.main.get_command(alone)


app = typer.Typer(cls=OnDemand, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


def _say_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"twin-api {distribution_version('twin-api')}")
        raise typer.Exit


@app.callback()
def twin(
    version: Annotated[bool, typer.Option("--version", help="which version this is", is_eager=True, callback=_say_version)] = False,
) -> None:
    """Twin API: one store, three twins."""


def main() -> None:
    """The entry point: a fact ends a command with one line and exit code 1, and everything stands as before."""
    try:
        app()
    except _FACTS as fact:
        _end(Text(f"Das geht hier nicht: {fact}", f"This cannot be done here: {fact}"))
    except psycopg.OperationalError:
        _end(Text("Die Datenbank antwortet nicht. Läuft sie, stimmt ihre Adresse, und lief `twin migrate`?",
                  "The database does not answer. Does it run, is its address right, and did `twin migrate` run?"))  # fmt: skip
    except ValidationError as invalid:
        names = ", ".join(f"TWIN_{str(error['loc'][0]).upper()}" for error in invalid.errors() if error["loc"])
        print(f"{names}: ungültiger Wert, siehe docs/settings.md · invalid value, see docs/settings.md", file=sys.stderr)  # noqa: T201
        sys.exit(1)
    except PermissionError as error:
        _end(Text(f"Kein Zugriff auf {error.filename}", f"No access to {error.filename}"))


def _end(text: Text) -> None:
    from twin_api.cli import context

    context.errors.print(text.say(context.settings().lang), markup=False)
    sys.exit(1)
