"""What is claimed is what is shown: every class has its requirements, every requirement a test."""

from __future__ import annotations

from tests.conformance.table import PROJECT, document, requirements, shown
from twin_api.main import BLOCKS


def test_every_class_that_is_claimed_has_its_requirements_listed_and_no_other_has() -> None:
    claimed = [uri for block in BLOCKS for uri in block.conformance]
    assert len(claimed) == len(set(claimed))
    assert set(claimed) == {uri for requirement in requirements() for uri in requirement.classes}


def test_every_requirement_is_shown_by_a_test() -> None:
    tests = shown()
    assert [requirement.id for requirement in requirements() if requirement.id not in tests] == []


def test_every_test_shows_a_requirement_that_there_is() -> None:
    known = {requirement.id for requirement in requirements()}
    assert {id: tests for id, tests in shown().items() if id not in known} == {}


def test_the_committed_table_is_that_of_the_tests() -> None:
    committed = (PROJECT / "docs" / "conformance.md").read_text(encoding="utf-8")
    assert document() == committed, "run `python -m tests.conformance.table --write docs` and commit the result"
