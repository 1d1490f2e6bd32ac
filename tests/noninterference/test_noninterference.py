"""What is hidden from a role moves nothing of what it is answered."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable

import pytest

from tests.noninterference.buffers import find_interference_in_time
from tests.noninterference.channels import FULL, unreached
from tests.noninterference.harness import find_interference
from tests.noninterference.towns import Pair

MAIN = ("citizen", "council")
PARTS = ("council/bauausschuss", "administration", "administration/wasser", "administration/bauhof", "administration/bauamt")
Record = Callable[[str, object], None]


def _run(pair: Pair, role: str, pairs: int, seed: int, record: Record, *, in_time: int = 0) -> Counter[int]:
    """`in_time` of the pairs are asked with their buffers counted too."""
    counts: Counter[int] = Counter()
    since = time.monotonic()
    found = find_interference(pair, role, pairs - in_time, seed, counts)
    found += find_interference_in_time(pair, role, in_time, seed, counts) if in_time and not found else []
    record("ni_pairs", pairs)
    record("ni_seconds", time.monotonic() - since)
    record("ni_channels", dict(counts))
    assert found == []
    return counts


def _pairs(config: pytest.Config, pairs: int) -> int:
    return int(config.getoption("--pairs") or pairs)


@pytest.mark.slow
@pytest.mark.parametrize("role", MAIN)
def test_what_is_hidden_moves_no_answer(pair: Pair, role: str, seed: int, pytestconfig: pytest.Config, record_property: Record) -> None:
    pairs = _pairs(pytestconfig, FULL)
    counts = _run(pair, role, pairs, seed, record_property, in_time=pairs // 4)
    assert unreached(counts, pairs) == []


@pytest.mark.slow
@pytest.mark.parametrize("role", PARTS)
def test_what_is_hidden_from_a_part_moves_no_answer(
    pair: Pair, role: str, seed: int, pytestconfig: pytest.Config, record_property: Record
) -> None:
    _run(pair, role, _pairs(pytestconfig, 300), seed, record_property)


@pytest.mark.long
@pytest.mark.parametrize(("role", "pairs"), [*((role, 10_000) for role in MAIN), *((role, 1_000) for role in PARTS)])
def test_what_is_hidden_moves_none_of_many_answers(
    pair: Pair, role: str, pairs: int, seed: int, pytestconfig: pytest.Config, record_property: Record
) -> None:
    _run(pair, role, _pairs(pytestconfig, pairs), seed, record_property)
