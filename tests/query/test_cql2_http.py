"""`filter`, `filter-lang`, `filter-crs` over HTTP: on published rows alone, by index, page by page."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import quote

import pytest
from pyproj import Transformer

from tests.door.clients import client_as
from tests.query.asked import ask, found, ids, walk
from tests.query.test_injection import TREES
from tests.store.test_pool import run_with_pool
from tests.town.rows import ROWS
from tests.towns import Town
from twin_api.query import page
from twin_api.query.cql2.spatial import SPATIAL
from twin_api.query.crs import COMMON
from twin_api.query.page import Pages
from twin_api.query.window import bind
from twin_api.store.engine import Pool
from twin_api.store.line import LONG
from twin_api.store.twin import Twin

STANDING = [row for row in ROWS["baeume"] if row["status"] == "steht"]
TALL = sum(round(row["hoehe_m"]) > 20 for row in STANDING)  # as citizens see it


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("hoehe_m > 20", TALL),
        ("NOT (hoehe_m > 20)", 41 - TALL),
        ("anzahl = 1 OR anzahl IS NULL", 21),
        ("NOT anzahl = 1", 20),
        ("art < 'B'", 13),
        ("fold(art) LIKE fold('SPATH%')", 1),
        ("hoehe_m - anzahl * 10 BETWEEN 0.25 AND 2.25 AND geschuetzt", 1),
        ("gepflanzt = TIMESTAMP('1960-03-01T23:59:59Z')", 1),
        ("year(gepflanzt) = 1960", 1),
        ("A_CONTAINS((art, 'Esche'), ('Linde'))", sum(row["art"] == "Linde" for row in STANDING)),
        ("S_INTERSECTS(geometry, BBOX(11,49,12,50))", 41),
        ("distance_m(geometry, geometry) = 0", 41),
        ("FALSE", 0),
    ],
)
def test_a_filter_finds_the_items_it_means(town: Town, text: str, number: int) -> None:
    assert len(found(town, filter=text)) == number


def test_a_filter_narrows_together_with_everything_else(town: Town) -> None:
    both = found(town, filter="hoehe_m > 20", art="Linde", datetime="1960-01-01/..", bbox="11,49,12,50")
    wanted = [
        row
        for row in STANDING
        if round(row["hoehe_m"]) > 20 and row["art"] == "Linde" and row["gepflanzt"] and row["gepflanzt"].year >= 1960
    ]
    assert len(both) == len(wanted) > 0


def test_a_filtered_walk_meets_every_item_once(town: Town) -> None:
    whole = ids(found(town, filter="hoehe_m > 20"))
    walked = walk(client_as(town, "citizen"), f"/citizen/collections/baeume/items?limit=3&filter={quote('hoehe_m > 20')}")
    assert ids(walked) == whole
    assert len(set(whole)) == TALL


def test_what_was_printed_is_found_again(town: Town) -> None:
    for feature in found(town)[:4]:
        tree = {"op": "s_equals", "args": [{"property": "geometry"}, feature["geometry"]]}
        assert ids(found(town, filter=json.dumps(tree), **{"filter-lang": "cql2-json"})) == [feature["id"]]
    for feature in found(town, "administration/bauamt", "bauantraege")[:2]:
        tree = {"op": "s_equals", "args": [feature["geometry"], {"property": "geometry"}]}
        same = found(town, "administration/bauamt", "bauantraege", filter=json.dumps(tree), **{"filter-lang": "cql2-json"})
        assert ids(same) == [feature["id"]]


@pytest.mark.parametrize("crs", COMMON, ids=lambda crs: crs.uri.rpartition("/")[2])
def test_coordinates_are_read_in_the_order_of_their_crs(town: Town, crs: Any) -> None:
    lon, lat = found(town)[7]["geometry"]["coordinates"]
    x, y = Transformer.from_crs("OGC:CRS84", crs.srid, always_xy=True).transform(lon, lat)
    d = 0.00002 if crs.srid == 4326 else 2.0
    corners = (x - d, y - d, x + d, y + d)
    if crs.axes_swapped:
        corners = (corners[1], corners[0], corners[3], corners[2])
    text = f"S_WITHIN(geometry, BBOX({','.join(f'{c:.7f}' for c in corners)}))"
    assert ids(found(town, filter=text, **{"filter-crs": crs.uri})) == [found(town)[7]["id"]]


@pytest.mark.parametrize(
    "hidden", ["status", "pate", "vermerk", "baum_nr", "geprueft", "_place", "_feature", "_mercator", "_geometry", "id"]
)
@pytest.mark.parametrize(
    "text",
    [
        "{} = 'a'",
        "{} IS NULL",
        "{}",
        "casei({}) LIKE 'a%'",
        "{} + 1 = 2",
        "S_INTERSECTS({}, POINT(1 2))",
        "T_AFTER({}, DATE('2026-01-01'))",
    ],
)
def test_a_hidden_name_is_as_unknown_as_one_that_never_was(town: Town, hidden: str, text: str) -> None:
    never = "qqq" + hidden.strip("_")
    one, other = (ask(town, filter=text.format(f'"{name}"')) for name in (hidden, never))
    assert one.status_code == 400
    assert one.text == other.text.replace(never, hidden)


def test_a_masked_place_is_filtered_where_it_is_shown(town: Town) -> None:
    """The council sees a manhole in the middle of its cell: nothing that lies elsewhere in the cell finds it."""
    for feature in found(town, "council", "kanalschaechte"):
        lon, lat = feature["geometry"]["coordinates"]
        near, shown = (
            {"op": "s_intersects", "args": [{"property": "geometry"}, {"bbox": [lon + by, lat + by, lon + by + 2e-6, lat + by + 2e-6]}]}
            for by in (2e-6, -1e-6)
        )
        counts = [
            len(found(town, "council", "kanalschaechte", filter=json.dumps(tree), **{"filter-lang": "cql2-json"})) for tree in (near, shown)
        ]
        assert counts[0] == 0 < counts[1]


def test_a_collection_meets_what_one_of_its_parts_meets(town: Town) -> None:
    west, middle, east = sorted(feature["geometry"]["coordinates"][0] for feature in found(town))[:: len(found(town)) // 2][:3]
    parts = [f"BBOX({one},49,{other},50)" for one, other in ((west, middle), (west, east))]  # they overlap
    squares = [f"POLYGON(({x} 49,{y} 49,{y} 50,{x} 50,{x} 49))" for x, y in ((west, middle), (west, east))]
    met = ids(found(town, filter=f"S_INTERSECTS(geometry, {parts[0]}) OR S_INTERSECTS(geometry, {parts[1]})"))
    both = f"GEOMETRYCOLLECTION({','.join(squares)},POINT({east} 49))"
    assert ids(found(town, filter=f"S_INTERSECTS(geometry, {both})")) == ids(found(town, filter=f"S_INTERSECTS({both}, geometry)")) == met
    assert sorted(ids(found(town, filter=f"S_DISJOINT(geometry, {both})")) + met) == sorted(ids(found(town)))
    assert len(met) > 20


@pytest.mark.parametrize("op", sorted(SPATIAL.keys() - {"s_disjoint"}))
@pytest.mark.parametrize("sides", ["geometry, {}", "{}, geometry"])
def test_a_place_is_looked_up_in_the_index(town: Town, op: str, sides: str) -> None:
    """Its condition is one that GiST answers: with other ways forbidden, the plan names the index."""
    plan = plan_of(town, f"{op}({sides.format('BBOX(11.38,49.62,11.39,49.63)')})")
    assert "_mercator on t_" in plan or "using t_" in plan
    assert "Index Cond: (_mercator && " in plan


def test_what_is_far_from_a_place_is_disjoint_without_being_computed(town: Town) -> None:
    plan = plan_of(town, "s_disjoint(geometry, BBOX(11.38,49.62,11.39,49.63))")
    assert re.search(r"\(NOT \(_mercator && \S+\)\) OR \(NOT .*st_intersects", plan)


def plan_of(town: Town, text: str) -> str:
    statement = Pages(TREES, bind(TREES, [("filter", text)])).statement("citizen")
    with town.login("citizen") as connection:
        connection.execute("SET enable_seqscan = off")
        return "\n".join(row[0] for row in connection.execute(f"EXPLAIN {statement.sql}".encode(), statement.params).fetchall())


def test_filters_push_out_each_other_and_nothing_else(town: Town) -> None:
    """However many filters are asked, what is kept of them has a bound, and what is often asked stays."""
    plain = page._compile.cache_info().currsize
    for number in range(30):
        Pages(
            TREES,
            bind(
                TREES, [("filter", " OR ".join(f"a_integer = {n}" for n in range(number % 10 + 1)) + " AND a_number > 1" * (number // 10))]
            ),
        ).statement("citizen")
    assert page._compile.cache_info().currsize == plain
    assert 30 <= page._compile_own.cache_info().currsize <= (page._compile_own.cache_info().maxsize or 0) == 256


def test_a_filter_that_comes_again_is_prepared_unless_it_is_long(town: Town) -> None:
    """What PostgreSQL keeps of a statement grows with its text: a client must not fill its memory with thousands of long ones."""
    short = "art = 'Linde' OR hoehe_m > 20"
    long = " AND ".join(["fold(fold(fold('a'))) = fold(fold(fold(art)))"] * 6)

    async def use(pool: Pool) -> dict[str, int]:
        twin = Twin("citizen", pool)
        trees = await twin.collection("baeume")
        asked = {text: Pages.of(trees, [("filter", text)]) for text in (short, long)}
        for _ in range(8):
            for query in asked.values():
                await twin.page(query)
        texts = [row[0].decode() for row in await pool.rows("SELECT statement FROM pg_prepared_statements", {})]
        assert max(map(len, texts)) <= LONG
        return {text: len(query.statement(twin.schema).sql) for text, query in asked.items()}

    lengths = run_with_pool(town, use)
    assert lengths[short] < LONG < lengths[long]
