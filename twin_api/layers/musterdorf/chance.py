"""Chance that is the same on every machine: numbers drawn from a hash of what they are about."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date, timedelta
from typing import TypeVar

Choice = TypeVar("Choice")

FIRST_DAY = date(2022, 1, 10)
LAST_DAY = date(2026, 6, 30)


def draw(key: str, topic: str) -> float:
    """A number from [0, 1) that depends on `key` and `topic` only."""
    digest = hashlib.blake2b(f"{topic}\x1f{key}".encode(), digest_size=7).digest()
    return int.from_bytes(digest) / 2**56


def between(key: str, topic: str, low: float, high: float) -> float:
    return low + draw(key, topic) * (high - low)


def pick(key: str, topic: str, choices: Sequence[Choice]) -> Choice:
    return choices[int(draw(key, topic) * len(choices))]


def working_day(key: str, topic: str) -> date:
    """A day between `FIRST_DAY` and `LAST_DAY` on which a town hall works."""
    day = FIRST_DAY + timedelta(days=int(draw(key, topic) * (LAST_DAY - FIRST_DAY).days))
    return day - timedelta(days=max(0, day.weekday() - 4))
