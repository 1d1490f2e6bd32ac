"""The Python reference of each mask: what a masked value or place is."""

from __future__ import annotations

from decimal import Decimal
from math import floor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin_api.policy import masks
from twin_api.policy.masks import (
    GEOMETRY_MASKS,
    VALUE_MASKS,
    GeometryMask,
    Grid,
    Hide,
    Keep,
    KeepGeometry,
    MaskRefused,
    Round,
    ValueMask,
    Xy,
)


@pytest.mark.parametrize(
    ("step", "value", "shown"),
    [
        ("10", 1987, 1990), ("10", 1985, 1990), ("10", 1984, 1980), ("10", -5, -10), ("10", -15, -20), ("10", -4, 0), ("10", 0, 0),
        ("1", 0.5, 1.0), ("1", 1.5, 2.0), ("1", 2.5, 3.0), ("1", -2.5, -3.0), ("1", 0.49999999999999994, 0.0),
        ("0.1", 0.15, 0.2), ("0.1", 0.25, 0.3), ("0.1", -0.15, -0.2), ("0.5", 3.25, 3.5), ("0.3", 0.45, 0.6), ("1000", 1499.99, 1000.0),
        ("1", 1e300, 1e300), ("1e-9", 1e300, 1e300), ("7", 2**62, 4611686018427387904 // 7 * 7 + 7),
    ],
)  # fmt: skip
def test_rounding_goes_to_the_nearest_multiple_halves_away_from_zero(step: str, value: float, shown: float) -> None:
    rounded = Round(Decimal(step)).value(value)
    assert rounded == shown
    assert type(rounded) is type(value)
    assert str(rounded) not in ("-0", "-0.0")


def test_unknown_stays_unknown() -> None:
    assert Round(Decimal(10)).value(None) is None
    assert Keep().value(None) is None


@pytest.mark.parametrize(
    ("cell_m", "point", "centre"),
    [
        (100, (631512.4, 5498020.9, 415.02), (631550.0, 5498050.0)),
        (100, (100.0, 199.999), (150.0, 150.0)),
        (100, (-0.1, -100.0), (-50.0, -50.0)),
        (100, (-100.1, 0.0), (-150.0, 50.0)),
        (5, (0.0, 4.999), (2.5, 2.5)),
    ],
)
def test_a_grid_shows_the_centre_of_the_cell_and_no_height(cell_m: int, point: tuple[float, ...], centre: tuple[float, float]) -> None:
    assert Grid(cell_m).point(point) == centre


coordinate = st.floats(-1e7, 1e7)


@given(coordinate, coordinate, st.integers(1, 1000), st.integers(1, 20))
def test_a_coarser_nested_grid_can_be_computed_from_the_finer_one(x: float, y: float, cell_m: int, factor: int) -> None:
    fine = Grid(cell_m).point((x, y))
    assert fine is not None
    assert Grid(cell_m * factor).point(fine) == Grid(cell_m * factor).point((x, y))
    assert floor(fine[0] / cell_m) == floor(x / cell_m)


GEOMETRIES: list[GeometryMask] = [KeepGeometry(), Xy(), Grid(10), Grid(50), Grid(75), Hide()]
SHOWS_AT_LEAST = [
    "yyyyyy",  # keep
    ".yyyyy",  # xy
    "..yy.y",  # grid 10
    "...y.y",  # grid 50
    "....yy",  # grid 75
    ".....y",  # hide
]


def test_geometry_masks_are_ordered_by_what_can_be_computed_from_them() -> None:
    order = ["".join("y" if mask.shows_at_least(other) else "." for other in GEOMETRIES) for mask in GEOMETRIES]
    assert order == SHOWS_AT_LEAST


@pytest.mark.parametrize("step", ["1", "2", "0.5", "3", "0.1"])
def test_a_rounding_shows_another_exactly_where_brute_force_finds_no_value_that_differs(step: str) -> None:
    fine = Round(Decimal(step))
    eighths = [number / 8 for number in range(-1000, 1001)] + [float(number * fine.step / 2) for number in range(-300, 301)]
    for factor in ("0.5", "1", "1.5", "2", "2.5", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"):
        coarse = Round(fine.step * Decimal(factor))
        follows = all(coarse.value(fine.value(value)) == coarse.value(value) for value in eighths)
        assert fine.shows_at_least(coarse) is follows, factor


@given(st.integers(-(10**15), 10**15) | st.floats(-1e6, 1e6), st.integers(1, 1000), st.integers(0, 20))
def test_a_rounding_to_an_odd_multiple_can_be_computed_from_the_finer_one(value: float, step: int, half: int) -> None:
    fine, coarse = Round(Decimal(step)), Round(Decimal(step) * (2 * half + 1))
    assert fine.shows_at_least(coarse)
    assert coarse.value(fine.value(value)) == coarse.value(value)


def test_rounding_shows_no_value_as_it_is() -> None:
    tens = Round(Decimal(10))
    assert not Round(Decimal(5)).shows_at_least(tens), "rounding twice is not rounding once: 14 becomes 10, but by way of 15 becomes 20"
    assert tens.shows_at_least(Round(Decimal("10.0")))
    assert Keep().shows_at_least(tens)
    assert not tens.shows_at_least(Keep())


@pytest.mark.parametrize(
    ("step", "value", "shown"),
    [
        ("10", 2**63 - 1, None),
        ("10", 2**63 - 4, 2**63 - 8),
        ("10", -(2**63), None),
        ("1", 2**63 - 1, 2**63 - 1),
        ("1", -(2**63), -(2**63)),
        ("1e15", 2**63 - 1, 9223 * 10**15),
        ("10", 1.7976931348623157e308, 1.7976931348623157e308),
        ("7", 1.7976931348623157e308, None),
        ("10", float("inf"), None),
        ("10", float("nan"), None),
    ],
)
def test_a_multiple_that_no_column_can_hold_is_unknown(step: str, value: float, shown: float | None) -> None:
    assert Round(Decimal(step)).value(value) == shown


@pytest.mark.parametrize("mask", [Keep(), Round(Decimal(10)), Round(Decimal("0.5"))])
def test_a_value_mask_is_read_as_it_is_written(mask: ValueMask) -> None:
    assert _reread(mask.as_policy(), VALUE_MASKS, "number") == mask


@pytest.mark.parametrize("mask", GEOMETRIES)
def test_a_geometry_mask_is_read_as_it_is_written(mask: GeometryMask) -> None:
    assert _reread(mask.as_policy(), GEOMETRY_MASKS, "PointZ") == mask


def _reread(written: str | dict[str, object], shelf: tuple[type[ValueMask | GeometryMask], ...], type_: str) -> object:
    word, argument = next(iter(written.items())) if isinstance(written, dict) else (written, None)
    return next(kind for kind in shelf if kind.word == word).parse(argument, type_)


@pytest.mark.parametrize(("kind", "argument", "type_"), [
    (Round, 0, "number"), (Round, -1, "number"), (Round, True, "number"), (Round, "5", "number"), (Round, None, "number"),
    (Round, 1e-12, "number"), (Round, 0.5, "integer"), (Round, 1, "date"), (Grid, True, "Point"), (Grid, 0, "Point"),
    (Grid, 2.5, "Point"), (Grid, None, "Point"), (Grid, 10, "Polygon"), (Grid, 10, "MultiPoint"), (Xy, None, "Point"), (Keep, 1, "text"),
])  # fmt: skip
def test_a_mask_that_would_mean_nothing_is_refused(kind: type[ValueMask], argument: object, type_: str) -> None:
    with pytest.raises(MaskRefused):
        kind.parse(argument, type_)


def test_every_file_on_the_shelf_is_registered() -> None:
    homes = {kind.__module__.rpartition(".")[2] for kind in (*GEOMETRY_MASKS, *VALUE_MASKS)}
    assert homes == {path.stem for path in Path(masks.__file__).parent.glob("*.py")} - {"__init__", "mask"}
