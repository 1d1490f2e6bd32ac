"""The small map of a page: all its items where they are, each leading to its page, from nothing but the page, at a bounded cost."""

from __future__ import annotations

import math
import random
import re
from typing import Any

import pytest
import shapely
from shapely.geometry import mapping, shape

from tests.blocks.test_pages import ROLES, Page
from tests.door.clients import client_as, client_of
from tests.towns import Town
from twin_api.encodings.drawing import WIDTH, Map, draw
from twin_api.encodings.ground import CRS84, Ground
from twin_api.encodings.outlines import MOST

Geometry = dict[str, Any]
EPSG = "http://www.opengis.net/def/crs/EPSG/0/"


def paths_of(drawn: Map) -> list[str]:
    return [path for shape in drawn.shapes for path in (shape.areas, shape.lines, shape.dots)]


def read(path: str) -> list[list[tuple[int, int]]]:
    """The points of an SVG path as we write it."""
    found = []
    for part in re.findall(r"M[^M]+", path):
        x, y, *steps = map(int, re.findall(r"-?\d+", part.replace("h0", "")))
        points = [(x, y)]
        for right, down in zip(steps[::2], steps[1::2], strict=True):
            points.append((points[-1][0] + right, points[-1][1] + down))
        found.append(points)
    return found


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("language", ["de", "en"])
def test_every_item_with_a_place_is_on_the_map_and_leads_to_its_page(town: Town, role: str, language: str) -> None:
    client = client_as(town, role)
    for collection in client.get(f"/{role}/collections").json()["collections"]:
        items = f"/{role}/collections/{collection['id']}/items?limit=20"
        features = client.get(items).json()["features"]
        placed = {feature["id"] for feature in features if feature["geometry"]}
        page = Page(client.get(f"{items}&f=html", headers={"Accept-Language": language}).text)
        hrefs = re.findall(r'<a href="([^"]+)"><title>', client.get(f"{items}&f=html").text)
        assert sorted(href.rpartition("/")[2] for href in hrefs) == sorted(f"{id}?f=html" for id in placed)
        assert len(page.all("svg")) == (1 if placed else 0)
        for svg in page.all("svg"):
            assert svg["role"] == "group"
            assert page.texts["title"][1] == f"{'Karte' if language == 'de' else 'Map'}: {page.texts['h1'][0]}"
            assert {title[:8] for title in page.texts["title"][2:]} == {id[:8] for id in placed}
            assert {svg["aria-labelledby"], svg["aria-describedby"]} <= {str(attributes.get("id")) for _, attributes in page.tags}
        if unplaced := len(features) - len(placed):
            assert f"{unplaced} {'ohne Lage' if language == 'de' else 'without a place'}" in page.text


@pytest.mark.parametrize("role", ROLES)
def test_an_item_is_shown_on_a_map_of_its_own(town: Town, role: str) -> None:
    client = client_as(town, role)
    for collection in client.get(f"/{role}/collections").json()["collections"]:
        feature = client.get(f"/{role}/collections/{collection['id']}/items?limit=1").json()["features"][0]
        page = Page(client.get(f"/{role}/collections/{collection['id']}/items/{feature['id']}?f=html").text)
        assert [svg["role"] for svg in page.all("svg")] == (["img"] if feature["geometry"] else [])


def test_a_map_is_the_same_in_every_coordinate_system(town: Town) -> None:
    places = {}
    for crs in ("", f"&crs={EPSG}4326", f"&crs={EPSG}3857", f"&crs={EPSG}25832"):
        text = client_of(town).get(f"/citizen/collections/baeume/items?limit=40&f=html{crs}").text
        drawn = re.findall(r'/items/([0-9a-f-]+)\?f=html"><title>[^<]*</title>\s*<path class="dot" d="M(\d+) (\d+)h0"/>', text)
        places[crs] = {id: (int(x), int(y)) for id, x, y in drawn}
        assert places[crs].keys() == places[""].keys() != set()
        # UTM's north is not quite that of the map
        assert all(math.dist(places[crs][id], place) < 0.05 * WIDTH for id, place in places[""].items()), crs
        assert 'class="bar"' in text
    assert places[""] == places[f"&crs={EPSG}4326"]


def test_north_is_up_and_the_bar_is_as_long_as_it_says() -> None:
    south, north = ({"type": "Point", "coordinates": [11.5, lat]} for lat in (49.5, 49.5 + 2000 / 111_320))
    drawn = draw([south, north], CRS84, "de")
    assert drawn is not None
    assert drawn.bar is not None
    ((_, y_south),), ((_, y_north),) = (read(shape.dots)[0] for shape in sorted(drawn.shapes, key=lambda shape: shape.item))
    amount, unit = drawn.bar.label.split()
    assert (y_south - y_north) / drawn.bar.length == pytest.approx(2000 / (int(amount) * {"m": 1, "km": 1000}[unit]), rel=0.02)
    # sixty degrees north a metre of Web Mercator is half a metre of ground
    mercator = draw([{"type": "Point", "coordinates": [0, y]} for y in (8_399_000, 8_401_000)], Ground("mercator"), "de")
    assert mercator is not None
    assert mercator.bar is not None
    (_, y_north), (_, y_south) = sorted((read(shape.dots)[0][0] for shape in mercator.shapes), key=lambda place: place[1])
    assert (y_south - y_north) / mercator.bar.length == pytest.approx(1000 / int(mercator.bar.label.split()[0]), rel=0.02)


def test_lines_of_the_grid_stand_where_they_say() -> None:
    drawn = draw([{"type": "MultiPoint", "coordinates": [[-0.4, 10.0], [0.4, 10.4], [0.0, 10.2]]}], CRS84, "de")
    assert drawn is not None
    labels = {line.label: line for line in drawn.grid}
    assert {"0,4° W", "0,0° O"} <= labels.keys()
    places = {place for part in read(drawn.shapes[0].dots) for place in part}
    assert (labels["0,0° O"].at, labels["10,2° N"].at) in places
    assert labels["0,4° W"].at in {x for x, _ in places}
    english = draw([{"type": "Point", "coordinates": [11.5, 49.5]}], CRS84, "en")
    assert english is not None
    assert all(re.fullmatch(r"\d+\.\d+° [NE]", line.label) for line in english.grid)


def test_an_outline_passes_by_no_point_that_could_be_seen() -> None:
    chance = random.Random(7)
    ring = [
        [11 + 0.1 * math.cos(a) * r, 49.5 + 0.1 * math.sin(a) * r]
        for a, r in ((i / 500 * math.tau, 0.7 + 0.3 * chance.random()) for i in range(500))
    ]
    whole: Geometry = {"type": "Polygon", "coordinates": [[*ring, ring[0]], [[11.01, 49.5], [10.99, 49.49], [10.99, 49.51], [11.01, 49.5]]]}
    drawn = draw([whole], CRS84, "de")
    assert drawn is not None
    west, south, east, north = shape(whole).bounds
    rings = read(drawn.shapes[0].areas)
    assert len(rings) == 2
    xs, ys = zip(*rings[0], strict=True)
    by_east, by_north = (max(xs) - min(xs)) / (east - west), (max(ys) - min(ys)) / (north - south)
    moved = shapely.transform(shape(whole), lambda p: (p - [west, north]) * [by_east, -by_north] + [min(xs), min(ys)])
    assert shapely.hausdorff_distance(moved.boundary, shapely.Polygon(rings[0], rings[1:]).boundary) < 3  # a pixel is three units at least


@pytest.mark.parametrize(
    "crossing", ["Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon", "GeometryCollection"]
)
def test_every_type_of_geometry_is_drawn_with_heights_and_without(crossing: str) -> None:
    square = shapely.box(11, 49, 11.01, 49.01)
    every = {
        "Point": square.centroid, "LineString": shapely.LineString([(11, 49), (11.01, 49.01)]), "Polygon": square, "MultiPoint": shapely.MultiPoint([(11, 49), (11.01, 49.01)]),
        "MultiLineString": shapely.MultiLineString([[(11, 49), (11.01, 49.01)], [(11, 49.01), (11.01, 49)]]), "MultiPolygon": shapely.MultiPolygon([square]),
    }  # fmt: skip
    geometry = every.get(crossing) or shapely.GeometryCollection(
        [every["Point"], shapely.GeometryCollection([every["LineString"], square])]
    )
    flat, tall = (
        draw([mapping(one), None, {"type": "MultiPolygon", "coordinates": []}], CRS84, "de")
        for one in (geometry, shapely.force_3d(geometry, 7))
    )
    assert flat is not None
    assert flat == tall
    assert (flat.placed, flat.unplaced) == (1, 2)
    (only,) = flat.shapes
    assert [bool(path) for path in (only.areas, only.lines, only.dots)] == [
        crossing.endswith(("Polygon", "Collection")),
        crossing.endswith(("LineString", "Collection")),
        crossing.endswith(("Point", "Collection")),
    ]


def test_what_is_too_small_to_be_hit_has_a_target_of_24_pixels(town: Town) -> None:
    far: Geometry = {"type": "Point", "coordinates": [11.1, 49]}
    small, large = (mapping(shapely.box(11, 49, 11 + width, 49 + width)) for width in (0.001, 0.05))
    drawn = draw([small, far, large], CRS84, "de")
    assert drawn is not None
    targets = {shape.item: bool(shape.target) for shape in drawn.shapes}
    assert targets == {0: True, 1: True, 2: False}
    assert [shape.item for shape in drawn.shapes] == [2, 0, 1]  # the small ones lie above
    text = client_of(town).get("/citizen/collections/baeume/items?f=html").text
    assert ".target { stroke: transparent; stroke-width: 24px; }" in text
    assert "vector-effect: non-scaling-stroke" in text
    assert len(re.findall(r'<path class="target"', text)) == len(re.findall(r'<path class="dot"', text)) == 10


def huge(chance: random.Random) -> dict[str, list[Geometry]]:
    def noise(count: int) -> list[list[float]]:
        return [[chance.random(), chance.random()] for _ in range(count)]

    def island() -> list[list[list[float]]]:
        x, y = chance.random(), chance.random()
        return [[[x, y], [x + 1e-5, y], [x, y + 1e-5], [x, y]]]

    return {
        "noise": [{"type": "Polygon", "coordinates": [noise(30_000)]}],
        "points": [{"type": "MultiPoint", "coordinates": noise(30_000)}],
        "islands": [{"type": "MultiPolygon", "coordinates": [island() for _ in range(20_000)]}],
        "spiral": [{"type": "LineString", "coordinates": [[r * math.cos(r * 300), r * math.sin(r * 300)] for r in (i / 40_000 for i in range(40_000))]}],
        "many": [{"type": "LineString", "coordinates": noise(300)} for _ in range(200)],
        "a large one among small ones": [{"type": "LineString", "coordinates": noise(40_000)}, *({"type": "LineString", "coordinates": noise(20)} for _ in range(199))],
        "nothing but a place": [{"type": "LineString", "coordinates": [[0.5, 0.5]] * 30_000}],
    }  # fmt: skip


@pytest.mark.parametrize("name", huge(random.Random(0)))
def test_whatever_a_page_holds_its_map_stays_small(name: str) -> None:
    seed = random.randrange(1_000_000)
    print("seed", seed)
    geometries = huge(random.Random(seed))[name]
    drawn = draw(geometries, CRS84, "de")
    assert drawn is not None
    assert drawn.placed == len(geometries)
    points = [place for path in paths_of(drawn) for part in read(path) for place in part]
    assert len(points) <= MOST + 5 * len(geometries)
    assert sum(len(path) + len(shape.target) for path, shape in zip(paths_of(drawn)[::3], drawn.shapes, strict=True)) < 150_000
    assert all(0 <= x <= WIDTH and 0 <= y <= drawn.height for x, y in points)
    if name != "nothing but a place":  # all that there is to see is still where it was
        assert max(x for x, _ in points) - min(x for x, _ in points) > 0.5 * WIDTH


def test_a_map_of_nowhere_is_none() -> None:
    assert draw([], CRS84, "de") is None
    assert draw([None, {"type": "GeometryCollection", "geometries": []}, {"type": "Point", "coordinates": []}], CRS84, "de") is None
    for edge in ([180, 90], [-180, -90], [0, 0]):
        drawn = draw([{"type": "Point", "coordinates": edge}], CRS84, "de")
        assert drawn is not None
        assert drawn.placed == 1
