"""`twin serve` as its own process, and clients that keep asking it and note every answer that does not come whole."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

from tests.towns import Town

PROJECT = Path(__file__).parents[2]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


class Process:
    """A server with the commands a town would use; `program` is where its source lies."""

    def __init__(self, town: Town, port: int, *options: str, program: Path = PROJECT, **settings: str) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("TWIN_")}
        told = {"server": town.server.address, "secrets": str(town.secrets.folder), "drain_s": "0", **settings}
        environment = kept | {f"TWIN_{name.upper()}": value for name, value in told.items()}
        command = [sys.executable, "-m", "twin_api.cli", "serve", "--port", str(port), *options]
        self._process = subprocess.Popen(command, env=environment, cwd=program, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.pid = self._process.pid
        self.address = f"http://127.0.0.1:{port}"
        self.wait_until_ready()

    def wait_until_ready(self, within_s: float = 240) -> None:
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            with suppress(httpx.HTTPError):
                if httpx.get(f"{self.address}/readyz", timeout=5).status_code == 200:
                    return
            time.sleep(0.05)
        raise AssertionError("the server is not ready in time")

    def terminate(self) -> None:
        self._process.send_signal(signal.SIGTERM)

    def wait(self, timeout_s: float = 30) -> int:
        return self._process.wait(timeout_s)

    def stop(self) -> None:
        self.terminate()
        self.wait()


@contextmanager
def serving(town: Town, *options: str, program: Path = PROJECT, **settings: str) -> Iterator[Process]:
    process = Process(town, free_port(), *options, program=program, **settings)
    try:
        yield process
    finally:
        process.stop()


class Crowd:
    """Keep-alive clients that ask for a path in turn until told to stop.

    `cut`: an answer that began and did not end; `unanswered`: a connection that ended where an answer was waited for.
    """

    def __init__(self, port: int, paths: Sequence[str], headers: str = "") -> None:
        self._port = port
        self._requests = [f"GET {path} HTTP/1.1\r\nHost: x\r\n{headers}\r\n".encode() for path in paths]
        self.seen: Counter[str] = Counter()
        self.times: list[float] = []
        self.is_over = False

    async def ask(self, clients: int) -> None:
        await asyncio.gather(*(self._client(n) for n in range(clients)))

    async def _client(self, number: int) -> None:
        while not self.is_over:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            except OSError:
                self.seen["refused"] += 1
                await asyncio.sleep(0.2)
                continue
            with suppress(OSError):
                await self._talk(reader, writer, number)
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        while not self.is_over:
            number += 1
            asked = time.perf_counter()
            try:
                writer.write(self._requests[number % len(self._requests)])
                status, closes = await _read_answer(reader)
            except (OSError, asyncio.IncompleteReadError) as error:
                self.seen["cut" if getattr(error, "partial", b"") else "unanswered"] += 1
                return
            self.seen[status] += 1
            self.times.append(time.perf_counter() - asked)
            if status in ("429", "503"):
                await asyncio.sleep(0.02)  # impatient, but not a loop of the processor alone
            if closes:
                return


async def _read_answer(reader: asyncio.StreamReader) -> tuple[str, bool]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    length = head.partition("content-length: ")[2].partition("\r\n")[0]
    await reader.readexactly(int(length))
    return head.split()[1], "connection: close" in head
