"""What every command needs: settings, policies, the way to the store, and how to speak to people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from functools import cache
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

import psycopg
import typer
from psycopg import conninfo
from rich.console import Console
from rich.progress import Progress

from twin_api.policy.documents import Policies
from twin_api.policy.finding import PolicyInvalid, render
from twin_api.policy.load import load
from twin_api.publish.apply import Plan, apply_policies
from twin_api.publish.layers import LayersRefused, check_layers
from twin_api.publish.switch import SwitchBlocked
from twin_api.settings import Settings
from twin_api.store.embedded import Cluster
from twin_api.store.engine import Server
from twin_api.store.secrets import SecretMissing, Secrets
from twin_api.texts import Text

console = Console(highlight=False, soft_wrap=True)
errors = Console(stderr=True, highlight=False, soft_wrap=True)


NOT_SET_UP = Text(
    "Die Datenbank ist noch nicht eingerichtet. Zuerst `twin migrate` aufrufen (liegt `TWIN_HOME` richtig?).",
    "There is no database yet. Run `twin migrate` first (does `TWIN_HOME` point to the right place?).",
)


@cache
def settings() -> Settings:
    return Settings()


def say(text: Text) -> None:
    console.print(text.say(settings().lang), markup=False)


def fail(text: Text) -> NoReturn:
    """Say what is wrong and end with exit code 1."""
    errors.print(text.say(settings().lang), markup=False)
    raise typer.Exit(1)


def fail_all(texts: Sequence[Text]) -> NoReturn:
    """Say everything that is wrong, a line each."""
    fail(Text("\n".join(text.de for text in texts), "\n".join(text.say("en") for text in texts)))


def policies() -> Policies:
    """The policy folder, loaded; ends with all findings and exit code 1 if it does not hold."""
    folder = settings().policies
    if not folder.exists():
        fail(Text(f"Hier ist kein Ordner {folder}: in den der Gemeinde wechseln, TWIN_POLICIES setzen oder mit `twin init` einen anlegen.",
                  f"There is no folder {folder} here: go to the town's, set TWIN_POLICIES, or make one with `twin init`."))  # fmt: skip
    try:
        return load(folder)
    except PolicyInvalid as invalid:
        errors.print(render(invalid.findings, settings().lang), markup=False)
        raise typer.Exit(1) from None


def today(loaded: Policies) -> date:
    """The day in the town's own time: releases end with it."""
    return datetime.now(ZoneInfo(loaded.town.time_zone)).date()


def secrets() -> Secrets:
    return Secrets(settings().secrets_folder)


@cache
def cluster() -> Cluster:
    """The private cluster; for commands that find no `TWIN_DATABASE_URL`."""
    return Cluster(settings().home, secrets())


def administrator(*, founding: bool = False) -> str:
    """The administrator's connection to the town's database; starts the private cluster if it rests.

    Only `founding` makes a cluster where there is none: no other command leaves something behind in a folder it was called in by mistake.
    """
    url = settings().database_url
    if url is not None:
        return _checked(url.get_secret_value())
    if not founding and not cluster().data.exists():
        fail(NOT_SET_UP)
    cluster().ensure_running()
    return cluster().conninfo(settings().database)


def _checked(url: str) -> str:
    try:
        told = conninfo.conninfo_to_dict(url)
        if told.get("dbname"):
            return conninfo.make_conninfo(url)
    except psycopg.ProgrammingError:
        pass  # its text quotes the address, password and all
    fail(Text("`TWIN_DATABASE_URL` ist keine Adresse wie postgresql://nutzer:kennwort@rechner/datenbank.",
              "`TWIN_DATABASE_URL` is no address such as postgresql://user:password@host/database."))  # fmt: skip


def server() -> Server:
    """Where PostgreSQL is, without credentials."""
    return Server.of(administrator(), secrets())


def owner_connection() -> psycopg.Connection[tuple[Any, ...]]:
    """A connection as `<database>_owner`, autocommit."""
    try:
        connection = server().connect("owner")
    except SecretMissing:
        fail(NOT_SET_UP)
    connection.autocommit = True
    return connection


_BLOCKED = Text(
    "Jemand hält die veröffentlichten Tabellen fest; nichts wurde geändert. Später noch einmal versuchen.",
    "Somebody holds the published tables; nothing was changed. Try again later.",
)


def applied(connection: psycopg.Connection[tuple[Any, ...]], loaded: Policies, *, evolve: bool = True) -> Plan:
    """Apply policies with a bar; ends with the reasons where they cannot be, and then nothing was changed.

    `evolve=False` for policies that were in force before: the store is left as it is, and has to be as they need it.
    """
    reasons = [] if evolve else check_layers(connection, loaded.layers)
    if reasons:
        fail_all(reasons)
    with Progress(console=errors, transient=True) as bar:
        task = bar.add_task("…", total=None)
        try:
            return apply_policies(
                connection, loaded, today(loaded), secrets(),
                lambda what, done, total: bar.update(task, description=what, completed=done, total=total),
                evolve=evolve,
            )  # fmt: skip
        except LayersRefused as refused:
            fail_all(refused.reasons)
        except SwitchBlocked:
            fail(_BLOCKED)


@contextmanager
def owner() -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    connection = owner_connection()
    try:
        yield connection
    finally:
        connection.close()
