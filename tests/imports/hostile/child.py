"""The import of one file in a process of its own, which may take so much memory and time and not more."""

from __future__ import annotations

import multiprocessing
import resource
import tempfile
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import psycopg

from tests.imports.hostile.case import Case
from tests.imports.things import asked
from twin_api.imports.finding import FileRefused
from twin_api.imports.run import run_import
from twin_api.policy.documents import Layer

ADDRESS_SPACE = 4 * 1024**3  # bytes
CPU_SECONDS = 20  # a limit of harm, not of speed
_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload([__name__])


@dataclass(frozen=True)
class Ending:
    """`found` are the findings in both languages; `died` is the exit code of a process that could not say anything."""

    found: tuple[str, ...] = ()
    read: int | None = None
    memory_mb: int = 0
    died: int | None = None


def try_import(case: Case, file: Path, layer: Layer, conninfo: str, scratch: Path) -> Ending:
    ours, theirs = _context.Pipe(duplex=False)
    process = _context.Process(target=_run, args=(case.key, case.source_layer, file, layer, conninfo, scratch, theirs))
    process.start()
    theirs.close()
    try:
        return ours.recv()  # type: ignore[no-any-return]
    except EOFError:
        process.join()
        return Ending(died=process.exitcode)
    finally:
        process.join()


def _run(key: str, source_layer: str | None, file: Path, layer: Layer, conninfo: str, scratch: Path, answer: Connection) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    tempfile.tempdir = str(scratch)
    try:
        outcome = run_import(asked(file, columns={key: "nr"}, source_layer=source_layer), layer, lambda: psycopg.connect(conninfo))
        ending = Ending(read=outcome.read, memory_mb=_memory_mb())
    except FileRefused as refused:
        texts = [finding.text() for finding in refused.findings]
        ending = Ending(tuple(f"{text.en} | {text.de}" for text in texts), memory_mb=_memory_mb())
    answer.send(ending)


def _memory_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
