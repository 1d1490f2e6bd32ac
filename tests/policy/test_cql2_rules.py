"""Row rules written as CQL2: read exactly, and only as far as they cannot fail on any row."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin_api.policy.cql2_text import read_cql2
from twin_api.policy.documents import Attribute, AttributeType, Layer, Place
from twin_api.policy.finding import Findings, render
from twin_api.policy.matrix import describe_rule
from twin_api.policy.rule import And, Between, Compare, In, IsNull, Not, Or, Row, Rule, Value, shows
from twin_api.texts import Text

HERE = Place("x.yaml", 1)
TYPES: dict[str, AttributeType] = {
    "name": "text", "year": "integer", "height": "number", "open": "boolean", "day": "date", "seen": "datetime", "notiz": "text",
}  # fmt: skip
ATTRIBUTES = {name: Attribute(name, Text(name), type_, "public", HERE) for name, type_ in TYPES.items()}
LAYER = Layer(
    "x", Text("x"), "a", "h", "l", "own", "p", "a", date(2026, 1, 1), date(2027, 1, 1), None, "public", None, ATTRIBUTES, None, HERE
)


def rule_of(text: str) -> Rule:
    findings = Findings()
    rule = read_cql2(text, LAYER, HERE, findings)
    assert not findings, render(findings, "en")
    return rule


A, B, C = Compare("year", "=", 1), Compare("height", ">", 2.5), IsNull("name")


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("year = 1", A),
        ("year != 1", Compare("year", "<>", 1)),
        ("name = 'it''s (not) AND'", Compare("name", "=", "it's (not) AND")),
        ("notiz = 'NOTiz'", Compare("notiz", "=", "NOTiz")),
        ("open = TRUE", Compare("open", "=", True)),
        (r"name = 'C:\temp\'", Compare("name", "=", "C:\\temp\\")),
        ("height BETWEEN -1 AND 2.5", Between("height", -1.0, 2.5)),
        ("year NOT IN (1, 2)", Not(In("year", (1, 2)))),
        ("name IS NOT NULL", Not(C)),
        ("day >= DATE('2026-01-31')", Compare("day", ">=", date(2026, 1, 31))),
        ("seen < TIMESTAMP('2026-01-31T01:00:00+01:00')", Compare("seen", "<", datetime(2026, 1, 31, tzinfo=UTC))),
        ("year = 1 AND height > 2.5 OR name IS NULL", Or((And((A, B)), C))),
        ("year = 1 AND (height > 2.5 OR name IS NULL)", And((A, Or((B, C))))),
        ("NOT year = 1 AND height > 2.5", And((Not(A), B))),
        ("year = 1 AND height > 2.5 AND name IS NULL", And((A, B, C))),
        ("year = 1 AND (height > 2.5 AND name IS NULL)", And((A, B, C))),
    ],
)
def test_a_rule_is_read_as_cql2_means_it(text: str, rule: Rule) -> None:
    assert rule_of(text) == rule


@pytest.mark.parametrize(
    "text",
    [
        "year", "TRUE", "open", "year = NULL", "year = year", "1 = year", "year = 1 = 2", "year + 1 = 2", "name LIKE 'a%'",
        "CASEI(name) = 'a'",
        "year IN (name)", "year IN ('a')", "year BETWEEN 1 AND name", "open > FALSE", "year = 'a'", "year = 1.5", "height = 'a'",
        "name = 1", "open = 'true'", "day = '2026-01-01'", "day = TIMESTAMP('2026-01-01T00:00:00Z')", "seen = DATE('2026-01-01')",
        "seen > TIMESTAMP('2026-01-01T00:00:00')", "day > DATE('2026-13-01')", "height > 1e400", "year = 9007199254740992", "hidden = 1",
        "S_INTERSECTS(geometry, POINT(1 2))", "year = 1; DROP TABLE x", "year = 1 --", "a.b = 1", "A_OVERLAPS(name, ('a'))", "(", "'", "",
        "year = (SELECT 1)", "name IS NULL IS NULL", "year = CAST('1' AS int)", "upper(name) = 'A'", "year = 1 AND", "NOT",
        "name = \"name\"",
    ],
)  # fmt: skip
def test_everything_else_is_refused(text: str) -> None:
    findings = Findings()
    read_cql2(text, LAYER, HERE, findings)
    assert len(findings) == 1


@pytest.mark.parametrize(
    "bomb",
    [
        "(" * 40 + "year = 1", "year IN (" * 30 + "x", "[" * 2000, "NOT (" * 200 + "year = 1", "(" * 11 + "year = 1" + ")" * 11,
        "year=1 AND (" * 100, "NOT " * 1000 + "year = 1", "x" * 5000, "'" * 4001, "((year=1) AND " * 11 + "x",
    ],
)  # fmt: skip
def test_a_bomb_is_refused_before_it_costs_anything(bomb: str) -> None:
    findings, start = Findings(), time.monotonic()
    read_cql2(bomb, LAYER, HERE, findings)
    assert findings
    assert time.monotonic() - start < 1


def test_brackets_within_text_are_not_counted() -> None:
    assert rule_of(f"name = '{'(' * 30}'") == Compare("name", "=", "(" * 30)


@settings(max_examples=300, deadline=2000)
@given(st.one_of(st.text(st.characters(exclude_categories=["Cs"]), max_size=80), st.lists(st.sampled_from(
    ["year", "name", " ", "AND", "OR", "NOT", "(", ")", "=", "<", "'x'", "'", '"', "1", "-", "IN", "BETWEEN", "IS", "NULL", "DATE('", ","]
), max_size=30).map(" ".join)))  # fmt: skip
def test_no_text_raises_anything(text: str) -> None:
    read_cql2(text, LAYER, HERE, Findings())


VALUES: dict[str, st.SearchStrategy[Value]] = {
    "name": st.text(st.characters(exclude_categories=["C", "Z"]), max_size=5),
    "year": st.integers(-(2**53) + 1, 2**53 - 1),
    "height": st.floats(allow_nan=False, allow_infinity=False),
    "open": st.booleans(),
    "day": st.dates(date(1000, 1, 1)),
    "seen": st.datetimes(datetime(1000, 1, 2), timezones=st.just(UTC)),
}


@st.composite
def atoms(draw: st.DrawFn) -> Rule:
    name = draw(st.sampled_from(list(VALUES)))
    value = VALUES[name]
    kind = draw(
        st.sampled_from(["=", "<>", "in", "null"] if name == "open" else ["=", "<>", "<", "<=", ">", ">=", "in", "null", "between"])
    )
    if kind == "in":
        return In(name, tuple(draw(st.lists(value, min_size=1, max_size=3))))
    if kind == "null":
        return IsNull(name)
    return Between(name, draw(value), draw(value)) if kind == "between" else Compare(name, kind, draw(value))  # type: ignore[arg-type]


RULES = st.recursive(
    atoms(),
    lambda inner: st.one_of(inner.map(Not), *(st.lists(inner, min_size=2, max_size=3).map(tuple).map(k) for k in (And, Or))),
    max_leaves=5,
)
ROWS: st.SearchStrategy[Row] = st.fixed_dictionaries({name: st.none() | value for name, value in VALUES.items()})


@settings(max_examples=200, deadline=None)
@given(RULES, st.lists(ROWS, max_size=5))
def test_a_described_rule_means_the_same_when_it_is_read_again(rule: Rule, rows: list[Row]) -> None:
    again = rule_of(describe_rule(rule))
    assert [shows(again, row) for row in rows] == [shows(rule, row) for row in rows]
