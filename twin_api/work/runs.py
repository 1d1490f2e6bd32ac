"""The runs of sources that are due, each in a process of its own: none holds up the calendar, or another one.

Must never run two sources of one layer at a time, nor let one that hangs stay for ever.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import structlog

from twin_api.imports.sources.file import SourceFile, read_sources
from twin_api.policy.documents import Policies
from twin_api.policy.load import load_applied
from twin_api.publish.apply import applied_files
from twin_api.settings import Settings
from twin_api.work.schedule import is_stale, next_run
from twin_api.work.source_state import Connection, SourceState, fail_running, meet, read_states
from twin_api.work.sources import said_by

_log = structlog.get_logger(__name__)
MOST: Final = 2
LONGEST: Final = timedelta(hours=6)
REMIND: Final = timedelta(days=1)
END_S: Final = 20.0
Start = Callable[[str], subprocess.Popen[bytes]]


@dataclass(slots=True)
class _Running:
    source: SourceFile
    since: datetime
    process: subprocess.Popen[bytes]


@dataclass(slots=True)
class Runs:
    """What runs now, and of what was complained when. `start` starts the process that runs the source of that name."""

    start: Start
    running: dict[str, _Running] = field(default_factory=dict)
    stale: frozenset[str] = frozenset()
    _told: dict[str, datetime] = field(default_factory=dict)
    _files: Mapping[str, str] = field(default_factory=dict)
    _policies: Policies | None = None

    def look(self, connection: Connection, settings: Settings, now: datetime) -> int:
        """Clear away what has ended, start what is due, complain of what is stale; says how many were started."""
        fail_running(connection, self._clear(now))
        policies = self._in_force(connection) if any(settings.sources_folder.glob("*.y*ml")) else None
        if policies is None:
            return 0
        sources, findings = read_sources(settings.sources_folder, policies)
        for finding in findings:
            self._tell("source_invalid", finding.place.file, now, line=finding.place.line, what=finding.what.say("en"))
        clocked = {name: source for name, source in sources.items() if source.rhythm is not None}
        meet(connection, list(clocked), now)
        states, zone, before = read_states(connection), ZoneInfo(policies.town.time_zone), len(self.running)
        for name in sorted(clocked, key=lambda name: states[name].failures):  # those that fail come last
            when = next_run(clocked[name], states[name], said_by(clocked[name], policies), now, zone)
            if when is not None and when <= now:
                self._begin(clocked[name], now)
        self._complain(clocked, states, now)
        return len(self.running) - before

    def _in_force(self, connection: Connection) -> Policies | None:
        """Read anew only after an apply: it takes a second of a whole processor."""
        files = applied_files(connection)
        if files != self._files:
            self._policies = load_applied(files) if files else None
            self._files = files
        return self._policies

    def _begin(self, source: SourceFile, now: datetime) -> None:
        layers = {each.source.layer for each in self.running.values()}
        if source.name not in self.running and source.layer not in layers and len(self.running) < MOST:
            self.running[source.name] = _Running(source, now, self.start(source.name))

    def _clear(self, now: datetime) -> list[str]:
        """Forget what has ended, and end what hangs; says which have ended."""
        ended = [name for name, run in self.running.items() if run.process.poll() is not None]
        for name in ended:
            del self.running[name]
        for name, run in self.running.items():
            if now - run.since > LONGEST:
                _log.error("source_hangs", source=name)
                run.process.kill()
        return ended

    def _complain(self, sources: Mapping[str, SourceFile], states: Mapping[str, SourceState], now: datetime) -> None:
        self.stale = frozenset(name for name, source in sources.items() if is_stale(source, states[name], now))
        for name in sorted(self.stale):
            good = states[name].good_at
            self._tell("source_stale", name, now, layer=sources[name].layer, last_good=good.isoformat() if good else None)

    def _tell(self, event: str, name: str, now: datetime, **more: object) -> None:
        """An alarm, again every day while it lasts."""
        told = self._told.get(f"{event} {name}")
        if told is None or now - told >= REMIND:
            self._told[f"{event} {name}"] = now
            _log.error(event, source=name, **more)

    def wait(self) -> None:
        """Until all that runs has ended."""
        for run in self.running.values():
            run.process.wait()

    def stop(self) -> None:
        """End what runs: an import is one transaction, so nothing of it remains."""
        for run in self.running.values():
            run.process.terminate()
        for run in self.running.values():
            try:
                run.process.wait(END_S)
            except subprocess.TimeoutExpired:
                run.process.kill()
                run.process.wait()
        self.running.clear()
