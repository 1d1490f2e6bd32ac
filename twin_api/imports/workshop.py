"""Where files are opened: a process of its own that may crash, hang or run out of memory without taking anything with it.

It gets a folder that is removed afterwards, an environment without secrets, and a limit of time for every step.
"""

from __future__ import annotations

import fcntl
import os
import pickle
import select
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import orjson

import twin_api
from twin_api.imports.draft_job import DraftJob
from twin_api.imports.finding import FileRefused, Group, from_data, refuse
from twin_api.imports.folder import own_folder
from twin_api.imports.job import HEAD, USUAL, Job, Limits
from twin_api.texts import Text

OCTETS_PER_S: Final = 2_000_000  # for steps that look through a whole file
CHUNK: Final = 1 << 20
OFFLINE: Final = {  # for GDAL, beside the network that the process does not have
    "GDAL_HTTP_PROXY": "127.0.0.1:9", "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".none", "GDAL_HTTP_CONNECTTIMEOUT": "1",
    "GML_SKIP_RESOLVE_ELEMS": "ALL", "OGR_SQLITE_LOAD_EXTENSIONS": "NO", "OGR_ENABLE_PARTIAL_REPROJECTION": "NO",
}  # fmt: skip
SINGLE: Final = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), "1")


@dataclass(frozen=True, slots=True)
class Message:
    """What the process says, and rows for COPY with it."""

    told: Mapping[str, Any]
    rows: bytes = b""


class TooCostly(Exception):
    """The process died or was stopped over these features."""

    def __init__(self, features: range) -> None:
        super().__init__(str(features))
        self.features = features


class Bench:
    """A process that has begun, in a folder of its own, and waits for its job. Both are gone when it is closed."""

    def __init__(self, limits: Limits = USUAL) -> None:
        self.limits = limits
        with ExitStack() as stack:
            self._folder = stack.enter_context(own_folder())
            self._process, self._pipe = stack.enter_context(_started(self._folder, limits))
            self._opened = stack.pop_all()

    def messages(self, job: Job | DraftJob) -> Iterator[Message]:
        """What it says of this job, the only one it gets."""
        assert self._process.stdin is not None  # noqa: S101 - said to the type checker
        with suppress(BrokenPipeError), self._process.stdin as stdin:  # what it died of shows when it is listened to
            pickle.dump(replace(job, folder=self._folder), stdin)
        return _messages(self._pipe, job, self.limits.step_s)

    def close(self) -> None:
        """May be said twice."""
        self._opened.close()


@contextmanager
def workshop(job: Job | DraftJob, limits: Limits = USUAL, ready: Bench | None = None) -> Iterator[Iterator[Message]]:
    """The messages of a process that does the job. Iterating raises `FileRefused`, and `TooCostly` where it was the check that failed.

    The process is gone when the context is left, however that happens; also one that stood `ready`, if its limits are these.
    """
    bench = ready if ready is not None and ready.limits == limits else Bench(limits)
    try:
        yield bench.messages(job)
    finally:
        bench.close()


@contextmanager
def _started(folder: Path, limits: Limits) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    pipe, their_end = os.pipe()
    with suppress(OSError):  # there may be a lower bound for a user's pipes
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, CHUNK)
    environment = {"PATH": os.defpath, "LANG": "C.UTF-8", "TMPDIR": str(folder), "CPL_TMPDIR": str(folder)} | OFFLINE | SINGLE
    environment["PYTHONPATH"] = str(Path(twin_api.__file__).parent.parent)
    numbers = map(str, (their_end, limits.memory, os.getpid()))
    process = subprocess.Popen(  # noqa: S603 - our own module
        [sys.executable, "-P", "-m", "twin_api.imports.inside.workbench", *numbers], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, cwd=folder, env=environment, pass_fds=[their_end],
    )  # fmt: skip
    os.close(their_end)
    try:
        yield process, pipe
    finally:
        process.kill()
        with suppress(BrokenPipeError):
            process.communicate()
        os.close(pipe)


def _messages(pipe: int, job: Job | DraftJob, step_s: float) -> Iterator[Message]:
    stream = _Stream(pipe)
    now: Mapping[str, Any] = {"kind": "opening"}
    while True:
        message = stream.next(_limit(now, job, step_s))
        if message is None:
            raise _died(now)
        before, now = now, message.told
        if now["kind"] == "refused":
            raise _refused(now)
        if now["kind"] == "memory":
            raise _died(before)
        if now["kind"] == "failed":
            raise _failed(now["error"])
        yield message
        if now["kind"] == "end":
            return


class _Stream:
    """Messages put together from what the pipe holds."""

    def __init__(self, pipe: int) -> None:
        self._pipe, self._buffer = pipe, bytearray()

    def next(self, limit_s: float) -> Message | None:
        """The next message with its rows; `None` if it does not come in time, or never will."""
        deadline = time.monotonic() + limit_s
        told = self._frame(deadline)
        if told is None:
            return None
        message = orjson.loads(told)
        rows = self._frame(deadline) if message.get("rows") else b""
        return None if rows is None else Message(message, rows)

    def _frame(self, deadline: float) -> bytes | None:
        if not self._fill(HEAD, deadline):
            return None
        length = int.from_bytes(self._buffer[1:HEAD], "big")
        if not self._fill(HEAD + length, deadline):
            return None
        frame = bytes(self._buffer[HEAD : HEAD + length])
        del self._buffer[: HEAD + length]
        return frame

    def _fill(self, octets: int, deadline: float) -> bool:
        while len(self._buffer) < octets:
            ready, _, _ = select.select([self._pipe], [], [], max(0.0, deadline - time.monotonic()))
            chunk = os.read(self._pipe, CHUNK) if ready else b""
            if not chunk:
                return False
            self._buffer += chunk
        return True


def _limit(now: Mapping[str, Any], job: Job | DraftJob, step_s: float) -> float:
    """Opening and looking through a file may take longer, the larger it is."""
    whole_file = now["kind"] in ("opening", "opened", "looking")
    return step_s + (sum(path.stat().st_size for path in job.files) / OCTETS_PER_S if whole_file else 0.0)


def _failed(error: str) -> Exception:
    return refuse(
        Text(f"beim Lesen der Datei ist dieses Programm gescheitert (`{error}`)", f"this program failed to read the file (`{error}`)"),
        Text("bitte melden, möglichst mit der Datei", "please report it, if possible with the file"),
    )


def _died(now: Mapping[str, Any]) -> Exception:
    if now["kind"] == "checking":
        return TooCostly(range(now["first"], now["first"] + now["count"]))
    return refuse(
        Text("das Lesen der Datei brauchte zu viel Zeit oder Speicher und wurde beendet",
             "reading the file took too much time or memory and was ended"),
        Text("Datei neu ausgeben lassen, oder in Teilen liefern", "export the file again, or deliver it in parts"),
    )  # fmt: skip


def _refused(told: Mapping[str, Any]) -> FileRefused:
    groups: Counter[Group] = Counter({(attribute, Text(*remedy)): number for attribute, remedy, number in told["groups"]})
    return FileRefused([from_data(finding) for finding in told["findings"]], told["total"], groups)
