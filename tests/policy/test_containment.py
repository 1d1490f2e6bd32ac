"""Whoever sees what a citizen sees, sees at least that: rules, masks and grids against each other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin_api.policy.containment import implies
from twin_api.policy.finding import Finding, PolicyInvalid, render
from twin_api.policy.load import load
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
        ("{art: keep, hoehe_m: keep}", "{art: keep, hoehe_m: {round: 15}}", "das Attribut `hoehe_m` ist gröber"),
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


@pytest.mark.parametrize(("step", "right"), [("2.5", "7.5"), ("0.1", "5.1"), ("2", "6")])
def test_rounds_of_one_attribute_nest_in_all_roles_and_parts(spoil: Spoil, step: str, right: str) -> None:
    heights = f"{{baumhoehen: {{from: baeume, rows: all, geometry: hide, attributes: {{hoehe_m: {{round: {step}}}}}}}}}"
    findings = spoil("council.yaml", "bauausschuss: {}", f"bauausschuss: {heights}")
    assert [str(finding.place) for finding in findings] == ["citizen.yaml:4"]
    assert f"`hoehe_m`: der Schritt 5 ist kein ungerades Vielfaches des Schritts {step} in council.yaml:15" in findings[0].render("de")
    assert f"Etwa `{{round: {right}}}` schreiben" in findings[0].render("de")


def grouped(small: Path, pipes: str, role_file: str = "council.yaml") -> str:
    """What is said when pipes and manholes are of one group, council sees manholes on a grid of 100 m, and a role sees pipes as given."""
    manholes = small / "layers/schaechte.yaml"
    text = manholes.read_text(encoding="utf-8").replace("terms: internal-only}", "terms: own}\ngroup: abwasser")
    manholes.write_text(text, encoding="utf-8")
    public = text.replace("layer: schaechte", "layer: leitungen").replace("kritis", "public")
    (small / "layers/leitungen.yaml").write_text(public, encoding="utf-8")
    role = small / role_file
    grant = f"collections:\n  leitungen: {{rows: all, attributes: {{}}, {pipes}}}\n"
    role.write_text(role.read_text(encoding="utf-8").replace("collections:\n", grant), encoding="utf-8")
    try:
        load(small)
    except PolicyInvalid as invalid:
        return render(invalid.findings, "de")
    return ""


PIPES, MANHOLES = "`leitungen` verrät die Orte von `schaechte`", "`schaechte` verrät die Orte von `leitungen`"


@pytest.mark.parametrize(
    ("pipes", "role_file", "betrayals"),
    [
        ("geometry: keep", "council.yaml", [f"council.yaml:5: {PIPES}"]),
        ("geometry: xy", "council.yaml", [f"council.yaml:5: {PIPES}"]),
        ("geometry: {grid_m: 50}", "council.yaml", [f"council.yaml:5: {PIPES}"]),
        ("geometry: keep", "citizen.yaml", [f"citizen.yaml:4: {PIPES}"]),
        ("geometry: {grid_m: 100}", "council.yaml", []),
        ("geometry: hide", "council.yaml", []),
        ("geometry: keep", "administration.yaml", []),
        ("geometry: {grid_m: 100}", "citizen.yaml", [f"administration.yaml:5: {MANHOLES}", f"administration.yaml:8: {MANHOLES}"]),
    ],
)
def test_layers_of_one_group_do_not_betray_each_other(small: Path, pipes: str, role_file: str, betrayals: list[str]) -> None:
    said = grouped(small, pipes, role_file).splitlines()
    assert [line.partition(" (")[0] for line in said] == betrayals


def test_a_group_is_betrayed_even_if_only_once_a_release_is_over(small: Path) -> None:
    """When the council's own release for exact manholes ends, the citizens' grid is in force again beside its exact pipes."""
    citizen, council = small / "citizen.yaml", small / "council.yaml"
    on_grid = "collections:\n  schaechte: {rows: {zustand: [schlecht]}, geometry: {grid_m: 100}, attributes: {zustand: keep}, release: {of: [existence, geometry, zustand], reason: x, approve: [isb], until: 2028-01-01}}\n"
    citizen.write_text(citizen.read_text(encoding="utf-8").replace("collections:\n", on_grid), encoding="utf-8")
    council.write_text(council.read_text(encoding="utf-8").replace("geometry: {grid_m: 100}", "geometry: xy"), encoding="utf-8")
    said = grouped(small, "geometry: keep")
    assert "council.yaml:5: `leitungen` verrät die Orte von `schaechte` (`{grid_m: 100}` in citizen.yaml:4)" in said
    assert len(said.splitlines()) == 1
