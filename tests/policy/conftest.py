"""A small town whose policies load, to be spoiled one line at a time."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from twin_api.policy.finding import Finding, PolicyInvalid
from twin_api.policy.load import load

SMALL = Path(__file__).parent / "small"


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A copy of the small town's policy folder, free to be changed."""
    return Path(shutil.copytree(SMALL, tmp_path / "policies"))


@pytest.fixture
def spoil(small: Path) -> Callable[[str, str, str], tuple[Finding, ...]]:
    """Replaces `old` by `new` in a file of the small town and returns what the loader says to that."""

    def findings(file: str, old: str, new: str) -> tuple[Finding, ...]:
        text = (small / file).read_text(encoding="utf-8")
        assert text.count(old) == 1, f"`{old}` stands {text.count(old)} times in {file}"
        (small / file).write_text(text.replace(old, new), encoding="utf-8")
        with pytest.raises(PolicyInvalid) as invalid:
            load(small)
        return tuple(invalid.value.findings)

    return findings
