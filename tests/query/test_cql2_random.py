"""Filters against plain Python: random trees over odd rows, of each row true, false or unknown alike."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from random import Random
from typing import Any

import pytest
import shapely
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.query.reference import TEMPORAL, truth
from tests.query.scratch import Scratch, scratch
from tests.towns import Town

WORDS = ["", "a", "A", "ä", "a\u0308", "Ä", "é", "e", "Straße", "STRASSE", "%", "_", "a_b", "\\", "100 %", "ΟΔΟΣ", "οδος", "z", "Ω", "😀"]
WHOLES = [0, 1, -1, 2, 3, -7, 2**53 + 1, -(2**63), 2**63 - 1]
NUMBERS = [0.0, 0.1, 0.5, -0.5, 1.5, 2.0, 20.25, -7.75, 1e300, -1e300, 1e-300]
DAYS = [date(1, 1, 1), date(1960, 3, 1), date(1960, 3, 2), date(2026, 11, 26), date(9999, 12, 31)]
MOMENTS = [
    datetime(1, 1, 1, tzinfo=UTC), datetime(1960, 3, 1, tzinfo=UTC), datetime(1960, 3, 1, 23, 59, 59, 999999, tzinfo=UTC),
    datetime(1960, 3, 2, 12, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
]  # fmt: skip
SEEDED = Random(7)
# the trees are small: to shrink one would cost more than to read it
QUICK = settings(deadline=None, suppress_health_check=list(HealthCheck), phases=(Phase.explicit, Phase.generate))


def _row() -> dict[str, Any]:
    domains = {"name": WORDS, "also": WORDS, "n": WHOLES, "m": WHOLES, "x": NUMBERS, "open": [True, False], "day": DAYS, "at": MOMENTS}
    return {name: SEEDED.choice([None, *domain, *domain]) for name, domain in domains.items()}


@pytest.fixture(scope="module")
def things(town: Town) -> Iterator[Scratch]:
    with scratch(town, [_row() for _ in range(60)]) as made:
        yield made


def op(name: str, *args: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.tuples(*args).map(lambda told: {"op": name, "args": list(told)})


def one_op(names: Any, *args: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.sampled_from(list(names)).flatmap(lambda name: op(name, *args))


def named(*names: str) -> st.SearchStrategy[Any]:
    return st.sampled_from([{"property": name} for name in names])


literal_number = st.sampled_from([*WHOLES[:6], 2**53 + 1, *NUMBERS])
simple_number = named("n", "m", "x") | literal_number
divisor = st.sampled_from([0, 1, 2, 4, -5, 0.5])  # what is divided by these is a decimal that ends
number = simple_number | one_op("+-*", simple_number, simple_number) | one_op(["/", "%", "div"], named("n", "x"), divisor)
number |= op("^", simple_number, st.sampled_from([0, 1, 2, 3])) | one_op("+-*", number, simple_number)
simple_text = named("name", "also") | st.sampled_from(WORDS)
text = simple_text | one_op(["casei", "accenti", "fold"], simple_text | op("casei", simple_text))
pattern = st.lists(st.sampled_from(["%", "_", "a", "ss", "ä", "A", "\\%", "\\\\"]), max_size=4).map("".join)
day = named("day") | st.sampled_from([{"date": day.isoformat()} for day in DAYS])
moment = named("at") | st.sampled_from([{"timestamp": f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z".rjust(27, "0")} for moment in MOMENTS])
time = day | moment
kinds = [number, text, time]
COMPARED = ["=", "<>", "<", "<=", ">", ">="]
end = st.just("..") | named("day", "at") | st.sampled_from(["1960-03-01", "1960-03-01T00:00:00Z"])
span = st.tuples(end, end).map(lambda ends: {"interval": list(ends)}) | time
predicate = st.one_of(
    *(one_op(COMPARED, kind, kind) for kind in kinds),
    *(op("between", kind, kind, kind) for kind in kinds),
    *(op("in", kind, st.lists(kind, min_size=1, max_size=4)) for kind in (number, text, time)),
    *(op("isNull", kind) for kind in (number, simple_text, time)),
    one_op(["=", "<>"], named("open"), named("open") | st.booleans()),
    op("like", text, pattern | op("casei", pattern)),
    one_op(TEMPORAL, span, span),
    *(one_op(["a_equals", "a_contains", "a_containedBy", "a_overlaps"], st.lists(kind, max_size=3), st.lists(kind, max_size=3)) for kind in (number, text, day, moment)),
    named("open"),
    st.booleans(),
)  # fmt: skip
condition = st.recursive(predicate, lambda inner: one_op(["and", "or"], inner, inner) | op("not", inner), max_leaves=5)


@settings(parent=QUICK, max_examples=150)
@given(condition)
def test_a_filter_says_of_every_row_what_it_means(things: Scratch, tree: Any) -> None:
    assert things.truths(tree) == [truth(tree, row) for row in things.rows]


POINTS = st.tuples(st.integers(0, 4), st.integers(0, 4)).map(lambda at: [11 + at[0] / 1000, 49 + at[1] / 1000])
BOXES = st.tuples(POINTS, POINTS).map(lambda two: [min(two[0][0], two[1][0]), min(two[0][1], two[1][1]), max(two[0][0], two[1][0]), max(two[0][1], two[1][1])])  # fmt: skip


def _ring(box: list[float]) -> Any:
    west, south, east, north = box
    return {"type": "Polygon", "coordinates": [[[west, south], [east, south], [east, north], [west, north], [west, south]]]}


AREAS = BOXES.filter(lambda box: box[0] < box[2] and box[1] < box[3])
SHAPES = st.one_of(
    POINTS.map(lambda at: {"type": "Point", "coordinates": at}),
    st.lists(POINTS, min_size=2, max_size=2, unique_by=tuple).map(lambda line: {"type": "LineString", "coordinates": line}),
    AREAS.map(_ring),
    AREAS.map(lambda box: {"bbox": box}),
)
SPATIAL = ["s_intersects", "s_disjoint", "s_equals", "s_touches", "s_within", "s_contains", "s_overlaps", "s_crosses"]


def _placed(shape: Any) -> Any:
    """On the grid on which both sides are compared."""
    made = shapely.box(*shape["bbox"]) if "bbox" in shape else shapely.geometry.shape(shape)
    return shapely.transform(made, lambda points: (points / 1e-7).round() * 1e-7)


@settings(parent=QUICK, max_examples=40)
@given(one_op(SPATIAL, SHAPES, SHAPES), st.booleans())
def test_a_spatial_filter_says_of_every_row_what_it_means(places: Scratch, tree: Any, turned: bool) -> None:
    for asked in (tree, {"op": tree["op"], "args": [{"property": "geometry"}, tree["args"][1]][:: -1 if turned else 1]}):
        placed = {
            "op": asked["op"],
            "args": [arg if "property" in arg else shapely.geometry.mapping(_placed(arg)) for arg in asked["args"]],
        }
        assert places.truths(asked) == [truth(placed, row) for row in places.rows]


@pytest.fixture(scope="module")
def places(town: Town) -> Iterator[Scratch]:
    made = [SEEDED.choice([None, [11 + SEEDED.randrange(5) / 1000, 49 + SEEDED.randrange(5) / 1000]]) for _ in range(40)]
    shapes = [
        at and _placed({"type": "Point", "coordinates": at} if SEEDED.random() < 0.3 else _ring([*at, at[0] + 0.002, at[1] + 0.001]))
        for at in made
    ]
    with scratch(town, [{"geometry": shape} for shape in shapes]) as table:
        yield table
