"""`twin work`: the worker that keeps the calendar and sees to it that data come by themselves."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import psycopg
import structlog
import typer

from twin_api.backup.nightly import Nightly
from twin_api.cli import context
from twin_api.cli.serve import refuse_taken_port
from twin_api.seeing import logs
from twin_api.seeing.logs import Level
from twin_api.work.calendar import do_duties
from twin_api.work.runs import Runs
from twin_api.work.source_state import Connection

if TYPE_CHECKING:
    from twin_api.work.metrics import WorkMetrics

_log = structlog.get_logger(__name__)


def work(
    every: Annotated[int, typer.Option(min=1, help="seconds between two looks at the calendar")] = 30,
    once: Annotated[bool, typer.Option("--once", help="do what is due and stop")] = False,
    metrics_port: Annotated[int, typer.Option(envvar="TWIN_WORK_METRICS_PORT", min=0, max=65535, help="port of the metrics; 0: none")] = 0,
    log_level: Annotated[Level | None, typer.Option(help="the least that is logged; TWIN_LOG_LEVEL unless given")] = None,
) -> None:
    """Do what the calendar says, such as closing releases that have run out. Stops on SIGTERM between two duties."""
    logs.configure(log_level or context.settings().log_level)
    stop, runs, metrics = threading.Event(), Runs(_start), _listening(metrics_port)
    nightly = Nightly(_start_backup, datetime.now(UTC))
    for ending in (signal.SIGTERM, signal.SIGINT):
        signal.signal(ending, lambda *_: stop.set())
    try:
        while not stop.is_set():
            _look(runs, metrics, failing_loudly=once)
            _back_up(nightly)
            if once or stop.wait(every):
                break
        if once:
            runs.wait()
            nightly.wait()
    finally:
        runs.stop()
        nightly.stop()


def _start(name: str) -> subprocess.Popen[bytes]:
    """The run of one source in a process of its own, with our environment."""
    return subprocess.Popen([sys.executable, "-m", "twin_api.cli", "sources", "run", name, "--log"])  # noqa: S603  # a name from our own folder


def _start_backup() -> subprocess.Popen[bytes]:
    keep = str(context.settings().backup_keep)
    return subprocess.Popen([sys.executable, "-m", "twin_api.cli", "backup", "--keep", keep])  # noqa: S603  # our own program


def _back_up(nightly: Nightly) -> None:
    """Only where somebody said whom backups are sealed for. What is wrong with them holds up no duty."""
    told = context.settings()
    if not told.backup_recipients:
        return
    try:
        nightly.look(told.backups_folder, context.server().database, datetime.now(UTC))
    except (OSError, psycopg.Error) as error:
        _log.error("backup_failed", error=type(error).__name__)


def _listening(port: int) -> WorkMetrics | None:
    """Metrics, where they are wanted."""
    if not port:
        return None
    told = context.settings()
    refuse_taken_port(told.metrics_host, port, "TWIN_WORK_METRICS_PORT")
    from twin_api.seeing.listener import listen  # no other command waits for these
    from twin_api.work.metrics import WorkMetrics

    metrics = WorkMetrics()
    listen(told.metrics_host, port, metrics.registry)
    return metrics


def _look(runs: Runs, metrics: WorkMetrics | None, *, failing_loudly: bool) -> None:
    """One look; what fails is tried again at the next one."""
    try:
        with context.owner() as connection:
            if context.settings().database_url is None:
                context.cluster().prune_logs()
            done = do_duties(connection, context.secrets(), datetime.now(UTC)) | _look_after(runs, connection)
            if metrics:
                metrics.note_duties(done, datetime.now(UTC))
                metrics.note_store(connection, runs.stale, len(runs.running), datetime.now(UTC))
    except psycopg.Error as error:
        if failing_loudly:
            raise
        _log.error("calendar", error=type(error).__name__)
        return
    for duty, outcome in done.items():
        if isinstance(outcome, Exception):
            if failing_loudly:
                raise outcome
            _log.error("calendar", duty=duty, error=type(outcome).__name__)
        elif outcome:
            _log.info("calendar", duty=duty, count=outcome)


def _look_after(runs: Runs, connection: Connection) -> dict[str, int | Exception]:
    """Sources last: what is wrong with them holds up no duty."""
    try:
        return {"sources": runs.look(connection, context.settings(), datetime.now(UTC))}
    except Exception as error:
        return {"sources": error}
