"""`twin demo`: a small town from nothing: cluster, store, data, policies, server and worker."""

from __future__ import annotations

import ctypes
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Final, NamedTuple

import psycopg
import typer
from psycopg import sql
from rich.progress import Progress, TimeElapsedColumn

from twin_api.cli import context
from twin_api.cli.layers import layers_apply
from twin_api.cli.serve import refuse_taken_port
from twin_api.cli.tour import leads_somewhere, tour
from twin_api.imports.publishing import placing, publishing
from twin_api.imports.run import ImportRequest, run_import
from twin_api.layers.musterdorf import write_town
from twin_api.layers.musterdorf.plan import AGS, BY_DEFAULT, SMALLEST
from twin_api.policy.documents import Policies
from twin_api.publish.migrate import migrate
from twin_api.settings import carried
from twin_api.store.control import create_token, list_tokens, revoke_tokens
from twin_api.store.journal import Journal
from twin_api.texts import Text

TOKEN_NAME = "demo "  # noqa: S105  # the beginning of a name, no secret
PR_SET_PDEATHSIG = 1  # of Linux, <sys/prctl.h>
SAMPLE: Final = carried("sample", "policies")
TOKENS_LAST = timedelta(days=7)
LARGEST = 1_000_000

_OWN_CLUSTER = Text(
    "Die Vorführung füllt nur ihren eigenen Cluster: bitte ohne `TWIN_DATABASE_URL` aufrufen.",
    "The demo fills a cluster of its own only: call it without `TWIN_DATABASE_URL`.",
)


class _Place(NamedTuple):
    """Which sample town fills the empty layers."""

    seed: int
    size: int


def demo(
    port: Annotated[int, typer.Option(envvar="PORT", min=1, max=65535, help="port to listen on")] = 8000,
    host: Annotated[str, typer.Option(help="address to listen on")] = "127.0.0.1",
    seed: Annotated[int, typer.Option(help="chance the sample town is drawn from")] = 7,
    size: Annotated[int, typer.Option(min=SMALLEST, max=LARGEST, help="features of the sample town, about")] = BY_DEFAULT,
    prepare: Annotated[bool, typer.Option("--prepare", help="set everything up and stop before serving")] = False,
) -> None:
    """Set up a small town and serve its twins until Ctrl-C."""
    if context.settings().database_url is not None:
        context.fail(_OWN_CLUSTER)
    refuse_taken_port(host, port)
    _bring_policies()
    loaded = context.policies()
    rests = not context.cluster().is_running()
    try:
        is_new = _prepare(loaded, _Place(seed, size))
        if not prepare:
            _serve(loaded, host, port, first_time=is_new)
    finally:
        if rests:
            context.cluster().stop()


def _bring_policies() -> None:
    """Musterdorf's policies, in a folder that has none and where nobody has said that they lie elsewhere."""
    folder = context.settings().policies
    if "policies" in context.settings().model_fields_set or folder.exists():
        return
    with tempfile.TemporaryDirectory(dir=folder.absolute().parent, prefix=".twin-demo-") as draft:
        shutil.copytree(SAMPLE, Path(draft) / "policies").rename(folder)
    context.say(Text(f"Richtlinien von Musterdorf: {folder.absolute()}", f"Policies of Musterdorf: {folder.absolute()}"))


def _prepare(loaded: Policies, place: _Place) -> bool:
    """Everything up to serving; says whether there was nothing before."""
    context.say(Text("Datenbank …", "Database …"))
    migrate(context.administrator(founding=True), context.secrets())
    with context.owner() as connection:
        layers_apply(connection, loaded)
        is_new = _fill(connection, loaded, place)
        context.say(Text("Richtlinien …", "Policies …"))
        context.applied(connection, loaded)
    return is_new


def _fill(connection: psycopg.Connection[Any], loaded: Policies, place: _Place) -> bool:
    """The sample rows, once: what stands in a layer is left alone. Says whether there was anything to fill.

    Another town gets none of them: invented rows have no business among its own.
    """
    if loaded.town.ags != AGS:
        return False
    first = sql.SQL("SELECT 1 FROM {} LIMIT 1")
    empty = [name for name in loaded.layers if connection.execute(first.format(sql.Identifier("store", name))).fetchone() is None]
    if not empty:
        return False
    folder = context.settings().home / "sample"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    context.say(
        Text(
            f"Ort: Musterdorf, ganz und gar erfunden, etwa {place.size} Objekte …",
            f"Place: Musterdorf, invented from end to end, about {place.size} features …",
        )
    )
    with Progress(*Progress.get_default_columns(), TimeElapsedColumn(), console=context.errors, transient=True) as bar:
        drawn = bar.add_task(Text("Gelände und Häuser", "Land and houses").say(context.settings().lang), total=None)
        files = write_town(folder, place.seed, place.size, lambda layer, done, total: bar.update(drawn, completed=done, total=total))
        wanted = [name for name in empty if name in files]
        for name in bar.track(wanted, description=Text("In den Speicher", "Into the store").say(context.settings().lang)):
            run_import(
                ImportRequest([files[name]]),
                loaded.layers[name],
                context.owner_connection,
                journal=Journal(),
                around=publishing,
                placing=placing,
            )
    return True


def _make_tokens(loaded: Policies) -> Mapping[str, str]:
    """A fresh token for each role that wants one; those of earlier starts end."""
    pepper = context.secrets().ensure("pepper")
    tokens = {}
    with context.owner() as connection, connection.transaction():
        for token in list_tokens(connection):
            if token.name.startswith(TOKEN_NAME) and token.revoked_at is None:
                revoke_tokens(connection, token.id)
        for role in (role for role in loaded.roles.values() if role.access != "anonymous"):
            tokens[role.name] = create_token(connection, pepper, TOKEN_NAME + role.name, [role.name], TOKENS_LAST).text()
    return tokens


def _serve(loaded: Policies, host: str, port: int, *, first_time: bool) -> None:
    tokens = _make_tokens(loaded)
    signal.signal(signal.SIGTERM, _interrupt)
    quiet = ("--log-level", "warning")
    children = [_start("serve", "--host", host, "--port", str(port), *quiet), _start("work", *quiet)]
    try:
        _wait_until_ready(children[0], f"http://{host}:{port}/readyz")
        _introduce(f"http://{host}:{port}", tokens)
        if first_time:
            _lead_around()
        context.say(Text("\nEnde mit Strg-C.", "\nCtrl-C ends it."))
        sys.stdout.flush()
        while all(child.poll() is None for child in children):
            time.sleep(0.2)
        context.fail(Text("Ein Prozess ist unerwartet zu Ende gegangen.", "A process has ended unexpectedly."))
    except KeyboardInterrupt:
        context.say(Text("\nAuf Wiedersehen.", "\nGoodbye."))
    finally:
        _end(children)


def _start(*command: str) -> subprocess.Popen[bytes]:
    """A command of ours in a session of its own (Ctrl-C is for us, and we end it), which ends with us even if we are killed."""
    program = [sys.executable, "-m", "twin_api.cli", *command]
    return subprocess.Popen(program, start_new_session=True, preexec_fn=_end_with_parent)  # noqa: S603  # our own program


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _end(children: list[subprocess.Popen[bytes]]) -> None:
    for child in children:
        with suppress(ProcessLookupError):
            child.terminate()
    for child in children:
        try:
            child.wait(25)
        except subprocess.TimeoutExpired:
            child.kill()


def _wait_until_ready(server: subprocess.Popen[bytes], address: str) -> None:
    deadline = time.monotonic() + 60
    while server.poll() is None and time.monotonic() < deadline:
        with suppress(urllib.error.URLError, ConnectionError):
            urllib.request.urlopen(address, timeout=5).close()  # noqa: S310  # our own address
            return
        time.sleep(0.05)
    context.fail(Text("Der Server ist nicht gestartet.", "The server did not start."))


def _lead_around() -> None:
    """The tour, once; afterwards whoever wants it again calls it."""
    with context.owner() as connection:
        leads = leads_somewhere(connection)
    if leads:
        context.say(Text("\nEin Rundgang (noch einmal: `twin tour`):", "\nA tour (once more: `twin tour`):"))
        tour()


def _introduce(address: str, tokens: Mapping[str, str]) -> None:
    context.say(Text("\nDie Zwillinge stehen bereit:\n", "\nThe twins are ready:\n"))
    context.say(
        Text(f"  Bürgerzwilling, ohne Anmeldung:  {address}/citizen?f=html", f"  Citizen twin, anonymous:  {address}/citizen?f=html")
    )
    context.say(
        Text(
            "\nMit Token (gelten sieben Tage, die früherer Starts sind widerrufen):\n",
            "\nWith a token (valid for seven days, earlier ones are revoked):\n",
        )
    )
    width = max(len(role) for role in tokens)
    for role, token in tokens.items():
        context.console.print(f"  {address}/{role:<{width}}  {token}", markup=False)
    first = next(iter(tokens))
    example = f'curl -H "Authorization: Bearer {tokens[first]}" {address}/{first}/collections'
    context.say(Text(f"\nZum Beispiel:\n\n  {example}", f"\nFor example:\n\n  {example}"))
