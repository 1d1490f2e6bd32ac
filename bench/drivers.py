"""Which driver for the hot path: our pool (libpq itself, last in first out), psycopg_pool, or asyncpg without a reset between reads.

No HTTP: statements of the hot path from one event loop (uvloop), 16 at a time on 8 connections, as the citizen's login. Run it after
`make bench`; it starts itself again in the peers' environment, which has all three.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median
from typing import Any
from uuid import UUID

PROJECT = Path(__file__).resolve().parent.parent
CONCURRENCY, CONNECTIONS = 16, 8

ITEM = (
    "SELECT c.version, g._feature FROM citizen.collection c LEFT JOIN citizen.gebaeude g ON g.id = {id} "
    "WHERE c.name = 'gebaeude' AND (c.shown_until IS NULL OR c.shown_until > now())"
)
PAGE = (
    "SELECT count(*), string_agg(_feature, ',') FROM (SELECT _feature FROM citizen.gebaeude "
    "WHERE (_place, id) > (SELECT _place, id FROM citizen.gebaeude WHERE id = {{id}}) ORDER BY _place, id LIMIT {limit}) page"
)
WORK = {"item": (ITEM, 3_000), "page of 100": (PAGE.format(limit=100), 600), "of 10,000": (PAGE.format(limit=10_000), 40)}

Read = Callable[[UUID], Awaitable[bytes]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, default=PROJECT / ".twin" / "bench")
    parser.add_argument("--rounds", type=int, default=7)
    told = parser.parse_args()
    if "BENCH_ADDRESS" in os.environ:
        import uvloop

        uvloop.run(_compare(told.rounds))
    else:
        _start_again(told.home, told.rounds)


def _start_again(home: Path, rounds: int) -> None:
    from bench.town import Town
    from bench.workloads import make_ids

    town = Town(home, Path(), 0)
    with town.running():
        ids = " ".join(make_ids(town, 3_000))
        told = {"BENCH_ADDRESS": town.server.address, "BENCH_SECRETS": str(town.handed()), "BENCH_IDS": ids}
        command = [home / "venv" / "bin" / "python", __file__, "--rounds", str(rounds)]
        subprocess.run(command, env={**os.environ, **told, "PYTHONPATH": str(PROJECT)}, check=True)


async def _compare(rounds: int) -> None:
    ids = list(map(UUID, os.environ["BENCH_IDS"].split()))
    print(f"{'statement':<13}{'driver':<26}{'us each':>9}{'of ours':>9}{'CPU us of this process':>25}")
    for work, (statement, number) in WORK.items():
        drivers = {
            "ours (libpq, LIFO)": await _ours(statement),
            "psycopg_pool": await _psycopg_pool(statement),
            "asyncpg": await _asyncpg(statement),
        }
        answers = {name: await read(ids[0]) for name, read in drivers.items()}
        assert len(set(answers.values())) == 1, "the drivers do not read the same"
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in drivers}
        for turn in range(-1, rounds):
            for name in list(drivers)[turn % 3 :] + list(drivers)[: turn % 3]:
                one = await _time(drivers[name], ids, number)
                if turn >= 0:  # the first round only warms up
                    found[name].append(one)
        for name, seen in found.items():
            of_ours = median(our[0] / their[0] for our, their in zip(found["ours (libpq, LIFO)"], seen, strict=True))
            print(f"{work:<13}{name:<26}{median(s[0] for s in seen):>9.0f}{1 / of_ours:>9.2f}{median(s[1] for s in seen):>25.0f}")
    sys.stdout.flush()
    os._exit(0)  # the connections end with the process


async def _time(read: Read, ids: list[UUID], number: int) -> tuple[float, float]:
    """Microseconds of the clock and of the processor, per statement."""
    turn = iter(ids[:number])

    async def walk() -> None:
        for id in turn:
            await read(id)

    clock, processor = time.perf_counter(), time.process_time()
    await asyncio.gather(*(walk() for _ in range(CONCURRENCY)))
    return (time.perf_counter() - clock) / number * 1e6, (time.process_time() - processor) / number * 1e6


def _server() -> Any:
    from twin_api.store.engine import Server
    from twin_api.store.secrets import Secrets

    return Server(os.environ["BENCH_ADDRESS"], Secrets(Path(os.environ["BENCH_SECRETS"])))


async def _ours(statement: str) -> Read:
    from twin_api.store.engine import Pool

    pool, text = Pool(_server(), "citizen", CONNECTIONS, 30), statement.format(id="%(id)s::uuid")

    async def read(id: UUID) -> bytes:
        row = await pool.row(text, {"id": id})
        assert row is not None
        return bytes(row[1])

    return read


async def _psycopg_pool(statement: str) -> Read:
    from psycopg.types.string import ByteaBinaryLoader
    from psycopg_pool import AsyncConnectionPool

    async def configure(connection: Any) -> None:
        connection.adapters.register_loader("text", ByteaBinaryLoader)

    options = {"autocommit": True}
    pool = AsyncConnectionPool(
        _server().conninfo("citizen"), min_size=CONNECTIONS, max_size=CONNECTIONS, open=False, kwargs=options, configure=configure
    )
    await pool.open(wait=True)
    text = statement.format(id="%(id)s::uuid")

    async def read(id: UUID) -> bytes:
        async with pool.connection() as connection:
            row: Any = await (await connection.execute(text, {"id": id}, prepare=True, binary=True)).fetchone()
        return bytes(row[1])

    return read


async def _asyncpg(statement: str) -> Read:
    import asyncpg
    from psycopg.conninfo import conninfo_to_dict

    class Connection(asyncpg.Connection):  # type: ignore[misc]
        def get_reset_query(self) -> str:
            return ""

    told = conninfo_to_dict(_server().conninfo("citizen"))
    address = {
        "host": told["host"],
        "port": int(str(told["port"])),
        "database": told["dbname"],
        "user": told["user"],
        "password": told["password"],
    }
    pool = await asyncpg.create_pool(**address, min_size=CONNECTIONS, max_size=CONNECTIONS, connection_class=Connection)
    text = statement.format(id="$1")

    async def read(id: UUID) -> bytes:
        async with pool.acquire() as connection:
            row = await connection.fetchrow(text, id)
        return bytes(row[1].encode())  # asyncpg knows text as Python strings only

    return read


if __name__ == "__main__":
    main()
