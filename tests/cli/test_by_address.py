"""`twin import ADDRESS`: fetched by the same rules as a source, imported like a file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tests.imports.servers import LOOPBACK, Answer, Asked, Server, answering
from tests.towns import Town
from twin_api.cli import app, context

Twin = Callable[..., Result]


@pytest.fixture(scope="module")
def kanaria(new_town: Callable[..., Town]) -> Town:
    return new_town(rows=False)


@pytest.fixture
def served() -> Iterator[Server]:
    """Trees, one per line, at every path."""
    place = {"type": "Point", "coordinates": [11.39, 49.63]}
    lines = [
        json.dumps({"type": "Feature", "properties": {"baum_nr": f"B-{n}", "art": "Linde", "status": "steht"}, "geometry": place})
        for n in range(5)
    ]

    def answer(asked: Asked) -> Answer:
        return 200, {"Content-Type": "application/geo+json-seq"}, "\n".join(lines).encode()

    with answering(answer) as server:
        yield server


@pytest.fixture
def twin(kanaria: Town, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setattr(context, "policies", lambda: kanaria.policies)
    monkeypatch.setattr(context, "owner_connection", lambda: kanaria.login("owner"))

    def run(*words: str, **settings: str) -> Result:
        told = kanaria.settings(policies=kanaria.policies_folder, home=kanaria.folder, **settings)
        monkeypatch.setattr(context, "settings", lambda: told)
        return CliRunner().invoke(app, ["import", *words])

    return run


def test_a_file_at_an_address_is_imported_from_an_allowed_host(kanaria: Town, twin: Twin, served: Server) -> None:
    done = twin(served.url("/baeume.geojsonl"), "--layer", "baeume", source_hosts=served.hosts, source_networks=LOOPBACK)
    assert done.exit_code == 0, done.output
    assert "baeume: 5 gelesen, 5 neu" in done.output


def test_nothing_is_fetched_from_a_host_that_nobody_allowed(twin: Twin, served: Server) -> None:
    ended = twin(served.url("/baeume.geojsonl"), "--layer", "baeume")
    assert ended.exit_code == 1
    assert "TWIN_SOURCE_HOSTS" in ended.output
    assert served.asked == []


def test_a_source_with_an_address_can_be_tried_without_any_change(kanaria: Town, twin: Twin, served: Server) -> None:
    (kanaria.folder / "sources").mkdir(exist_ok=True)
    (kanaria.folder / "sources" / "kreis.yaml").write_text(f"layer: baeume\naddress: {served.url('/baeume.geojsonl')}\nservice: file\n")
    done = twin("--source", "kreis", "--dry-run", source_hosts=served.hosts, source_networks=LOOPBACK)
    assert done.exit_code == 0, done.output
    assert "Probelauf" in done.output


def test_addresses_and_files_are_not_mixed(twin: Twin, tmp_path: Path) -> None:
    assert twin("https://daten.example/a.csv", str(tmp_path / "b.csv"), "--layer", "baeume").exit_code == 2
