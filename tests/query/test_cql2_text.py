"""Both forms of a filter say the same (after the examples of OGC 21-065r2): the same shape and the same values."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.query.scratch import THINGS
from twin_api.query.cql2.compile import read_filter
from twin_api.query.crs import CRS84


def _p(name: str) -> dict[str, str]:
    return {"property": name}


def _op(op: str, *args: Any) -> dict[str, Any]:
    return {"op": op, "args": list(args)}


POINT = {"type": "Point", "coordinates": [7.02, 49.92]}
SQUARE = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]]}
HOLED = {"type": "Polygon", "coordinates": [[[0, 0], [9, 0], [9, 9], [0, 9], [0, 0]], [[1, 1], [2, 1], [2, 2], [1, 1]]]}
DAY, AT = {"date": "1969-07-20"}, {"timestamp": "1969-07-20T20:17:40Z"}
PAIRS: list[tuple[str, Any]] = [
    ("n=10", _op("=", _p("n"), 10)),
    ("n <> -10", _op("<>", _p("n"), -10)),
    ("x>=30.5", _op(">=", _p("x"), 30.5)),
    ("x < 1.5e3", _op("<", _p("x"), 1500)),
    ("10 <= n", _op("<=", 10, _p("n"))),
    ("name = also", _op("=", _p("name"), _p("also"))),
    ('"name" = \'O\'\'Neil\'', _op("=", _p("name"), "O'Neil")),
    ("name = 'O\\'Neil'", _op("=", _p("name"), "O'Neil")),
    ("name = 'a\\tb\\nc'", _op("=", _p("name"), "a\tb\nc")),
    ("name = ''", _op("=", _p("name"), "")),
    ("name = 'ä 😀'", _op("=", _p("name"), "ä 😀")),
    ("open", _p("open")),
    ("open = TRUE", _op("=", _p("open"), True)),
    ("NOT open", _op("not", _p("open"))),
    ("not (n = 1)", _op("not", _op("=", _p("n"), 1))),
    ("n = 1 AND m = 2 AND x = 3", _op("and", _op("=", _p("n"), 1), _op("=", _p("m"), 2), _op("=", _p("x"), 3))),
    ("n = 1 OR m = 2 AND x = 3", _op("or", _op("=", _p("n"), 1), _op("and", _op("=", _p("m"), 2), _op("=", _p("x"), 3)))),
    ("(n = 1 or m = 2) and open", _op("and", _op("or", _op("=", _p("n"), 1), _op("=", _p("m"), 2)), _p("open"))),
    ("name IS NULL", _op("isNull", _p("name"))),
    ("geometry IS NOT NULL", _op("not", _op("isNull", _p("geometry")))),
    ("name LIKE 'mi%_'", _op("like", _p("name"), "mi%_")),
    ("name NOT LIKE '\\%'", _op("not", _op("like", _p("name"), "\\%"))),
    ("CASEI(name) LIKE casei('MI%')", _op("like", _op("casei", _p("name")), _op("casei", "MI%"))),
    ("ACCENTI(name) = accenti('Chânelles')", _op("=", _op("accenti", _p("name")), _op("accenti", "Chânelles"))),
    ("CASEI(ACCENTI(name)) IN (casei('a'), 'b')", _op("in", _op("casei", _op("accenti", _p("name"))), [_op("casei", "a"), "b"])),
    ("n BETWEEN 1 AND 5", _op("between", _p("n"), 1, 5)),
    ("n NOT BETWEEN 1 AND m", _op("not", _op("between", _p("n"), 1, _p("m")))),
    ("name IN ('a','b')", _op("in", _p("name"), ["a", "b"])),
    ("n NOT IN (1, 2.5)", _op("not", _op("in", _p("n"), [1, 2.5]))),
    ("day IN (DATE('1969-07-20'))", _op("in", _p("day"), [DAY])),
    ("day = DATE('1969-07-20')", _op("=", _p("day"), DAY)),
    ("at > TIMESTAMP('1969-07-20T20:17:40Z')", _op(">", _p("at"), AT)),
    ("at > TIMESTAMP('1969-07-20T21:17:40+01:00')", _op(">", _p("at"), AT)),
    ("T_AFTER(day, DATE('1969-07-20'))", _op("t_after", _p("day"), DAY)),
    ("T_DURING(at, INTERVAL('1969-07-16','..'))", _op("t_during", _p("at"), {"interval": ["1969-07-16", ".."]})),
    ("T_METBY(INTERVAL(day, at), INTERVAL('1969-07-16','1969-07-24'))", _op("t_metBy", {"interval": [_p("day"), _p("at")]}, {"interval": ["1969-07-16", "1969-07-24"]})),
    ("T_FINISHEDBY(day, at)", _op("t_finishedBy", _p("day"), _p("at"))),
    ("T_OVERLAPPEDBY(day, INTERVAL(DATE('1969-07-20'), TIMESTAMP('1969-07-20T20:17:40Z')))", _op("t_overlappedBy", _p("day"), {"interval": [DAY, AT]})),
    ("S_INTERSECTS(geometry, POINT(7.02 49.92))", _op("s_intersects", _p("geometry"), POINT)),
    ("S_INTERSECTS(POINT(7.02 49.92), geometry)", _op("s_intersects", {"bbox": [0, 0, 1, 1], **POINT}, _p("geometry"))),
    ("S_INTERSECTS(geometry, POINT Z(7.02 49.92 300))", _op("s_intersects", _p("geometry"), {"type": "Point", "coordinates": [7.02, 49.92, 300]})),
    ("S_WITHIN(POLYGON((0 0,1 0,1 1,0 1,0 0)), geometry)", _op("s_within", SQUARE, _p("geometry"))),
    ("S_CROSSES(geometry, POLYGON((0 0,9 0,9 9,0 9,0 0),(1 1,2 1,2 2,1 1)))", _op("s_crosses", _p("geometry"), HOLED)),
    ("S_TOUCHES(geometry, MULTIPOINT((1 2),(3 4)))", _op("s_touches", _p("geometry"), {"type": "MultiPoint", "coordinates": [[1, 2], [3, 4]]})),
    ("S_CONTAINS(geometry, LINESTRING(1 2,3 4))", _op("s_contains", _p("geometry"), {"type": "LineString", "coordinates": [[1, 2], [3, 4]]})),
    ("S_DISJOINT(geometry, MULTILINESTRING((1 2,3 4),(0 0,1 1)))", _op("s_disjoint", _p("geometry"), {"type": "MultiLineString", "coordinates": [[[1, 2], [3, 4]], [[0, 0], [1, 1]]]})),
    ("S_OVERLAPS(geometry, MULTIPOLYGON(((0 0,1 0,1 1,0 1,0 0))))", _op("s_overlaps", _p("geometry"), {"type": "MultiPolygon", "coordinates": [SQUARE["coordinates"]]})),
    ("S_INTERSECTS(geometry, GEOMETRYCOLLECTION(POINT(7.02 49.92),POLYGON((0 0,1 0,1 1,0 1,0 0))))", _op("s_intersects", _p("geometry"), {"type": "GeometryCollection", "geometries": [POINT, SQUARE]})),
    ("S_EQUALS(geometry, BBOX(-118, 33.8, -117.9, 34))", _op("s_equals", _p("geometry"), {"bbox": [-118, 33.8, -117.9, 34]})),
    ("S_INTERSECTS(geometry, BBOX(1, 2, 0, 3, 4, 9))", _op("s_intersects", _p("geometry"), {"bbox": [1, 2, 0, 3, 4, 9]})),
    ("A_CONTAINS(('a', name), ('b'))", _op("a_contains", ["a", _p("name")], ["b"])),
    ("A_CONTAINEDBY((1, 2), (n, 3))", _op("a_containedBy", [1, 2], [_p("n"), 3])),
    ("A_EQUALS((day), (DATE('1969-07-20')))", _op("a_equals", [_p("day")], [DAY])),
    ("A_OVERLAPS((n + 1, 2), (m))", _op("a_overlaps", [_op("+", _p("n"), 1), 2], [_p("m")])),
    ("n = m + 2 * x - 1", _op("=", _p("n"), _op("-", _op("+", _p("m"), _op("*", 2, _p("x"))), 1))),
    ("x > n ^ 2 / 4 % 3 div 2", _op(">", _p("x"), _op("div", _op("%", _op("/", _op("^", _p("n"), 2), 4), 3), 2))),
    ("-x < 1", _op("<", _op("*", -1, _p("x")), 1)),
    ("fold(name) = fold('Späth')", _op("=", _op("fold", _p("name")), _op("fold", "Späth"))),
    ("year(day) = 1969 AND LENGTH(name) > 3", _op("and", _op("=", _op("year", _p("day")), 1969), _op(">", _op("length", _p("name")), 3))),
    ("distance_m(geometry, POINT(7.02 49.92)) < 1000", _op("<", _op("distance_m", _p("geometry"), POINT), 1000)),
]  # fmt: skip


@pytest.mark.requirement("/req/cql2-text/basic-cql2")
@pytest.mark.requirement(
    "/req/cql2-json/basic-cql2",
    "/req/cql2-json/accent-insensitive-comparison",
    "/req/cql2-json/advanced-comparison-operators",
    "/req/cql2-json/arithmetic",
    "/req/cql2-json/array-functions",
    "/req/cql2-json/basic-spatial-functions",
    "/req/cql2-json/basic-spatial-functions-plus",
    "/req/cql2-json/case-insensitive-comparison",
    "/req/cql2-json/functions",
    "/req/cql2-json/property-property",
    "/req/cql2-json/spatial-functions",
    "/req/cql2-json/temporal-functions",
)
@pytest.mark.parametrize(("text", "tree"), PAIRS, ids=[text for text, _ in PAIRS])
def test_text_and_json_say_the_same(text: str, tree: Any) -> None:
    said, values = read_filter(THINGS, text, "cql2-text", CRS84)
    same, same_values = read_filter(THINGS, json.dumps(tree), "cql2-json", CRS84)
    assert (said, values) == (same, same_values)
    assert [type(value) for value in values.values()] == [type(value) for value in same_values.values()]


@pytest.mark.parametrize("number", [2**53 + 1, -(2**63), 2**63 - 1])
def test_json_reads_whole_numbers_exactly(number: int) -> None:
    _, values = read_filter(THINGS, json.dumps(_op("=", _p("n"), number)), "cql2-json", CRS84)
    assert list(values.values()) == [number]
