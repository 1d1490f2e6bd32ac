"""Figures in PostgreSQL against their reference in Python: the same rows, the same groups, the same gaps."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from tests.leaks.miscounted import LANGUAGE, find_miscounted
from tests.towns import Town


@pytest.mark.slow
def test_postgresql_and_python_count_alike_and_leave_the_same_gaps(new_town: Callable[..., Town]) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    assert find_miscounted(new_town(LANGUAGE, rows=False), seed, rounds=25) == []
