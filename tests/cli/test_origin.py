"""Where rows come from: the journal of imports, and one item's entry in it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from typer.testing import CliRunner, Result

from tests.towns import Town
from twin_api.cli import app, context

Twin = Callable[..., Result]


@pytest.fixture(scope="module")
def kanaria(new_town: Callable[..., Town]) -> Town:
    return new_town(rows=False)


@pytest.fixture
def twin(kanaria: Town, monkeypatch: pytest.MonkeyPatch) -> Twin:
    monkeypatch.setattr(context, "policies", lambda: kanaria.policies)
    monkeypatch.setattr(context, "owner_connection", lambda: kanaria.login("owner"))
    return lambda *words: CliRunner().invoke(app, [*map(str, words)], env={"COLUMNS": "200"})


def trees(path: Path, arten: dict[str, str]) -> Path:
    features = [
        {
            "type": "Feature",
            "properties": {"baum_nr": nr, "art": art, "status": "steht"},
            "geometry": {"type": "Point", "coordinates": [11.39, 49.63]},
        }
        for nr, art in arten.items()
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


def state(town: Town) -> dict[str, tuple[str, int, str]]:
    with town.login("owner") as connection:
        rows = connection.execute("SELECT baum_nr, id::text, import_id, xmin::text FROM store.baeume").fetchall()
    return {nr: (id, import_id, xmin) for nr, id, import_id, xmin in rows}


def test_rows_name_the_import_that_last_changed_them(kanaria: Town, twin: Twin, tmp_path: Path) -> None:
    twin("import", trees(tmp_path / "herbst.geojson", {"B1": "Linde", "B2": "Eiche"}), "--layer", "baeume")
    before = state(kanaria)
    twin("import", trees(tmp_path / "winter.geojson", {"B1": "Linde", "B2": "Ulme"}), "--layer", "baeume")
    after = state(kanaria)
    assert after["B1"] == before["B1"]
    assert after["B2"][1] > before["B2"][1]
    listed = twin("layers", "imports", "baeume").output.splitlines()
    assert [line.partition("baeume  ")[2] for line in listed[:2]] == [
        "winter.geojson: 2 gelesen, 0 neu, 1 geändert, 0 gelöscht, 0 abgewiesen",
        "herbst.geojson: 2 gelesen, 2 neu, 0 geändert, 0 gelöscht, 0 abgewiesen",
    ]
    assert "herbst.geojson" in twin("layers", "origin", "baeume", after["B1"][0]).output
    told = twin("layers", "origin", "baeume", after["B2"][0]).output
    assert "winter.geojson" in told
    assert "sha256" in told
    assert kanaria.policies.layers["baeume"].licence in told


def test_an_item_or_a_layer_that_is_not_there_is_said(twin: Twin) -> None:
    assert "gibt es kein Objekt" in twin("layers", "origin", "baeume", uuid4()).output
    assert "Einen Layer `baume` gibt es nicht" in twin("layers", "origin", "baume", uuid4()).output


def test_no_twin_knows_of_imports(kanaria: Town, twin: Twin, tmp_path: Path) -> None:
    twin("import", trees(tmp_path / "herbst.geojson", {"B1": "Linde"}), "--layer", "baeume")
    with kanaria.superuser() as connection:
        query = "SELECT count(*) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE a.attname = 'import_id' AND c.relnamespace::regnamespace::text <> 'store'"
        assert connection.execute(query.encode()).fetchone() == (0,)
