"""When a source is asked next, and from when on its data are too old."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from twin_api.imports.sources.file import SourceFile
from twin_api.work.source_state import SourceState

FIRST_RETRY: Final = timedelta(minutes=5)
LAST_RETRY: Final = timedelta(hours=6)
Condition = Literal["by hand", "waiting", "running", "good", "failing", "stale"]


def next_run(source: SourceFile, state: SourceState | None, said: str, now: datetime, zone: ZoneInfo) -> datetime | None:
    """When to ask; not later than `now` if that is due. None for sources that nobody asks by the clock.

    Once a period, again after a failure at growing intervals, and at once where the file or its layer says something else than before.
    """
    if source.rhythm is None:
        return None
    if state is None or state.tried_at is None or state.tried != said:
        return now
    begun, following = source.rhythm.begun(now, zone), source.rhythm.next(now, zone)
    if state.tried_at < begun:
        return begun
    return min(state.tried_at + pause(state.failures), following) if state.failures else following


def pause(failures: int) -> timedelta:
    """Between two tries: twice as long each time."""
    doubled: int = 2 ** min(failures - 1, 10)
    return min(FIRST_RETRY * doubled, LAST_RETRY)


def is_stale(source: SourceFile, state: SourceState | None, now: datetime) -> bool:
    """Whether it has been good too long ago, or never since it is known."""
    if source.rhythm is None or state is None:
        return False
    return now - (state.good_at or state.since) > source.rhythm.stale_after


def condition(source: SourceFile, state: SourceState | None, now: datetime) -> Condition:
    """The state of a source in one word, the worst that holds."""
    if is_stale(source, state, now):
        return "stale"
    if source.rhythm is None and (state is None or state.tried_at is None):
        return "by hand"
    if state is None or state.tried_at is None:
        return "waiting"
    if state.outcome in ("refused", "failed"):
        return "failing"
    return "running" if state.outcome == "running" else "good"
