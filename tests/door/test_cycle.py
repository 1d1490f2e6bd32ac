"""The shorter way of an answer: the same bytes as uvicorn's own, and nothing that is wrong with a head goes out by it."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.towns import Serving, Town
from twin_api.door.cycle import AnswerCycle

BY_CHANCE = re.compile(rb"(?m)^(date|x-request-id): .*$")
ASKED = (
    b"GET /citizen HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /citizen/collections/baeume/items?limit=1000 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /citizen/collections/baeume/items?f=csv HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n",
    b"GET /citizen/collections/baeume/items?f=gpkg HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /citizen/collections/nix HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /citizen HTTP/1.1\r\nHost: x\r\nIf-None-Match: *\r\n\r\n",
    b"GET /citizen HTTP/1.0\r\nHost: x\r\n\r\n",
    b"HEAD /citizen HTTP/1.1\r\nHost: x\r\n\r\n",
    b"OPTIONS /citizen HTTP/1.1\r\nHost: x\r\n\r\n",
    b"DELETE /citizen HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /citizen HTTP/1.1\r\nHost: x\r\n\r\n" * 3,
)
LAST = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


@contextmanager
def served(town: Town, app: ASGIApp | None = None) -> Iterator[Serving]:
    serving = Serving(town.settings(), around=lambda own: app or own)
    try:
        yield serving
    finally:
        serving.stop()


def raw(serving: Serving, asked: bytes) -> bytes:
    place = urlsplit(serving.address)
    with socket.create_connection((place.hostname or "", place.port or 80), timeout=20) as line:
        line.sendall(asked)
        return b"".join(iter(lambda: line.recv(65536), b""))


def test_the_same_bytes_as_by_the_longer_way(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = []
    short_head = AnswerCycle._short_head

    def seen(cycle: AnswerCycle, started: Any, message: Any) -> bytes | None:
        taken.append(short_head(cycle, started, message) is not None)
        return short_head(cycle, started, message)

    with served(town) as serving:
        monkeypatch.setattr(AnswerCycle, "_short_head", seen)
        short = [BY_CHANCE.sub(b"", raw(serving, asked + LAST)) for asked in ASKED]
        assert sum(taken) >= 8
        assert sum(taken) < len(taken)
        monkeypatch.setattr(AnswerCycle, "_short_head", lambda *_: None)
        long = [BY_CHANCE.sub(b"", raw(serving, asked + LAST)) for asked in ASKED]
    assert all(answer.startswith(b"HTTP/1.1 ") for answer in short)
    assert short == long


Headers = list[tuple[bytes, bytes]]


@pytest.fixture(scope="module")
def telling(town: Town) -> Iterator[tuple[Serving, Headers]]:
    """A server whose answer is `ok` with these headers."""
    headers: Headers = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": list(headers)})
            await send({"type": "http.response.body", "body": b"ok"})

    with served(town, app) as serving:
        yield serving, headers


@pytest.mark.parametrize(
    "header",
    [
        (b"x-told", b"a\r\nset-cookie: b"),
        (b"x-told", b"a\nset-cookie: b"),
        (b"x-told", b"a\rset-cookie: b"),
        (b"x-told", b"a\0b"),
        (b"x-told\r\nset-cookie", b"b"),
        (b"x-told", b"a\r\n\r\n<html>"),
    ],
)
def test_no_header_begins_another_line(telling: tuple[Serving, Headers], header: tuple[bytes, bytes]) -> None:
    serving, headers = telling
    headers[:] = [header, (b"content-length", b"2")]
    answer = raw(serving, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert b"set-cookie" not in answer
    assert b"<html>" not in answer
    assert b"200 OK" not in answer


@pytest.mark.parametrize("length", [[b"1"], [b"3"], [b"2", b"2"], [b"2", b"3"], [b"+2"], [b""]])
def test_a_length_that_is_not_the_bodys_is_never_told(
    telling: tuple[Serving, Headers], length: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    serving, headers = telling
    headers[:] = [(b"content-length", each) for each in length]
    taken: list[bytes | None] = []
    short_head = AnswerCycle._short_head
    monkeypatch.setattr(AnswerCycle, "_short_head", lambda *told: (taken.append(short_head(*told)), taken[-1])[1])
    place = urlsplit(serving.address)
    with socket.create_connection((place.hostname or "", place.port or 80), timeout=20) as line:
        line.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        line.recv(1)
    assert taken == [None]


def test_an_answer_that_waited_for_its_reader_says_that_the_server_ends(town: Town) -> None:
    asked, body = threading.Semaphore(0), bytes(16 * 1_048_576)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
            asked.release()
            await send({"type": "http.response.body", "body": body})

    with served(town, app) as serving:
        place = urlsplit(serving.address)
        with socket.create_connection((place.hostname or "", place.port or 80), timeout=20) as line:
            line.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 2)
            assert asked.acquire(timeout=20)
            assert asked.acquire(timeout=20)
            serving._server.should_exit = True
            time.sleep(0.5)  # it looks every tenth of a second
            answers = b"".join(iter(lambda: line.recv(1_048_576), b""))
    assert answers.count(b"HTTP/1.1 200 OK") == 2
    assert answers.count(b"connection: close") == 1
