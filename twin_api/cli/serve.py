"""`twin serve`: a server process that holds the logins of its roles and nothing else."""

from __future__ import annotations

import os
import resource
import socket
import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from twin_api.cli import context
from twin_api.identity.subject import CITIZEN, is_role, schema_of
from twin_api.seeing.logs import Level
from twin_api.seeing.shared import make_shared
from twin_api.texts import Text

# settings that a server needs besides where PostgreSQL is
_HANDED_ON: Final = (
    "lang", "base_url", "council_origins", "pool_size", "pool_wait_s", "requests", "waiting", "request_s", "rate", "burst",
    "trusted_proxies", "proxy_headers", "connections", "drain_s", "log_level", "traced",
)  # fmt: skip


def serve(
    roles: Annotated[str, typer.Option(help="roles to serve, separated by commas; all: every one")] = "all",
    host: Annotated[str, typer.Option(help="address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(envvar="PORT", min=1, max=65535, help="port to listen on")] = 8000,
    workers: Annotated[int, typer.Option(min=1, max=64, help="processes")] = 1,
    metrics_port: Annotated[int, typer.Option(envvar="TWIN_METRICS_PORT", min=0, max=65535, help="port of the metrics; 0: none")] = 0,
    log_level: Annotated[Level | None, typer.Option(help="the least that is logged; TWIN_LOG_LEVEL unless given")] = None,
) -> None:
    """Serve the twins. The process that listens is started with the secrets of its roles alone."""
    refuse_taken_port(host, port)
    environment = serving_environment(roles)
    if log_level:
        environment["TWIN_LOG_LEVEL"] = log_level
    if metrics_port:
        environment |= _metrics(metrics_port, shared=workers > 1)
    _open_files_up_to_the_most()
    shown = Text(f"Bedient {roles} auf http://{host}:{port}. Ende mit Strg-C.", f"Serving {roles} on http://{host}:{port}. Ctrl-C ends it.")
    context.errors.print(shown.say(context.settings().lang), markup=False)
    command = [sys.executable, "-m", "twin_api.door.listening", host, str(port), str(workers)]
    os.execve(sys.executable, command, environment)  # noqa: S606  # our own interpreter, no shell


def _metrics(port: int, *, shared: bool) -> dict[str, str]:
    """What a server needs to tell metrics; several processes write theirs where each of them can read all."""
    told = context.settings()
    refuse_taken_port(told.metrics_host, port, "TWIN_METRICS_PORT")
    metrics = {"TWIN_METRICS_PORT": str(port), "TWIN_METRICS_HOST": told.metrics_host}
    if shared:
        folder = str(make_shared())
        metrics |= {"TWIN_METRICS_FOLDER": folder, "PROMETHEUS_MULTIPROC_DIR": folder}
    return metrics


def _open_files_up_to_the_most() -> None:
    """A connection is an open file, and many systems allow 1024 unless asked for more."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def refuse_taken_port(host: str, port: int, setting: str = "PORT") -> None:
    try:
        socket.create_server((host, port)).close()
    except PermissionError:
        context.fail(
            Text(
                f"Port {port} ist nicht erlaubt: mit {setting}=… einen ab 1024 wählen.",
                f"Port {port} is not permitted: choose one from 1024 on with {setting}=….",
            )
        )
    except OSError:
        context.fail(
            Text(
                f"Port {port} ist belegt: mit {setting}=… einen anderen wählen.", f"Port {port} is taken: choose another with {setting}=…."
            )
        )


def serving_environment(roles: str) -> dict[str, str]:
    """The environment of a server for `roles`: where PostgreSQL is, a folder with these roles' secrets, and no administrator's word."""
    names = schemas_of(roles)
    folder = _folder(names)
    address = context.settings().server or context.server().address
    if context.settings().server is None:
        hand_secrets(names, folder)
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("TWIN_", "PG"))}
    told = context.settings()
    serving = {f"TWIN_{name.upper()}": str(getattr(told, name)) for name in _HANDED_ON}
    return kept | serving | {"TWIN_SERVER": address, "TWIN_SECRETS": str(folder), "TWIN_ROLES": roles}


def schemas_of(roles: str) -> list[str]:
    """The schemas of the roles in a list such as `council,administration/bauhof`; ends where one is no role."""
    words = [role.strip() for role in roles.split(",")]
    strange = [word for word in words if word != "all" and not is_role(word)]
    if strange:
        listed = ", ".join(strange)
        context.fail(Text(f"Keine Rollen: {listed}. Rollen heißen wie ihr Pfad, etwa council oder administration/bauhof.",
                          f"No roles: {listed}. A role is called like its path, such as council or administration/bauhof."))  # fmt: skip
    return [schema_of(word) for word in words]


def _folder(names: list[str]) -> Path:
    """One folder per set of roles; where secrets were handed to us already, that one."""
    told = context.settings()
    if told.server is not None:
        return told.secrets_folder.absolute()
    return (told.home / "serve" / "-".join(sorted(names))).absolute()


def hand_secrets(names: list[str], folder: Path) -> None:
    """Make `folder` hold the secrets of these roles; what tells tokens apart goes with them unless they are the citizen alone."""
    secrets = context.secrets()
    identity = () if names == [CITIZEN] else ("control", "pepper")
    secrets.ensure("pepper")
    absent = [name for name in names if name != "all" and not secrets.has(name)]
    if absent:
        known = ", ".join(absent)
        context.fail(
            Text(
                f"Diese Rollen gibt es nicht: {known}. Erst `twin policy apply`.",
                f"There are no such roles: {known}. Run `twin policy apply` first.",
            )
        )
    secrets.hand(None if names == ["all"] else names, folder, also=identity)
