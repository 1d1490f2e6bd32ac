"""How fast a file flows in, published in three twins, beside ogr2ogr, which publishes nothing. What it means stands in README.md."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from bench.silo import Run, Silo
from bench.town import PROJECT, Town
from twin_api.settings import Settings


@dataclass(slots=True)
class Found:
    """Runs of rounds in the same order; `night` is the file of the next night over the filled layer, `same` the same file once more."""

    theirs: list[Run] = field(default_factory=list)
    ours: list[Run] = field(default_factory=list)
    same: list[Run] = field(default_factory=list)
    night: list[Run] = field(default_factory=list)


def main() -> None:
    told = _arguments()
    town = Town(told.home, Settings().testdata, told.features)
    with town.running(), Silo(town).opened() as silo:
        found = _measure(silo, told.features, told.rounds)
        _print(found, told.features)
        if told.large:
            _print_memory(silo, found.ours, told.large)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--features", type=int, default=200_000)
    parser.add_argument("--large", type=int, default=1_000_000, help="features of the file whose memory is compared; 0 for none")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--home", type=Path, default=PROJECT / ".twin" / "bench", help="of the cluster")
    return parser.parse_args()


def _measure(silo: Silo, features: int, rounds: int) -> Found:
    """Each round fills both from nothing, then looks at the same layer again as a nightly import would."""
    found = Found()
    file, next_night = silo.file(features), silo.file(features, "next-night", changed=True)
    for _ in range(rounds):
        silo.empty()
        found.theirs.append(silo.theirs(file))
        found.ours.append(silo.ours(file))
        silo.settle()
        found.same.append(silo.ours(file))
        found.night.append(silo.ours(next_night))
        silo.check_theirs(features)
        silo.check(features)
    return found


def _print(found: Found, features: int) -> None:
    print(f"W7 {features:,} polygons from a GeoPackage, {os.cpu_count()} processors, {len(found.ours)} interleaved rounds.")
    print("Compare the ratios; the rest is this machine at this minute.\n")
    print(f"{'':<44}{'features/s':>11}{'of ogr2ogr':>12}{'rounds':>13}{'peak MB':>9}")
    titles = {
        "ogr2ogr COPY, spatial index, no twin": found.theirs,
        "twin import, three twins": found.ours,
        "the same file once more": found.same,
        "the next night's, 1 % changed": found.night,
    }
    for title, runs in titles.items():
        ratios = sorted(their.seconds / our.seconds for their, our in zip(found.theirs, runs, strict=True))
        speed, peak = features / median(run.seconds for run in runs), max(run.peak_mb for run in runs)
        compared = f"{f'x {median(ratios):.2f}':>12}{f'{ratios[0]:.2f}-{ratios[-1]:.2f}':>13}" if runs is not found.theirs else f"{'':>25}"
        print(f"{title:<44}{speed:>11,.0f}{compared}{peak:>9,.0f}")


def _print_memory(silo: Silo, ours: list[Run], large: int) -> None:
    silo.empty()
    run = silo.ours(silo.file(large))
    silo.check(large)
    smaller = max(one.peak_mb for one in ours)
    print(
        f"\n{f'{large:,} polygons':<44}{large / run.seconds:>11,.0f}{'':>25}{run.peak_mb:>9,.0f}   x {run.peak_mb / smaller:.2f} the memory"
    )


if __name__ == "__main__":
    main()
