"""One private cluster for the whole run, one database per town. Real PostgreSQL, real tokens through the real door."""

from __future__ import annotations

import fcntl
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.scanning import find_canaries, sizes
from tests.towns import Town, make_template
from twin_api.settings import Settings
from twin_api.store.embedded import Cluster
from twin_api.store.secrets import Secrets

PROJECT = Path(__file__).parent.parent
POLICIES = Path(__file__).parent / "town" / "policies"
_BEGUN = pytest.StashKey[dict[Path, int]]()
_FOUND = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # begun in the background: what the tests start must hear Ctrl-C nevertheless
        signal.signal(signal.SIGINT, signal.default_int_handler)
    for name, meaning in {
        "slow": "takes more than a few seconds; left out by `make fast`",
        "long": "takes minutes; runs in `make test-long` only",
        "acceptance": "drives outside clients; runs in `make acceptance` only",
        "requirement(id, ...)": "the requirements of a standard that the test shows; tests.conformance.table writes them down",
    }.items():
        config.addinivalue_line("markers", f"{name}: {meaning}")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--pairs", type=int, help="pairs of answers in each test of non-interference")
    parser.addoption("--ni-seed", type=int, help="what tests of non-interference draw from")


def _home() -> Path:
    return Path(os.environ.get("TWIN_TEST_HOME", PROJECT / ".twin" / "tests"))


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """The tests' own PostgreSQL; it keeps running until the last run that uses it ends."""
    _home().mkdir(parents=True, exist_ok=True)
    with (_home() / "in-use").open("w") as use:
        fcntl.flock(use, fcntl.LOCK_SH)
        yield started()


def started() -> Cluster:
    """The tests' own PostgreSQL, running."""
    cluster = Cluster(_home(), Secrets(_home() / "secrets"))
    cluster.ensure_running()
    make_template(cluster)
    return cluster


def _logs() -> Path:
    return Cluster(_home(), Secrets(_home() / "secrets")).data / "log"


def pytest_sessionstart(session: pytest.Session) -> None:
    session.config.stash[_BEGUN] = sizes(_logs())


def pytest_terminal_summary(terminalreporter: Any) -> None:
    for line in terminalreporter.config.stash.get(_FOUND, []):
        terminalreporter.write_line(f"a hidden value was left behind: {line}", red=True)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workerinput") or not (_home() / "in-use").exists():
        return
    found = find_canaries(_logs(), session.config.stash[_BEGUN], session.config._tmp_path_factory.getbasetemp())  # type: ignore[attr-defined]
    session.config.stash[_FOUND] = found
    if found and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    with (_home() / "in-use").open("w") as use, suppress(BlockingIOError):
        fcntl.flock(use, fcntl.LOCK_EX | fcntl.LOCK_NB)
        Cluster(_home(), Secrets(_home() / "secrets")).stop()


@pytest.fixture(scope="session")
def new_town(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Town]]:
    """Found another town: `new_town()` with the policies of the tests, or with a folder of one's own."""
    founded: list[Town] = []

    def found(policies: Path = POLICIES, *, rows: bool = True, apply: bool = True) -> Town:
        town = Town(cluster, tmp_path_factory.mktemp("town"), policies)
        founded.append(town)
        if apply:
            town.settle(rows=rows)
        return town

    yield found
    for town in founded:
        town.raze()


@pytest.fixture(scope="session")
def town(new_town: Callable[..., Town]) -> Town:
    """The town that many tests read and none may change: a change is done in a `new_town()`."""
    return new_town()


@pytest.fixture(scope="session")
def testdata() -> Path:
    """The folder of real data; without it the test is skipped, or fails where it is required."""
    settings = Settings()
    if not (settings.testdata / "README.md").is_file():
        reason = f"not run: there is no test data in {settings.testdata} (set TWIN_TESTDATA)"
        pytest.fail(reason) if settings.require_testdata else pytest.skip(reason)
    return settings.testdata
