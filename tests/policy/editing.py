"""The small town, changed a line at a time and approved again."""

from __future__ import annotations

from pathlib import Path

from tests.approving import approve_all
from twin_api.policy.documents import Policies
from twin_api.policy.load import load


def edit(folder: Path, file: str, old: str, new: str) -> None:
    text = (folder / file).read_text(encoding="utf-8")
    assert text.count(old) == 1, f"`{old}` stands {text.count(old)} times in {file}"
    (folder / file).write_text(text.replace(old, new), encoding="utf-8")


def reload(folder: Path) -> Policies:
    approve_all(folder)
    return load(folder)
