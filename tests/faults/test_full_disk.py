"""The disk runs full: nobody writes any more, everybody reads on, and with room again all goes on as if nothing had been."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest

from tests.conftest import POLICIES
from tests.faults.actors import STANDING, WRITE
from tests.towns import Town, make_template
from twin_api.store.embedded import Cluster
from twin_api.store.secrets import Secrets

BATCH = 1_000
ROOM_MB = 220  # an empty cluster takes about 90
LOG_MB = 80  # of the database's log: a few files of 16 MiB


@contextmanager
def disk(size_mb: int) -> Iterator[Path]:
    """A disk of its own in memory, which the database's system user reaches; only root may make one."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size_mb}m,mode=755", "tmpfs", folder], capture_output=True, text=True)
    if mounted.returncode != 0:
        folder.rmdir()
        pytest.skip(f"not run: no disk can be made here ({mounted.stderr.strip()})")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)
    folder.rmdir()


@pytest.fixture
def small_disk() -> Iterator[Path]:
    with disk(ROOM_MB) as folder:
        yield folder


@pytest.fixture
def disk_of_the_log() -> Iterator[Path]:
    with disk(LOG_MB) as folder:
        yield folder


def fill(path: Path) -> None:
    with path.open("ab", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"0" * 4096)


def write_until_full(town: Town, fill_up: Callable[[], None]) -> int:
    """Batches until one is refused, each whole; how many rows were acknowledged. PostgreSQL makes room meanwhile, as it clears away old log."""
    for done in range(50):
        fill_up()
        try:
            town.write(WRITE, done * BATCH + 1, done * BATCH + BATCH)
        except psycopg.errors.DiskFull:
            return done * BATCH
    pytest.fail("the disk never ran full")


@pytest.mark.slow
def test_readers_read_on_while_the_disk_is_full_and_nothing_half_is_written(small_disk: Path, tmp_path: Path) -> None:
    cluster = Cluster(small_disk, Secrets(small_disk / "secrets"))
    cluster.ensure_running()
    assert cluster.data.is_relative_to(small_disk)
    make_template(cluster)
    town = Town(cluster, tmp_path, POLICIES)
    town.settle()
    try:
        citizen = town.client_for("citizen")
        acknowledged = write_until_full(town, lambda: fill(small_disk / "fill"))
        assert citizen.get("collections/baeume/items").json()["numberMatched"] == STANDING + acknowledged
        (small_disk / "fill").unlink()
        town.write(WRITE, acknowledged + 1, acknowledged + 2000)
        assert citizen.get("collections/baeume/items").json()["numberMatched"] == STANDING + acknowledged + 2000
        assert town.drift() == []
    finally:
        town.raze()
        cluster.stop()


def write_until_the_log_is_full(town: Town) -> int:
    """Batches, each into a file of the log of its own, until PostgreSQL has to give up; how many rows were acknowledged."""
    for done in range(50):
        try:
            town.write(WRITE, done * BATCH + 1, done * BATCH + BATCH)
            with town.superuser() as connection:
                connection.execute("SELECT pg_switch_wal()")
        except psycopg.OperationalError:
            return done * BATCH
    pytest.fail("the log never ran full")


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_when_the_disk_of_the_log_runs_full(disk_of_the_log: Path, tmp_path: Path) -> None:
    """PostgreSQL stops there, and cannot come up before there is room: whoever asks is told 503, and served again without a restart."""
    cluster = Cluster(tmp_path / "home", Secrets(tmp_path / "home" / "secrets"))
    cluster.ensure_running()
    make_template(cluster)
    town = Town(cluster, tmp_path, POLICIES)
    town.settle()
    citizen = town.client_for("citizen")
    try:
        cluster.stop()
        owner, log = cluster.data.stat(), cluster.data / "pg_wal"
        subprocess.run(["cp", "-a", log, disk_of_the_log / "wal"], check=True)
        shutil.rmtree(log)
        log.symlink_to(disk_of_the_log / "wal")
        os.chown(log, owner.st_uid, owner.st_gid, follow_symlinks=False)
        cluster.ensure_running()
        wait_for(lambda: citizen.get("collections").status_code == 200)
        fill(disk_of_the_log / "fill")
        acknowledged = write_until_the_log_is_full(town)
        assert citizen.get("collections/baeume/items").status_code in (200, 503)
        (disk_of_the_log / "fill").unlink()
        cluster.ensure_running()
        wait_for(lambda: citizen.get("collections").status_code == 200)
        shown = citizen.get("collections/baeume/items").json()["numberMatched"] - STANDING
        assert shown in (acknowledged, acknowledged + BATCH), "the last one may be there without its answer"
        town.write(WRITE, shown + 1, shown + BATCH)
        assert citizen.get("collections/baeume/items").json()["numberMatched"] == STANDING + shown + BATCH
        assert town.drift() == []
    finally:
        cluster.ensure_running()
        town.raze()
        cluster.remove()


def wait_for(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 120  # a limit of harm
    while not holds():
        assert time.monotonic() < end, "it has not come true"
        time.sleep(0.05)
