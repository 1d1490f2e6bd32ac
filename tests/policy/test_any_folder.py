"""Whatever lies in the folder: policies, or findings, and never anything else."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin_api.policy.finding import Finding, PolicyInvalid, render
from twin_api.policy.load import load

SMALL = Path(__file__).parent / "small"
FILES = sorted(path.relative_to(SMALL).as_posix() for path in SMALL.rglob("*.yaml"))
JUNK = [
    "", "~", "x", "[]", "{}", "[x]", "{x: y}", "1", "-1", "0.5", "true", "''", "all", "keep", "hide", "{round: 1}", "{grid_m: {}}", "[[x]]",
    "public", "unreviewed", "geometry", "existence", "2026-01-01", "{from: 1, to: x}", "{from: {}}", "'a = 1'", "'('", "\"\\n\"", "bauhof",
    "{de: {}}", "Point", "date", "baeume", "citizen", "99999999999999999999999", "ä", "council/*", "'*'", "/", "{keep: }", "{: }", "[{}]",
]  # fmt: skip
TOKEN = re.compile(r"\[[^\[\]]*\]|\{[^{}]*\}|[\w.\"/*-]+")


@st.composite
def spoilt(draw: st.DrawFn) -> tuple[str, str]:
    """A file of the small town with one to three tokens replaced by something that may or may not belong there."""
    file = draw(st.sampled_from(FILES))
    text = (SMALL / file).read_text(encoding="utf-8")
    for _ in range(draw(st.integers(1, 3))):
        tokens = list(TOKEN.finditer(text))
        token = tokens[draw(st.integers(0, len(tokens) - 1))] if tokens else None
        if token is not None:
            text = text[: token.start()] + draw(st.sampled_from(JUNK)) + text[token.end() :]
    return file, text


def findings_of(folder: Path) -> tuple[Finding, ...]:
    try:
        load(folder)
    except PolicyInvalid as invalid:
        return tuple(invalid.findings)
    return ()


@settings(max_examples=150, deadline=None)
@given(spoilt())
def test_a_spoilt_file_loads_or_is_explained(change: tuple[str, str]) -> None:
    file, text = change
    with tempfile.TemporaryDirectory() as folder:
        town = Path(shutil.copytree(SMALL, Path(folder) / "policies"))
        (town / file).write_text(text, encoding="utf-8")
        findings = findings_of(town)
    assert all(finding.place.line >= 1 for finding in findings)
    assert len(render(findings, "de").splitlines()) == len(findings)


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=100), st.sampled_from([*FILES, "tests/x.yaml"]))
def test_garbage_loads_or_is_explained(data: bytes, file: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        town = Path(shutil.copytree(SMALL, Path(folder) / "policies"))
        (town / file).parent.mkdir(exist_ok=True)
        (town / file).write_bytes(data)
        findings_of(town)


def test_loading_keeps_the_text_of_every_file(small: Path) -> None:
    policies = load(small)
    assert sorted(policies.files) == FILES
    assert policies.files["citizen.yaml"] == (small / "citizen.yaml").read_text(encoding="utf-8")


def test_a_mistake_in_a_test_file_keeps_the_policies_from_loading_and_a_failing_test_does_not(small: Path) -> None:
    (small / "tests").mkdir()
    (small / "tests/baeume.yaml").write_text("layer: baeume\nrows: {B1: {art: Linde}}\nexpect: {citizen: {B1: hidden}}\n", encoding="utf-8")
    assert "tests/baeume.yaml" in load(small).files
    (small / "tests/baeume.yaml").write_text("anything: [at\n", encoding="utf-8")
    with pytest.raises(PolicyInvalid, match=r"tests/baeume\.yaml:2"):
        load(small)
