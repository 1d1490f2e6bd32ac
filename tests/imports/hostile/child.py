"""One file read and checked as the workshop does it, but with the network, so that a call would be heard."""

from __future__ import annotations

import io
import multiprocessing
import resource
import tempfile
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from tests.imports.hostile.case import Case
from tests.imports.things import asked
from twin_api.imports.finding import FileRefused
from twin_api.imports.inside.reading import read
from twin_api.imports.job import Job
from twin_api.policy.documents import Layer

ADDRESS_SPACE = 4 * 1024**3  # bytes
CPU_SECONDS = 20  # a limit of harm, not of speed
WAITING_SECONDS = 240  # for one that waits for somebody
_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload([__name__])


@dataclass(frozen=True)
class Ending:
    """`found` are the findings in both languages; `died` is the exit code of a process that could not say anything."""

    found: tuple[str, ...] = ()
    memory_mb: int = 0
    died: int | None = None


def read_alone(case: Case, file: Path, layer: Layer, scratch: Path) -> Ending:
    """In a process of its own, which may take so much memory and time and not more."""
    description = asked(columns={case.key: "nr"}, source_layer=case.source_layer).description
    ours, theirs = _context.Pipe(duplex=False)
    process = _context.Process(target=_run, args=(Job([file], description, layer, scratch), theirs))
    process.start()
    theirs.close()
    with ours:
        if not ours.poll(WAITING_SECONDS):
            process.kill()
        try:
            ending: Ending = ours.recv()
        except EOFError:
            process.join()
            ending = Ending(died=process.exitcode)
    process.join()
    return ending


def _run(job: Job, answer: Connection) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    tempfile.tempdir = str(job.folder)
    found: tuple[str, ...] = ()
    try:
        read(job, io.BytesIO())
    except FileRefused as refused:
        texts = [finding.text() for finding in refused.findings]
        found = tuple(f"{text.en} | {text.de}" for text in texts)
    answer.send(Ending(found, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024))
