"""The pair of towns, the seed, and at the end of a run how often each channel was reached."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.noninterference.channels import table
from tests.noninterference.towns import Pair
from tests.towns import Town


@pytest.fixture(scope="session")
def pair(new_town: Callable[..., Town]) -> Iterator[Pair]:
    """The two towns of this worker; every run fills them anew."""
    founded = Pair(new_town)
    yield founded
    founded.close()


@pytest.fixture
def seed(request: pytest.FixtureRequest, record_property: Callable[[str, object], None]) -> int:
    told = request.config.getoption("--ni-seed")
    seed = told if told is not None else random.SystemRandom().randrange(10**6)
    print(f"--ni-seed {seed}")
    record_property("ni_seed", seed)
    return int(seed)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    reports = [report for reports in terminalreporter.stats.values() for report in reports if getattr(report, "when", "") == "call"]
    told = [(report.nodeid, dict(report.user_properties)) for report in reports]
    runs = [(nodeid, properties) for nodeid, properties in told if "ni_pairs" in properties]
    if not runs:
        return
    terminalreporter.section("non-interference")
    counts: Counter[int] = Counter()
    for nodeid, properties in runs:
        counts.update({int(channel): times for channel, times in properties["ni_channels"].items()})
        terminalreporter.write_line(
            f"  {properties['ni_pairs']:>6} pairs in {properties['ni_seconds']:6.1f} s, --ni-seed {properties['ni_seed']:<7} {nodeid}"
        )
    for line in table(counts):
        terminalreporter.write_line(line)
