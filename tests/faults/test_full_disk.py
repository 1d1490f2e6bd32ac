"""The disk runs full: nobody writes any more, everybody reads on, and with room again all goes on as if nothing had been."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
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


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A disk of its own in memory, which the database's system user reaches; only root may make one."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={ROOM_MB}m,mode=755", "tmpfs", folder], capture_output=True, text=True)
    if mounted.returncode != 0:
        folder.rmdir()
        pytest.skip(f"not run: no disk can be made here ({mounted.stderr.strip()})")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)
    folder.rmdir()


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
