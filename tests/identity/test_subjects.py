"""Which names roles may have, and that none implies another."""

from __future__ import annotations

import pytest

from twin_api.identity.subject import Subject, is_role, schema_of


@pytest.mark.parametrize(
    "name", ["citizen", "council", "administration", "council/bauausschuss", "administration/bauhof", "administration/a_1"]
)
def test_a_role_is_a_family_or_one_of_its_parts(name: str) -> None:
    assert is_role(name)


@pytest.mark.parametrize(
    "name",
    ["", "owner", "pepper", "citizen/part", "Council", "council/", "council/Bau", "council/a/b", "council/..", "council/a\x00", "council/ä", "council\n", "council/_a",
     f"council/{'a' * 41}", "xcouncil", "councilx", "administration/1"],
)  # fmt: skip
def test_nothing_else_is_a_role(name: str) -> None:
    assert not is_role(name)


def test_no_role_implies_another() -> None:
    subject = Subject("id", ("administration", "council/bau"))
    assert [subject.holds(role) for role in ("administration", "council/bau", "administration/bauhof", "council", "citizen")] == [
        True,
        True,
        False,
        False,
        False,
    ]
    assert schema_of("administration/bauhof") == "administration_bauhof"
