"""The pool: warm connections, statements prepared once, and a way back from every kind of trouble."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from psycopg import conninfo

from tests.door.clients import client_of
from tests.towns import Serving, Town
from twin_api.problems import DatabaseAway, NotFound, TooBusy
from twin_api.store import line
from twin_api.store.engine import Pool, SchemaMoved, Server
from twin_api.store.line import Line

WHO = "SELECT pg_backend_pid()"
ENDLESS = "SELECT count(*) FROM (SELECT generate_series(1, 1000000000)) AS s"
ROOMY = "SELECT count(*) FROM generate_series(1, 100000000)"  # kept whole in a temporary file
SLOW = "SELECT pg_backend_pid(), count(*) FROM (SELECT generate_series(1, %(n)s::int)) AS s"


def run_with_pool(
    town: Town, use: Callable[[Pool], Awaitable[Any]], *, size: int = 4, wait_s: float = 1.0, server: Server | None = None
) -> Any:
    async def run() -> Any:
        pool = Pool(server or town.server, "citizen", size, wait_s)
        try:
            return await use(pool)
        finally:
            await pool.close()

    return asyncio.run(run())


async def backend(pool: Pool) -> int:
    row = await pool.row(WHO, {})
    assert row is not None
    return int(row[0])


def _wait_until_active(town: Town, pid: int) -> None:
    with town.superuser() as connection:
        while connection.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s AND state = 'active'", [pid]).fetchone() is None:
            pass


def end_backends(town: Town, *pids: int) -> None:
    query = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = %s AND (%s::int[] = '{}' OR pid = ANY (%s))"
    with town.superuser() as connection:
        connection.execute(query, [f"{town.database}_citizen", list(pids), list(pids)])
    time.sleep(0.1)


def test_the_connection_used_last_is_used_next(town: Town) -> None:
    async def use(pool: Pool) -> None:
        together = await asyncio.gather(*(pool.row(SLOW, {"n": 200_000}) for _ in range(4)))
        assert len({row[0] for row in together if row}) == 4
        assert len({await backend(pool) for _ in range(20)}) == 1

    run_with_pool(town, use)


def test_a_statement_is_prepared_once_per_connection(town: Town) -> None:
    async def use(pool: Pool) -> None:
        for _ in range(5):
            await backend(pool)
        prepared = await pool.rows("SELECT statement, generic_plans + custom_plans FROM pg_prepared_statements", {})
        assert [(text.decode(), times) for text, times in prepared if text.decode() == WHO] == [(WHO, 5)]

    run_with_pool(town, use)


def test_what_a_connection_keeps_prepared_has_a_bound(town: Town) -> None:
    """However many texts are asked, the server keeps as many characters of them at most, and no long one of a client's making."""

    async def use(pool: Pool) -> None:
        for number in range(140):
            await pool.rows(f"SELECT {number} /* {'x' * 4000} */", {})
        for _ in range(2 * line._AGAIN):
            await pool.rows(f"SELECT 'long' /* {'x' * line.LONG} */", {}, is_often_asked=False)
        [(kept, longest)] = await pool.rows("SELECT sum(length(statement)), max(length(statement)) FROM pg_prepared_statements", {})
        assert line._CHARACTERS - line.LONG < kept <= line._CHARACTERS
        assert longest <= line.LONG

    run_with_pool(town, use, size=1)


def test_who_finds_no_connection_in_time_is_told_to_come_back(town: Town) -> None:
    async def use(pool: Pool) -> None:
        answers = await asyncio.gather(*(pool.row(SLOW, {"n": 6_000_000}) for _ in range(6)), return_exceptions=True)
        assert {type(answer) for answer in answers} == {tuple, TooBusy}
        assert await backend(pool)

    run_with_pool(town, use, size=1, wait_s=0.05)


def test_dead_connections_are_replaced_and_the_read_repeated(town: Town) -> None:
    async def use(pool: Pool) -> None:
        await asyncio.gather(*(pool.row(SLOW, {"n": 100_000}) for _ in range(4)))
        dead = await backend(pool)
        await asyncio.to_thread(end_backends, town)
        alive = await asyncio.gather(*(backend(pool) for _ in range(12)))
        assert dead not in alive
        assert len(pool._idle) <= 4

    run_with_pool(town, use)


def test_a_read_whose_connection_dies_under_it_is_repeated_once(town: Town) -> None:
    async def use(pool: Pool) -> None:
        pid = await backend(pool)
        reading = asyncio.create_task(pool.row(SLOW, {"n": 5_000_000}))
        await asyncio.to_thread(_wait_until_active, town, pid)
        await asyncio.to_thread(end_backends, town, pid)
        row = await reading
        assert row is not None
        assert row[0] != pid

    run_with_pool(town, use)


def test_a_statement_beyond_its_time_is_ended_and_the_connection_kept(town: Town) -> None:
    async def use(pool: Pool) -> None:
        pid = await backend(pool)
        started = time.monotonic()
        with pytest.raises(TooBusy):
            await pool.row(ENDLESS, {})
        assert time.monotonic() - started < 4
        assert await backend(pool) == pid

    run_with_pool(town, use)


def test_a_statement_that_wants_too_much_room_is_ended(town: Town) -> None:
    async def use(pool: Pool) -> None:
        with pytest.raises(TooBusy):
            await pool.row(ROOMY, {})

    run_with_pool(town, use)


def test_a_server_out_of_reach_is_said_to_be_away_and_found_again(town: Town, tmp_path: Path) -> None:
    told = conninfo.conninfo_to_dict(town.server.address)
    way = tmp_path / "way"
    way.symlink_to(str(told["host"]))
    server = Server(conninfo.make_conninfo(town.server.address, host=str(way)), town.secrets)

    async def use(pool: Pool) -> None:
        await backend(pool)
        way.unlink()
        await asyncio.to_thread(end_backends, town)
        with pytest.raises(DatabaseAway):
            await backend(pool)
        way.symlink_to(str(told["host"]))
        assert await backend(pool)

    run_with_pool(town, use, server=server)


def test_cancelled_requests_leave_a_pool_that_works(town: Town) -> None:
    async def use(pool: Pool) -> None:
        for _ in range(10):
            tasks = [asyncio.create_task(pool.row(SLOW, {"n": 3_000_000})) for _ in range(6)]
            await asyncio.sleep(0.01)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        assert pool._places._free == 4
        rows = await asyncio.gather(*(pool.row("SELECT %(n)s::int", {"n": n}) for n in range(40)))
        assert [row[0] for row in rows if row] == list(range(40))

    run_with_pool(town, use)


def test_no_connection_serves_two_requests_at_once(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    using: set[Line] = set()
    ask = Line.rows

    async def ask_alone(line: Line, *args: Any, **told: Any) -> list[tuple[Any, ...]]:
        assert line not in using
        using.add(line)
        try:
            return await ask(line, *args, **told)
        finally:
            using.remove(line)

    async def use(pool: Pool) -> None:
        async def one(n: int) -> None:
            assert await pool._run("SELECT %(n)s::int", {"n": n}, True, fresh=n % 17 == 0) == [(n,)]

        await asyncio.gather(*(one(n) for n in range(400)))
        assert len(pool._idle) <= 4

    monkeypatch.setattr(Line, "rows", ask_alone)
    run_with_pool(town, use, wait_s=30)


def test_a_statement_on_what_has_gone_says_so_and_the_connection_stays(town: Town) -> None:
    async def use(pool: Pool) -> None:
        pid = await backend(pool)
        for text in ("SELECT 1 FROM citizen.nix", "SELECT nix FROM citizen.baeume", "SELECT nix(1)"):
            with pytest.raises(SchemaMoved):
                await pool.row(text, {})
        assert await backend(pool) == pid

    run_with_pool(town, use)


def test_a_role_whose_secret_has_gone_is_not_found(town: Town) -> None:
    with pytest.raises(NotFound):
        asyncio.run(Pool(town.server, "council_gone", 1, 1.0).row(WHO, {}))


def test_a_login_that_is_refused_is_tried_for_a_moment(new_town: Callable[..., Town]) -> None:
    town = new_town(rows=False)
    right = town.secrets.read("citizen")
    file = town.secrets.folder / "citizen"
    file.write_text("wrong")
    threading.Timer(0.3, file.write_text, [right]).start()
    run_with_pool(town, backend)
    file.write_text("wrong")
    with pytest.raises(DatabaseAway):
        run_with_pool(town, backend)


def test_a_session_that_outlived_its_role_is_replaced(new_town: Callable[..., Town]) -> None:
    town = new_town(rows=False)

    async def use(pool: Pool) -> None:
        await pool.row("SELECT count(*) FROM citizen.baeume", {})
        with psycopg.connect(town.admin, autocommit=True) as connection:
            connection.execute(f"REVOKE SELECT ON citizen.baeume FROM {town.database}_citizen".encode())
            with pytest.raises(DatabaseAway):
                await pool.row("SELECT count(*) FROM citizen.baeume", {})
            connection.execute(f"GRANT SELECT ON citizen.baeume TO {town.database}_citizen".encode())
        assert await pool.row("SELECT count(*) FROM citizen.baeume", {}) == (0,)

    run_with_pool(town, use)


def test_over_http_a_database_that_was_away_serves_again_without_a_restart(town: Town) -> None:
    client = client_of(town)
    assert client.get("/citizen/collections").status_code == 200
    with psycopg.connect(town.cluster.conninfo(), autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {town.database} ALLOW_CONNECTIONS false".encode())
        try:
            end_backends_of(connection, town)
            refused = client.get("/citizen/collections")
        finally:
            connection.execute(f"ALTER DATABASE {town.database} ALLOW_CONNECTIONS true".encode())
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    assert "FATAL" not in refused.text
    assert client.get("/citizen/collections").status_code == 200


def _wait_until_active(town: Town, pid: int) -> None:
    with town.superuser() as connection:
        while connection.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s AND state = 'active'", [pid]).fetchone() is None:
            pass


def end_backends_of(connection: psycopg.Connection[Any], town: Town) -> None:
    connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", [f"{town.database}_citizen"])
    time.sleep(0.1)


def test_clients_that_hang_up_do_not_disturb_the_others(town: Town) -> None:
    client = client_of(town)
    host, port = client.base_url.host, client.base_url.port
    for _ in range(50):
        with socket.create_connection((host, port or 80)) as connection:
            connection.sendall(b"GET /citizen/collections/baeume/items?limit=1000 HTTP/1.1\r\nHost: x\r\n\r\n")
    assert all(client.get("/citizen/collections/baeume/items").status_code == 200 for _ in range(20))


def test_a_server_ends_all_its_connections_when_it_stops(new_town: Callable[..., Town]) -> None:
    town = new_town(rows=False)
    serving = Serving(town.settings())
    assert httpx.get(f"{serving.address}/citizen/collections").status_code == 200
    serving.stop()
    with town.superuser() as connection:
        row = connection.execute("SELECT count(*) FROM pg_stat_activity WHERE usename = %s", [f"{town.database}_citizen"]).fetchone()
    assert row == (0,)
