"""One rule judged three ways: by PostgreSQL on a real table, by the plain reference, by the formula that proofs are made of."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import shapely
import sqlalchemy as sa
import z3
from hypothesis import strategies as st

from tests.policy.test_evaluate import a_layer
from tests.towns import Connection
from twin_api.layers.table import COLUMN_TYPES, STORE
from twin_api.policy.evaluate import standing
from twin_api.policy.proof.order import moment_number
from twin_api.policy.proof.solver import RowModel
from twin_api.policy.proof.variable import Assignment, Variable, speech_of
from twin_api.policy.rule import All, And, Between, Compare, Due, In, Inside, IsNull, Not, Or, Row, Rule, World, truth
from twin_api.publish.predicate import Place, predicate
from twin_api.publish.statement import PlainGeometry, sql_text

ZONE = "Europe/Berlin"
NOW = datetime.now(UTC)
TODAY = NOW.astimezone(ZoneInfo(ZONE)).date()
TYPES = {"t": "text", "u": "text", "i": "integer", "n": "number", "b": "boolean", "d": "date", "m": "datetime"}
POOL: Mapping[str, Sequence[Any]] = {
    "text": ["", "a", "A", "a ", "ab", "ä", "a\u0308", "ß", "ss", "Z", "z", "\uffff", "\U0001f600", "'", "\\", "%", "a" * 500],
    "integer": [-(2**63), -(2**53) - 1, -6, -5, -1, 0, 1, 4, 5, 6, 2**53, 2**53 + 1, 2**63 - 1],
    "number": [-1.7976931348623157e308, -1e15, -2.5, -0.5, -5e-324, -0.0, 0.0, 5e-324, 0.1, 0.30000000000000004, 0.3, 0.5, 2.5, 1e15, 2.0**53, 1.7976931348623157e308],
    "boolean": [True, False],
    "date": [date.min, date(1582, 10, 10), date(2024, 2, 29), TODAY - timedelta(1), TODAY, TODAY + timedelta(2), date(9999, 12, 31)],
    "datetime": [
        datetime(1, 1, 1, tzinfo=UTC), datetime(2026, 3, 29, 0, 59, 59, 999999, UTC), datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC),
        NOW - timedelta(hours=1), NOW + timedelta(hours=2), datetime(9999, 12, 31, 23, 59, 59, 999999, UTC),
    ],
}  # fmt: skip
NAMES = ("Nord", "Süd", "", "x")
AREAS = [
    {"nr": "1", "name": "Nord", "geometry": shapely.box(0, 0, 10, 10)},
    {"nr": "2", "name": "Süd", "geometry": shapely.box(10, 0, 20, 10)},
    {"nr": "3", "name": None, "geometry": shapely.box(20, 0, 30, 10)},
    {"nr": "4", "name": "Nord", "geometry": shapely.box(5, 5, 15, 20)},
    {"nr": "0", "name": "x", "geometry": None},
]
POINTS = [None, *(shapely.Point(x, y) for x in (-1, 0, 4.5, 10, 12.25, 20, 25, 30) for y in (0, 7, 10, 15))]
LAYERS = {"felder": a_layer("felder", "Polygon", {"nr": "text", "name": "text"}, "nr"), "probe": a_layer("probe", "Point", TYPES, "")}


def rules() -> st.SearchStrategy[Rule]:
    """Rules over the probe's attributes; areas at the top only, as in policies."""
    ordered = [name for name, type_ in TYPES.items() if type_ != "boolean"]
    inner = st.recursive(
        st.one_of(st.sampled_from(list(TYPES)).flatmap(_atom), st.sampled_from(ordered).flatmap(_ordered)), _combined, max_leaves=6
    )
    inside = st.lists(st.sampled_from(NAMES), min_size=1, max_size=2, unique=True).map(
        lambda names: Inside("felder", "name", tuple(names), ("nr",))
    )
    due = st.sampled_from("dm").map(Due)
    return st.one_of(inner, inside, due, st.just(All()), st.tuples(inner, inside, due).map(And), st.tuples(inner, due).map(And))


def _values(name: str) -> st.SearchStrategy[Any]:
    values = st.sampled_from(POOL[TYPES[name]])
    return values.map(str) if TYPES[name] == "text" else values


def _atom(name: str) -> st.SearchStrategy[Rule]:
    values = st.lists(_values(name), min_size=1, max_size=3, unique=True)
    equal = st.builds(Compare, st.just(name), st.sampled_from(("=", "<>")), _values(name))
    return st.one_of(values.map(lambda some: In(name, tuple(some))), equal, st.just(IsNull(name)))


def _ordered(name: str) -> st.SearchStrategy[Rule]:
    pairs = st.tuples(_values(name), st.none() | _values(name))
    between = st.one_of(pairs.map(lambda ends: Between(name, *ends)), _values(name).map(lambda high: Between(name, None, high)))
    return st.one_of(between, st.builds(Compare, st.just(name), st.sampled_from(("<", "<=", ">", ">=")), _values(name)))


def _combined(inner: st.SearchStrategy[Rule]) -> st.SearchStrategy[Rule]:
    terms = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.one_of(inner.map(Not), terms.map(And), terms.map(Or))


def draw_rows(seed: int, number: int) -> list[dict[str, Any]]:
    draw = random.Random(seed)
    return [
        {**{name: None if draw.random() < 0.15 else _drawn(draw, type_) for name, type_ in TYPES.items()}, "geometry": draw.choice(POINTS)}
        for _ in range(number)
    ]


def _drawn(draw: random.Random, type_: str) -> Any:
    value = draw.choice(POOL[type_])
    if draw.random() < 0.7:
        return value
    match value:
        case bool():
            return value
        case str():
            return value[:3] + draw.choice(("", "a", "\x01", "Ω", "\U0010ffff"))
        case int():
            return min(max(value + draw.randint(-2, 2), -(2**63)), 2**63 - 1)
        case float():
            return draw.choice((value, draw.uniform(-10, 10), round(draw.uniform(-10, 10), 1)))
        case datetime():
            return value if value.year in (1, 9999) else value + timedelta(microseconds=draw.randint(-(10**14), 10**14) // 10**10 * 10**10)
    return value if value.year in (1, 9999) or abs(value - TODAY) < timedelta(9) else value + timedelta(draw.randint(-3, 3))


def fill(connection: Connection, layer: str, rows: Sequence[Row]) -> None:
    """The rows into the layer's table, in their order."""
    names = list(LAYERS[layer].attributes)
    connection.execute(f"TRUNCATE store.{layer}".encode())
    columns = ", ".join(f'"{name}"' for name in ("import_id", *names, "geometry"))
    with connection.cursor().copy(f"COPY store.{layer} ({columns}) FROM STDIN".encode()) as copy:
        for number, row in enumerate(rows):
            place = None if row["geometry"] is None else f"SRID=25832;{row['geometry'].wkt}"
            copy.write_row((number, *(row[name] for name in names), place))


def source() -> sa.FromClause:
    columns: list[Any] = [sa.column(name, COLUMN_TYPES[type_]) for name, type_ in TYPES.items()]
    return sa.table("probe", sa.column("import_id"), sa.column("geometry", PlainGeometry()), *columns, schema=STORE).alias("r")


def by_database(connection: Connection, rule: Rule) -> list[bool | None]:
    rows = source()
    asked = sa.select(predicate(rule, rows, Place(True, ZONE))).select_from(rows).order_by(rows.c.import_id)
    return [row[0] for row in connection.execute(sql_text(asked).encode()).fetchall()]


def by_reference(rows: Sequence[Row], rule: Rule, world: World) -> list[bool | None]:
    return [truth(rule, standing(row), world) for row in rows]


def wrong_by_model(rows: Sequence[Row], rule: Rule, world: World, expected: Sequence[bool | None]) -> list[int]:
    """Which rows the formula judges otherwise. All are put to Z3 at once: it reads text faster than it is built node by node."""
    speech = speech_of([rule], TYPES)
    model = RowModel(speech)
    truth_ = model.truth(rule)
    variables = list(speech.orders)
    named = " ".join(f"(|{_name(v)} value| Int) (|{_name(v)} null| Bool)" for v in variables)
    head = f"(define-fun now () Int {moment_number(world.now)}) (define-fun today () Int {TODAY.toordinal()})"
    is_true = f"(define-fun holds ({named}) Bool {truth_.is_true.sexpr()})"
    is_false = f"(define-fun fails ({named}) Bool {truth_.is_false.sexpr()})"
    claims = [_claim(_assigned(row, variables, speech.orders, world), value) for row, value in zip(rows, expected, strict=True)]

    def agree(some: Sequence[str]) -> bool:
        (whole,) = z3.parse_smt2_string(f"{head} {is_true} {is_false} (assert (and true true {' '.join(some)}))") or [z3.BoolVal(True)]
        return bool(z3.is_true(z3.simplify(whole)))

    if agree(claims):
        return []
    return [number for number, claim in enumerate(claims) if not agree([claim])]


def _claim(assignment: Assignment, expected: bool | None) -> str:
    words = [str(number or 0) if (number or 0) >= 0 else f"(- {abs(number or 0)})" for number in assignment.values()]
    nulls = ["true" if number is None else "false" for number in assignment.values()]
    given = " ".join(f"{word} {null}" for word, null in zip(words, nulls, strict=True))
    holds, fails = (f"({name} {given})" if given else name for name in ("holds", "fails"))
    return f"(= {holds} {'true' if expected is True else 'false'}) (= {fails} {'true' if expected is False else 'false'})"


def _assigned(row: Row, variables: Sequence[Variable], orders: Mapping[Variable, Any], world: World) -> Assignment:
    values = {}
    for variable in variables:
        if isinstance(variable, str):
            value = row[variable]
        else:
            area = world.area_of(variable[0], variable[2], row["geometry"])
            value = None if area is None else area[variable[1]]
        values[variable] = None if value is None else orders[variable].number(value)
    return values


def _name(variable: Variable) -> str:
    return variable if isinstance(variable, str) else " ".join(variable[:2])
