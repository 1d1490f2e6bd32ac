"""The README and the handbook of imports, followed by somebody new: three unknown files become served collections."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.cli.silos import BANKS, PLAYGROUNDS, TREES, write_banks, write_monuments, write_playgrounds
from tests.cli.walks import PROJECT, Walk
from tests.policy.test_docs_policies import BLOCK
from tests.towns import Town

pytestmark = pytest.mark.slow
COUNTS = {"spielplaetze": PLAYGROUNDS, "wertstoffinseln": BANKS, "naturdenkmale": TREES}


@pytest.fixture
def town(new_town: Callable[..., Town]) -> Town:
    """An empty database; the files of three silos lie about."""
    town = new_town(apply=False)
    for write in (write_playgrounds, write_banks, write_monuments):
        write(town.folder)
    write_banks(town.folder, "wertstoffinseln-juni.csv", faulty=True)
    return town


def items(town: Town, collection: str, role: str = "citizen") -> Any:
    return town.client_for(role).get(f"collections/{collection}/items").json()


def states(town: Town) -> list[tuple[Any, ...]]:
    """Every row's version in the database: it changes with the row."""
    with town.login("owner") as connection:
        return [row for name in COUNTS for row in connection.execute(f"SELECT id, xmin::text FROM store.{name} ORDER BY id".encode())]


def test_the_readme_leads_three_unknown_files_to_served_collections(town: Town) -> None:
    walk = Walk(town)
    section = (PROJECT / "README.md").read_text(encoding="utf-8").partition("## Daten hinein")[2].partition("\n## ")[0]
    walk.take(section)
    assert {name: items(town, name)["numberMatched"] for name in COUNTS} == COUNTS
    bank = items(town, "wertstoffinseln")["features"][0]
    assert bank["properties"]["strasse"].startswith("Lange Straße")
    assert "ansprechpartner" not in items(town, "spielplaetze")["features"][0]["properties"]
    before = states(town)
    walk.run("twin import spielplaetze.gpkg --layer spielplaetze; twin import --source wertstoffinseln", code=0)
    assert (states(town), town.drift()) == (before, [])


def test_every_path_of_the_readme_has_at_most_eight_commands() -> None:
    section = (PROJECT / "README.md").read_text(encoding="utf-8").partition("## Daten hinein")[2].partition("\n## ")[0]
    commands = [line for line in section.splitlines() if line.startswith("twin ")]
    shared = [line for line in commands if not any(name in line.partition("#")[0] for name in COUNTS)]
    for name in COUNTS:
        assert 5 < len(shared) + len([line for line in commands if name in line.partition("#")[0]]) <= 8


@pytest.mark.long  # minutes of single commands; the README's way above runs each time
def test_the_handbook_of_imports_can_be_done_as_it_is_written(town: Town) -> None:
    walk = Walk(town)
    german, english = (PROJECT / "docs/imports.md").read_text(encoding="utf-8").split("\n---\n")
    walk.take(german)
    assert {name: items(town, name)["numberMatched"] for name in COUNTS} == COUNTS
    for said in ("spielplaetze: 12 gelesen, 12 neu, ", "Probelauf.", "5 gelesen, 0 neu, 0 geändert, 3 gleich", "2 nicht übernommen", "✓ "):
        assert said in walk.said
    assert any(item["properties"]["aufgestellt"] == "2019-01-01" for item in items(town, "wertstoffinseln")["features"])
    assert items(town, "spielplaetze", "administration/bauhof")["features"][0]["properties"]["ansprechpartner"].startswith("Muster")
    refusals_in_english(walk, english)
    assert town.drift() == []


def refusals_in_english(walk: Walk, page: str) -> None:
    """What is refused changes nothing, so it can be asked for again."""
    refused = [(kind, text) for kind, info, text in BLOCK.findall(page) if info == "refused"]
    assert len(refused) == 4
    for (_, command), (_, answer) in zip(refused[::2], refused[1::2], strict=True):
        assert walk.run(command, code=1, TWIN_LANG="en").stderr == answer
