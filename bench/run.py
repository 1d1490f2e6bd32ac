"""How fast the twins answer, beside the limit and beside a peer. `make bench`; what the figures mean stands in README.md."""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import venv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.check import check_answers
from bench.load import GENERATOR, Seen, ask
from bench.servers import NAMES, WORKERS, Name, Serving, cpu_ms_of_postgres, serving
from bench.town import PROJECT, Town
from bench.workloads import Workload, make_workloads
from twin_api.settings import Settings

LOCK_FILE = PROJECT / "constraints" / "bench.txt"


@dataclass(frozen=True, slots=True)
class Round:
    seen: Seen
    server_ms: float  # processor time per request
    postgres_ms: float


Rounds = dict[tuple[Workload, Name], list[Round]]


def main() -> None:
    told = _arguments()
    testdata = Settings().testdata
    town = Town(told.home, testdata, told.features)
    ensure_peers(town.home)
    with town.running():
        town.settle()
        workloads = [w for w in make_workloads(town, random.Random(7)) if not told.only or w.name in told.only]  # noqa: S311  # no secret
        with serving(town, [name for name in NAMES if name in told.servers]) as servers:
            check_answers(servers, workloads)
            _print_table(workloads, _measure(town, servers, workloads, told.rounds, told.seconds))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--features", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=2, help="of each round, per workload and server")
    parser.add_argument("--only", nargs="*", help="workloads by name, such as W3")
    parser.add_argument("--servers", nargs="*", default=list(NAMES), choices=NAMES)
    parser.add_argument("--home", type=Path, default=PROJECT / ".twin" / "bench", help="cluster, data and the peers' environment")
    told = parser.parse_args()
    if "ours" not in told.servers:
        parser.error("without `ours` there is nothing to compare")
    return told


def ensure_peers(home: Path) -> None:
    """An environment of their own for the peers, every version and hash pinned; made anew when the pins change."""
    folder, pins = home / "venv", LOCK_FILE.read_bytes()
    note = folder / "pins.txt"
    if note.exists() and note.read_bytes() == pins:
        return
    print("installing the peers ...", flush=True)
    venv.create(folder, clear=True, with_pip=True)
    quiet = ("--quiet", "--disable-pip-version-check", "--no-input")
    subprocess.run(
        [folder / "bin" / "python", "-m", "pip", "install", *quiet, "--require-hashes", "--only-binary", ":all:", "-r", LOCK_FILE],
        check=True,
    )
    note.write_bytes(pins)


def _measure(town: Town, servers: Mapping[Name, Serving], workloads: list[Workload], rounds: int, seconds: float) -> Rounds:
    """Every round asks every server each workload, in turn, so that a slow minute of the machine is everybody's."""
    found: Rounds = {(workload, name): [] for workload in workloads for name in servers}
    names = list(servers)
    for number in range(-1, rounds):
        for workload in workloads:
            for name in names[number % len(names) :] + names[: number % len(names)]:
                one = _round(town, servers[name], workload, seconds if number >= 0 else 1)
                if number >= 0:  # the first one only warms up
                    found[workload, name].append(one)
        print(f"\rround {number + 1} of {rounds} " if number + 1 < rounds else "\r" + " " * 20 + "\r", end="", file=sys.stderr, flush=True)
    return found


def _round(town: Town, server: Serving, workload: Workload, seconds: float) -> Round:
    postmaster = town.postmaster()
    before = server.cpu_ms(), cpu_ms_of_postgres(postmaster)
    seen = ask(server.port, workload.paths(server.name), workload.connections, seconds * workload.lasts)
    after = server.cpu_ms(), cpu_ms_of_postgres(postmaster)
    if seen.failed:
        raise RuntimeError(f"{server.name} failed {seen.failed} of {seen.requests} requests of {workload.name}")
    asked = max(seen.requests, 1)
    return Round(seen, (after[0] - before[0]) / asked, (after[1] - before[1]) / asked)


def _print_table(workloads: list[Workload], found: Rounds) -> None:
    rounds = len(next(iter(found.values())))
    print(f"{os.cpu_count()} processors, {WORKERS} workers each, load by {GENERATOR}, {rounds} interleaved rounds, medians.")
    print("Compare the ratios; the rest is this machine at this minute.\n")
    figures = ("requests/s", "ours is", "rounds", "p50 ms", "p99 ms", "CPU ms: server", "PostgreSQL")
    widths = (11, 9, 13, 9, 9, 16, 12)
    print(f"{'workload':<34}{'server':<7}" + "".join(f"{figure:>{width}}" for figure, width in zip(figures, widths, strict=True)))
    for workload in workloads:
        for name in (name for name in NAMES if (workload, name) in found):
            _print_row(workload, name, found[workload, name], found[workload, "ours"])


def _print_row(workload: Workload, name: Name, theirs: list[Round], ours: list[Round]) -> None:
    ratios = sorted(our.seen.per_second / max(their.seen.per_second, 1e-9) for our, their in zip(ours, theirs, strict=True))
    compared = f"{f'x {median(ratios):.2f}':>9}{f'{ratios[0]:.2f}-{ratios[-1]:.2f}':>13}" if name != "ours" else f"{'':>22}"
    title = f"{workload.name} {workload.title}, c{workload.connections}" if name == "ours" else ""
    speed, p50, p99 = (median(getattr(r.seen, what) for r in theirs) for what in ("per_second", "p50_ms", "p99_ms"))
    server, postgres = median(r.server_ms for r in theirs), median(r.postgres_ms for r in theirs)
    print(f"{title:<34}{name:<7}{speed:>11,.1f}{compared}{p50:>9.1f}{p99:>9.1f}{server:>16.2f}{postgres:>12.2f}")


if __name__ == "__main__":
    main()
