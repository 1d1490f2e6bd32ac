"""`twin layers infer` in a town that `twin init` has just begun."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from twin_api.cli import app, context
from twin_api.policy.load import load
from twin_api.settings import Settings

Twin = Callable[..., Result]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    made = CliRunner().invoke(app, ["init", str(tmp_path / "neustadt"), "--name", "Markt Neustadt", "--ags", "09123456"])
    assert made.exit_code == 0, made.output
    return tmp_path / "neustadt"


@pytest.fixture
def twin(home: Path, monkeypatch: pytest.MonkeyPatch) -> Twin:
    settings = Settings(policies=home / "policies", lang="de")
    monkeypatch.setattr(context, "settings", lambda: settings)
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


def benches(folder: Path, name: str = "Sitzbänke.geojson", **more: object) -> Path:
    features = [
        {"type": "Feature", "properties": {"Bank-Nr": f"S-{n}", "Länge [m]": "1,8", "Material": ("Holz", "Stahl")[n % 2], **more},
         "geometry": {"type": "Point", "coordinates": [10.9 + n / 1000, 49.6]}}
        for n in range(6)
    ]  # fmt: skip
    path = folder / name
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    return path


def test_a_draft_is_shown_and_nothing_is_written(home: Path, twin: Twin) -> None:
    before = sorted(home.rglob("*"))
    shown = twin("layers", "infer", benches(home.parent))
    assert shown.exit_code == 0, shown.output
    assert "# ----- layers/sitzbaenke.yaml -----" in shown.stdout
    assert "laenge_m: {title: {de: Länge}, type: number, unit: m, class: unreviewed}" in shown.stdout
    assert "# ----- sources/sitzbaenke.yaml -----" in shown.stdout
    assert 'decimal: ","' in shown.stdout
    assert sorted(home.rglob("*")) == before


def test_a_draft_that_is_written_passes_the_check(home: Path, twin: Twin) -> None:
    ended = twin("layers", "infer", benches(home), "--write", "--class", "public", "--owner", "bauamt", "--layer", "baenke")
    assert ended.exit_code == 0, ended.output
    checked = twin("policy", "check")
    assert checked.exit_code == 0, checked.output
    layer = load(home / "policies").layers["baenke"]
    assert (layer.owner, layer.existence, layer.holder, layer.key) == ("bauamt", "public", "Markt Neustadt", ("bank_nr",))
    assert layer.attributes["material"].enum == {"Holz": "Holz", "Stahl": "Stahl"}
    assert "\nfiles: Sitzbänke.geojson\n" in (home / "sources" / "baenke.yaml").read_text(encoding="utf-8")


def test_the_grant_that_a_draft_proposes_holds_as_it_stands(home: Path, twin: Twin) -> None:
    said = twin("layers", "infer", benches(home, Eigentümer="Muster, Erika"), "--write", "--class", "public").stdout
    (grant,) = [line.strip() for line in said.splitlines() if line.strip().startswith("sitzbaenke: ")]
    assert "eigentuemer" not in grant
    layer, citizen = home / "policies/layers/sitzbaenke.yaml", home / "policies/citizen.yaml"
    layer.write_text(layer.read_text(encoding="utf-8").replace("terms: internal-only", "terms: own"), encoding="utf-8")
    citizen.write_text(citizen.read_text(encoding="utf-8").replace("collections:\n", f"collections:\n  {grant}\n"), encoding="utf-8")
    assert twin("policy", "check").exit_code == 0
    assert set(load(home / "policies").roles["citizen"].grants) == {"baeume", "sitzbaenke"}
    assert "twin import --source sitzbaenke" in said


@pytest.mark.parametrize(("words", "expected"), [
    (["--class", "internal"], "council.yaml unter `collections:`"),
    ([], "statt `unreviewed` die Klassen eintragen"),
])  # fmt: skip
def test_nothing_is_proposed_to_a_role_that_may_not_see_it(home: Path, twin: Twin, words: list[str], expected: str) -> None:
    said = twin("layers", "infer", benches(home), "--write", *words).stdout
    assert expected in said
    assert "citizen.yaml" not in said


def test_a_class_that_citizens_do_not_see_has_no_list_of_values(home: Path, twin: Twin) -> None:
    assert "Stahl" not in twin("layers", "infer", benches(home), "--class", "internal").stdout


def test_nothing_is_ever_written_over(home: Path, twin: Twin) -> None:
    path = benches(home)
    assert twin("layers", "infer", path, "--write").exit_code == 0
    text = (home / "policies/layers/sitzbaenke.yaml").read_text(encoding="utf-8")
    again = twin("layers", "infer", path, "--write", "--class", "public")
    assert again.exit_code == 1
    assert "Einen Layer `sitzbaenke` gibt es schon" in again.output
    assert "`twin import DATEI --layer sitzbaenke`" in again.output
    assert (home / "policies/layers/sitzbaenke.yaml").read_text(encoding="utf-8") == text


def test_a_source_file_in_the_way_keeps_the_layer_file_from_being_written(home: Path, twin: Twin) -> None:
    (home / "sources").mkdir(exist_ok=True)
    (home / "sources/sitzbaenke.yaml").write_text("layer: baeume\n", encoding="utf-8")
    ended = twin("layers", "infer", benches(home), "--write")
    assert ended.exit_code == 1
    assert "nichts wurde geschrieben" in ended.output
    assert not (home / "policies/layers/sitzbaenke.yaml").exists()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--class", "publik"], "--class: eine Klasse `publik` gibt es nicht; gemeint ist wohl `public`"),
        (["--owner", "bauhoff"], "--owner: ein Amt `bauhoff` gibt es nicht; gemeint ist wohl `bauhof`"),
        (["--layer", "Meine Bänke"], "--layer: `Meine Bänke` ist als Name nicht möglich; `meine_baenke` schreiben"),
        (["--layer", "baeume"], "Einen Layer `baeume` gibt es schon"),
        (["--from", "bank"], "hat keinen Layer `bank`"),
    ],
)
def test_a_slip_of_the_pen_names_what_was_meant(home: Path, twin: Twin, words: list[str], expected: str) -> None:
    ended = twin("layers", "infer", benches(home), *words)
    assert ended.exit_code == 1
    assert expected in ended.output


def test_a_file_that_cannot_be_read_is_refused_with_the_reason(home: Path, twin: Twin) -> None:
    path = home / "leer.gpkg"
    path.write_bytes(b"kein GeoPackage")
    ended = twin("layers", "infer", path)
    assert ended.exit_code == 1
    assert "`leer.gpkg` heißt wie GeoPackage, ist es dem Inhalt nach aber nicht" in ended.output
