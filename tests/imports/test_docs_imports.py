"""The handbook of imports says what the program does: formats, limits, messages, commands, in both languages alike."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.policy.test_docs_policies import BLOCK, SPAN, command_of
from twin_api.imports import finding, rejects, run, source, workshop
from twin_api.imports.formats import COLUMNS, FORMATS, PACKED, csv_table
from twin_api.imports.guards import archive, json, xml
from twin_api.imports.job import USUAL
from twin_api.imports.places import curves, shapes
from twin_api.texts import LANGUAGES

PROJECT = Path(__file__).parents[2]
PAGE = (PROJECT / "docs/imports.md").read_text(encoding="utf-8")
HALVES = dict(zip(LANGUAGES, PAGE.split("\n---\n"), strict=True))
LIMITS = [
    f"{USUAL.memory >> 30} GiB",
    f"({source.BATCH:,} ", f"{USUAL.step_s:.0f} s", f"{workshop.OCTETS_PER_S // 1_000_000} MB",
    f"| {COLUMNS:,} |", f"| {shapes.POINTS:,} |", f"| {run.MOST_COSTLY}, ", f"| {finding.SHOWN}; ", f"| {rejects.MOST:,} |",
    f"{archive.ENTRIES:,} ", f"{archive.UNPACKED_BYTES >> 30} GiB", f"{archive.RATIO}-fo", f"{archive.SMALL_BYTES >> 20} MiB",
]  # fmt: skip
BY_MESSAGE = {"de": "Meldung", "en": "Message"}


@pytest.fixture(params=LANGUAGES)
def half(request: pytest.FixtureRequest) -> str:
    return HALVES[request.param]


def test_both_halves_have_the_same_structure_commands_and_examples() -> None:
    german, english = HALVES.values()
    assert re.findall(r"^#+", german, re.MULTILINE) == re.findall(r"^#+", english, re.MULTILINE)
    first, second = ([block for block in BLOCK.findall(half) if block[0] != "text"] for half in (german, english))
    assert first == second
    assert len(first) > 15


def test_every_format_is_named_with_every_ending(half: str) -> None:
    rows = re.findall(r"^\|[^|]+\|([^|]*`\.[^|]*)\|", half, re.MULTILINE)
    named = {ending for row in rows for ending in re.findall(r"`(\.\w+)`", row)}
    assert named == {suffix for format_ in FORMATS for suffix in format_.suffixes} | {".shx", ".dbf"}
    assert all(f"`{ending}`" in half for ending in PACKED)


def test_every_limit_is_the_programs_own(half: str) -> None:
    text = half.replace("-fach", "-fold")
    table = re.sub(r"(?<=\d)\.(?=\d{3})", ",", text.partition("\n## 7. ")[2].partition("\n## ")[0])
    assert [limit for limit in LIMITS if limit not in table] == []
    assert {json.MEMBER_BYTES, xml.TEXT_BYTES, csv_table.FIELD_CHARACTERS} == {64 << 20}
    assert "64 MiB" in table


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_message_that_is_explained_is_one_of_the_program(language: str) -> None:
    rows = re.search(rf"\| {BY_MESSAGE[language]} \|.*\n\|[-|]+\n((?:\|.*\n)+)", HALVES[language])
    assert rows is not None
    messages = [span for row in rows[1].splitlines() for span in SPAN.findall(row.split("|")[1])]
    texts = "".join(path.read_text(encoding="utf-8") for path in (PROJECT / "twin_api/imports/places").glob("*.py"))
    said = re.sub(r"\{[^{}]*(?:'[^']*'[^{}]*)*\}", "", texts)
    assert len(messages) >= 5
    assert [message for message in messages if not all(word in said for word in message.split())] == []


def test_every_command_named_in_a_sentence_exists(half: str) -> None:
    spans = [span for span in SPAN.findall(BLOCK.sub("", half)) if span.startswith("twin ")]
    assert len(spans) >= 8
    for span in spans:
        command, rest = command_of(shlex.split(span)[1:])
        assert command.name not in ("layers", "sources", "policy"), span
        if rest:
            command.make_context("twin", [word.replace("ID", "00000000-0000-4000-8000-000000000000") for word in rest])


def test_curves_are_as_exact_as_the_page_says(half: str) -> None:
    assert f"{curves.DEVIATION * 1000:.0f} mm" in half
