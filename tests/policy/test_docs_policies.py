"""The handbook of the policy language: its examples do what it says, its commands exist, and no word is missing, in both languages."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any, Final, get_args

import pytest
import typer
from typer.core import TyperGroup

from twin_api.cli import app
from twin_api.policy.documents import FigureKind, Refresh
from twin_api.policy.figures import WORDS as FIGURE_WORDS
from twin_api.policy.finding import PolicyInvalid, render
from twin_api.policy.grant import LATER
from twin_api.policy.lint import lint
from twin_api.policy.load import load
from twin_api.policy.masks import GEOMETRY_MASKS, VALUE_MASKS
from twin_api.policy.schema import schemas
from twin_api.policy.trial import run_examples
from twin_api.texts import LANGUAGES, Language

PAGE = (Path(__file__).parents[2] / "docs/policies.md").read_text(encoding="utf-8")
HALVES: dict[Language, str] = dict(zip(LANGUAGES, PAGE.split("\n---\n"), strict=True))
BLOCK = re.compile(r"^```(\S+) ?(.*)\n((?:.*\n)*?)```$", re.MULTILINE)
SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
WORD = re.compile(r"[a-z_]+")

# what stands below this line of a role's file is where the second section puts its grants
PLACES: Final = {"collections": "collections:\n", "bauhof": "  bauhof:\n"}


def blocks(language: Language, kind: str, info: str = ".*") -> list[tuple[str, str]]:
    return [(match[2], match[3]) for match in BLOCK.finditer(HALVES[language]) if match[1] == kind and re.fullmatch(info, match[2])]


@pytest.fixture(params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> Language:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def folder(tmp_path: Path, language: Language) -> Path:
    """The policy folder that the page's file examples make together, the new layer's grants put in where the page says."""
    for shelf in ("layers", "tests"):
        (tmp_path / shelf).mkdir()
    for name, text in blocks(language, "yaml", r"[\w/]+\.yaml"):
        (tmp_path / name).write_text(text, encoding="utf-8")
    for info, text in blocks(language, "yaml", r"\w+\.yaml/\w+"):
        name, _, place = info.partition("/")
        put_below(tmp_path / name, PLACES[place], text)
    return tmp_path


def put_below(path: Path, line: str, text: str) -> None:
    before, found, after = path.read_text(encoding="utf-8").partition(line)
    assert found
    path.write_text(before + found + text + after, encoding="utf-8")


def test_the_examples_are_a_policy_folder_that_loads(folder: Path) -> None:
    assert set(load(folder).roles) == {"citizen", "council", "administration", "administration/bauhof", "administration/wasser"}


def test_every_release_is_approved_but_the_one_that_the_walk_approves(folder: Path) -> None:
    grants = [grant for role in load(folder).roles.values() for many in role.grants.values() for grant in many]
    assert {(g.file_role, g.collection, g.missing) for g in grants if g.missing} == {("citizen", "spielgeraete", ("bauhof",))}
    assert {(g.file_role, g.collection) for g in grants if g.release and not g.missing} == {
        ("citizen", "kanalzustand"),
        ("council", "kanalschaechte"),
    }


def test_the_examples_pass_their_own_tests(folder: Path) -> None:
    trial = run_examples(load(folder))
    assert len(trial.results) == 13
    assert trial.failures == ()


def test_the_examples_give_no_concern_but_the_one_that_is_answered(folder: Path) -> None:
    assert lint(load(folder)) == []
    citizen = folder / "citizen.yaml"
    citizen.write_text(re.sub(r" # geprüft: .*", "", citizen.read_text(encoding="utf-8")), encoding="utf-8")
    assert len(lint(load(folder))) == 1


def test_every_example_of_rows_can_stand_in_a_grant(folder: Path, language: Language) -> None:
    examples = blocks(language, "yaml", "rows")
    assert len(examples) == 4
    citizen = (folder / "citizen.yaml").read_text(encoding="utf-8")
    for _, rows in examples:
        indented = "".join(f"    {line}\n" for line in rows.splitlines())
        (folder / "citizen.yaml").write_text(citizen.replace("    rows: {status: [steht]}\n", indented), encoding="utf-8")
        load(folder)


def test_the_data_of_the_walk_fill_its_layer(folder: Path, language: Language) -> None:
    ((_, text),) = blocks(language, "json")
    attributes = load(folder).layers["spielgeraete"].attributes
    for feature in json.loads(text)["features"]:
        assert set(feature["properties"]) == set(attributes)
        assert feature["properties"]["art"] in (attributes["art"].enum or ())


def test_the_wrong_example_is_answered_as_printed(folder: Path, language: Language) -> None:
    ((info, wrong),) = blocks(language, "yaml", "wrong .*")
    ((_, printed),) = blocks(language, "text", "")
    (folder / info.split()[1]).write_text(wrong, encoding="utf-8")
    with pytest.raises(PolicyInvalid) as invalid:
        load(folder)
    assert render(invalid.value.findings, language) + "\n" == printed


def test_the_narrow_example_is_refuted_as_printed(folder: Path, language: Language) -> None:
    ((_, narrow),) = blocks(language, "yaml", "narrow .*")
    ((_, printed),) = blocks(language, "text", "narrow")
    put_below(folder / "council.yaml", PLACES["collections"], narrow)
    with pytest.raises(PolicyInvalid) as invalid:
        load(folder)
    assert render(invalid.value.findings, language) + "\n" == printed


def test_both_halves_have_the_same_structure_and_the_same_examples() -> None:
    german, english = (re.sub(r"```text.*\n(.*\n)*?```", "", HALVES[language]) for language in LANGUAGES)
    assert [match[0] for match in re.finditer(r"^#+", german, re.M)] == [match[0] for match in re.finditer(r"^#+", english, re.M)]
    first, second = ([(m[1], m[2], m[3]) for m in BLOCK.finditer(half)] for half in (german, english))
    assert [block for block in first if block[0] != "sh"] == [block for block in second if block[0] != "sh"]


def test_every_command_shown_exists_with_its_options(language: Language) -> None:
    lines = [line for _, text in blocks(language, "sh") for line in text.splitlines()]
    assert len(lines) > 30
    for line in lines:
        program, *arguments = shlex.split(line, comments=True)
        assert program == "twin"
        command, rest = command_of(arguments)
        with command.make_context("twin", rest):
            pass


def test_every_command_named_in_a_sentence_exists(language: Language) -> None:
    text = BLOCK.sub("", HALVES[language])
    named = [span.split()[1:] for span in SPAN.findall(text) if span.startswith("twin ")]
    assert len(named) > 10
    for arguments in named:
        assert not isinstance(command_of(arguments)[0], TyperGroup), arguments


def test_a_command_that_does_not_exist_would_be_noticed() -> None:
    with pytest.raises(KeyError):
        command_of(["policy", "aply"])
    command, rest = command_of(["policy", "diff", "--agains", "3"])
    with pytest.raises(Exception, match="--agains"):
        command.make_context("twin", rest)


def test_every_subcommand_of_policies_is_shown(language: Language) -> None:
    group, _ = command_of(["policy"])
    assert isinstance(group, TyperGroup)
    shown = {line.split()[2] for _, text in blocks(language, "sh") for line in text.splitlines() if line.startswith("twin policy ")}
    assert shown == set(group.commands)


def command_of(arguments: list[str]) -> tuple[Any, list[str]]:
    """The command that the words name, and what is left of them for itself."""
    command: Any = typer.main.get_command(app)
    rest = list(arguments)
    while isinstance(command, TyperGroup) and rest:
        named = rest.pop(0)
        command = command.get_command(None, named)  # imported on demand
        if command is None:
            raise KeyError(named)
    return command, rest


def table(language: Language, german: str, english: str) -> dict[str, set[str]]:
    """The words that a table explains -> every word between backticks in their row."""
    head = german if language == "de" else english
    match = re.search(rf"^\| {re.escape(head)} \|.*\n\|[-|]+\n((?:\|.*\n)+)", HALVES[language], re.MULTILINE)
    assert match, head
    rows = [(line, SPAN.findall(line.split("|")[1])) for line in match[1].splitlines()]
    return {WORD.findall(span)[0]: set(WORD.findall(" ".join(SPAN.findall(line)))) for line, spans in rows for span in spans}


def properties(name: str, *path: str) -> dict[str, Any]:
    """The keys that the editor's schema knows there; it is made of the readers' own words."""
    node: dict[str, Any] = schemas(None)[name]
    for step in path:
        node = node["properties"][step] if step != "*" else node["additionalProperties"]
    return node["properties"]  # type: ignore[no-any-return]


def test_every_mask_is_explained(language: Language) -> None:
    assert set(table(language, "Maske der Geometrie", "mask of a geometry")) == {mask.word for mask in GEOMETRY_MASKS}
    assert set(table(language, "Maske eines Werts", "mask of a value")) == {mask.word for mask in VALUE_MASKS}


def test_every_figure_and_rhythm_is_explained(language: Language) -> None:
    assert set(table(language, "Zahl", "figure")) == set(get_args(FigureKind))
    assert set(table(language, "Rhythmus", "rhythm")) == set(get_args(Refresh))


@pytest.mark.parametrize(("german", "english", "name", "path"), [
    ("Eintrag", "entry", "town", ()),
    ("Eintrag einer Klasse", "entry of a class", "town", ("classes", "*")),
    ("Eintrag eines Layers", "entry of a layer", "layer", ()),
    ("Eintrag eines Attributs", "entry of an attribute", "layer", ("attributes", "*")),
    ("Eintrag einer Rolle", "entry of a role", "council", ()),
    ("Eintrag eines Tests", "entry of a test", "test", ()),
])  # fmt: skip
def test_every_entry_is_explained(language: Language, german: str, english: str, name: str, path: tuple[str, ...]) -> None:
    explained, known = table(language, german, english), properties(name, *path)
    assert set(explained) == set(known)
    for key, schema in known.items():
        if key not in ("attributes", "classes", "themes", "departments"):  # maps of the town's own names
            assert set(schema.get("properties", ())) <= explained[key]


def test_every_entry_of_a_grant_and_of_a_release_is_explained(language: Language) -> None:
    grant = schemas(None)["citizen"]["$defs"]["grant"]
    known = {*grant["then"]["properties"], *grant["else"]["properties"]}
    assert set(FIGURE_WORDS) <= known
    assert set(table(language, "Eintrag eines Grants", "entry of a grant")) == {*known, *LATER}
    release = grant["else"]["properties"]["release"]["properties"]
    assert set(table(language, "Eintrag einer Freigabe", "entry of a release")) == set(release)
