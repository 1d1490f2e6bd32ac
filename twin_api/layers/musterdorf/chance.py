"""Chance that is the same on every machine: one stream of numbers for every seed and topic."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
INITIALS: Final = "ABCDEFGHJKLMNOPRSTUVW"
SURNAMES: Final = ("Beispiel", "Muster", "Probe", "Vorlage", "Exempel", "Platzhalter", "Niemand", "Schablone", "Attrappe", "Erfunden")
FIRST_DAY: Final = "2022-01-10"
LAST_DAY: Final = "2026-06-30"


def generator(seed: int, topic: str) -> np.random.Generator:
    """Numbers that depend on `seed` and `topic` only, so that one layer's chance never moves another's."""
    digest = hashlib.blake2b(f"{seed}\x1f{topic}".encode(), digest_size=16).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest)))


def pick(chance: np.random.Generator, count: int, choices: Sequence[Any], weights: Sequence[float] | None = None) -> Array:
    """`count` of the choices, as objects; `weights` need not add up to one."""
    share = np.ones(len(choices)) if weights is None else np.asarray(weights, dtype=float)
    bounds = np.cumsum(share / share.sum())
    drawn = np.searchsorted(bounds, chance.random(count), side="right")
    return np.array(choices, dtype=object)[np.minimum(drawn, len(choices) - 1)]


def days(chance: np.random.Generator, count: int, first: str = FIRST_DAY, last: str = LAST_DAY) -> Array:
    """Days from `first` to `last` on which a town hall works."""
    span = int((np.datetime64(last) - np.datetime64(first)).astype(int))
    day = np.datetime64(first, "D") + chance.integers(0, span + 1, count)
    return np.busday_offset(day, 0, roll="backward")


def persons(chance: np.random.Generator, count: int) -> Array:
    """People nobody can be."""
    first, last = pick(chance, count, list(INITIALS)), pick(chance, count, SURNAMES)
    return np.array([f"{a}. {b}" for a, b in zip(first, last, strict=True)], dtype=object)


def numbers(pattern: str, count: int) -> Array:
    """Inventory numbers from 1 on, such as `K-{:05d}` says."""
    return np.array([pattern.format(number) for number in range(1, count + 1)], dtype=object)


def sample(chance: np.random.Generator, among: int, count: int) -> Array:
    """`count` different indices below `among` in rising order; all of them where there are not that many."""
    return np.sort(chance.permutation(among)[:count])


def steps_in_groups(counts: Array) -> tuple[Array, Array]:
    """For groups of these sizes one after the other: to which group each member belongs, and its place there from 0."""
    group = np.repeat(np.arange(len(counts)), counts)
    return group, np.arange(len(group)) - np.repeat(np.cumsum(counts) - counts, counts)
