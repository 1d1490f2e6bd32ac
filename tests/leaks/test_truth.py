"""Published tables stay true under any writes, and a hidden edit leaves no trace."""

from __future__ import annotations

import os
import random
from collections.abc import Callable

import pytest

from tests.leaks.truth import find_stale_figures, find_traces, find_untruth
from tests.towns import Town

SEED = int(os.environ.get("TWIN_TEST_SEED", random.SystemRandom().randrange(10**6)))


def test_nothing_drifts_whatever_is_written_by_one_or_two_at_once(new_town: Callable[..., Town]) -> None:
    print(f"TWIN_TEST_SEED={SEED}")
    assert find_untruth(new_town(), SEED, rounds=12) == []


def test_an_edit_that_shows_nothing_to_a_role_moves_nothing_of_it(new_town: Callable[..., Town]) -> None:
    assert find_traces(new_town()) == []


def test_figures_are_exact_when_the_outermost_come_and_go(new_town: Callable[..., Town]) -> None:
    assert find_stale_figures(new_town()) == []


@pytest.mark.long
def test_nothing_drifts_in_a_thousand_rounds(new_town: Callable[..., Town]) -> None:
    print(f"TWIN_TEST_SEED={SEED}")
    for number in range(20):
        assert find_untruth(new_town(), SEED + number, rounds=50) == []
