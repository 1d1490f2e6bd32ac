"""Grants over one layer that tell together what neither tells alone are refused, with two values and both lines of policy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest

from tests.policy.proof.cases import cases, files_of, marked_lines
from twin_api.policy.finding import Finding, PolicyInvalid
from twin_api.policy.load import load_texts

CROSSING = cases("crossing")


def finding_of(texts: Mapping[str, str]) -> Finding:
    with pytest.raises(PolicyInvalid) as invalid:
        load_texts(texts)
    (found,) = invalid.value.findings
    return found


def test_there_are_three_or_more_of_each_kind() -> None:
    counted = Counter(case["kind"] for case in CROSSING.values())
    assert set(counted) == {"chains", "lattices", "shares", "rows"}
    assert min(counted.values()) >= 3


@pytest.mark.parametrize("name", CROSSING)
def test_what_tells_more_together_is_refused_with_both_lines_of_policy(name: str) -> None:
    texts = files_of(CROSSING[name])
    shown = [line.say("de") for line in finding_of(texts).shown]
    marked = list(marked_lines(texts))
    assert len(marked) == 2
    assert sorted(shown[-2:]) == sorted(marked)


@pytest.mark.parametrize("name", [name for name in CROSSING if "counter" in CROSSING[name]])
def test_two_values_show_what_is_wrong(name: str) -> None:
    shown = [line.say("de") for line in finding_of(files_of(CROSSING[name])).shown[:-2]]
    assert shown[0].startswith("Gegenbeispiel: ")
    assert CROSSING[name]["counter"] in "; ".join(shown)


@pytest.mark.parametrize("name", [name for name in CROSSING if CROSSING[name]["kind"] == "chains" and "counter" in CROSSING[name]])
def test_the_finer_mask_shows_both_values_as_one_and_the_coarser_tells_them_apart(name: str) -> None:
    _, fine, coarse, *_ = (line.say("en").partition(" sees ")[2].partition(" (")[0] for line in finding_of(files_of(CROSSING[name])).shown)
    assert len(set(fine.split(" | "))) == 1
    assert len(set(coarse.split(" | "))) == 2


def without(case: Mapping[str, Any], role: str) -> dict[str, Any]:
    return {word: text for word, text in case.items() if word != role}


@pytest.mark.parametrize("name", [name for name in CROSSING if "council" in CROSSING[name] and "parts" not in CROSSING[name]])
def test_either_of_them_alone_is_accepted(name: str) -> None:
    assert load_texts(files_of(without(CROSSING[name], "council")))
