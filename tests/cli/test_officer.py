"""The commands of a data officer over the policy files alone: no database is needed, none is started."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.policy.editing import edit

PROJECT = Path(__file__).parents[2]
SMALL = PROJECT / "tests" / "policy" / "small"
LANGUAGE = PROJECT / "tests" / "language" / "policies"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The small town, free to be changed; its administration sees every tree, its releases and reviews are far away."""
    folder = Path(shutil.copytree(SMALL, tmp_path / "policies"))
    edit(
        folder, "administration.yaml", "parts:\n", "  baeume: {rows: all, geometry: keep, attributes: {art: keep, hoehe_m: keep}}\nparts:\n"
    )
    for path in folder.rglob("*.yaml"):
        path.write_text(path.read_text(encoding="utf-8").replace("review: 2027-01-01", "review: 2190-01-01"), encoding="utf-8")
    return folder


def twin(folder: Path, *arguments: str, lang: str = "de") -> subprocess.CompletedProcess[str]:
    told = {
        "TWIN_POLICIES": str(folder),
        "TWIN_HOME": str(folder.parent),
        "TWIN_LANG": lang,
        "PATH": "/usr/bin:/bin",
        "COLUMNS": "200",
        "PYTHONPATH": str(PROJECT),
    }
    command = [sys.executable, "-m", "twin_api.cli", "policy", *arguments]
    return subprocess.run(command, env=told, capture_output=True, text=True, cwd=folder.parent)


def answer_all(folder: Path) -> None:
    trees = folder / "layers/baeume.yaml"
    trees.write_text(
        trees.read_text(encoding="utf-8").replace("unit: cm, class: public}", "unit: cm, class: public}  # geprüft: folgt"),
        encoding="utf-8",
    )


def test_check_says_all_is_well_and_then_what_gives_concern(folder: Path) -> None:
    checked = twin(folder, "check")
    assert checked.returncode == 0
    assert checked.stdout.index("In Ordnung") < checked.stdout.index("layers/baeume.yaml:15")
    assert "1 concern:" in twin(folder, "check", lang="en").stdout


def test_strict_makes_a_concern_count_until_it_is_answered(folder: Path) -> None:
    assert twin(folder, "check", "--strict").returncode == 1
    answer_all(folder)
    strict = twin(folder, "check", "--strict")
    assert (strict.returncode, "Keine Bedenken." in strict.stdout) == (0, True)


def test_lint_prints_the_concerns_and_nothing_of_the_check(folder: Path) -> None:
    linted = twin(folder, "lint")
    assert linted.returncode == 0
    assert "layers/baeume.yaml:15" in linted.stdout
    assert "In Ordnung" not in linted.stdout


def test_due_ends_with_1_where_something_is_overdue_and_says_what_waits(folder: Path) -> None:
    council = folder / "council.yaml"
    council.write_text(council.read_text(encoding="utf-8").replace("until: 2027-03-31", "until: 2180-03-31"), encoding="utf-8")
    calm = twin(folder, "due")
    assert calm.returncode == 0
    assert "twin policy approve council schaechte --department wasser" in calm.stdout
    council.write_text(council.read_text(encoding="utf-8").replace("until: 2180-03-31", "until: 2020-03-31"), encoding="utf-8")
    late = twin(folder, "due", lang="en")
    assert late.returncode == 1
    assert "Overdue:" in late.stdout
    assert "council.yaml:13: release `schaechte`, 2020-03-31" in late.stdout
    assert "In den nächsten 99999 Tagen:" in twin(folder, "due", "--days", "99999").stdout


def test_a_broken_folder_is_answered_with_its_mistakes(folder: Path) -> None:
    (folder / "citizen.yaml").write_text("role: citizn\n", encoding="utf-8")
    for command in ("lint", "due"):
        ended = twin(folder, command)
        assert ended.returncode == 1
        assert "citizen.yaml:1" in ended.stderr


def test_schemas_stand_in_a_folder_the_loader_passes_over_and_know_the_town(folder: Path) -> None:
    written = twin(folder, "schema")
    assert written.stdout.strip() == str(folder / ".schema")
    assert "bauhof" in (folder / ".schema/layer.schema.json").read_text(encoding="utf-8")
    assert twin(folder, "check").returncode == 0


def test_schemas_are_written_for_a_broken_folder_too_and_elsewhere_if_told(folder: Path, tmp_path: Path) -> None:
    (folder / "citizen.yaml").write_text("role: citizn\n", encoding="utf-8")
    written = twin(folder, "schema", "--write", str(tmp_path / "there"), lang="en")
    assert written.returncode == 0
    assert "mistakes" in written.stdout
    assert len(list((tmp_path / "there").iterdir())) == 8


def test_the_report_is_one_page_in_german_or_english_and_its_path_is_printed(folder: Path) -> None:
    printed = twin(folder, "report")
    page = folder.parent / "report.html"
    assert printed.stdout.strip() == str(page)
    assert "Was niemand sieht" in page.read_text(encoding="utf-8")
    twin(folder, "report", "--out", "english.html", "--lang", "en")
    assert "What nobody sees" in (folder.parent / "english.html").read_text(encoding="utf-8")
    assert twin(folder, "report", "--out", "no/such/folder.html").returncode == 1


def test_the_matrix_says_which_figures_a_role_sees(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(LANGUAGE, tmp_path / "policies"))
    assert "schaechte count" in twin(folder, "matrix", "--role", "citizen").stdout


def test_prove_prints_every_theorem_and_how_it_ended(folder: Path) -> None:
    proved = twin(folder, "prove")
    assert proved.returncode == 0
    theorems = [line for line in proved.stdout.splitlines() if line.startswith("bewiesen ")]
    assert any("citizen ⊆ council · baeume · Attribut `hoehe_m` (citizen.yaml:4)" in line for line in theorems)
    assert any("council ⊆ administration · baeume · Zeilen (council.yaml:5)" in line for line in theorems)
    assert f"{len(theorems)} Sätze bewiesen in" in proved.stdout
    assert f"{len(theorems)} theorems proved in" in twin(folder, "check", lang="en").stdout


def test_what_the_administration_does_not_see_is_refused_with_a_row_and_two_lines(folder: Path) -> None:
    edit(folder, "administration.yaml", "baeume: {rows: all", "baeume: {rows: {art: [Linde]}")
    for command in ("check", "prove"):
        refused = twin(folder, command)
        assert refused.returncode == 1
        assert "council.yaml:5: `baeume` zeigt `council` mehr, als die Verwaltung sieht: Zeilen." in refused.stderr
        assert "    Gegenbeispiel: nr = NULL, art = 'Eiche', gepflanzt = NULL" in refused.stderr
        assert "    council.yaml:6: rows: {art: [Linde, Eiche]}" in refused.stderr
        assert "    administration.yaml:6: baeume: {rows: {art: [Linde]}" in refused.stderr
