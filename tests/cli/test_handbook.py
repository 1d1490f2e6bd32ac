"""The walk of the handbook, done as it is written, in a town that has nothing but what the handbook's other sections say."""

from __future__ import annotations

import re
import shlex
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.test_commands import twin
from tests.policy.test_docs_policies import BLOCK, HALVES, PLACES, SPAN, blocks, put_below
from tests.towns import Town
from twin_api.texts import LANGUAGES, Language

NEW = re.compile(r".*spielgeraete.*|\w+\.yaml/\w+")
SERVES = "preview"  # the one command of the walk that does not end by itself; tests/publish/test_preview.py looks at it


@pytest.fixture(
    params=[LANGUAGES[0], *(pytest.param(other, marks=pytest.mark.long) for other in LANGUAGES[1:])]
)  # alike but for their words
def language(request: pytest.FixtureRequest) -> Language:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def town(new_town: Callable[..., Town], tmp_path: Path, language: Language) -> Town:
    """The page's folder without the new layer, in force."""
    for shelf in ("layers", "tests"):
        (tmp_path / shelf).mkdir()
    for name, text in blocks(language, "yaml", r"[\w/]+\.yaml"):
        if not NEW.fullmatch(name):
            (tmp_path / name).write_text(text, encoding="utf-8")
    town = new_town(tmp_path, apply=False)
    assert twin(town, "policy", "apply").returncode == 0
    return town


def write_new_layer(town: Town, language: Language) -> None:
    for info, text in blocks(language, "yaml", NEW.pattern):
        name, _, place = info.partition(".yaml/")
        if place:
            put_below(town.policies_folder / f"{name}.yaml", PLACES[place], text)
        else:
            (town.policies_folder / info).write_text(text, encoding="utf-8")
    ((name, data),) = blocks(language, "json")
    (town.folder / name).write_text(data, encoding="utf-8")


def walk(language: Language) -> str:
    """The text of the second section."""
    return HALVES[language].split("\n## ")[2]


def test_the_walk_can_be_done_as_it_is_written(town: Town, language: Language) -> None:
    write_new_layer(town, language)
    said = ""
    for kind, _, text in BLOCK.findall(walk(language)):
        for line in text.splitlines() if kind == "sh" else ():
            _, *arguments = shlex.split(line)
            if SERVES not in arguments:
                ended = run(town, arguments, language)
                assert ended.returncode == 0, (line, ended.stderr)
                said += ended.stdout
    for quoted in answers(language):
        assert quoted in said, quoted
    (item, _) = town.client_for("citizen").get("collections/spielgeraete/items").json()["features"]
    assert item["properties"] == {"geraet_nr": "S-01", "art": "schaukel", "baujahr": 2011, "geprueft_am": "2026-01-01"}
    assert town.client_for("council").get("collections/spielgeraete/items?zustand=gut").json()["numberMatched"] == 1
    assert town.drift() == []


def answers(language: Language) -> list[str]:
    """What the section says that the commands print: spans with words of a sentence, up to the first ellipsis."""
    spans = [span.partition("…")[0].strip() for span in SPAN.findall(BLOCK.sub("", walk(language)))]
    heads = ("In Ordnung", "All is well", "Alle", "All", "Every", "Eingetragen", "Entered", "▲", "+", "Angewendet", "Applied", "Keine", "No ",
             "spielgeraete: 2")  # fmt: skip
    found = [span for span in spans if span.startswith(heads)]
    assert len(found) >= 8, found
    return found


@pytest.mark.parametrize("language", LANGUAGES[:1], indirect=True)
def test_a_single_apply_makes_the_table_as_well(town: Town, language: Language) -> None:
    write_new_layer(town, language)
    told = run(town, ["policy", "preview", "--as", "citizen", "--port", str(free_port())], language)
    assert (told.returncode, "twin layers apply" in told.stderr) == (1, True)
    assert run(town, ["policy", "apply"], language).returncode == 0
    assert run(town, ["import", "spielgeraete.geojson", "--layer", "spielgeraete"], language).returncode == 0
    assert town.client_for("council").get("collections/spielgeraete/items").json()["numberMatched"] == 2
    assert town.client_for("citizen").get("collections/spielgeraete/items").status_code == 404


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def run(town: Town, arguments: list[str], language: Language) -> subprocess.CompletedProcess[str]:
    return twin(town, *arguments, TWIN_LANG=language)
