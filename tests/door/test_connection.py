"""Clients that are slow or never finish: they are let go, and meanwhile nobody else waits for them."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

import httpx
import pytest

from tests.towns import Serving, Town
from twin_api.door import connection

ITEMS = "/citizen/collections/baeume/items"
HEAD = b"GET %b HTTP/1.1\r\nHost: x\r\n"


@contextmanager
def served(town: Town, **settings: object) -> Iterator[Serving]:
    serving = Serving(town.settings(**settings))
    try:
        yield serving
    finally:
        serving.stop()


def connect(serving: Serving, *, small: bool = False) -> socket.socket:
    place = urlsplit(serving.address)
    line = socket.socket()
    if small:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # what is not read stays with the server
    line.settimeout(20)
    line.connect((place.hostname, place.port))
    return line


def read_all(line: socket.socket) -> bytes:
    return b"".join(iter(lambda: line.recv(65536), b""))


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seconds become tenths."""
    monkeypatch.setattr(connection, "ARRIVE_S", 0.6)
    monkeypatch.setattr(connection, "LOOK_S", 0.1)
    monkeypatch.setattr(connection, "UNREAD_S", 0.6)
    monkeypatch.setattr(connection, "UNREAD_GRACE_S", 0.3)


def test_a_head_that_never_ends_is_answered_and_its_connection_closed(town: Town, hasty: None) -> None:
    with served(town) as serving, connect(serving) as line:
        line.sendall(HEAD % b"/citizen")
        started = time.monotonic()
        while time.monotonic() - started < 0.4:
            line.sendall(b"X: y\r\n")
            time.sleep(0.1)
        answer = read_all(line)
        assert time.monotonic() - started < 5
    assert answer.startswith(b"HTTP/1.1 408")
    assert b"urn:twin-api:problem:request-too-slow" in answer


def test_who_connects_and_says_nothing_is_let_go(town: Town, hasty: None) -> None:
    with served(town) as serving, connect(serving) as line:
        assert read_all(line) == b""


@pytest.mark.parametrize("length", [b"Content-Length: 999999999", b"Transfer-Encoding: chunked"])
def test_content_that_never_comes_or_never_ends_is_not_waited_for(town: Town, hasty: None, length: bytes) -> None:
    with served(town) as serving, connect(serving) as line:
        line.sendall(HEAD % b"/citizen" + length + b"\r\n\r\n")
        assert read_all(line).startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize("endless", [b"x: " + b"y" * 8000 + b"\r\n", b"1;" + b"y" * 8000 + b"\r\nz\r\n"], ids=["trailers", "extensions"])
def test_what_stands_beside_the_content_is_not_read_without_end(town: Town, endless: bytes) -> None:
    with served(town) as serving, connect(serving) as line:
        line.sendall(HEAD.replace(b"GET", b"POST") % b"/citizen" + b"Transfer-Encoding: chunked\r\n\r\n")
        if endless.startswith(b"x"):
            line.sendall(b"0\r\n")
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            line.sendall(endless * 1500)  # 12 MB: far more than is discarded, with what lies in the system's buffers


def test_a_connection_at_rest_is_kept_between_requests(town: Town, hasty: None) -> None:
    with served(town) as serving, connect(serving) as line:
        for _ in range(2):
            line.sendall(HEAD % b"/healthz" + b"\r\n")
            assert line.recv(15) == b"HTTP/1.1 200 OK"
            time.sleep(1.0)
            line.setblocking(False)
            line.recv(65536)  # the rest
            line.settimeout(20)


def test_two_hundred_slow_clients_hurt_nobody(town: Town) -> None:
    with served(town, connections=1000) as serving, ExitStack() as slow, httpx.Client(base_url=serving.address, timeout=20) as client:
        for n in range(200):
            line = slow.enter_context(connect(serving))
            line.sendall((HEAD % b"/citizen")[: 5 + n % 25])
        took = []
        for _ in range(30):
            started = time.monotonic()
            assert client.get(ITEMS).status_code == 200
            took.append(time.monotonic() - started)
    assert sorted(took)[15] < 1.0


def test_beyond_the_most_connections_the_one_that_owes_longest_gives_way(town: Town) -> None:
    with served(town, connections=20) as serving, ExitStack() as open_, httpx.Client(base_url=serving.address, timeout=20) as client:
        lines = [open_.enter_context(connect(serving)) for _ in range(25)]
        assert client.get("/citizen").status_code == 200
        lines[0].settimeout(5)
        assert lines[0].recv(10) == b""
        lines[-1].sendall(HEAD % b"/healthz" + b"\r\n")
        assert lines[-1].recv(65536).startswith(b"HTTP/1.1 200")


def test_who_reads_slowly_holds_no_connection_of_the_store(town: Town) -> None:
    with (
        served(town, pool_size=1, requests=1) as serving,
        ExitStack() as slow,
        httpx.Client(base_url=serving.address, timeout=20) as client,
    ):
        for _ in range(20):
            line = slow.enter_context(connect(serving, small=True))
            line.sendall(HEAD % f"{ITEMS}?limit=1000".encode() + b"\r\n")
        time.sleep(0.3)
        assert [client.get(ITEMS).status_code for _ in range(10)] == [200] * 10


def test_who_does_not_read_at_all_is_let_go(large: Serving, hasty: None) -> None:
    with connect(large, small=True) as line:
        line.sendall(HEAD % b"/citizen/collections/baeume/items?limit=10000" + b"Accept-Encoding: identity\r\n\r\n")
        time.sleep(3)
        with pytest.raises(ConnectionResetError):
            read_all(line)


def test_answers_that_nobody_reads_have_a_bound_together(large: Serving, hasty: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "UNREAD_S", 60)
    monkeypatch.setattr(connection, "UNREAD_BYTES", 1)
    with connect(large, small=True) as slow, httpx.Client(base_url=large.address, timeout=20) as client:
        slow.sendall(HEAD % b"/citizen/collections/baeume/items?limit=10000" + b"\r\n")
        time.sleep(1)
        assert client.get("/citizen/collections/baeume/items?limit=10000", headers={"Accept-Encoding": "identity"}).status_code == 200
        time.sleep(0.5)
        with pytest.raises(ConnectionResetError):
            read_all(slow)


def test_however_fast_they_come_answers_that_nobody_reads_have_a_bound(large: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "UNREAD_BYTES", 1)
    monkeypatch.setattr(connection, "UNREAD_MOST", 16 * 1_048_576)
    with connect(large, small=True) as slow, httpx.Client(base_url=large.address, timeout=20) as client:
        slow.sendall(HEAD % b"/citizen/collections/baeume/items?limit=10000" + b"\r\n")
        time.sleep(1)
        assert client.get("/citizen/collections/baeume/items?limit=10000", headers={"Accept-Encoding": "identity"}).status_code == 200
        with pytest.raises(ConnectionResetError):
            read_all(slow)


@pytest.fixture(scope="module")
def large(new_town: object) -> Iterator[Serving]:
    """A town with a page of some megabytes."""
    town: Town = new_town(rows=False)  # type: ignore[operator]
    town.write(
        "INSERT INTO store.baeume (baum_nr, art, status, geometry) SELECT 'K' || n, repeat('Linde ', 1500), 'steht', "
        "ST_SetSRID(ST_MakePoint(672000 + n %% 900, 5500000 + n / 900), 25832) FROM generate_series(1, 1500) AS n"
    )
    with served(town) as serving:
        yield serving
