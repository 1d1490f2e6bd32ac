"""The handbook of the policy language: each of its examples does what it says, in both languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from twin_api.policy.finding import PolicyInvalid, render
from twin_api.policy.load import load
from twin_api.policy.trial import run_examples
from twin_api.texts import LANGUAGES, Language

PAGE = (Path(__file__).parents[2] / "docs/policies.md").read_text(encoding="utf-8")
HALVES: dict[Language, str] = dict(zip(LANGUAGES, PAGE.split("\n---\n"), strict=True))
BLOCK = re.compile(r"^```(\S+) ?(.*)\n((?:.*\n)*?)```$", re.MULTILINE)


def blocks(language: Language, kind: str, info: str = ".*") -> list[tuple[str, str]]:
    return [(match[2], match[3]) for match in BLOCK.finditer(HALVES[language]) if match[1] == kind and re.fullmatch(info, match[2])]


@pytest.fixture(params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> Language:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def folder(tmp_path: Path, language: Language) -> Path:
    """The policy folder that the page's file examples make together."""
    for shelf in ("layers", "tests"):
        (tmp_path / shelf).mkdir()
    for name, text in blocks(language, "yaml", r"[\w/]+\.yaml"):
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_the_examples_are_a_policy_folder_that_loads(folder: Path) -> None:
    assert set(load(folder).roles) == {"citizen", "council", "administration", "administration/bauhof"}


def test_the_examples_pass_their_own_test(folder: Path) -> None:
    trial = run_examples(load(folder))
    assert len(trial.results) == 5
    assert trial.failures == ()


def test_every_example_of_rows_can_stand_in_a_grant(folder: Path, language: Language) -> None:
    examples = blocks(language, "yaml", "rows")
    assert len(examples) == 3
    citizen = (folder / "citizen.yaml").read_text(encoding="utf-8")
    for _, rows in examples:
        indented = "".join(f"    {line}\n" for line in rows.splitlines())
        (folder / "citizen.yaml").write_text(citizen.replace("    rows: {status: [steht]}\n", indented), encoding="utf-8")
        load(folder)


def test_the_wrong_example_is_answered_as_printed(folder: Path, language: Language) -> None:
    ((info, wrong),) = blocks(language, "yaml", "wrong .*")
    ((_, printed),) = blocks(language, "text")
    (folder / info.split()[1]).write_text(wrong, encoding="utf-8")
    with pytest.raises(PolicyInvalid) as invalid:
        load(folder)
    assert render(invalid.value.findings, language) + "\n" == printed
