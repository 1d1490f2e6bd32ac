"""Where an import cannot begin or shows nothing yet, it says what to do about it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tests.imports.test_command import trees
from tests.towns import Town
from twin_api.cli import app, context
from twin_api.settings import Settings

Twin = Callable[..., Result]


@pytest.fixture(scope="module")
def kanaria(new_town: Callable[..., Town]) -> Town:
    return new_town(rows=False)


@pytest.fixture
def twin(kanaria: Town, monkeypatch: pytest.MonkeyPatch) -> Twin:
    settings = Settings(policies=kanaria.policies_folder, lang="de")
    monkeypatch.setattr(context, "settings", lambda: settings)
    monkeypatch.setattr(context, "owner_connection", lambda: kanaria.login("owner"))
    return lambda *words: CliRunner().invoke(app, ["import", *map(str, words)])


@pytest.fixture
def source(kanaria: Town) -> Callable[[str], None]:
    """Make `sources/lieferung.yaml` of this text."""
    folder = kanaria.folder / "sources"
    folder.mkdir(exist_ok=True)
    return lambda text: (folder / "lieferung.yaml").write_text(f"layer: baeume\n{text}", encoding="utf-8") and None


def new_layer(town: Town) -> None:
    text = (town.policies_folder / "layers/baeume.yaml").read_text(encoding="utf-8")
    (town.policies_folder / "layers/hecken.yaml").write_text(text.replace("layer: baeume", "layer: hecken"), encoding="utf-8")


def test_a_layer_that_is_not_applied_yet_is_said_so_and_then_that_nobody_sees_it(kanaria: Town, twin: Twin, tmp_path: Path) -> None:
    new_layer(kanaria)
    file = trees(tmp_path / "hecken.geojsonl", 3)
    early = twin(file, "--layer", "hecken")
    assert (early.exit_code, "diesen Layer gibt es im Speicher noch nicht. `twin layers apply`" in early.output) == (1, True)
    assert CliRunner().invoke(app, ["layers", "apply"]).exit_code == 0
    done = twin(file, "--layer", "hecken")
    assert (done.exit_code, "Noch sieht niemand etwas davon" in done.output) == (0, True)


def test_what_twins_show_is_not_said_to_be_unseen(twin: Twin, tmp_path: Path) -> None:
    done = twin(trees(tmp_path / "baeume.geojsonl", 3), "--layer", "baeume")
    assert (done.exit_code, "Noch sieht niemand" in done.output) == (0, False)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("address: https://daten.example/baeume.csv\nservice: file\n", "`twin sources run lieferung`"),
        ("files: fehlt-*.csv\n", "liegt keine Datei da: fehlt-*.csv"),
        ("", "`twin import --source lieferung DATEI`"),
    ],
)
def test_a_source_without_a_file_says_how_it_is_brought_in(twin: Twin, source: Callable[[str], None], text: str, expected: str) -> None:
    source(text)
    ended = twin("--source", "lieferung")
    assert (ended.exit_code, expected in ended.output) == (1, True), ended.output


def test_a_file_that_is_refused_undescribed_is_told_of_the_description(twin: Twin, source: Callable[[str], None], tmp_path: Path) -> None:
    source("encoding: iso-8859-1\n")
    path = tmp_path / "baeume.csv"
    path.write_bytes("baum_nr;art\nB-1;Säuleneiche\n".encode("iso-8859-1"))
    ended = twin(path, "--layer", "baeume")
    assert (ended.exit_code, "ist schon beschrieben: `--source lieferung`" in ended.output) == (1, True), ended.output
