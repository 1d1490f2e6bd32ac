"""When a source is asked next: once a period, again after a failure, at once after a change; and when it counts as stale."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from twin_api.imports.description import Description
from twin_api.imports.sources.file import SourceFile
from twin_api.imports.sources.rhythm import Rhythm
from twin_api.imports.sources.whence import Whence
from twin_api.policy.documents import Place
from twin_api.work.schedule import LAST_RETRY, Condition, condition, is_stale, next_run, pause
from twin_api.work.source_state import SourceState

ZONE = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
RHYTHM = Rhythm("daily", time(2, 30), timedelta(days=3))
TODAY = datetime(2026, 11, 20, 1, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


def source(rhythm: Rhythm | None = RHYTHM) -> SourceFile:
    return SourceFile("baeume", "baeume", Whence("x.csv"), Description(), False, rhythm, None, None, Place("sources/baeume.yaml", 1), "d")


def state(**told: Any) -> SourceState:
    return SourceState("baeume", **({"since": NOW - timedelta(days=30), "tried": "s"} | told))


def due(told: SourceState | None, said: str = "s", now: datetime = NOW) -> datetime | None:
    return next_run(source(), told, said, now, ZONE)


def test_a_new_source_is_asked_at_once() -> None:
    assert due(None) == due(state(tried_at=None)) == NOW


def test_it_is_asked_once_a_period() -> None:
    assert due(state(tried_at=TODAY - HOUR)) == TODAY
    assert due(state(tried_at=TODAY + HOUR)) == TODAY + timedelta(days=1)


def test_a_change_of_the_file_or_its_layer_is_tried_at_once_and_once() -> None:
    assert due(state(tried_at=TODAY + HOUR), said="other") == NOW
    assert due(state(tried_at=NOW, tried="other", failures=3), said="other") == NOW + timedelta(minutes=20)


def test_after_a_failure_it_is_tried_again_at_growing_intervals_but_not_after_the_next_period() -> None:
    assert [pause(failures) for failures in (1, 2, 3, 4)] == [timedelta(minutes=minutes) for minutes in (5, 10, 20, 40)]
    assert pause(10_000) == LAST_RETRY
    assert due(state(tried_at=NOW, failures=1)) == NOW + timedelta(minutes=5)
    late = TODAY + timedelta(hours=23)
    assert due(state(tried_at=late, failures=9), now=late) == TODAY + timedelta(days=1)


def test_a_source_without_rhythm_is_never_asked() -> None:
    assert next_run(source(None), None, "s", NOW, ZONE) is None


def test_it_is_stale_when_it_was_good_too_long_ago_or_never() -> None:
    assert not is_stale(source(), state(good_at=NOW - timedelta(days=3)), NOW)
    assert is_stale(source(), state(good_at=NOW - timedelta(days=3) - HOUR), NOW)
    assert is_stale(source(), state(), NOW)
    assert not is_stale(source(), state(since=NOW), NOW)
    assert not is_stale(source(None), state(), NOW)


CONDITIONS: list[tuple[Condition, Rhythm | None, dict[str, Any] | None]] = [
    ("waiting", RHYTHM, None),
    ("by hand", None, None),
    ("good", RHYTHM, {"tried_at": NOW, "good_at": NOW, "outcome": "unchanged"}),
    ("good", None, {"tried_at": NOW, "good_at": NOW, "outcome": "imported"}),
    ("running", RHYTHM, {"tried_at": NOW, "good_at": NOW, "outcome": "running"}),
    ("failing", RHYTHM, {"tried_at": NOW, "good_at": NOW, "outcome": "refused"}),
    ("stale", RHYTHM, {"tried_at": NOW, "outcome": "refused"}),
]


@pytest.mark.parametrize(("expected", "rhythm", "told"), CONDITIONS)
def test_the_worst_that_holds_is_said(expected: Condition, rhythm: Rhythm | None, told: dict[str, Any] | None) -> None:
    assert condition(source(rhythm), state(**told) if told is not None else None, NOW) == expected
