"""Others leave no echo, and what is withdrawn is absent."""

from __future__ import annotations

from collections.abc import Callable

from tests.leaks.absent import find_withdrawn
from tests.leaks.echo import find_echo
from tests.towns import Town


def test_others_leave_no_echo_and_what_is_withdrawn_is_absent(new_town: Callable[..., Town]) -> None:
    town = new_town()
    assert find_echo(town) == []
    assert find_withdrawn(town) == []
