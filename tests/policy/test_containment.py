"""Whoever sees what a citizen sees, sees at least that: rules, masks and grids against each other."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin_api.policy.containment import implies
from twin_api.policy.finding import Finding, render
from twin_api.policy.rule import All, And, Between, Compare, In, IsNull, Not, Or, Row, Rule, shows

Spoil = Callable[[str, str, str], tuple[Finding, ...]]

ONE, TWO = In("a", (1,)), In("a", (2, 1))
OLD = Between("b", None, 10)


@pytest.mark.parametrize(
    ("narrow", "wide", "holds"),
    [
        (ONE, All(), True),
        (All(), ONE, False),
        (ONE, TWO, True),
        (TWO, ONE, False),
        (ONE, In("b", (1,)), False),
        (Compare("a", "=", 1), TWO, True),
        (In("b", (3, 10)), OLD, True),
        (In("b", (3, 11)), OLD, False),
        (Between("b", 1, 5), Between("b", 0, 5), True),
        (Between("b", 1, 5), Between("b", 1, 4), False),
        (Between("b", 1, None), Between("b", 0, 5), False),
        (Compare("b", ">=", 2), Between("b", 1, None), True),
        (And((ONE, OLD)), TWO, True),
        (And((ONE, OLD)), And((OLD, TWO)), True),
        (ONE, And((ONE, OLD)), False),
        (Or((ONE, OLD)), Or((OLD, TWO, IsNull("a"))), True),
        (Or((ONE, OLD)), TWO, False),
        (And((ONE, OLD)), Or((IsNull("a"), And((OLD, ONE)))), True),
        (Not(ONE), Not(ONE), True),
        (Not(TWO), Not(ONE), False),  # true, but not proved: no is the safe answer
    ],
)
def test_a_rule_implies_another_only_where_that_is_proved(narrow: Rule, wide: Rule, holds: bool) -> None:
    assert implies(narrow, wide) is holds


NUMBER = st.integers(0, 3)
ATOM = st.one_of(
    st.builds(In, st.sampled_from("ab"), st.lists(NUMBER, min_size=1, max_size=3).map(tuple)),
    st.builds(Between, st.sampled_from("ab"), NUMBER, st.none() | NUMBER),
    st.builds(Compare, st.sampled_from("ab"), st.sampled_from(["=", "<>", "<", "<=", ">", ">="]), NUMBER),
    st.builds(IsNull, st.sampled_from("ab")),
)


def combined(inner: st.SearchStrategy[Rule]) -> st.SearchStrategy[Rule]:
    terms = st.lists(inner, min_size=1, max_size=3).map(tuple)
    return st.one_of(inner.map(Not), terms.map(And), terms.map(Or))


RULE = st.recursive(ATOM | st.just(All()), combined)
EVERY_ROW: list[Row] = [{"a": a, "b": b} for a in (None, 0, 1, 2, 3, 4) for b in (None, 0, 1, 2, 3, 4)]


@settings(max_examples=300, deadline=None)
@given(RULE, RULE)
def test_what_is_proved_is_true_of_every_row(narrow: Rule, wide: Rule) -> None:
    for left, right in ((narrow, wide), (narrow, Or((wide, narrow))), (And((narrow, wide)), wide)):
        if implies(left, right):
            assert all(shows(right, row) for row in EVERY_ROW if shows(left, row))


COUNCIL_TREES = "    rows: {art: [Linde, Eiche]}\n    geometry: keep\n    attributes: {art: keep, hoehe_m: keep}\n"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("{art: [Linde, Eiche]}", "{art: [Eiche]}", "andere oder weniger Zeilen"),
        ("{art: [Linde, Eiche]}", "{art: [Linde], nr: ['1']}", "andere oder weniger Zeilen"),
        ("geometry: keep", "geometry: {grid_m: 20}", "eine gröbere Geometrie"),
        ("geometry: keep", "geometry: hide", "eine gröbere Geometrie"),
        ("{art: keep, hoehe_m: keep}", "{art: keep}", "das Attribut `hoehe_m` fehlt"),
        ("{art: keep, hoehe_m: keep}", "{art: keep, hoehe_m: {round: 10}}", "das Attribut `hoehe_m` ist gröber"),
        (COUNCIL_TREES, "    {from: satzungen, rows: all, attributes: {titel: keep}}\n", "kommt hier aus `satzungen`"),
    ],
)
def test_a_replaced_grant_shows_at_least_what_it_replaces(spoil: Spoil, old: str, new: str, said: str) -> None:
    findings = spoil("council.yaml", old, new)
    assert [str(finding.place) for finding in findings] == ["council.yaml:5"], render(findings, "de")
    assert said in findings[0].render("de")


def test_grids_over_one_layer_nest(spoil: Spoil) -> None:
    parts = "parts:\n  isb:\n    baumraster: {from: baeume, rows: all, geometry: {grid_m: 25}, attributes: {}}\n"
    findings = spoil("administration.yaml", "parts:\n", parts)
    assert [str(finding.place) for finding in findings] == ["administration.yaml:8"]
    assert "kein Vielfaches des Rasters 10 m in citizen.yaml:4. Etwa `{grid_m: 30}` schreiben" in findings[0].render("de")
