"""No canary in any byte of any answer, and every answer exact."""

from __future__ import annotations

from tests.leaks.answers import find_leaks
from tests.towns import Town


def test_no_role_learns_anything_it_must_not_see(town: Town) -> None:
    assert find_leaks(town) == []
