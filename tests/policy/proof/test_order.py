"""Values become whole numbers in the order of the store, and the masks' cells begin where the masks change."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
import z3
from hypothesis import given, settings
from hypothesis import strategies as st

from twin_api.policy.masks import Band, GeometryMask, Grid, Keep, Round, Truncate, ValueMask
from twin_api.policy.proof import solver
from twin_api.policy.proof.order import Order, order_of
from twin_api.policy.proof.witness import place_pair, value_pair

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
TEXTS = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=3)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "integer": st.integers(-(2**63), 2**63 - 1),
    "number": NUMBERS,
    "boolean": st.booleans(),
    "date": st.dates(),
    "datetime": st.datetimes(timezones=st.just(UTC)),
    "text": TEXTS,
}


@pytest.mark.parametrize("type_", VALUES)
def test_numbers_stand_in_the_order_of_the_values_and_lead_back_to_them(type_: str) -> None:
    @settings(deadline=None, max_examples=60)
    @given(VALUES[type_], VALUES[type_])
    def check(one: Any, other: Any) -> None:
        order = order_of(type_, [other])
        first, second = order.number(one), order.number(other)
        assert (first < second, first == second) == (one < other, one == other)
        assert order.lowest <= first <= order.highest
        assert order.value(second) == other
        assert order.number(order.value(first)) == first

    check()


def test_the_ends_of_each_type_are_those_of_the_store() -> None:
    assert [Order("number").value(end) for end in (Order("number").lowest, Order("number").highest)] == [
        -1.7976931348623157e308,
        1.7976931348623157e308,
    ]
    assert Order("number").number(-0.0) == Order("number").number(0.0) == 0
    assert Order("number").value(1) == 5e-324
    assert [Order("date").value(end) for end in (Order("date").lowest, Order("date").highest)] == [date.min, date.max]
    assert Order("datetime").value(Order("datetime").highest) == datetime.max.replace(tzinfo=UTC)


@settings(deadline=None, max_examples=60)
@given(st.lists(TEXTS, max_size=5), TEXTS)
def test_between_any_two_texts_there_is_one(named: list[str], text: str) -> None:
    order = order_of("text", named)
    for number in range(order.lowest, order.highest + 1):
        assert order.number(order.value(number)) == number
    assert order.lowest <= order.number(text) <= order.highest


def begins(mask: GeometryMask | ValueMask, place: int, scale: Fraction, type_: str) -> bool:
    return bool(z3.is_true(z3.simplify(solver._begins(mask, z3.IntVal(place), scale, type_))))


WHOLE: list[ValueMask] = [
    Round(Decimal(1)),
    Round(Decimal(2)),
    Round(Decimal(5)),
    Round(Decimal(10)),
    Band((Decimal(-3), Decimal("2.5"), Decimal(7))),
]
BROKEN: list[ValueMask] = [
    Round(Decimal("0.5")),
    Round(Decimal(3)),
    Round(Decimal("0.1")),
    Band((Decimal("-0.25"), Decimal(0), Decimal("1.5"))),
]


@pytest.mark.parametrize("mask", WHOLE, ids=str)
def test_a_cell_of_whole_numbers_begins_where_the_mask_changes(mask: ValueMask) -> None:
    for number in range(-40, 41):
        assert begins(mask, number, Fraction(1), "integer") is (mask.value(number) != mask.value(number - 1)), number


@pytest.mark.parametrize("mask", [*BROKEN, Grid(1), Grid(2)], ids=str)
def test_a_cell_of_other_numbers_begins_at_a_point_or_just_above_it(mask: Any) -> None:
    """Places go point, gap, point, gap …; a gap stands for all numbers in it."""
    scale = Fraction(1, 40)  # points lie a twentieth apart

    def shown(place: int) -> Any:
        value = float((place if place % 2 == 0 else Fraction(place)) * scale)
        return mask.point((value, 0.0)) if isinstance(mask, Grid) else mask.value(value)

    for place in range(-250, 251):
        assert begins(mask, place, scale, "number") is (shown(place) != shown(place - 1)), place


@pytest.mark.parametrize("unit", ["year", "month"])
def test_a_month_or_year_begins_where_the_mask_changes(unit: str) -> None:
    for month in range(12 * 1999, 12 * 2003):
        first = date(month // 12, month % 12 + 1, 1)
        changes = Truncate(unit).value(first) != Truncate(unit).value(first - timedelta(days=1))
        assert begins(Truncate(unit), month, Fraction(1), "date") is changes


STEPS = st.sampled_from(
    [
        Decimal(step) for step in ("0.1", "0.3", "0.5", "1", "1.5", "2", "2.5", "3", "5", "7", "10", "21", "30", "1e-9", "1e6")
    ]  # with two doubles between all their edges
)
LIMITS = st.lists(st.sampled_from([Decimal(n) for n in ("-5", "-0.5", "0", "0.1", "2.5", "5", "15")]), min_size=1, unique=True).map(
    lambda some: Band(tuple(sorted(some)))
)


@settings(deadline=None, max_examples=60)
@given(st.one_of(STEPS.map(Round), LIMITS), st.one_of(STEPS.map(Round), LIMITS))
def test_what_the_masks_say_of_each_other_is_what_is_proved(lower: ValueMask, upper: ValueMask) -> None:
    """Between two roundings exactly; of a band within a rounding a proof knows more. A refusal comes with two values."""
    edge = solver.edge_only_in_first(lower, upper, "number", 2000)
    if upper.shows_at_least(lower):
        assert edge is None
    elif edge is not None:
        assert value_pair(lower, upper, "number", edge) is not None
    else:
        assert isinstance(lower, Band)
        assert isinstance(upper, Round)


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 1000), st.integers(1, 1000))
def test_grids_nest_exactly_where_one_is_a_multiple(fine: int, coarse: int) -> None:
    edge = solver.edge_only_in_first(Grid(coarse), Grid(fine), "geometry", 2000)
    assert (edge is None) is Grid(fine).shows_at_least(Grid(coarse)) is (coarse % fine == 0)
    assert edge is None or place_pair(Grid(coarse), Grid(fine), edge) is not None


@pytest.mark.parametrize(
    ("upper", "type_"), [(Round(Decimal(10)), "integer"), (Band((Decimal(3),)), "number"), (Truncate("year"), "datetime")]
)
def test_a_kept_value_beside_a_coarse_one_has_a_counterexample(upper: ValueMask, type_: str) -> None:
    pair = value_pair(Keep(), upper, type_, None)
    assert pair is not None
    assert upper.value(pair.one) == upper.value(pair.other)
    assert pair.one != pair.other
