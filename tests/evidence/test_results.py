"""Results of tests are counted room by room, with their figures, and nothing a test was given."""

from __future__ import annotations

import pytest

from twin_api.cli.evidence.results import ResultsUnreadable, tell_results

XML = b"""<?xml version="1.0"?><testsuites><testsuite>
<testcase classname="tests.leaks.test_planted" name="test_a_planted_leak_is_found[CANARY one]"><properties><property name="planted" value="1"/></properties></testcase>
<testcase classname="tests.leaks.test_planted" name="test_a_planted_leak_is_found[two]"><properties><property name="planted" value="1"/></properties></testcase>
<testcase classname="tests.noninterference.test_noninterference" name="test_what_is_hidden_moves_no_answer[citizen]">
 <properties><property name="ni_pairs" value="4000"/><property name="ni_seconds" value="1.5"/><property name="note" value="CANARY"/></properties></testcase>
<testcase classname="tests.noninterference.test_noninterference" name="test_what_is_hidden_moves_no_answer[council]">
 <properties><property name="ni_pairs" value="2000"/></properties></testcase>
<testcase classname="tests.faults.test_kills" name="test_kill"><failure message="CANARY">CANARY</failure>
 <properties><property name="kill_pairs" value="15"/></properties></testcase>
<testcase classname="tests.store.test_pool" name="test_left_out"><skipped message="no"/></testcase>
</testsuite></testsuites>"""


def test_rooms_failures_and_figures_are_counted() -> None:
    told = tell_results(XML)
    assert told["rooms"]["leaks"] == {"passed": 2}
    assert told["rooms"]["store"] == {"skipped": 1}
    assert told["failed"] == ["tests.faults.test_kills.test_kill"]
    assert told["figures"]["tests.leaks.test_planted.test_a_planted_leak_is_found"] == {"cases": 2, "passed": 2, "planted": 2}
    assert "tests.store.test_pool.test_left_out" not in told["figures"]
    assert "CANARY" not in repr(told)


def test_none_of_n_has_a_bound_and_only_where_nothing_failed() -> None:
    figures = tell_results(XML)["figures"]
    pairs = figures["tests.noninterference.test_noninterference.test_what_is_hidden_moves_no_answer"]
    assert (pairs["ni_pairs"], pairs["ni_pairs_at_most"]) == (6000, 3 / 2000)
    assert "kill_pairs_at_most" not in figures["tests.faults.test_kills.test_kill"]


@pytest.mark.parametrize("content", [b"", b"<a>", b"<testsuites/>", b'<!DOCTYPE a [<!ENTITY b "c">]>' + XML[21:]])
def test_anything_else_is_refused(content: bytes) -> None:
    with pytest.raises(ResultsUnreadable):
        tell_results(content)
