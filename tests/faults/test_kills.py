"""PostgreSQL killed while writing and serving: what was acknowledged is there, what was not is whole or not at all."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from tests.conftest import POLICIES
from tests.towns import Town, make_template
from twin_api.store.embedded import Cluster
from twin_api.store.secrets import Secrets

SEED = int(os.environ.get("TWIN_TEST_SEED", random.SystemRandom().randrange(10**6)))
BATCH = 50
WRITE = (
    "INSERT INTO store.baeume (baum_nr, art, status, geometry) SELECT 'K' || n, 'Linde', 'steht', "
    "ST_SetSRID(ST_MakePoint(672000 + n %% 900, 5500000 + n / 900), 25832) FROM generate_series(%s::int, %s::int) AS n"
)


@pytest.fixture
def doomed(tmp_path: Path) -> Iterator[tuple[Cluster, Town]]:
    """A town on a cluster of its own, to be killed."""
    cluster = Cluster(tmp_path / "home", Secrets(tmp_path / "home" / "secrets"))
    cluster.ensure_running()
    make_template(cluster)
    town = Town(cluster, tmp_path, POLICIES)
    town.settle()
    yield cluster, town
    cluster.ensure_running()
    town.raze()
    cluster.remove()


class Writer(threading.Thread):
    """Batches of trees, each in one transaction, until told to stop; remembers what was acknowledged."""

    def __init__(self, town: Town) -> None:
        super().__init__(daemon=True)
        self.town = town
        self.acknowledged = 0
        self.sent = 0
        self.stopping = threading.Event()

    def run(self) -> None:
        while not self.stopping.is_set():
            try:
                with self.town.login("writer") as connection:
                    while not self.stopping.is_set():
                        first = self._found(connection) + 1
                        connection.execute(WRITE, [first, first + BATCH - 1])
                        self.acknowledged = first + BATCH - 1
            except psycopg.OperationalError:
                time.sleep(0.02)

    def _found(self, connection: psycopg.Connection[tuple[int]]) -> int:
        """The last number that is there: the last acknowledged one, or one batch more whose answer was lost."""
        row = connection.execute("SELECT coalesce(max(substr(baum_nr, 2)::int), 0) FROM store.baeume WHERE baum_nr LIKE 'K%'").fetchone()
        assert row is not None
        assert row[0] in (self.acknowledged, self.acknowledged + BATCH), (row[0], self.acknowledged)
        return row[0]


def _kill(cluster: Cluster) -> None:
    os.kill(int((cluster.data / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)


def _run(cluster: Cluster, town: Town, kills: int) -> None:
    draw = random.Random(SEED)
    print(f"TWIN_TEST_SEED={SEED}")
    citizen, writer = town.client_for("citizen"), Writer(town)
    assert citizen.get("collections/baeume/items").status_code == 200
    writer.start()
    for _ in range(kills):
        time.sleep(draw.uniform(0.05, 0.4))
        _kill(cluster)
        killed = time.monotonic()
        assert citizen.get("collections/baeume/items").status_code in (200, 503)
        cluster.ensure_running()
        while citizen.get("collections/baeume/items").status_code != 200:
            assert time.monotonic() - killed < 20
            time.sleep(0.02)
    writer.stopping.set()
    writer.join(20)
    with town.login("writer") as connection:
        assert writer._found(connection) in (writer.acknowledged, writer.acknowledged + BATCH)
        count = connection.execute("SELECT count(*) FROM store.baeume WHERE baum_nr LIKE 'K%'").fetchone()
        assert count is not None
        assert count[0] % BATCH == 0
    assert writer.acknowledged > 0
    assert citizen.get("collections/baeume/items").json()["numberMatched"] == 41 + count[0]
    assert town.drift() == []


@pytest.mark.slow
def test_a_server_and_its_store_outlive_kills_of_postgresql(doomed: tuple[Cluster, Town]) -> None:
    _run(*doomed, kills=5)


@pytest.mark.long
def test_a_server_and_its_store_outlive_two_hundred_kills_of_postgresql(doomed: tuple[Cluster, Town]) -> None:
    _run(*doomed, kills=200)


def test_a_server_answers_503_while_postgresql_is_away_and_serves_again_without_a_restart(doomed: tuple[Cluster, Town]) -> None:
    cluster, town = doomed
    client = town.client("council")
    assert client.get("/council/collections").status_code == 200
    cluster.stop()
    for path in ("/citizen/collections", "/citizen/collections/baeume/items", "/council/collections", "/readyz"):
        answer: httpx.Response = client.get(path)
        assert answer.status_code == 503, path
        assert "psycopg" not in answer.text
    assert client.get("/healthz").status_code == 200
    cluster.ensure_running()
    for path in ("/citizen/collections", "/citizen/collections/baeume/items", "/council/collections", "/readyz"):
        assert client.get(path).status_code == 200, path
