"""What a server counts, in Prometheus' form.

Must never name in a label what a client wrote: labels are roles that exist, patterns of routes, types of problems and names from the
town's own files. They tell which roles there are, so the port is the operator's alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Final, Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from twin_api.seeing.shared import is_alive
from twin_api.seeing.visit import QUIET, Visit

_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_OCTETS: Final = (1e3, 1e4, 1e5, 1e6, 1e7, 1e8)


class Pool(Protocol):
    """Connections of one login, as seen from outside."""

    in_use: int
    waiting: int

    @property
    def login(self) -> str: ...


REGISTRY: Final = CollectorRegistry()
ANSWERS: Final = Histogram(
    "twin_answer_seconds", "Time from request to end of answer", ("role", "route", "status"), buckets=_SECONDS, registry=REGISTRY
)
OCTETS: Final = Histogram("twin_answer_bytes", "Size of answers", ("role", "route"), buckets=_OCTETS, registry=REGISTRY)
SQL: Final = Histogram("twin_sql_seconds", "Time of a request in the database", ("role",), buckets=_SECONDS, registry=REGISTRY)
WAITS: Final = Histogram(
    "twin_wait_seconds", "Time that requests waited for their turn or a connection", ("role",), buckets=_SECONDS, registry=REGISTRY
)
PROBLEMS: Final = Counter("twin_problems", "Refusals by type", ("type",), registry=REGISTRY)
DROPPED: Final = Counter("twin_log_lines_dropped", "Lines of the log that nobody took in time", registry=REGISTRY)
IN_USE: Final = Gauge("twin_pool_in_use", "Connections at work", ("login",), registry=REGISTRY, multiprocess_mode="livesum")
WAITING: Final = Gauge("twin_pool_waiting", "Requests waiting for a connection", ("login",), registry=REGISTRY, multiprocess_mode="livesum")


def count(visit: Visit, took_s: float) -> None:
    """Count an answered request; what asks whether we are alive is none."""
    if visit.route in QUIET:
        return
    answers, octets, sql = _series(visit.role, visit.route, f"{visit.status // 100}xx")
    answers.observe(took_s)
    octets.observe(visit.octets)
    if visit.sql_s:
        sql.observe(visit.sql_s)
    if visit.waited_s:
        WAITS.labels(visit.role).observe(visit.waited_s)
    if visit.problem:
        PROBLEMS.labels(visit.problem).inc()


def see_pools(pools: Iterable[Pool]) -> None:
    for pool in pools:
        IN_USE.labels(pool.login).set(pool.in_use)
        WAITING.labels(pool.login).set(pool.waiting)


@lru_cache(maxsize=4096)
def _series(role: str, route: str, status: str) -> tuple[Histogram, Histogram, Histogram]:
    """Looked up once: finding a labelled series costs as much as counting in it."""
    return ANSWERS.labels(role, route, status), OCTETS.labels(role, route), SQL.labels(role)


def registry_of(shared: Path | None) -> CollectorRegistry:
    """What this process has counted, or all processes that keep it in the folder `shared`."""
    if shared is None:
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry, str(shared))  # type: ignore[no-untyped-call]
    _forget_dead(shared)
    return registry


def _forget_dead(shared: Path) -> None:
    """A process that was killed has no connections any more."""
    for pid in {int(path.stem.rpartition("_")[2]) for path in shared.glob("gauge_live*.db")}:
        if not is_alive(pid):
            mark_process_dead(pid, str(shared))  # type: ignore[no-untyped-call]
