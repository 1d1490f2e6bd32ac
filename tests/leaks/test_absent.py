"""Hidden is absent, byte for byte."""

from __future__ import annotations

from collections.abc import Callable

from tests.leaks.absent import find_lingering, find_presence
from tests.towns import Town


def test_what_is_hidden_answers_like_what_never_was(town: Town) -> None:
    assert find_presence(town) == []


def test_what_is_taken_away_is_gone_at_once(new_town: Callable[..., Town]) -> None:
    assert find_lingering(new_town()) == []
