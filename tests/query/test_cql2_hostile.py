"""Hostile filters: each is a problem that names `filter`, before anything is asked of the database; what is odd but right has an answer."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.query.asked import ask
from tests.query.scratch import THINGS
from tests.towns import Town
from twin_api.problems import InvalidParameter
from twin_api.query.cql2.compile import read_filter
from twin_api.query.crs import COMMON, CRS84, WGS84, Crs
from twin_api.query.page import Pages
from twin_api.query.window import bind

UTM32 = COMMON[3]
OVERLAPPING = (  # areas, each of them valid
    "GEOMETRYCOLLECTION(LINESTRING(90 49.7000001,-89.9999999 49.62,11.391 49.7),POLYGON((0.001 49.7,-180 0.001,45 -89.999,0.001 49.7)),"
    "POLYGON((11.381 0.0000001,180 0.001,-90 45,0.0000002 0.001,11.381 0.0000001)))"
)
SQUARE = "POLYGON((0 0,1 0,1 1,0 1,0 0))"
MANY = ",".join(f"{n % 7}.{n} {n // 7}" for n in range(501))
TEXTS = [
    # nothing, and nonsense
    "", " ", "\n", ";", "--", "/* */", "'", '"', "''", "'a'", "1", "1.5", "-", "=", "(", ")", "()", "[]", "{}", "NULL", "n", "name", "day", "geometry",
    "n =", "= 1", "n == 1", "n = 1 =", "n 1", "n = 1 AND", "AND n = 1", "NOT", "n = 1;", "n = 1; DROP TABLE things", "n = 1 --", "n = 1 /* x */",
    "n = 0x10", "n = 1_000", "n = .5", "n = 1e", "n = 1e400", "n = -1e999", "n = NaN", "n = Infinity", "x = 1e309", "n = NULL", "NULL = n", "n = 'a", "n = \"a",
    "n = ${1}", "n = %s", "n = %(limit)s", "n = :x", "n = $1", "n = ?", "n = (SELECT 1)", "n = 1::int", "n = CAST('1' AS int)", "n || 'a' = 'b'", "n @> 1",
    # brackets, signs and chains
    "(" * 11 + "n=1" + ")" * 11, "(" * 40 + "n=1", "((n=1) AND " * 11 + "open", "n IN (" * 30 + "1", "casei(" * 11 + "name", "casei(" * 9 + "name" + ")" * 9 + " = 'a'", "NOT (" * 200 + "open", "[" * 2000,
    "n=" + "-" * 4000 + "1", "n=" + "- " * 2000 + "n", "n=" + "+" * 3000 + "1", "n=" + "-+" * 1500 + "1", "NOT " * 1000 + "open", "n=" * 1500 + "1",
    "n=" + "2^" * 1300 + "2", "n=" + "1+" * 1300 + "1", "n=" + "1-" * 1300 + "1", "n=" + "n*" * 60 + "1", "n=1 AND " * 400 + "open", "open OR " * 200 + "open",
    "n=1 AND (" * 11 + "open", "S_INTERSECTS(geometry," + "GEOMETRYCOLLECTION(" * 12, "x" * 5000, "name = '" + "x" * 4090 + "'", "'" * 4001, '"' * 4001,
    "name = '" + "(" * 4000, "name = 'ä" + "ä" * 2050 + "'",
    " AND ".join(["S_EQUALS(geometry, geometry)"] * 12), "n IN (" + ",".join(["m"] * 201) + ")", "A_EQUALS((" + ",".join(["n"] * 101) + "), (" + ",".join(["m"] * 101) + "))",
    # names
    "nix = 1", "\"n \" = 1", "N = 1", "properties.n = 1", "things.n = 1", "_place = ''", "_feature LIKE '%'", "_mercator IS NULL", "_geometry IS NULL", "id = 1",
    "ctid = 1", "pg_sleep(10) = 1", "version() = 'x'", "current_user() = 'x'", "st_astext(geometry) = 'x'", "upper(name) = 'A'", "nix(n) = 1", "fold() = 'a'",
    "fold(name, name) = 'a'", "fold(n) = 'a'", "abs(name) = 1", "year(name) = 1", "area_m2(n) = 1", "distance_m(geometry) = 1", "length(n) = 1",
    # types that do not fit
    "n = 'a'", "name = 1", "name = TRUE", "open = 1", "open = 'true'", "open > FALSE", "open BETWEEN FALSE AND TRUE", "day = '2026-01-01'", "at = '2026-01-01T00:00:00Z'",
    "day = 1", "n = DATE('2026-01-01')", "geometry = 'POINT(1 2)'", "geometry = geometry", "geometry IN ('a')", "geometry IN (geometry)", "geometry BETWEEN geometry AND geometry", "geometry > 1", "n + name = 1", "name + name = 'aa'",
    "day + 1 = DATE('2026-01-01')", "open + 1 = 2", "n = (n = 1)", "n AND open", "NOT n", "NOT name", "casei(n) = 'a'", "name LIKE 1", "n LIKE '1%'", "day LIKE '2026%'",
    "n IN ('a')", "n IN (1, 'a')", "n IN ()", "n BETWEEN 1 AND 'a'", "n BETWEEN 1", "name LIKE also", "name LIKE casei(also)", "n IN (n = 1)", "(n, m) = (1, 2)",
    # texts and patterns
    "name = 'a\x00b'", "name = 'a\x07b'", "name = '\x1b[2J'", "name = 'a\x7f'", "name LIKE 'a\\'", "name LIKE '\\\\\\'", "name LIKE casei('\\')", "name = 'it\\'s",
    "casei(name) LIKE accenti(casei('a\\'))", "name LIKE 'a' ESCAPE '!'", "name ILIKE 'a'", "name ~ 'a'", "name SIMILAR TO 'a'",
    # times
    "day = DATE('0000-01-01')", "day = DATE('99999-01-01')", "day = DATE('10000-01-01')", "day = DATE('-0001-01-01')", "day = DATE('2026-02-30')", "day = DATE('2026-13-01')",
    "day = DATE('2026-1-1')", "day = DATE('2026-W01-1')", "day = DATE('')", "day = DATE('today')", "day = DATE('infinity')", "day = DATE(1)", "day = DATE('2026-01-01T00:00:00Z')",
    "at = TIMESTAMP('2026-01-01')", "at = TIMESTAMP('2026-01-01T00:00:00')", "at = TIMESTAMP('2026-01-01 00:00:00')", "at = TIMESTAMP('2026-01-01T24:00:01Z')",
    "at = TIMESTAMP('2026-06-30T23:59:60Z')", "at = TIMESTAMP('9999-12-31T23:59:59-23:59')", "at = TIMESTAMP('0001-01-01T00:00:00+23:59')", "at = TIMESTAMP('now')",
    "at = TIMESTAMP('2026-01-01T00:00:00.1234567Z')", "at = INTERVAL('2026-01-01','..')", "T_AFTER(at, 'x')", "T_AFTER(n, DATE('2026-01-01'))", "T_AFTER(day)",
    "T_DURING(day, INTERVAL('2026-01-02','2026-01-01'))", "T_DURING(day, INTERVAL('2026-01-01'))", "T_DURING(day, INTERVAL('a','b'))", "T_DURING(day, INTERVAL(1, 2))",
    "T_DURING(day, INTERVAL('2026-01-01/..','..'))", "T_DURING(day, INTERVAL('','..'))", "T_DURING(INTERVAL(n, m), INTERVAL('..','..'))", "T_NIX(day, day)",
    # arrays
    "A_EQUALS(name, (1))", "A_CONTAINS((1, 'a'), (1))", "A_CONTAINS((1), ('a'))", "A_OVERLAPS((geometry), (geometry))", "A_EQUALS((1,(2,3)),(1))",
    "A_EQUALS(('a'))",
    # geometries
    "S_INTERSECTS(geometry)", "S_INTERSECTS(geometry, 1)", "S_INTERSECTS(geometry, 'POINT(1 2)')", "S_INTERSECTS(n, POINT(1 2))", "S_INTERSECTS(geometry, POINT(1))",
    "S_INTERSECTS(geometry, POINT(1 2 3 4 5))", "S_INTERSECTS(geometry, POINT(nan 2))", "S_INTERSECTS(geometry, POINT(181 2))", "S_INTERSECTS(geometry, POINT(2 91))",
    "S_INTERSECTS(geometry, POINT(1e300 2))", "S_INTERSECTS(geometry, POINT EMPTY)", "S_INTERSECTS(geometry, POLYGON EMPTY)", "S_INTERSECTS(geometry, LINESTRING(1 2))",
    "S_INTERSECTS(geometry, LINESTRING(1 2,1 2))", "S_INTERSECTS(geometry, POLYGON((0 0,1 1)))", "S_INTERSECTS(geometry, POLYGON((0 0,1 0,1 1,0 1)))",
    "S_INTERSECTS(geometry, POLYGON((0 0,1 1,1 0,0 1,0 0)))", "S_INTERSECTS(geometry, POLYGON((0 0,1 0,2 0,0 0)))", "S_INTERSECTS(geometry, POLYGON((0 0,0 0,0 0,0 0)))",
    f"S_INTERSECTS(geometry, MULTIPOLYGON({SQUARE[7:]},{SQUARE[7:]}))", "S_INTERSECTS(geometry, CIRCULARSTRING(0 0,1 1,2 0))", "S_INTERSECTS(geometry, SRID=25832;POINT(1 2))",
    "S_INTERSECTS(geometry, BBOX(1,2,3))", "S_INTERSECTS(geometry, BBOX(1,2,3,4,5))", "S_INTERSECTS(geometry, BBOX(1,4,3,2))", "S_INTERSECTS(geometry, BBOX(-181,0,0,1))", "S_INTERSECTS(geometry, BBOX(200,0,100,1))", "S_INTERSECTS(geometry, BBOX(180.1,0,1,1))", "S_INTERSECTS(geometry, BBOX(0,0,-180.1,1))",
    "S_INTERSECTS(geometry, BBOX(a,b,c,d))", f"S_INTERSECTS(geometry, LINESTRING({MANY}))", "S_TOUCHES(geometry, GEOMETRYCOLLECTION(POINT(1 2),POINT(3 4)))", "S_NIX(geometry, geometry)",
    "S_INTERSECTS(geometry, GEOMETRYCOLLECTION(GEOMETRYCOLLECTION(POINT(1 2))))", f"S_INTERSECTS(geometry, GEOMETRYCOLLECTION({','.join(['POINT(1 2)'] * 21)}))",
    "S_INTERSECTS(geometry, GEOMETRYCOLLECTION(POINT(1 2),POINT(1 95)))", "S_INTERSECTS(geometry, POLYGON((1e-9 0,2e-9 0,2e-9 1e-9,1e-9 0)))",
    # what runs to the other side of the earth has no length
    "length_m(LINESTRING(-180 0,0 0,180 0)) > 1", "area_m2(BBOX(-180,-90,180,90)) > 1", "distance_m(geometry, BBOX(-180,-90,180,90)) > 1",
    "area_m2(POLYGON((0 0,180 0,180 90,0 90,0 0))) > 1", "area_m2(POLYGON((0 0,180 0,180 0.0000001,0 0))) > 1", "distance_m(POINT(1 2), LINESTRING(7 90,9 -90)) > 1",
    "length_m(MULTILINESTRING((1 1,2 2),(90 0,-90 0))) > 1", "distance_m(geometry, GEOMETRYCOLLECTION(POINT(0 0),MULTIPOLYGON(((0 0,180 0,1 1,0 0))))) > 1",
    # numbers that the parser would round
    "n = 9007199254740993", "n = 99999999999999999999999", "n IN (1, 9007199254740993)", "n = -9007199254740993",
]  # fmt: skip
TREES: list[Any] = [
    None, 1, "a", [], {}, [[]], {"op": "="}, {"args": []}, {"op": "=", "args": None}, {"op": "=", "args": []}, {"op": "=", "args": [1]}, {"op": 1, "args": [1, 2]},
    {"op": "=", "args": [{"property": "n"}, 1, 2]}, {"op": "=", "args": [{"property": "n"}, 1], "x": 1}, {"op": "=", "args": [{"property": 1}, 1]},
    {"op": "=", "args": [{"property": "n", "x": 1}, 1]}, {"op": "=", "args": [{"property": "n"}, None]}, {"op": "=", "args": [{"property": "n"}, [1]]},
    {"op": "=", "args": [{"property": "n"}, {"x": 1}]}, {"op": "=", "args": [{"property": "day"}, {"date": 1}]}, {"op": "=", "args": [{"property": "day"}, {"date": None}]},
    {"op": "=", "args": [{"property": "at"}, {"timestamp": "2026-01-01"}]}, {"op": "in", "args": [{"property": "n"}, 1]}, {"op": "in", "args": [{"property": "n"}, []]},
    {"op": "like", "args": [{"property": "name"}, "a\\"]}, {"op": "like", "args": [{"property": "name"}, {"op": "casei", "args": []}]}, {"op": "and", "args": [True]},
    {"op": "or", "args": []}, {"op": "not", "args": [True, True]}, {"op": "isNull", "args": []}, {"op": "between", "args": [{"property": "n"}, 1]},
    {"op": "s_intersects", "args": [{"property": "geometry"}, {"type": "Point", "coordinates": "12"}]}, {"op": "s_intersects", "args": [{"property": "geometry"}, {"type": "Nix"}]},
    {"op": "s_intersects", "args": [{"property": "geometry"}, {"type": "Point", "coordinates": [True, False]}]},
    {"op": "s_intersects", "args": [{"property": "geometry"}, {"type": "Point", "coordinates": [[1, 2]]}]},
    {"op": "s_intersects", "args": [{"property": "geometry"}, {"type": "Polygon", "coordinates": [1, 2]}]},
    {"op": "s_intersects", "args": [{"property": "geometry"}, {"type": "Polygon", "coordinates": None}]},
    {"op": "s_intersects", "args": [{"property": "geometry"}, {"type": "GeometryCollection", "geometries": [None]}]},
    {"op": "s_intersects", "args": [{"property": "geometry"}, {"type": "GeometryCollection"}]}, {"op": "s_intersects", "args": [{"property": "geometry"}, {"bbox": "1234"}]},
    {"op": "s_intersects", "args": [{"property": "geometry"}, {"bbox": [1, 2, "3", 4]}]}, {"op": "s_intersects", "args": [{"property": "geometry"}, {"bbox": {"a": 1}}]},
    {"op": "s_intersects", "args": [{"property": "geometry"}, {"type": ["Point"], "coordinates": [1, 2]}]}, {"op": "t_after", "args": [{"interval": []}, {"interval": [1]}]},
    {"op": "t_after", "args": [{"interval": None}, {"date": "2026-01-01"}]}, {"op": "a_equals", "args": [[[1]], [[1]]]}, {"op": "a_equals", "args": [[None], [1]]},
]  # fmt: skip
NOT_JSON = [
    "",
    "{",
    "[1,",
    "nul",
    "{'op': '='}",
    "NaN",
    "[NaN]",
    '{"op":"=","args":[1e999,1]}',
    "[" * 4000,
    '{"op":"not","args":[' * 190,
    "n = 1",
    '"\\ud800"',
    "\ufeff{}",
]


@pytest.mark.parametrize(("texts", "lang"), [(TEXTS, "cql2-text"), ([json.dumps(tree) for tree in TREES] + NOT_JSON, "cql2-json")])
def test_a_hostile_filter_is_refused_by_its_name(texts: list[str], lang: str) -> None:
    refused = {text: refusal(text, lang) for text in texts}
    assert [text for text, problem in refused.items() if problem is None] == []
    for problem in refused.values():
        assert problem is not None
        assert problem.extra == {"parameter": "filter"}
        assert problem.detail is not None
        assert problem.detail.de.isprintable()
        assert 0 < len(problem.detail.de) < 400


def refusal(text: str, lang: str) -> InvalidParameter | None:
    try:
        read_filter(THINGS, text, lang, CRS84)
    except InvalidParameter as problem:
        return problem
    return None


def test_the_hostile_filters_are_many() -> None:
    assert len({*TEXTS, *map(json.dumps, TREES), *NOT_JSON}) >= 290


ODD = [
    "name = 'x'' OR 1=1 --'", "name = 'it\\'s'", "name = 'tab\\tnewline\\n'", "name LIKE '" + "%a" * 1500 + "'", "name LIKE '\\%\\_\\\\'", "name = '" + "(" * 300 + "'", "\"name\" = 'a'",
    "n = 1e300", "n < 9007199254740993.0", "n = 1.5", "x = 1e-400", "n / 0 = 1", "n % 0 = 1", "n div 0 = 1", "0 ^ -1 = 1", "(-8) ^ 0.5 = 1", "10 ^ 1000 = 1", "(n ^ 100) ^ 100 > 0",
    "1e308 * 1e308 * 1e308 > x", "1e-308 * 1e-308 < x", "1 / 1e-308 / 1e-308 > 0", "x ^ x ^ x = 1", "7.5 % 1e-300 = 0", "(" * 10 + "n=1" + ")" * 10, "n IN (" + ",".join("1" * 1500) + ")",
    "n = " + "+".join("1" * 20), "1 = 1", "TRUE", "NOT FALSE", "'a' < 'b'", "name < 'ä'", "casei('\uff3c') = casei(name)", "name LIKE accenti('\uff3c')", "name LIKE fold('\uff05\u212a')",
    "day > DATE('0001-01-01')", "at < TIMESTAMP('9999-12-31T23:59:59.999999Z')", "at = DATE('9999-12-31')", "T_INTERSECTS(at, INTERVAL('..','..'))", "year(at) = 1", "month(day) > 12",
    "S_INTERSECTS(geometry, POINT(-180 -90))", "S_INTERSECTS(geometry, BBOX(-180,-90,180,90))", "S_INTERSECTS(geometry, BBOX(170,0,-170,1))", "S_INTERSECTS(geometry, BBOX(1,1,1,1))",
    f"S_EQUALS({SQUARE}, {SQUARE})", "S_INTERSECTS(geometry, POINT Z(1 2 3))", "distance_m(geometry, POINT(180 90)) > 1", f"area_m2({SQUARE}) > 1", "length_m(LINESTRING(0 0,0 1)) > 1",
    "length_m(LINESTRING(0 0,90 0,180 0)) > 1", "distance_m(POINT(0 0), POINT(180 0)) > 1", "area_m2(BBOX(-90,-45,90,45)) > 1", "distance_m(geometry, MULTIPOINT((0 0),(180 0))) > 1",
    "S_DISJOINT(geometry, GEOMETRYCOLLECTION(POINT(1 2),LINESTRING(0 0,1 1)))", "S_CROSSES(geometry, MULTILINESTRING((0 0,1 1),(2 2,3 3)))", "area_m2(geometry) = length_m(geometry)",
    f"S_INTERSECTS(POINT(-90 49.7), {OVERLAPPING})", f"S_DISJOINT({OVERLAPPING}, geometry)", f"S_INTERSECTS({OVERLAPPING}, {OVERLAPPING})",
]  # fmt: skip


def test_what_is_odd_but_right_has_an_answer(town: Town) -> None:
    ours = {"name": "art", "n": "anzahl", "x": "hoehe_m", "day": "gepflanzt", "at": "geprueft", "open": "geschuetzt"}
    for text in ODD:
        words = "".join(ours.get(word, word) for word in _words(text))
        answer = ask(town, "administration", filter=words, limit=1)
        assert answer.status_code == 200, f"{text}: {answer.text}"
        assert "numberMatched" in answer.json()


def _words(text: str) -> list[str]:
    import re

    return re.findall(r"'(?:[^'\\]|''|\\.)*'|\w+|.", text, re.DOTALL)


@pytest.mark.parametrize("lang", ["cql2-text", "cql2-json"])
@settings(max_examples=150, deadline=None)
@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=60) | st.lists(st.sampled_from(
    ["n", "name", "day", "geometry", " ", "AND", "OR", "NOT", "(", ")", "=", "<", "'x'", "'", '"', "1", "-", "^", "IN", "BETWEEN", "IS", "NULL", "DATE('", ",", "LIKE", "S_INTERSECTS(", "POINT(1 2)",
     "POLYGON((", "1e9", "\\", "casei(", '{"op":', '"args":[', "]", "}", '{"property":"n"}', '"="', ":", "true", "INTERVAL("]), max_size=25).map(" ".join))  # fmt: skip
def test_no_text_raises_anything_but_a_problem(lang: str, text: str) -> None:
    try:
        clause, _ = read_filter(THINGS, text, lang, CRS84)
    except InvalidParameter:
        return
    assert clause.columns is not None


@pytest.mark.parametrize(("name", "text"), [("filter-lang", "cql"), ("filter-lang", ""), ("filter-lang", "CQL2-TEXT"), ("filter-crs", ""), ("filter-crs", "EPSG:25832"),
    ("filter-crs", "http://www.opengis.net/def/crs/EPSG/0/31468"), ("filter-crs", "http://www.opengis.net/def/crs/EPSG/0/25832'--")])  # fmt: skip
def test_how_a_filter_is_read_is_checked_even_without_one(town: Town, name: str, text: str) -> None:
    for more in ({}, {"filter": "TRUE"}):
        refused = ask(town, **{name: text}, **more)
        assert (refused.status_code, refused.json()["parameter"]) == (400, name)


def test_a_filter_given_over_http_is_refused_as_one_in_the_house(town: Town) -> None:
    for text in ("n=" + "-" * 4000 + "1", "(" * 40 + "art='a'", "art = 'a\x00b'", "nix = 1", "anzahl = 'x'", "x" * 5000):
        refused = ask(town, filter=text)
        assert (refused.status_code, refused.json()["parameter"]) == (400, "filter"), text


@settings(max_examples=100, deadline=None)
@given(
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20), st.integers(-(2**53), 2**53), st.floats(-1e300, 1e300), st.dates()
)
def test_the_text_of_a_statement_is_the_same_whatever_the_values(text: str, whole: int, number: float, day: object) -> None:
    def sql(name: str, n: int, x: float, at: str) -> str:
        tree = {
            "op": "or",
            "args": [
                _eq("name", name),
                _eq("n", n),
                _eq("x", x),
                _eq("day", {"date": at}),
                {"op": "in", "args": [{"property": "n"}, [n] * (n % 5 + 1)]},
            ],
        }
        return Pages(THINGS, bind(THINGS, [("filter", json.dumps(tree)), ("filter-lang", "cql2-json")])).statement("citizen").sql

    assert sql(text, whole, number, str(day)) == sql("x", 1, 1.0, "2000-01-01")


def _eq(name: str, value: Any) -> Any:
    return {"op": "=", "args": [{"property": name}, value]}


def test_a_wrong_axis_order_is_told_where_it_can_be_seen() -> None:
    with pytest.raises(InvalidParameter) as refused:
        read_filter(THINGS, "S_INTERSECTS(geometry, POINT(4400000 5500000))", "cql2-text", WGS84)
    assert "filter-crs" in str(refused.value.detail)


@pytest.mark.parametrize("op", ["casei", "fold", "^"])
def test_what_becomes_long_sql_counts_for_more(op: str) -> None:
    """A statement is written while everybody waits: two hundred folds took a sixth of a second."""
    one = {"op": op, "args": [{"property": "x"}, 2] if op == "^" else [{"property": "name"}]}
    most = {"op": "and", "args": [{"op": "isNull", "args": [one]}] * 28}
    assert refusal(json.dumps(most), "cql2-json") is None
    sql = Pages(THINGS, bind(THINGS, [("filter", json.dumps(most)), ("filter-lang", "cql2-json")])).statement("citizen").sql
    assert len(sql) < 40_000
    assert refusal(json.dumps({"op": "and", "args": [*most["args"], *most["args"]]}), "cql2-json") is not None


@pytest.mark.parametrize(("crs", "corners"), [(UTM32, "500010,5500000,500000,5500010"), (UTM32, "10,0,5,1"), (WGS84, "50,11,49,12")])
def test_a_box_crosses_the_antimeridian_in_degrees_of_longitude_only(crs: Crs, corners: str) -> None:
    with pytest.raises(InvalidParameter):
        read_filter(THINGS, f"S_INTERSECTS(geometry, BBOX({corners}))", "cql2-text", crs)


@pytest.mark.parametrize("op", ["and", "^", "abs", "not", "in"])
def test_what_is_as_deep_as_may_be_becomes_sql(op: str) -> None:
    number: dict[str, Any] = {"property": "n"}
    tree: dict[str, Any] = {"property": "open"}
    for _ in range(21):
        match op:
            case "and":
                tree = {"op": "and", "args": [tree, {"op": "or", "args": [True, False]}]}
            case "in":
                tree = {"op": "in", "args": [tree, [{"property": "open"}]]}
            case "not":
                tree = {"op": "not", "args": [tree]}
            case _:
                number = {"op": op, "args": [number, 2] if op == "^" else [number]}
    if op in ("^", "abs"):
        tree = _eq("n", number)
    window = bind(THINGS, [("filter", json.dumps(tree)), ("filter-lang", "cql2-json")])
    assert "things" in Pages(THINGS, window).statement("citizen").sql
