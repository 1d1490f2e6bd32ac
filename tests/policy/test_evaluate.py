"""The reference of what a grant shows: items, and figures that give no small group away."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from twin_api.policy.documents import Attribute, Figure, Figures, Geometry, Grant, Layer, Place
from twin_api.policy.evaluate import groups, shown, standing_point
from twin_api.policy.masks import Area, Grid, Hide, Keep, KeepGeometry, Reviewed, Round, Xy
from twin_api.policy.rule import All, In, Inside, World
from twin_api.texts import Text

HERE = Place("x.yaml", 1)
TYPES = {"nr": "text", "art": "text", "hoehe_m": "number", "anzahl": "integer", "gelesen": "boolean", "ab": "date"}
KINDS = ("a", "b", "c", "d", "e")


def a_layer(name: str, type_: Any, types: Mapping[str, str], key: str) -> Layer:
    attributes = {
        n: Attribute(n, Text(n), t, "public", HERE, key=n == key, enum={k: k for k in KINDS} if n == "art" else None)  # type: ignore[arg-type]
        for n, t in types.items()
    }
    geometry = Geometry(type_, 25832, "public")
    day = date(2026, 1, 1)
    return Layer(name, Text(name), "x", "x", "x", "own", "x", "x", day, day, None, "public", geometry, attributes, None, HERE)


TREES = a_layer("baeume", "PointZ", TYPES, "nr")
DISTRICTS = a_layer("ortsteile", "Polygon", {"name": "text"}, "name")
SQUARES = [{"name": name, "geometry": shapely.box(n * 10, 0, n * 10 + 10, 10)} for n, name in enumerate(KINDS)]
WORLD = World({"ortsteile": SQUARES}, datetime(2026, 6, 1, 10, tzinfo=UTC))


def a_row(**told: Any) -> dict[str, Any]:
    return {**dict.fromkeys(TYPES), "geometry": None, **told}


def a_grant(**told: Any) -> Grant:
    grant: dict[str, Any] = {
        "collection": "baeume",
        "layer": "baeume",
        "file_role": "citizen",
        "rows": All(),
        "geometry": Hide(),
        "attributes": {},
        "release": None,
        "place": HERE,
    }
    return Grant(**{**grant, **told})


def counted(*figures: Figure, by: str = "art", least: int = 5) -> Grant:
    return a_grant(figures=Figures(by, by == "ortsteile", figures, least, "yearly"))


COUNT = Figure("n", "count", None, (), None)


def test_an_item_shows_masked_values_and_a_masked_place() -> None:
    grant = a_grant(geometry=Grid(10), attributes={"hoehe_m": Round(Decimal(5)), "nr": Reviewed("gelesen")})
    row = a_row(nr="7", hoehe_m=12.6, geometry=shapely.Point(13, 4, 400))
    assert shown(grant, TREES, row, WORLD) == {"hoehe_m": 15.0, "nr": None, "geometry": shapely.Point(15, 5)}
    read = {**row, "gelesen": True}
    assert shown(grant, TREES, read, WORLD) == {"hoehe_m": 15.0, "nr": "7", "geometry": shapely.Point(15, 5)}


def test_a_hidden_geometry_has_no_entry_and_a_missing_one_is_none() -> None:
    assert shown(a_grant(attributes={"nr": Keep()}), TREES, a_row(nr="7", geometry=shapely.Point(1, 1, 1)), WORLD) == {"nr": "7"}
    assert shown(a_grant(geometry=KeepGeometry()), TREES, a_row(), WORLD) == {"geometry": None}


def test_a_line_keeps_its_course_and_loses_its_heights() -> None:
    line = shapely.LineString([(0, 0, 1), (10, 0, 2)])
    shown_line = shown(a_grant(geometry=Xy()), TREES, a_row(geometry=line), WORLD)
    assert shown_line is not None
    assert shapely.get_coordinates(shown_line["geometry"], include_z=True).tolist()[0][:2] == [0, 0]
    assert not shown_line["geometry"].has_z


def test_an_item_is_placed_in_the_first_area_that_holds_the_point_which_stands_for_it() -> None:
    grant = a_grant(geometry=Area("ortsteile", True, ("name",)))
    border = shown(grant, TREES, a_row(geometry=shapely.Point(10, 5, 1)), WORLD)
    assert border == {"geometry": shapely.Point(5, 5)}
    assert shown(grant, TREES, a_row(geometry=shapely.Point(-1, 5, 1)), WORLD) == {"geometry": None}
    assert standing_point(shapely.box(0, 0, 4, 2)) == shapely.Point(2, 1)
    assert standing_point(shapely.Point()) is None


@pytest.mark.parametrize(("row", "is_there"), [
    ({"ab": date(2026, 6, 1), "geometry": shapely.Point(1, 1)}, True),
    ({"ab": date(2026, 6, 2), "geometry": shapely.Point(1, 1)}, False),
    ({"ab": None, "geometry": shapely.Point(1, 1)}, False),
    ({"ab": date(2026, 6, 1), "geometry": shapely.Point(15, 1)}, False),
    ({"ab": date(2026, 6, 1), "geometry": None}, False),
])  # fmt: skip
def test_rule_and_embargo_hide_what_they_do_not_know(row: dict[str, Any], is_there: bool) -> None:
    grant = a_grant(rows=Inside("ortsteile", "name", ("a",), ("name",)), embargo="ab")
    assert (shown(grant, TREES, a_row(**row), WORLD) is not None) is is_there


def rows_by_kind(*sizes: int, **told: Any) -> list[dict[str, Any]]:
    return [
        a_row(art=kind, geometry=shapely.Point(n * 10 + 5, 5), **told)
        for n, kind in enumerate(KINDS[: len(sizes)])
        for _ in range(sizes[n])
    ]


@pytest.mark.parametrize(
    ("sizes", "counts"),
    [
        ((9, 8, 7, 6, 5), (9, 8, 7, 6, 5)),
        ((0, 5, 5), (0, 5, 5, 0, 0)),
        ((9, 8, 4), (9, None, None, 0, 0)),
        ((1, 1, 1, 9, 20), (None, None, None, None, 20)),
        ((1, 6, 7, 8), (None, None, 7, 8, 0)),
        ((2, 2, 30, 5), (None, None, 30, None, 0)),
        ((2,), (None, None, None, None, None)),
        ((2, 1), (None, None, None, None, None)),
        ((4, 20), (None, None, 0, 0, 0)),
        ((5, 5, 4), (None, 5, None, 0, 0)),
    ],
)
@pytest.mark.parametrize("by", ["art", "ortsteile"])
def test_a_small_group_takes_others_with_it_until_no_total_gives_it_away(
    sizes: Sequence[int], counts: Sequence[int | None], by: str
) -> None:
    label, areas = ("art", None) if by == "art" else ("name", DISTRICTS)
    found = groups(counted(COUNT, by=by), TREES, areas, rows_by_kind(*sizes), WORLD)
    assert [(group[label], group["n"]) for group in found] == list(zip(KINDS, counts, strict=True))


def test_rows_that_the_rule_hides_or_that_lie_in_no_group_are_not_counted() -> None:
    grant = a_grant(rows=In("anzahl", (1,)), figures=Figures("ortsteile", True, (COUNT,), 3, "yearly"))
    rows = [*rows_by_kind(4, anzahl=1), *rows_by_kind(9, anzahl=2), *(a_row(anzahl=1, geometry=shapely.Point(-5, 5)) for _ in range(9))]
    assert [group["n"] for group in groups(grant, TREES, DISTRICTS, rows, WORLD)] == [4, 0, 0, 0, 0]


def _share(step: str | None = None) -> Figure:
    return Figure("s", "share", "gelesen", (True,), Decimal(step) if step else None)


@pytest.mark.parametrize(
    ("matching", "others", "unknown", "step", "percent"),
    [(5, 5, 0, None, 50.0), (3, 3, 9, None, 50.0), (2, 9, 0, None, None), (9, 2, 0, None, None), (0, 0, 9, None, None), (5, 10, 0, "10", 30.0),
     (3, 97, 0, "10", None), (97, 3, 0, "10", None), (3, 5, 0, "0.1", 37.5), (3, 5, 0, None, 38.0)],
)  # fmt: skip
def test_a_share_speaks_of_nobody_in_particular(matching: int, others: int, unknown: int, step: str | None, percent: float | None) -> None:
    members = [*[True] * matching, *[False] * others, *[None] * unknown]
    rows = [a_row(art="a", gelesen=value) for value in members]
    assert groups(counted(_share(step)), TREES, None, rows, WORLD)[0]["s"] == percent


@pytest.mark.parametrize(
    ("kind", "values", "step", "value"),
    [("sum", [1, 2, 3, 4, 5], None, 15), ("sum", [1, 2, 3, 4, 5], "10", 20), ("mean", [1, 2, 3, 4, 5], None, 3.0), ("sum", [0] * 5, None, None),
     ("sum", [100, 90, 1, 1, 1], None, None), ("sum", [-100, 90, 1, 1, 1], None, None), ("mean", [10, 10, 1, 1, 1, 1], "5", 5.0),
     ("sum", [1, 2, 3, 4, None], None, None), ("sum", [2**62] * 5, None, None)],
)  # fmt: skip
def test_a_sum_is_not_that_of_two(kind: Any, values: list[int | None], step: str | None, value: float | None) -> None:
    figure = Figure("x", kind, "anzahl", (), Decimal(step) if step else None)
    found = groups(counted(figure), TREES, None, [a_row(art="a", anzahl=v) for v in values], WORLD)[0]["x"]
    assert found == value
    assert type(found) is type(value)


def test_a_sum_of_decimals_is_what_a_person_gets() -> None:
    rows = [a_row(art="a", hoehe_m=v) for v in (0.1, 0.2, 0.3, 0.1, 0.1, 0.1)]
    assert groups(counted(Figure("x", "sum", "hoehe_m", (), None)), TREES, None, rows, WORLD)[0]["x"] == 0.9
    huge = [a_row(art="a", hoehe_m=1.7e308) for _ in range(9)]
    assert groups(counted(Figure("x", "sum", "hoehe_m", (), None)), TREES, None, huge, WORLD)[0]["x"] is None


def test_a_single_gap_among_sums_takes_the_smallest_of_the_others_with_it() -> None:
    rows = [
        *rows_by_kind(7, anzahl=None),
        *(a_row(art=kind, anzahl=2, gelesen=n % 2 == 0) for kind, many in (("b", 9), ("c", 8)) for n in range(many)),
    ]
    total = Figure("t", "sum", "anzahl", (), None)
    assert [group["t"] for group in groups(counted(total), TREES, None, rows, WORLD)[:3]] == [None, 18, None]
    mean = Figure("m", "mean", "anzahl", (), None)  # times its count it is the sum
    assert [group["m"] for group in groups(counted(mean), TREES, None, rows, WORLD)[:3]] == [None, 2.0, None]
    assert [group["s"] for group in groups(counted(_share()), TREES, None, rows, WORLD)[:3]] == [None, 56.0, 50.0]


FIGURES = (COUNT, _share(), Figure("m", "mean", "hoehe_m", (), None), Figure("t", "sum", "anzahl", (), None))
people = st.builds(
    a_row, art=st.sampled_from([*KINDS, None]), gelesen=st.sampled_from([True, False, None]), anzahl=st.none() | st.integers(0, 9),
    hoehe_m=st.none() | st.floats(-1e6, 1e6),
)  # fmt: skip
crowds = st.builds(lambda row, times: [row] * times, people, st.integers(1, 12))
towns = st.lists(crowds, max_size=12).map(lambda many: [row for crowd in many for row in crowd])
Members = Callable[[str], list[dict[str, Any]]]


@given(towns, st.integers(3, 12))
def test_no_shown_group_is_small_and_no_suppressed_one_stands_alone(rows: list[dict[str, Any]], least: int) -> None:
    sizes = {kind: sum(row["art"] == kind for row in rows) for kind in KINDS}
    found = {group["art"]: group for group in groups(counted(*FIGURES, least=least), TREES, None, rows, WORLD)}
    suppressed = [kind for kind, group in found.items() if group["n"] is None]
    assert all(group["n"] in (None, sizes[kind]) for kind, group in found.items())
    assert all(group["n"] == 0 or group["n"] >= least for group in found.values() if group["n"] is not None)
    assert bool(suppressed) is any(0 < size < least for size in sizes.values())
    everybody = all(not sizes[kind] or kind in suppressed for kind in KINDS)
    assert not suppressed or everybody or (len(suppressed) >= 2 and sum(sizes[kind] for kind in suppressed) >= least)
    assert all(found[kind][figure.name] is None for kind in suppressed for figure in FIGURES)
    assert all(
        not sizes[kind] or sizes[kind] <= sizes[other] for kind in suppressed for other in KINDS if sizes[other] and other not in suppressed
    )


@given(towns, st.integers(3, 12))
def test_no_figure_is_that_of_one_group_alone_and_no_share_is_all_or_nothing(rows: list[dict[str, Any]], least: int) -> None:
    found = groups(counted(*FIGURES, least=least), TREES, None, rows, WORLD)
    assert all(group["s"] is None or 0 < group["s"] < 100 for group in found)
    visible = [group["t"] for group in found if group["n"]]
    assert visible.count(None) != 1 or len(visible) == 1
    for figure in FIGURES[1:]:
        assert all(group[figure.name] is None for group in found if group["n"] == 0)


@given(towns, st.randoms())
def test_the_order_of_rows_is_no_matter(rows: list[dict[str, Any]], draw: Any) -> None:
    before = groups(counted(*FIGURES), TREES, None, rows, WORLD)
    draw.shuffle(rows)
    assert groups(counted(*FIGURES), TREES, None, rows, WORLD) == before
