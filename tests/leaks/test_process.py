"""What the citizens' server process holds, and what is written into logs."""

from __future__ import annotations

from collections.abc import Callable

from tests.leaks.process import find_keys, find_logged
from tests.towns import Town


def test_with_what_the_citizens_process_holds_only_the_citizen_can_log_in(town: Town) -> None:
    assert find_keys(town) == []


def test_no_log_of_postgresql_holds_a_hidden_value(new_town: Callable[..., Town]) -> None:
    assert find_logged(new_town()) == []
