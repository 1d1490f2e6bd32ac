"""The compiler's SQL, the plain reference and the formula of the proofs say the same of every row, NULLs and extremes among them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.policy.proof import three_ways
from tests.policy.proof.three_ways import (
    AREAS,
    LAYERS,
    NOW,
    TYPES,
    ZONE,
    by_database,
    by_reference,
    draw_rows,
    fill,
    rules,
    source,
    wrong_by_model,
)
from tests.towns import Connection, Town
from twin_api.policy.masks import Band, Grid, Keep, Reviewed, Round, Truncate, ValueMask
from twin_api.policy.proof.solver import RowModel, Truth
from twin_api.policy.rule import And, Compare, In, IsNull, Not, Rule, World
from twin_api.publish.layers import apply_layers
from twin_api.publish.statement import sql_text

ROWS = 1000
ROUNDS = 100
WORLD = World({"felder": AREAS}, NOW, ZONE)
SEEDS = st.integers(0, 2**32)
SETTINGS: Any = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))
MASKS: dict[str, list[ValueMask]] = {
    "i": [Round(Decimal(10)), Round(Decimal(7)), Band((Decimal(-5), Decimal("0.5"), Decimal(5)))],
    "n": [Round(Decimal("0.1")), Round(Decimal("2.5")), Band((Decimal("0.3"), Decimal("2.5"))), Round(Decimal("1e15"))],
    "d": [Truncate("year"), Truncate("month"), Keep()],
    "m": [Truncate("year"), Truncate("month")],
    "t": [Reviewed("b"), Keep()],
}


@pytest.fixture(scope="module")
def store(new_town: Callable[..., Town]) -> Iterator[Connection]:
    """Real tables of a layer with every type and of a layer of areas."""
    town = new_town(rows=False, apply=False)
    with town.login("owner") as connection:
        apply_layers(connection, LAYERS)
        for layer in LAYERS:  # which would refuse to empty what may be published
            connection.execute(f"ALTER TABLE store.{layer} DISABLE TRIGGER USER".encode())
        fill(connection, "felder", AREAS)
        yield connection


def disagreement(store: Connection, rule: Rule, rows: list[dict[str, Any]]) -> list[tuple[str, Any]]:
    """The rows on which not all three agree, by who differs from the reference."""
    fill(store, "probe", rows)
    expected = by_reference(rows, rule, WORLD)
    found = by_database(store, rule)
    wrong = [("database", rows[n]) for n, (one, other) in enumerate(zip(found, expected, strict=True)) if one is not other]
    return wrong + [("model", rows[n]) for n in wrong_by_model(rows, rule, WORLD, expected)]


def agree(store: Connection, rounds: int) -> None:
    judged = 0

    @settings(SETTINGS, max_examples=rounds)
    @given(rules(), SEEDS)
    def judge(rule: Rule, seed: int) -> None:
        nonlocal judged
        judged += ROWS
        assert disagreement(store, rule, draw_rows(seed, ROWS)) == []

    judge()
    assert judged >= rounds * ROWS


@pytest.mark.slow
def test_three_ways_agree_on_a_hundred_thousand_rows(store: Connection) -> None:
    agree(store, ROUNDS)


@pytest.mark.long
def test_three_ways_agree_on_two_million_rows(store: Connection) -> None:
    agree(store, 20 * ROUNDS)


BREAKS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "database": lambda patch: patch.setattr(three_ways, "predicate", lambda rule, *rest: ORIGINAL_PREDICATE(_without_not(rule), *rest)),
    "reference": lambda patch: patch.setattr(three_ways, "truth", lambda rule, row, world: ORIGINAL_TRUTH(rule, row, world) or False),
    "model": lambda patch: patch.setattr(RowModel, "_atom", _without_null),
}
ORIGINAL_PREDICATE, ORIGINAL_TRUTH = three_ways.predicate, three_ways.truth


def _without_not(rule: Rule) -> Rule:
    """A compiler that takes `NOT (a = 1)` for `a <> 1 OR a IS NULL`, as people do."""
    match rule:
        case And(terms):
            return And(tuple(_without_not(term) for term in terms))
        case Not(Compare(attribute) | In(attribute)):
            return Not(And((Not(IsNull(attribute)), rule.term)))
    return rule


def _without_null(model: RowModel, rule: Any) -> Truth:
    """A model that forgets NULL: what is not true is false."""
    held = model._condition(rule, rule.attribute)
    return Truth(held, ~held)


@pytest.mark.parametrize("broken", BREAKS)
def test_a_mistake_in_any_of_the_three_is_noticed(store: Connection, monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    rule, rows = And((Not(In("t", ("a", "ä"))), Compare("i", "<", 5))), draw_rows(1, 200)
    assert disagreement(store, rule, rows) == []
    BREAKS[broken](monkeypatch)
    assert disagreement(store, rule, rows)


@settings(SETTINGS, max_examples=20)
@given(st.fixed_dictionaries({name: st.sampled_from(masks) for name, masks in MASKS.items()}), st.sampled_from((1, 3, 250)), SEEDS)
def test_a_mask_shows_in_the_database_what_the_reference_says(
    store: Connection, masks: dict[str, ValueMask], cell_m: int, seed: int
) -> None:
    rows, table, grid = draw_rows(seed, 300), source(), Grid(cell_m)
    fill(store, "probe", rows)
    shown = grid.sql(table.c.geometry)
    columns = [sa.func.ST_X(shown), sa.func.ST_Y(shown), *(mask.sql(table.c[name]) for name, mask in masks.items())]
    found = store.execute(sql_text(sa.select(*columns).order_by(table.c.import_id)).encode()).fetchall()
    for row, (x, y, *values) in zip(rows, found, strict=True):
        assert values == [mask.value(row[name], row) for name, mask in masks.items()], row
        assert (x, y) == ((None, None) if row["geometry"] is None else grid.point(row["geometry"].coords[0]))


def test_every_type_of_the_store_is_among_the_rows() -> None:
    assert {replace(a).type for a in LAYERS["probe"].attributes.values()} == set(TYPES.values()) == set(three_ways.POOL)
