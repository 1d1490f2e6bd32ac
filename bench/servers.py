"""The three servers that are compared, each under uvicorn with uvloop and httptools, with as many workers and connections."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlencode

from bench.town import PROJECT, Town

Name = Literal["ours", "limit", "tipg"]
Cursors = Mapping[Name, Mapping[str, str]]  # what each server is asked for to go on after so many features
ITEMS: Mapping[Name, str] = {"ours": "/citizen/collections/gebaeude/items", "limit": "/items", "tipg": "/collections/public.gebaeude/items"}
NAMES: tuple[Name, ...] = ("ours", "limit", "tipg")
WORKERS = 2
POOL = 8  # database connections per worker
_TICK_MS = 1000 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks for, in words of no server: an item, or a page, in a box, by a filter, or after others."""

    id: str = ""
    limit: int = 0
    bbox: str = ""
    filter: str = ""  # CQL2 text
    cursor: Cursors = field(default_factory=dict, hash=False)

    def path(self, server: Name) -> str:
        if self.id:
            return f"{ITEMS[server]}/{self.id}"
        asked = {"limit": str(self.limit)} | ({"bbox": self.bbox} if self.bbox else {})
        if self.filter:
            asked |= {"filter": self.filter, "filter-lang": "cql2-text"}
        asked |= self.cursor.get(server, {})
        return f"{ITEMS[server]}?{urlencode(asked, safe=',')}"


@dataclass(frozen=True, slots=True)
class Serving:
    name: Name
    port: int
    pid: int

    def get(self, asked: Asked) -> bytes:
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{asked.path(self.name)}", headers={"Accept": "application/geo+json"})
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310  # our own address
            body: bytes = answer.read()
            return body

    def cpu_ms(self) -> float:
        """Processor time of all its processes so far."""
        return sum(_spent_ms(pid) for pid in family(self.pid))


@contextmanager
def serving(town: Town, names: Sequence[Name] = NAMES) -> Iterator[Mapping[Name, Serving]]:
    with ExitStack() as stack:
        yield {name: stack.enter_context(_serve(town, name)) for name in names}


def cpu_ms_of_postgres(postmaster: int) -> float:
    """Of all backends, those included that have ended."""
    fields = _fields(postmaster)
    ended = (int(fields[13]) + int(fields[14])) * _TICK_MS  # cutime, cstime
    return ended + sum(_spent_ms(pid) for pid in family(postmaster))


@contextmanager
def _serve(town: Town, name: Name) -> Iterator[Serving]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [_python(town, name), "-m", "uvicorn", *_application(name), "--port", str(port), "--workers", str(WORKERS), *_FLAGS]
    with (town.home / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=town.home, env=_environment(town, name), stdout=log, stderr=log)
    try:
        found = Serving(name, port, process.pid)
        _wait(found, process)
        yield found
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()


_FLAGS = ("--loop", "uvloop", "--no-proxy-headers", "--no-access-log", "--log-level", "warning", "--no-server-header",
          "--timeout-graceful-shutdown", "5", "--timeout-keep-alive", "60")  # fmt: skip


def _python(town: Town, name: Name) -> str:
    return sys.executable if name == "ours" else str(town.home / "venv" / "bin" / "python")


def _application(name: Name) -> tuple[str, ...]:
    return {
        "ours": ("twin_api.main:create_served_app", "--factory", "--http", "twin_api.door.connection:ClientConnection"),
        "limit": ("bench.limit:app", "--http", "httptools"),
        "tipg": ("tipg.main:app", "--http", "httptools"),
    }[name]


def _environment(town: Town, name: Name) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("TWIN_", "PG", "TIPG_", "POSTGRES_"))}
    if name == "ours":
        told = {
            "TWIN_SERVER": town.server.address,
            "TWIN_SECRETS": str(town.handed()),
            "TWIN_ROLES": "citizen",
            "TWIN_POOL_SIZE": str(POOL),
        }
    elif name == "limit":
        told = {"BENCH_URL": town.peers_url(), "BENCH_POOL": str(POOL), "PYTHONPATH": str(PROJECT)}
    else:
        sizes = {"DB_MIN_CONN_SIZE": str(POOL), "DB_MAX_CONN_SIZE": str(POOL), "TIPG_MAX_FEATURES_PER_QUERY": "10000"}
        told = {"DATABASE_URL": town.peers_url(), "TIPG_DB_SCHEMAS": '["public"]', **sizes}
    return kept | told


def _wait(server: Serving, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(urllib.error.URLError, ConnectionError):
            server.get(Asked(limit=1))
            return
        time.sleep(0.1)
    raise RuntimeError(f"`{server.name}` did not start: see {server.name}.log in the home of the bench")


def family(pid: int) -> list[int]:
    """A process and all below it."""
    parents = {}
    for entry in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            parents[int(entry.name)] = int(_fields(int(entry.name))[1])
    family = [pid]
    for member in family:
        family += [child for child, parent in parents.items() if parent == member]
    return family


def _fields(pid: int) -> list[str]:
    """/proc/<pid>/stat after the name, which may hold anything."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _spent_ms(pid: int) -> float:
    try:
        fields = _fields(pid)
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) * _TICK_MS
