"""Clocks that jump: what a server's own says matters to nobody, and the database's decides; nothing is lost or torn by either."""

from __future__ import annotations

import shutil
import struct
import subprocess
import tempfile
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import POLICIES
from tests.faults.actors import BATCH, STANDING, WRITE
from tests.faults.serving import serving
from tests.towns import Town, make_template
from twin_api.store.embedded import Cluster
from twin_api.store.secrets import Secrets

DAY_S = 86_400
ITEMS = "/citizen/collections/baeume/items?limit=100"
# between a program and the system's clock: adds the seconds that a file says, while it runs
SHIM = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
static long shift(void) {
  static volatile long *at;
  if (!at) {
    const char *path = getenv("CLOCK_SHIFT");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *map = file < 0 ? MAP_FAILED : mmap(0, sizeof(long), PROT_READ, MAP_SHARED, file, 0);
    if (map == MAP_FAILED) return 0;
    at = map;
  }
  return *at;
}
int clock_gettime(clockid_t clock, struct timespec *now) {
  static int (*real)(clockid_t, struct timespec *);
  if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
  int failed = real(clock, now);
  if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += shift();
  return failed;
}
int gettimeofday(struct timeval *now, void *zone) {
  struct timespec exact;
  int failed = clock_gettime(CLOCK_REALTIME, &exact);
  if (!failed) { now->tv_sec = exact.tv_sec; now->tv_usec = exact.tv_nsec / 1000; }
  return failed;
}
time_t time(time_t *told) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (told) *told = now.tv_sec;
  return now.tv_sec;
}
"""


class Clock:
    """The clock of the programs that are started with `environment`."""

    def __init__(self, folder: Path, library: Path, name: str) -> None:
        self._file = folder / name
        self.set(0)
        self._file.chmod(0o644)
        self.environment = {"LD_PRELOAD": str(library), "CLOCK_SHIFT": str(self._file)}

    def set(self, shift_s: int) -> None:
        with self._file.open("r+b" if self._file.exists() else "wb") as file:
            file.write(struct.pack("l", shift_s))


class ShiftedCluster(Cluster):
    """A cluster whose server goes by a clock of ours."""

    clock: Clock

    def _run(self, *command: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
        return super()._run(*command, cwd=cwd, **environment, **self.clock.environment)


@pytest.fixture
def clocks() -> Iterator[tuple[Clock, Clock]]:
    """A server's and the database's, in a folder that the database's system user reaches."""
    if shutil.which("cc") is None:
        pytest.skip("not run: no clock can be made here without a C compiler")
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    (folder / "shim.c").write_text(SHIM)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", folder / "shim.so", folder / "shim.c", "-ldl"], check=True)
    yield Clock(folder, folder / "shim.so", "server"), Clock(folder, folder / "shim.so", "database")
    shutil.rmtree(folder)


@pytest.mark.slow
def test_clocks_that_jump_by_a_day_lose_nothing_and_open_nothing(
    clocks: tuple[Clock, Clock], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    servers, databases = clocks
    cluster = ShiftedCluster(tmp_path / "home", Secrets(tmp_path / "home" / "secrets"))
    cluster.clock = databases
    cluster.ensure_running()
    make_template(cluster)
    town = Town(cluster, tmp_path, POLICIES)
    town.settle()
    for name, value in servers.environment.items():
        monkeypatch.setenv(name, value)
    try:
        with serving(town) as process, httpx.Client(base_url=process.address, timeout=20) as client:
            monkeypatch.undo()
            _jump(town, client, servers, databases)
    finally:
        town.raze()
        cluster.remove()


def _jump(town: Town, client: httpx.Client, servers: Clock, databases: Clock) -> None:
    token = {"Authorization": f"Bearer {town.token('council')}"}  # for an hour
    before, written = client.get(ITEMS), 0
    for shift_s in (DAY_S, -DAY_S, 0):
        servers.set(shift_s)
        told = _when_it_says_so(client, shift_s)
        assert (told.status_code, told.content, told.headers["etag"]) == (200, before.content, before.headers["etag"])
        assert client.get("/council/collections", headers=token).status_code == 200
    for shift_s, status in ((DAY_S, 401), (-DAY_S, 200), (0, 200)):
        databases.set(shift_s)
        assert _database_at(town) == pytest.approx(time.time() + shift_s, abs=DAY_S / 2)
        time.sleep(1.1)  # a token is remembered for a second
        assert client.get("/council/collections", headers=token).status_code == status, "by the database's clock it has expired, or not"
        town.write(WRITE, written + 1, written + BATCH)
        written += BATCH
        assert client.get(ITEMS).json()["numberMatched"] == STANDING + written
    assert town.drift() == []


def _when_it_says_so(client: httpx.Client, shift_s: int) -> httpx.Response:
    """The first answer whose `Date`, which the server looks up once a second, tells that its clock has jumped."""
    end = time.monotonic() + 30
    while True:
        answer = client.get(ITEMS)
        said_s = parsedate_to_datetime(answer.headers["date"]).timestamp() - time.time()
        if abs(said_s - shift_s) < DAY_S / 2:
            return answer
        assert time.monotonic() < end, "its clock has not jumped"
        time.sleep(0.1)


def _database_at(town: Town) -> Any:
    with town.login("owner") as connection:
        row = connection.execute("SELECT extract(epoch FROM clock_timestamp())::float8").fetchone()
    assert row is not None
    return row[0]
