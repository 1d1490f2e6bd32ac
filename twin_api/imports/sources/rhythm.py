"""How often a source is asked, at what time of day, and from when on its data count as stale."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Literal, cast, get_args
from zoneinfo import ZoneInfo

from twin_api.policy.fields import Fields, one_of, text_of
from twin_api.policy.finding import Findings, quoted
from twin_api.policy.yaml_file import Node
from twin_api.texts import Text

Every = Literal["hourly", "daily", "weekly", "monthly"]
RHYTHM: Final = ("every", "at", "stale_after")
LENGTHS: Final[dict[Every, timedelta]] = {
    "hourly": timedelta(hours=1), "daily": timedelta(days=1), "weekly": timedelta(weeks=1), "monthly": timedelta(days=31),
}  # fmt: skip
UNITS: Final = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1), "month": timedelta(days=31)}
MISSED: Final = 3  # rhythms without new data that are too many, unless the file says otherwise
_TERM: Final = re.compile(rf"([1-9][0-9]{{0,3}}) ({'|'.join(UNITS)})s?")
_CLOCK: Final = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Weeks begin on Monday, months on their first day. `at` is the town's own time."""

    every: Every
    at: time
    stale_after: timedelta

    def begun(self, now: datetime, zone: ZoneInfo) -> datetime:
        """When the period began in which `now` lies, in UTC: a source not asked since is due."""
        if self.every == "hourly":
            return now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        start = self._start(now.astimezone(zone).date(), zone)
        return start if start <= now else self._start(start.astimezone(zone).date() - timedelta(days=1), zone)

    def next(self, now: datetime, zone: ZoneInfo) -> datetime:
        """When the next period begins."""
        begun, length = self.begun(now, zone), LENGTHS[self.every]
        return begun + length if self.every == "hourly" else self._start(begun.astimezone(zone).date() + length, zone)

    def _start(self, day: date, zone: ZoneInfo) -> datetime:
        """The beginning of the calendar's period that holds the day, at the time of day, which may lie ahead."""
        if self.every == "weekly":
            day -= timedelta(days=day.weekday())
        elif self.every == "monthly":
            day = day.replace(day=1)
        return datetime.combine(day, self.at, zone).astimezone(UTC)


def read_rhythm(fields: Fields) -> Rhythm | None:
    """None for a source that nobody asks by the clock."""
    every = cast("Every", fields.get("every", one_of(get_args(Every), Text("einen Rhythmus", "rhythm")), ""))
    at = fields.get("at", _time_of_day, None)
    stale = fields.get("stale_after", _term, None)
    for key in ("at", "stale_after"):
        if key in fields and "every" not in fields:
            what = Text(f"`{key}` ohne `every` sagt nichts", f"`{key}` without `every` says nothing")
            fields.findings.add(fields.at(key), what, Text("`every: daily` ergänzen", "add `every: daily`"))
    if every == "hourly" and at is not None:
        what = Text("`hourly` hat keine Tageszeit", "`hourly` has no time of day")
        fields.findings.add(
            fields.at("at"), what, Text("`at` löschen oder `every: daily` schreiben", "delete `at`, or write `every: daily`")
        )
    if every not in LENGTHS:
        return None
    if stale is not None and stale < LENGTHS[every]:
        what = Text("die Frist ist kürzer als der Rhythmus", "the term is shorter than the rhythm")
        fields.findings.add(fields.at("stale_after"), what, Text("sie verlängern", "make it longer"))
    return Rhythm(every, at or time(), stale or MISSED * LENGTHS[every])


def _time_of_day(node: Node, findings: Findings) -> time:
    written = text_of(node, findings)
    if _CLOCK.fullmatch(written):
        return time.fromisoformat(written)
    if written:
        what = Text(f"{quoted(written)} ist keine Uhrzeit", f"{quoted(written)} is no time of day")
        findings.add(node.place, what, Text('etwa `"02:30"` schreiben', 'write `"02:30"`, for example'))
    return time()


def _term(node: Node, findings: Findings) -> timedelta:
    written = text_of(node, findings)
    match = _TERM.fullmatch(written)
    if match:
        return int(match[1]) * UNITS[match[2]]
    if written:
        what = Text(f"{quoted(written)} ist keine Frist", f"{quoted(written)} is no term")
        findings.add(node.place, what, Text("etwa `3 days`, `12 hours`, `2 weeks`", "such as `3 days`, `12 hours`, `2 weeks`"))
    return timedelta.max
