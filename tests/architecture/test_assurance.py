"""From every promise to its test: each test that `docs/assurance.md` names exists and runs, and no channel is missing."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import PROJECT
from tests.leaks.planted import PLANTED, UNPLANTED
from tests.noninterference.channels import NOT_YET, REACHED

PAGE = (PROJECT / "docs" / "assurance.md").read_text(encoding="utf-8")
TEST = re.compile(r"`(tests/[\w/]+\.py::\w+)`")
PROMISE = re.compile(r"^\| (P\d+) \|(.*)\|$", re.MULTILINE)
CHANNEL = re.compile(r"^\| (\d+) \| [^|]+ \| ([^|]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
YES = "ja · yes"
KEPT_OUT = {"skip", "skipif", "xfail"}
COLLECT = """
import json, sys, pytest
class Seen:
    def pytest_collection_modifyitems(self, items):
        self.found = {}
        for item in items:
            name = item.nodeid.partition("[")[0]
            self.found.setdefault(name, set()).update(mark.name for mark in item.iter_markers())
seen = Seen()
code = pytest.main(["--collect-only", "-qq", "-p", "no:cacheprovider", "--assert=plain", "-m", "not acceptance", *sys.argv[1:]], plugins=[seen])
print("\\n" + json.dumps([int(code), {name: sorted(marks) for name, marks in seen.found.items()}]))
"""


def collected(tests: list[str], home: Path) -> tuple[int, dict[str, set[str]]]:
    """pytest's own exit code and each test that it would run, with its marks."""
    words = [sys.executable, "-c", COLLECT, *tests]
    environment = {"PATH": "/usr/bin:/bin", "TWIN_TEST_HOME": str(home)}
    done = subprocess.run(words, cwd=PROJECT, env=environment, check=False, capture_output=True, text=True, timeout=300)
    code, found = json.loads(done.stdout.splitlines()[-1])
    return code, {name: set(marks) for name, marks in found.items()}


@pytest.mark.slow
def test_every_test_that_is_named_is_run_and_not_skipped(tmp_path: Path) -> None:
    named = sorted(set(TEST.findall(PAGE)))
    code, found = collected(named, tmp_path)
    assert len(named) > 50
    assert sorted(found) == named
    assert code == 0
    assert [name for name in named if found[name] & KEPT_OUT] == []


def test_every_promise_has_a_kind_and_a_test() -> None:
    promises = PROMISE.findall(PAGE)
    assert [number for number, _ in promises] == [f"P{n}" for n in range(1, len(promises) + 1)]
    assert len(promises) >= 19
    for number, row in promises:
        _, kind, tests = row.rsplit("|", 2)
        assert set(kind.strip().split(", ")) <= {"B", "K", "T"}, number
        assert TEST.findall(tests), number


def test_every_channel_is_there_once_and_has_a_test_where_it_exists() -> None:
    channels = CHANNEL.findall(PAGE)
    assert [int(number) for number, *_ in channels] == list(range(1, 53))
    for number, there, pairs, defence, tests in channels:
        assert there in (YES, "noch nicht · not yet"), number
        assert pairs == (YES if int(number) in REACHED else "–"), number
        if there == YES:
            assert int(number) not in NOT_YET, number
            assert defence != "–", number
            assert TEST.findall(tests), number


def test_in_every_channel_that_is_there_a_leak_is_planted_or_it_is_said_why_none_can_be() -> None:
    there = {int(number) for number, there, *_ in CHANNEL.findall(PAGE) if there == YES}
    planted = {leak.channel for leak in PLANTED}
    assert planted | UNPLANTED.keys() == there
    assert not planted & UNPLANTED.keys()


def test_whatever_looks_like_a_test_is_read_as_one() -> None:
    assert PAGE.count("::test_") == len(TEST.findall(PAGE)) + PAGE.count("bin/test tests/leaks")


def test_every_file_of_tests_that_the_short_account_names_is_there() -> None:
    named = re.findall(r"`(tests/[\w/]+(?:\.py)?)`", (PROJECT / "docs" / "separation.md").read_text(encoding="utf-8"))
    assert len(named) > 10
    assert [name for name in named if not (PROJECT / name).exists()] == []
