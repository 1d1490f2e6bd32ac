"""What the worker tells Prometheus: when each duty was last done, how the sources stand, and whether the published tables hold.

Must never name anything but duties, and layers and sources as the town's own files call them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import psycopg
from prometheus_client import CollectorRegistry, Counter, Gauge

from twin_api.publish.drift import find_drift
from twin_api.work.source_state import read_states

Connection = psycopg.Connection[tuple[Any, ...]]

DRIFT_EVERY: Final = timedelta(hours=1)  # it compares every published row with the store


class WorkMetrics:
    """A registry of its own; `note_look` after each look at the calendar."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._duty_done = self._gauge("twin_duty_success_timestamp_seconds", "When a duty was last done", "duty")
        self._duty_failed = Counter("twin_duty_failures", "Times a duty failed", ("duty",), registry=self.registry)
        self._source_good = self._gauge("twin_source_good_timestamp_seconds", "When a source was last good", "source")
        self._source_failures = self._gauge("twin_source_failures", "Tries since a source was last good", "source")
        self._source_stale = self._gauge("twin_source_stale", "1 where a source has been good too long ago", "source")
        self._runs = self._gauge("twin_source_runs", "Sources that run now")
        self._imports = self._gauge("twin_imports", "Imports in the journal", "layer")
        self._withdrawn = self._gauge("twin_withdrawn_items", "Items withdrawn by hand")
        self._drifted = self._gauge("twin_drifted_tables", "Published tables that are not what the store yields; looked at hourly")
        self._drift_due: datetime | None = None

    def _gauge(self, name: str, meaning: str, *labels: str) -> Gauge:
        return Gauge(name, meaning, labels, registry=self.registry)

    def note_duties(self, done: Mapping[str, int | Exception], now: datetime) -> None:
        for duty, outcome in done.items():
            if isinstance(outcome, Exception):
                self._duty_failed.labels(duty).inc()
            else:
                self._duty_done.labels(duty).set(now.timestamp())

    def note_store(self, connection: Connection, stale: frozenset[str], runs: int, now: datetime) -> None:
        """Read how things stand; connection of the owner."""
        self._runs.set(runs)
        for gauge in (self._source_good, self._source_failures, self._source_stale, self._imports):
            gauge.clear()  # of what is gone
        for name, state in read_states(connection).items():
            self._source_failures.labels(name).set(state.failures)
            self._source_stale.labels(name).set(name in stale)
            if state.good_at is not None:
                self._source_good.labels(name).set(state.good_at.timestamp())
        for layer, count in connection.execute("SELECT layer, count(*) FROM control.import GROUP BY layer").fetchall():
            self._imports.labels(layer).set(count)
        withdrawn = connection.execute("SELECT count(*) FROM published.withdrawn WHERE item IS NOT NULL").fetchone()
        self._withdrawn.set(withdrawn[0] if withdrawn else 0)
        if self._drift_due is None or now >= self._drift_due:
            self._drift_due = now + DRIFT_EVERY
            self._drifted.set(sum(map(bool, find_drift(connection))))
