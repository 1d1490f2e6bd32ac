"""Load: `wrk` where it is installed (Debian has it), else a small generator of our own, which costs more of the processor."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import shutil
import statistics
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

WRK = shutil.which("wrk")
GENERATOR = "wrk, 1 thread" if WRK else "bench/load.py (asyncio; install `wrk` for steadier figures)"


@dataclass(frozen=True, slots=True)
class Seen:
    """What a round saw. `failed` counts everything but a 200 that arrived whole."""

    requests: int
    seconds: float
    failed: int
    p50_ms: float
    p99_ms: float

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds


def ask(port: int, paths: Path, connections: int, seconds: float) -> Seen:
    """Ask for the paths in a file in turn, on so many connections, for so long."""
    if WRK:
        return _ask_by_wrk(WRK, port, paths, connections, seconds)
    return asyncio.run(_ask(port, paths.read_text().split(), connections, seconds))


def _ask_by_wrk(wrk: str, port: int, paths: Path, connections: int, seconds: float) -> Seen:
    command = [wrk, "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout", "30s"]
    command += ["-s", str(Path(__file__).with_name("paths.lua")), f"http://127.0.0.1:{port}"]
    told = subprocess.run(command, env={**os.environ, "BENCH_PATHS": str(paths)}, check=True, capture_output=True, text=True)
    return Seen(**json.loads(told.stdout.strip().splitlines()[-1]))


async def _ask(port: int, paths: Sequence[str], connections: int, seconds: float) -> Seen:
    turn = itertools.cycle(_request(path) for path in paths)
    started = time.perf_counter()
    walks = await asyncio.gather(*(_walk(port, turn, started + seconds) for _ in range(connections)))
    lasted = time.perf_counter() - started
    times = sorted(ms for found, _ in walks for ms in found)
    return Seen(len(times), lasted, sum(failed for _, failed in walks), statistics.median(times), times[int(len(times) * 0.99)])


def _request(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/geo+json\r\n\r\n".encode()


async def _walk(port: int, turn: Iterator[bytes], until: float) -> tuple[Sequence[float], int]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    times, failed = [], 0
    while (asked := time.perf_counter()) < until:
        writer.write(next(turn))
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(int(length.partition(b":")[2]))
        failed += not head.startswith(b"HTTP/1.1 200")
        times.append((time.perf_counter() - asked) * 1e3)
    writer.close()
    return times, failed
