"""Forms of dates as people write them: `DD.MM.YYYY hh:mm` becomes a reader of such texts."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_PARTS: Final = {"YYYY": r"(?P<Y>\d{4})", "YY": r"(?P<y>\d{2})", "MM": r"(?P<m>\d{1,2})", "DD": r"(?P<d>\d{1,2})",
                 "hh": r"(?P<H>\d{1,2})", "mm": r"(?P<M>\d{2})", "ss": r"(?P<S>\d{2})"}  # fmt: skip
_LETTERS: Final = re.compile("YYYY|YY|MM|DD|hh|mm|ss")
_OFFSET: Final = re.compile(r"([+-])(\d{2}):(\d{2})")
Zone = timezone | ZoneInfo
CENTURY_TURNS: Final = 69  # of two digits: 69-99 are 1969-1999, as POSIX has it


class DateForm:
    """A form and, for moments, the time zone that its texts leave out. Raises `ValueError` for a form that names no day."""

    def __init__(self, form: str, zone: str | None = None) -> None:
        pieces, at, parts = [], 0, list(_LETTERS.finditer(form))
        touching = {place for one, other in pairwise(parts) if one.end() == other.start() for place in (one.start(), other.start())}
        for part in parts:
            digits = _PARTS[part[0]]
            digits = digits.replace("{1,2}", "{2}") if part.start() in touching else digits  # else nobody can say whose digit it is
            pieces += [re.escape(form[at : part.start()]), digits]
            at = part.end()
        try:
            self._pattern = re.compile("".join([*pieces, re.escape(form[at:])]), re.ASCII)
        except re.error:
            raise ValueError(form) from None  # a part written twice
        groups = self._pattern.groupindex.keys()
        if not {"m", "d"} <= groups or not {"Y", "y"} & groups:
            raise ValueError(form)
        self.has_time = "H" in groups
        self._zone = zone_of(zone) if zone else None

    def day(self, text: str) -> date | None:
        moment = self._read(text)
        return moment.date() if moment is not None and not self.has_time else None

    def moment(self, text: str) -> datetime | None:
        """In UTC. `None` also for an hour that the zone's clocks skip or show twice: nobody can say which is meant."""
        naive = self._read(text)
        return in_zone(naive, self._zone) if naive is not None and self._zone is not None else None

    def _read(self, text: str) -> datetime | None:
        found = self._pattern.fullmatch(text)
        if found is None:
            return None
        parts = {name: int(value) for name, value in found.groupdict().items()}
        year = parts["Y"] if "Y" in parts else parts["y"] + (1900 if parts["y"] >= CENTURY_TURNS else 2000)
        try:
            return datetime(year, parts["m"], parts["d"], parts.get("H", 0), parts.get("M", 0), parts.get("S", 0))
        except ValueError:
            return None


def in_zone(naive: datetime, zone: Zone) -> datetime | None:
    """The moment in UTC at which a clock of the zone shows this; `None` if it never does, or twice."""
    first, second = (in_utc(naive.replace(tzinfo=zone, fold=fold)) for fold in (0, 1))
    return first if first == second else None


def in_utc(moment: datetime) -> datetime | None:
    """`None` beyond the years 1 to 9999."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return None


def zone_of(name: str) -> Zone:
    """A zone by its name (`Europe/Berlin`) or a fixed offset (`+01:00`). Raises `ValueError` for anything else."""
    offset = _OFFSET.fullmatch(name)
    if offset is not None:
        shift = timedelta(hours=int(offset[2]), minutes=int(offset[3]))
        return timezone(shift if offset[1] == "+" else -shift)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError):
        raise ValueError(name) from None
