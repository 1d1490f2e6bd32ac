"""The command `twin`."""

from __future__ import annotations

import sys

import psycopg
import typer
from pydantic import ValidationError

from twin_api.cli import backup, context, layers, policy, secrets, sources, token
from twin_api.cli.demo import demo
from twin_api.cli.doctor.command import doctor
from twin_api.cli.import_ import import_file
from twin_api.cli.init import init_town
from twin_api.cli.openapi import write_openapi
from twin_api.cli.serve import serve
from twin_api.cli.store import migrate_store, stop_cluster
from twin_api.cli.tour import tour
from twin_api.cli.upgrade import upgrade_town
from twin_api.cli.withdraw import withdraw_collection
from twin_api.cli.work import work
from twin_api.publish.migrate import StoreBusy
from twin_api.publish.switch import SwitchBlocked
from twin_api.store.embedded import SocketFolderForeign
from twin_api.store.machine import ClusterFailed, PostgresMissing
from twin_api.store.secrets import SecretExposed, SecretMissing, SecretsNotOurs
from twin_api.texts import Text

# what can be wrong with a machine and is nobody's programming error; each says itself what to do
_FACTS = (ClusterFailed, PostgresMissing, SocketFolderForeign, SecretExposed, SecretMissing, SecretsNotOurs, StoreBusy, SwitchBlocked)

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="Twin API: one store, three twins.")
app.add_typer(policy.app, name="policy")
app.add_typer(layers.app, name="layers")
app.add_typer(token.app, name="token")
app.add_typer(sources.app, name="sources")
app.add_typer(backup.app, name="backup")
app.command(name="restore")(backup.restore)
app.add_typer(secrets.app, name="secrets")
app.command(name="demo")(demo)
app.command(name="init")(init_town)
app.command(name="tour")(tour)
app.command(name="import")(import_file)
app.command(name="doctor")(doctor)
app.command(name="migrate")(migrate_store)
app.command(name="upgrade")(upgrade_town)
app.command(name="stop")(stop_cluster)
app.command(name="serve")(serve)
app.command(name="work")(work)
app.command(name="withdraw")(withdraw_collection)
app.command(name="openapi")(write_openapi)


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
    context.errors.print(text.say(context.settings().lang), markup=False)
    sys.exit(1)
