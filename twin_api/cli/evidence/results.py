"""Results of tests, from the XML that pytest writes: how many ran and failed, room by room, and the figures they noted.

Must never take a word over that a test was given as a parameter: it may be a hidden value of an invented town.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final
from xml.etree import ElementTree

NOT_PASSED: Final = ("failure", "error", "skipped")
PAIRS: Final = "_pairs"  # how the names of figures end that count comparisons of which none may fail
RULE_OF_THREE: Final = 3  # of n comparisons none failed: at most 3 of n do, with 95 % confidence


class ResultsUnreadable(Exception):
    """It is no file of results as pytest writes it with `--junitxml`."""


def tell_results(content: bytes) -> dict[str, Any]:
    """Raises `ResultsUnreadable`."""
    rooms: dict[str, Counter[str]] = {}
    figures: dict[str, Counter[str]] = {}
    least: dict[tuple[str, str], int] = {}  # of any case
    not_passed: set[str] = set()
    for case in _cases(content):
        outcome = next((word for word in NOT_PASSED if case.find(word) is not None), "passed")
        test = _name(case)
        rooms.setdefault(test.split(".")[1] if test.count(".") > 1 else test, Counter())[outcome] += 1
        noted = _noted(case)
        figures.setdefault(test, Counter()).update({"cases": 1, outcome: 1, **noted})
        for name, number in noted.items():
            least[test, name] = min(number, least.get((test, name), number))
        if outcome in ("failure", "error"):
            not_passed.add(test)
    return {
        "sha256": hashlib.sha256(content).hexdigest(),
        "rooms": rooms,
        "failed": sorted(not_passed),
        "figures": {test: _told(test, counts, least) for test, counts in figures.items() if _has_figures(counts)},
    }


def _cases(content: bytes) -> list[ElementTree.Element]:
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise ResultsUnreadable()
    try:
        cases = list(ElementTree.fromstring(content).iter("testcase"))  # noqa: S314  # nothing in it can be declared or fetched
    except ElementTree.ParseError:
        raise ResultsUnreadable() from None
    if not cases:
        raise ResultsUnreadable()
    return cases


def _name(case: ElementTree.Element) -> str:
    return f"{case.get('classname', '')}.{case.get('name', '').partition('[')[0]}"


def _noted(case: ElementTree.Element) -> dict[str, int]:
    """Whole numbers only."""
    noted = ((entry.get("name", ""), entry.get("value", "")) for entry in case.iter("property"))
    return {name: int(value) for name, value in noted if name.isidentifier() and value.isascii() and value.isdigit()}


def _has_figures(counts: Counter[str]) -> bool:
    return bool(counts.keys() - {"cases", "passed", *NOT_PASSED})


def _told(test: str, counts: Counter[str], least: Mapping[tuple[str, str], int]) -> dict[str, Any]:
    """With the bound of 0 of n where nothing failed: that of the shortest case, so that it holds for each of them, one a role."""
    is_clean = counts["passed"] == counts["cases"]
    drawn = {name: least[test, name] for name in counts if name.endswith(PAIRS) and is_clean}
    return {**counts, **{f"{name}_at_most": RULE_OF_THREE / n for name, n in drawn.items() if n}}
