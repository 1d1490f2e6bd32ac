"""A line: statements prepared within bounds, all that libpq needs done in small steps, and no end that anybody waits for."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
import tracemalloc
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any

import psycopg
import pytest
import uvloop
from psycopg import AsyncConnection

from tests.towns import Town
from twin_api.store import line as line_module
from twin_api.store.line import Line

WHO = "SELECT pg_backend_pid()"
PREPARED = "SELECT statement FROM pg_prepared_statements WHERE statement ~ '^SELECT . AS' ORDER BY prepare_time"
LONG = "SELECT count(*) FROM (SELECT generate_series(1, 100000000000)) AS s"


def run_with_line(town: Town, use: Callable[[Line], Awaitable[Any]], run_loop: Callable[..., Any] = asyncio.run) -> Any:
    async def run() -> Any:
        line = Line(await AsyncConnection.connect(town.server.conninfo("citizen"), autocommit=True))
        try:
            return await use(line)
        finally:
            await line.close()

    return run_loop(run())


async def ask(line: Line, sql: str, often: bool = True, /, **params: Any) -> list[tuple[Any, ...]]:
    return await line.rows(sql, params, is_often_asked=often)


def test_names_become_numbers_and_doubled_signs_one(town: Town) -> None:
    async def use(line: Line) -> None:
        sql = "SELECT %(a)s::text || %(b)s::text || %(a)s::text, 7 %% 4, %(none)s::int, %(day)s::date"
        assert await ask(line, sql, a="ä", b="%(b)s", none=None, day="2026-01-31") == [("ä%(b)sä".encode(), 3, None, date(2026, 1, 31))]

    run_with_line(town, use)


def test_beyond_the_bound_the_statement_asked_least_recently_is_forgotten(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_module, "_PREPARED", 3)

    async def use(line: Line) -> None:
        for number in (1, 2, 3, 1, 4):
            assert await ask(line, f"SELECT {number} AS n") == [(number,)]
        kept = await ask(line, PREPARED, False)
        assert kept == [(f"SELECT {number} AS n".encode(),) for number in (1, 3, 4)]
        for number in (2, 3, 1):
            assert await ask(line, f"SELECT {number} AS n") == [(number,)]

    run_with_line(town, use)


def test_a_text_that_comes_again_and_again_is_prepared_the_fifth_time(town: Town) -> None:
    async def use(line: Line) -> None:
        for times in range(1, 7):
            assert await ask(line, "SELECT 1 AS n", False) == [(1,)]
            assert len(await ask(line, PREPARED)) == (times >= 5)

    run_with_line(town, use)


def test_texts_that_come_once_take_no_room(town: Town) -> None:
    async def use(line: Line) -> None:
        for number in range(1000):
            await ask(line, f"SELECT {number}", False)
        assert len(line._asked) <= line_module._PREPARED
        assert not line._prepared

    run_with_line(town, use)


def test_a_question_larger_than_the_socket_holds_goes_out_whole(town: Town) -> None:
    async def use(line: Line) -> None:
        text = "ä" * 4_000_000
        (row,) = await ask(line, "SELECT octet_length(%(text)s::text), %(text)s::text", text=text)
        assert row == (8_000_000, text.encode())

    run_with_line(town, use)


def test_an_error_leaves_the_line_usable_and_says_what_it_was(town: Town) -> None:
    async def use(line: Line) -> None:
        with pytest.raises(psycopg.errors.DivisionByZero):
            await ask(line, "SELECT 1 / %(n)s::int", n=0)
        assert line.is_idle
        assert await ask(line, "SELECT 1 / %(n)s::int", n=1) == [(1,)]

    run_with_line(town, use)


def test_a_line_that_the_server_ended_is_idle_no_more_and_nobody_listens_to_it(town: Town) -> None:
    async def use(line: Line) -> None:
        ((pid,),) = await ask(line, WHO)
        with town.superuser() as connection:
            connection.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
        spent = time.process_time()
        await asyncio.sleep(0.5)
        assert not line.is_idle
        assert time.process_time() - spent < 0.3, "the loop calls and calls"
        with pytest.raises(psycopg.OperationalError):
            await ask(line, WHO)

    run_with_line(town, use)


def test_a_question_that_nobody_waits_for_any_more_is_ended_at_the_server(town: Town) -> None:
    async def use(line: Line) -> None:
        ((pid,),) = await ask(line, WHO)
        await ask(line, "SET statement_timeout = 0")
        asking = asyncio.create_task(ask(line, LONG))
        await asyncio.sleep(0.2)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await line.close()
        with town.superuser() as connection:
            for _ in range(50):
                if not connection.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", [pid]).fetchall():
                    return
                await asyncio.sleep(0.1)
        raise AssertionError("it works on and on")

    run_with_line(town, use)


def test_a_server_that_does_not_answer_is_given_up(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_module, "_ANSWER_S", 0.5)

    async def use(line: Line) -> None:
        ((pid,),) = await ask(line, WHO)
        await asyncio.sleep(0.3)  # the watch that began with the question before must not end this one early
        os.kill(pid, signal.SIGSTOP)
        try:
            since = time.monotonic()
            with pytest.raises(psycopg.OperationalError):
                await ask(line, WHO)
            assert 0.4 < time.monotonic() - since < 5
        finally:
            os.kill(pid, signal.SIGCONT)

    run_with_line(town, use)


@pytest.mark.parametrize("run_loop", [asyncio.run, uvloop.run])
def test_a_server_that_ends_while_it_is_asked_leaves_nothing_behind(town: Town, run_loop: Callable[..., Any]) -> None:
    async def use(line: Line) -> None:
        ((pid,),) = await ask(line, WHO)
        os.kill(pid, signal.SIGSTOP)
        asking = asyncio.create_task(ask(line, "SELECT %(text)s::text", text="x" * 32_000_000))
        await asyncio.sleep(0.1)
        os.kill(pid, signal.SIGTERM)
        os.kill(pid, signal.SIGCONT)
        with pytest.raises(psycopg.OperationalError):
            async with asyncio.timeout(3):
                await asking
        spent = time.process_time()
        with socket.socket() as same, socket.socket():  # one of them has the number of the line's
            same.listen()
            await asyncio.sleep(0.5)
        assert time.process_time() - spent < 0.3, "the loop calls and calls"

    run_with_line(town, use, run_loop)


@pytest.mark.parametrize("run_loop", [asyncio.run, uvloop.run])
def test_a_line_whose_socket_is_closed_already_is_forgotten_whole(town: Town, run_loop: Callable[..., Any]) -> None:
    async def use(line: Line) -> None:
        ((pid,),) = await ask(line, WHO)
        with town.superuser() as connection:
            connection.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
        line._loop.add_writer(line._socket, line._write)  # as in the middle of a question
        line._waiting = line._loop.create_future()
        while not line._waiting.done():  # nobody else comes in between
            line._read()
        with pytest.raises(psycopg.OperationalError):
            await line._waiting
        assert not line._loop.remove_reader(line._socket)
        assert not line._loop.remove_writer(line._socket)

    run_with_line(town, use, run_loop)


def test_long_texts_that_were_asked_once_are_not_remembered_by_the_thousand() -> None:
    tracemalloc.start()
    try:
        for number in range(1000):
            line_module._numbered(f"SELECT {number}" + " + 1" * 8000)
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        line_module._long.cache_clear()
    assert kept < 20_000_000


def test_a_line_is_hung_up_even_if_nobody_waits_for_that_either(town: Town) -> None:
    async def use(line: Line) -> None:
        asking = asyncio.create_task(ask(line, LONG))
        await asyncio.sleep(0.05)
        closing = asyncio.create_task(line.close())
        await asyncio.sleep(0)
        closing.cancel()
        assert isinstance((await asyncio.gather(closing, return_exceptions=True))[0], asyncio.CancelledError)
        assert line._connection.closed
        asking.cancel()

    run_with_line(town, use)
