"""Nothing of the store is told beside the twins. Backups and evidence are looked at with their own tests, the doctor with the spoilt town."""

from __future__ import annotations

from tests.leaks.told import find_in_token, find_open_preview
from tests.towns import Town


def test_a_token_says_neither_whose_it_is_nor_what_it_opens(town: Town) -> None:
    assert find_in_token(town) == []


def test_a_preview_is_open_to_nobody_else_and_leaves_nothing(town: Town) -> None:
    assert find_open_preview(town) == []
