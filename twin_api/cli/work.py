"""`twin work`: the worker that keeps the calendar."""

from __future__ import annotations

import signal
import threading
from datetime import UTC, datetime
from typing import Annotated

import psycopg
import structlog
import typer

from twin_api.cli import context
from twin_api.work.calendar import do_duties

_log = structlog.get_logger(__name__)


def work(
    every: Annotated[int, typer.Option(min=1, help="seconds between two looks at the calendar")] = 30,
    once: Annotated[bool, typer.Option("--once", help="do what is due and stop")] = False,
) -> None:
    """Do what the calendar says, such as closing releases that have run out. Stops on SIGTERM between two duties."""
    stop = threading.Event()
    for ending in (signal.SIGTERM, signal.SIGINT):
        signal.signal(ending, lambda *_: stop.set())
    while not stop.is_set():
        _look(failing_loudly=once)
        if once or stop.wait(every):
            return


def _look(*, failing_loudly: bool) -> None:
    """One look; what fails is tried again at the next one."""
    try:
        with context.owner() as connection:
            if context.settings().database_url is None:
                context.cluster().prune_logs()
            done = do_duties(connection, context.secrets(), datetime.now(UTC))
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
