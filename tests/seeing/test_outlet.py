"""Nobody who tells something waits for whoever reads it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.door.test_seeing import serving
from tests.towns import Town
from twin_api.seeing.outlet import Outlet

PIPE = 65_536  # what a pipe holds
LINE = b"x" * 1023 + b"\n"


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


def test_lines_that_find_no_room_are_dropped_counted_and_told_later(pipe: tuple[int, int]) -> None:
    reads, writes = pipe
    outlet, lost = Outlet(writes, room=10), list[int]()
    outlet.on_drop = lambda: lost.append(1)
    outlet.tell_dropped = lambda count: f"{count} dropped\n".encode()
    full = os.write(writes, LINE * (PIPE // len(LINE))) // len(LINE)
    for _ in range(2000):  # more than the room and the thread's hands hold; nobody reads
        outlet.write(LINE)
    assert len(lost) > 1000
    assert not outlet.drain(0.01)  # and whoever ends waits for a moment only
    content = b""
    while not content.endswith(b" dropped\n"):
        content += os.read(reads, PIPE)
    *lines, told = content.splitlines(keepends=True)
    assert set(lines) == {LINE}
    assert len(lines) - full + len(lost) == 2000
    assert told == f"{len(lost)} dropped\n".encode()


def test_whoever_ends_leaves_no_line_behind(pipe: tuple[int, int]) -> None:
    reads, writes = pipe
    outlet = Outlet(writes)
    for number in range(5):
        outlet.write(f"{number}\n".encode())
    outlet.drain()
    assert os.read(reads, PIPE) == b"0\n1\n2\n3\n4\n"


def test_a_reader_that_has_gone_is_no_fault() -> None:
    reads, gone = os.pipe()
    os.close(reads)
    outlet = Outlet(gone)
    for _ in range(2):
        outlet.write(LINE)
        assert outlet.drain(), "its thread goes on"
    os.close(gone)


@pytest.mark.slow
def test_a_server_whose_log_nobody_reads_goes_on_serving(town: Town, tmp_path: Path) -> None:
    """`twin serve | something` where something has stopped: far more lines than a pipe holds, and every request is answered."""
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as reader:
        os.kill(reader.pid, signal.SIGSTOP)
        try:
            assert reader.stdin is not None
            with serving(town, tmp_path, output=reader.stdin) as process, httpx.Client(base_url=process.address, timeout=20) as client:
                assert {client.get("/nix").status_code for _ in range(2 * PIPE // 200)} == {404}
        finally:
            os.kill(reader.pid, signal.SIGCONT)


def test_what_is_no_request_is_one_line_and_not_two(town: Town, tmp_path: Path) -> None:
    """The HTTP server's own word on it says nothing that ours does not."""
    with serving(town, tmp_path) as process:
        place = httpx.URL(process.address)
        with httpx.Client(base_url=process.address) as client:
            client.get("/nix", headers={"Connection": "Upgrade", "Upgrade": "websocket"})
        with socket.create_connection((place.host, place.port or 80), timeout=20) as line:
            line.sendall(b"NIX\r\n\r\n")
            assert b" 400 " in line.recv(65536)
    events = [told["event"] for told in process.lines() if told["event"] != "serving"]
    assert sorted(events) == ["refused", "request"]
