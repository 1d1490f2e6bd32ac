"""The table of rejects holds values of every class: nobody else can read it, or choose where it is written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.imports.things import Database, asked, attribute
from twin_api.imports.run import run_import
from twin_api.policy.documents import Layer


@pytest.fixture
def layer(database: Database, new_layer: Callable[..., Layer]) -> Layer:
    layer = new_layer(attribute("nr", key=True), attribute("wert", "number", class_="personal"), type_=None)
    database.create(layer)
    return layer


def table(path: Path, *rows: str) -> Path:
    path.write_text("".join(f"{row}\n" for row in rows))
    return path


def test_a_link_that_somebody_laid_beside_it_leads_nowhere(database: Database, layer: Layer, tmp_path: Path) -> None:
    other, rejects = tmp_path / "other", tmp_path / "rejects.csv"
    other.write_text("precious")
    (tmp_path / "rejects.csv.part").symlink_to(other)
    run_import(asked(table(tmp_path / "rows.csv", "nr;wert", "1;CANARY"), rejects=rejects), layer, database.connect)
    assert other.read_text() == "precious"
    assert "CANARY" in rejects.read_text()
    assert (rejects.lstat().st_mode & 0o777, rejects.is_symlink()) == (0o600, False)
    assert {path.name for path in tmp_path.iterdir()} == {"other", "rejects.csv", "rejects.csv.part", "rows.csv"}


def test_it_has_no_name_before_it_is_whole(database: Database, layer: Layer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[set[str]] = []
    monkeypatch.setattr("twin_api.imports.rejects.os.fsync", lambda _: seen.append({path.name for path in tmp_path.iterdir()}))
    run_import(asked(table(tmp_path / "rows.csv", "nr;wert", "1;CANARY"), rejects=tmp_path / "rejects.csv"), layer, database.connect)
    assert seen == [{"rows.csv"}]
    assert "CANARY" in (tmp_path / "rejects.csv").read_text()
