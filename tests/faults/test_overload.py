"""More than can be served, a store that is away, and servers that end: nobody waits without an end, and no answer is cut."""

from __future__ import annotations

import asyncio
import os
import signal
import statistics
import subprocess
import time
from collections import Counter
from collections.abc import Callable

import httpx
import pytest

from tests.faults.serving import Crowd, Process, free_port, serving
from tests.faults.test_kills import doomed as doomed
from tests.towns import Serving, Town
from twin_api.store.embedded import Cluster

ITEMS = "/citizen/collections/baeume/items"
pytestmark = pytest.mark.slow


async def _ask_at_once(address: str, requests: int) -> tuple[list[httpx.Response], float]:
    """The answers, and how long the slowest one took."""
    async with httpx.AsyncClient(base_url=address, timeout=30, limits=httpx.Limits(max_connections=requests)) as client:
        started = time.monotonic()
        answers = await asyncio.gather(*(client.get(ITEMS) for _ in range(requests)))
        return answers, time.monotonic() - started


def _seconds_until_served(address: str) -> float:
    started = time.monotonic()
    while httpx.get(f"{address}{ITEMS}", timeout=30).status_code != 200:
        assert time.monotonic() - started < 30
        time.sleep(0.1)
    return time.monotonic() - started


@pytest.mark.parametrize("trouble", ["stopped", "frozen"])
def test_a_store_that_is_away_is_said_to_be_and_found_again(doomed: tuple[Cluster, Town], trouble: str) -> None:
    cluster, town = doomed
    server = Serving(town.settings())
    try:
        answers, _ = asyncio.run(_ask_at_once(server.address, 20))
        assert {answer.status_code for answer in answers} == {200}
        end = _stop(cluster) if trouble == "stopped" else _freeze(town)
        for _ in range(2):
            answers, slowest = asyncio.run(_ask_at_once(server.address, 40))
            assert {answer.status_code for answer in answers} == {503}
            assert all(int(answer.headers["retry-after"]) > 0 for answer in answers)
            assert slowest < 10
        end()
        assert _seconds_until_served(server.address) < 5
        answers, _ = asyncio.run(_ask_at_once(server.address, 40))
        assert {answer.status_code for answer in answers} == {200}
    finally:
        server.stop()


def _stop(cluster: Cluster) -> Callable[[], object]:
    cluster.stop()
    return cluster.ensure_running


def _freeze(town: Town) -> Callable[[], object]:
    """Every process of PostgreSQL stands still, as on a machine whose disk hangs."""
    with town.superuser() as connection:
        row = connection.execute("SELECT pg_backend_pid()").fetchone()
        assert row is not None
        postmaster = int(subprocess.run(["ps", "-o", "ppid=", "-p", str(row[0])], capture_output=True, text=True, check=True).stdout)
    children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(postmaster)], capture_output=True, text=True, check=True).stdout
    frozen = [postmaster, *map(int, children.split())]

    def send(number: int) -> None:
        for pid in frozen:
            try:
                os.kill(pid, number)
            except ProcessLookupError:  # the connection that asked has ended
                continue

    send(signal.SIGSTOP)
    return lambda: send(signal.SIGCONT)


async def _restart_under_load(town: Town, restarts: int, options: tuple[str, ...]) -> Counter[str]:
    port = free_port()
    crowd = Crowd(port, [ITEMS, "/citizen/collections", f"{ITEMS}?limit=40&f=html"])
    process = await asyncio.to_thread(Process, town, port, *options)
    asking = asyncio.create_task(crowd.ask(50))
    for _ in range(restarts):
        await asyncio.sleep(0.5)
        process.terminate()
        await asyncio.to_thread(process.wait)
        process = await asyncio.to_thread(Process, town, port, *options)
    await asyncio.sleep(0.5)
    crowd.is_over = True
    await asking
    await asyncio.to_thread(process.stop)
    return crowd.seen


@pytest.mark.long  # on a machine that does other things too, connections that nobody has taken yet are many
@pytest.mark.parametrize(("restarts", "options"), [(2, ()), (1, ("--workers", "2")), (20, ())])
def test_no_answer_is_cut_when_a_server_is_restarted_under_load(town: Town, restarts: int, options: tuple[str, ...]) -> None:
    seen = asyncio.run(_restart_under_load(town, restarts, options))
    print(restarts, options, dict(seen))
    assert seen["200"] > restarts * 20
    assert seen.keys() <= {"200", "503", "refused"}


def test_a_server_that_is_told_to_end_says_so_first_and_goes_on_serving(town: Town) -> None:
    port = free_port()
    process = Process(town, port, drain_s="1.5")
    with httpx.Client(base_url=process.address, timeout=10) as client:
        assert client.get("/readyz").status_code == 200
        process.terminate()
        time.sleep(0.3)
        assert client.get("/readyz").status_code == 503
        assert client.get(ITEMS).status_code == 200
    assert process.wait(10) in (0, -signal.SIGTERM)


def _workers(parent: int) -> list[int]:
    listed = subprocess.run(["ps", "-ww", "-o", "pid=,args=", "--ppid", str(parent)], capture_output=True, text=True, check=True).stdout
    return [int(line.split()[0]) for line in listed.splitlines() if "spawn_main" in line]


def test_a_worker_that_leaves_alone_closes_the_door_for_nobody_and_one_that_dies_is_replaced(town: Town) -> None:
    with serving(town, "--workers", "2") as process:
        leaving, dying = _workers(process.pid)
        os.kill(leaving, signal.SIGTERM)
        until = time.monotonic() + 1
        while time.monotonic() < until:
            # where a first packet is dropped, it takes longer
            assert httpx.get(f"{process.address}/healthz", timeout=0.9).status_code == 200
        os.kill(dying, signal.SIGKILL)
        process.wait_until_ready(20)
        assert httpx.get(f"{process.address}{ITEMS}", timeout=10).status_code == 200
        assert not {leaving, dying} & set(_workers(process.pid))


def test_ten_times_too_much_is_shared_alike_by_clients(town: Town) -> None:
    """Four offices behind a proxy, one with forty requests at once, three with ten: where eight are served at once, nobody is left out."""
    with serving(town, requests="2", waiting="16", rate="0") as process:
        port = int(process.address.rpartition(":")[2])
        crowds = [Crowd(port, [f"{ITEMS}?limit=40"], f"X-Forwarded-For: 203.0.113.{n}\r\n") for n in range(4)]

        async def run() -> None:
            asking = asyncio.gather(*(crowd.ask(clients) for crowd, clients in zip(crowds, (40, 10, 10, 10), strict=True)))
            for _ in range(150):
                await asyncio.sleep(0.2)
                if sum(crowd.seen["200"] for crowd in crowds) > 300:
                    break
            for crowd in crowds:
                crowd.is_over = True
            await asking

        asyncio.run(run())
    served = [crowd.seen["200"] for crowd in crowds]
    print(served, [dict(crowd.seen) for crowd in crowds])
    assert sum(served) ** 2 / (len(served) * sum(n * n for n in served)) > 0.9
    assert all(crowd.seen.keys() <= {"200", "503"} for crowd in crowds)


@pytest.fixture
def council(town: Town) -> str:
    return f"Authorization: Bearer {town.token('council')}\r\n"


@pytest.mark.parametrize("apart", [True, False])
def test_a_flood_of_citizens_does_not_reach_the_council(town: Town, council: str, apart: bool) -> None:
    """A limit of harm: the figures are measured by hand, `docs/operation.md` has them."""
    with (
        serving(town, "--roles", "citizen" if apart else "all", rate="0") as flooded,
        serving(town, "--roles", "council", rate="0") as quiet,
    ):
        asked = quiet if apart else flooded
        idle = asyncio.run(_council_times(asked, council, None))
        loaded = asyncio.run(_council_times(asked, council, flooded))
    print(f"apart={apart}: idle p50 {statistics.median(idle) * 1e3:.1f} ms, loaded p50 {statistics.median(loaded) * 1e3:.1f} ms")
    assert statistics.median(loaded) < 20 * statistics.median(idle) + 0.1


async def _council_times(process: Process, token: str, flooded: Process | None) -> list[float]:
    port = int(process.address.rpartition(":")[2])
    crowd = Crowd(port, ["/council/collections/baeume/items"], token)
    flood = Crowd(int(flooded.address.rpartition(":")[2]), [f"{ITEMS}?limit=40"]) if flooded else None
    flooding = asyncio.create_task(flood.ask(64)) if flood else None
    await asyncio.sleep(0.5)
    asking = asyncio.create_task(crowd.ask(1))
    await asyncio.sleep(2.5)
    crowd.is_over = True
    await asking
    if flood and flooding:
        flood.is_over = True
        await flooding
    assert crowd.seen.keys() == {"200"}
    return crowd.times
