"""`twin import` into a town with policies: published in the same transaction, said in counts, refused with exit code 1."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tests.towns import Town
from twin_api.cli import app, context
from twin_api.publish.bulk_beside import Beside

Twin = Callable[..., Result]
TREES = 5_200  # enough to be published set-wise


@pytest.fixture(scope="module")
def kanaria(new_town: Callable[..., Town]) -> Town:
    return new_town(rows=False)


@pytest.fixture
def twin(kanaria: Town, monkeypatch: pytest.MonkeyPatch) -> Twin:
    """The command, at home in the test's town."""
    monkeypatch.setattr(context, "policies", lambda: kanaria.policies)
    monkeypatch.setattr(context, "owner_connection", lambda: kanaria.login("owner"))
    return lambda *words: CliRunner().invoke(app, ["import", *map(str, words)])


def trees(path: Path, count: int, art: str = "Linde", status: str = "steht") -> Path:
    """Trees in WGS84, one per line."""
    with path.open("w") as file:
        for n in range(count):
            properties = {"baum_nr": f"B-{n}", "baumart": art, "status": status, "pflanzer": "?"}
            place = {"type": "Point", "coordinates": [11.39 + n % 100 * 1e-4, 49.63 + n // 100 * 1e-4]}
            file.write(json.dumps({"type": "Feature", "properties": properties, "geometry": place}) + "\n")
    return path


def count(town: Town, relation: str) -> int:
    with town.login("owner") as connection:
        row = connection.execute(f"SELECT count(*) FROM {relation}".encode()).fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize("number", [7, TREES])
def test_what_is_imported_is_published_at_once(kanaria: Town, twin: Twin, tmp_path: Path, number: int) -> None:
    file = trees(tmp_path / "baeume.geojsonl", number)
    result = twin(file, "--layer", "baeume", "--map", "baumart=art", "--replace")
    assert result.exit_code == 0, result.output
    assert f"baeume: {number} gelesen" in result.output
    assert "Nicht übernommene Spalten: `pflanzer`" in result.output
    assert count(kanaria, "store.baeume") == count(kanaria, "citizen.baeume") == number
    assert kanaria.drift() == []


def test_the_first_large_import_is_published_from_beside(
    kanaria: Town, twin: Twin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    kanaria.write("DELETE FROM store.baeume")
    built: list[str] = []
    finish = Beside.finish
    monkeypatch.setattr(Beside, "finish", lambda self: built.extend(finish(self)) or finish(self))
    result = twin(trees(tmp_path / "baeume.geojsonl", TREES), "--layer", "baeume", "--map", "baumart=art")
    assert result.exit_code == 0, result.output
    assert built
    assert count(kanaria, "store.baeume") == count(kanaria, "citizen.baeume") == TREES
    assert kanaria.drift() == []


def test_a_second_run_says_that_all_is_the_same(kanaria: Town, twin: Twin, tmp_path: Path) -> None:
    file = trees(tmp_path / "baeume.geojsonl", 9)
    for _ in range(2):
        result = twin(file, "--layer", "baeume", "--map", "baumart=art", "--replace", "--may-shrink")
    assert "0 neu, 0 geändert, 9 gleich, 0 gelöscht" in result.output


def test_a_dry_run_publishes_nothing_and_leaves_no_audit_line(kanaria: Town, twin: Twin, tmp_path: Path) -> None:
    before = count(kanaria, "store.baeume"), lines(kanaria)
    result = twin(trees(tmp_path / "baeume.geojsonl", 33), "--layer", "baeume", "--map", "baumart=art", "--dry-run")
    assert result.exit_code == 0
    assert "Probelauf. Nichts wurde geändert." in result.output
    assert (count(kanaria, "store.baeume"), lines(kanaria)) == before


def test_an_import_is_audited_without_any_value(kanaria: Town, twin: Twin, tmp_path: Path) -> None:
    twin(trees(tmp_path / "baeume.geojsonl", 3, art="CANARY-art"), "--layer", "baeume", "--map", "baumart=art")
    assert '"name": "baeume.geojsonl"' in lines(kanaria)[-1]
    assert "CANARY" not in lines(kanaria)[-1]


def test_a_bad_file_ends_with_exit_code_1_and_all_findings(twin: Twin, tmp_path: Path) -> None:
    result = twin(trees(tmp_path / "baeume.geojsonl", 120, status="umgefallen"), "--layer", "baeume", "--map", "baumart=art")
    assert result.exit_code == 1
    assert "✗ Objekt 1, fid 0, `status`: `umgefallen` → verlangt ist einer der Werte `gefaellt`, `geplant`, `steht`" in result.output
    assert "120 Befunde, 20 davon nicht gezeigt. Nichts wurde geändert." in result.output


@pytest.mark.parametrize(
    ("words", "code", "expected"),
    [
        (["--layer", "baume"], 1, "gemeint ist wohl `baeume`"),
        (["--layer", "baeume", "--map", "baumart"], 2, "--map COLUMN=ATTRIBUTE"),
        (["--layer", "baeume", "--map", "bauamrt=art"], 1, "gemeint ist wohl `baumart`"),
    ],
)
def test_a_slip_of_the_pen_names_what_was_meant(twin: Twin, tmp_path: Path, words: list[str], code: int, expected: str) -> None:
    result = twin(trees(tmp_path / "baeume.geojsonl", 1), *words)
    assert result.exit_code == code
    assert expected in result.output


def test_ctrl_c_ends_with_exit_code_130_and_nothing_changed(
    kanaria: Town, twin: Twin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = count(kanaria, "store.baeume")

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("twin_api.imports.attempt.Attempt._take", interrupted)
    result = twin(trees(tmp_path / "baeume.geojsonl", 77), "--layer", "baeume", "--map", "baumart=art")
    assert result.exit_code == 130
    assert "Abgebrochen. Nichts wurde geändert." in result.output
    assert count(kanaria, "store.baeume") == before


def lines(town: Town) -> list[str]:
    with town.superuser() as connection:
        rows = connection.execute("SELECT what::text FROM control.audit WHERE action = 'layer.import' ORDER BY 1").fetchall()
    return [text for (text,) in rows]
