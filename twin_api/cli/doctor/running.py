"""The processes of ours that run on this machine, as `/proc` shows them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, Literal, NamedTuple

PROC: Final = Path("/proc")
SERVERS: Final = {"twin_api.door.listening", "twin_api.main:create_served_app"}  # by `twin serve`, and by uvicorn called by hand
LISTENING: Final = "0A"  # of the kernel's states of TCP


class Process(NamedTuple):
    """A process of ours; `environment` is empty and `home` unknown where they are closed to us."""

    pid: int
    uid: int
    kind: Literal["serve", "work"]
    environment: Mapping[str, str]
    home: Path | None

    @property
    def holds(self) -> str:
        """The roles whose secrets it was handed."""
        return "owner" if self.kind == "work" else self.environment.get("TWIN_ROLES", "?")


class Listener(NamedTuple):
    pid: int
    everywhere: bool
    port: int


def running() -> Iterator[Process]:
    """Servers and workers; a process that ends meanwhile is left out."""
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
                kind = _kind(words)
                if kind is not None:
                    environment = _environment(entry)
                    yield Process(int(entry.name), entry.stat().st_uid, kind, environment, _home(entry, environment))


def listeners(process: Process) -> Iterator[Listener]:
    """The TCP ports it listens on; none where we may not look."""
    sockets = set()
    with suppress(OSError):
        for link in (PROC / str(process.pid) / "fd").iterdir():
            with suppress(OSError):
                sockets.add(os.readlink(link))
    for table in ("tcp", "tcp6"):
        with suppress(OSError):
            for line in (PROC / str(process.pid) / "net" / table).read_text().splitlines()[1:]:
                words = line.split()
                if words[3] == LISTENING and f"socket:[{words[9]}]" in sockets:
                    address, _, port = words[1].partition(":")
                    yield Listener(process.pid, set(address) == {"0"}, int(port, 16))


def _kind(words: list[str]) -> Literal["serve", "work"] | None:
    if SERVERS & set(words):
        return "serve"
    line = "\0".join(words)
    return "work" if re.search(r"(^|\0)(-m\0twin_api\.cli|([^\0]*/)?twin)\0work(\0|$)", line) else None


def _home(process: Path, environment: Mapping[str, str]) -> Path | None:
    """As the process takes `TWIN_HOME`: from the folder it was started in."""
    try:
        return (process / "cwd").readlink() / environment.get("TWIN_HOME", ".twin") if environment else None
    except OSError:
        return None


def _environment(process: Path) -> dict[str, str]:
    try:
        text = (process / "environ").read_bytes().decode(errors="replace")
    except OSError:
        return {}
    return dict(entry.split("=", 1) for entry in text.split("\0") if "=" in entry)
