"""The generated Musterdorf: a market, streets in blocks around it, fields, a wood and a pond. No place of the real world."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from shapely.geometry import LineString, MultiPolygon, Polygon

from twin_api.layers.musterdorf import inspections, manholes
from twin_api.layers.musterdorf.chance import between, draw, pick
from twin_api.layers.musterdorf.layers import Row, sheet
from twin_api.layers.musterdorf.sheet import Cell

ORIGIN: Final = (678_000.0, 5_540_000.0)  # EPSG:25832, the fountain on the market square
BLOCK_M: Final = (92.0, 70.0)  # from street to street, along and across
STREET_M: Final = 9.0
BLOCKS: Final = 4  # on each side of the market, so eight by eight
ALONG: Final = (
    "Lerchenweg", "Schulstraße", "Bachgasse", "Untere Marktstraße", "Marktstraße", "Obere Marktstraße", "Ringstraße",
    "Gartenweg", "Höhenweg",
)  # fmt: skip
ACROSS: Final = (
    "Am Anger", "Mühlgasse", "Kirchgasse", "Badgasse", "Hauptstraße", "Torgasse", "Brunnenweg", "Lindenstraße", "Ostring",
)  # fmt: skip
TRACKS: Final = ("Wiesenweg", "Steinbruchweg", "Alte Poststraße", "Forstweg", "Mühlweg", "Weiherweg", "Flurbereinigungsweg")
MARKET: Final = {(-1, 0): ("Rathaus", "townhall", "public"), (0, 0): ("Pfarrkirche St. Muster", "place_of_worship", "church")}
LANDMARKS: Final = {
    (-3, 1): ("Grundschule Musterdorf", "school", "school"),
    (2, -2): ("Feuerwehrhaus", "fire_station", "public"),
    (1, 1): ("Gasthof zum Muster", "restaurant", "commercial"),
    (-2, -2): ("Kindergarten Regenbogen", "kindergarten", "public"),
    (3, -4): ("Bauhof", None, "industrial"),
}
AROUND: Final[tuple[tuple[tuple[float, float, float, float], str | None, dict[str, str]], ...]] = (  # in blocks: left, low, right, high
    ((-7.0, 4.2, -1.0, 8.0), "Musterholz", {"nutzung": "forest", "natur": "wood"}),
    ((-0.9, 4.2, 3.0, 7.0), None, {"nutzung": "farmland"}),
    ((3.1, 4.2, 7.0, 7.0), None, {"nutzung": "meadow"}),
    ((4.2, -0.4, 7.0, 4.1), None, {"nutzung": "farmland"}),
    ((4.2, -4.2, 7.0, -0.5), "Gewerbegebiet Ost", {"nutzung": "industrial"}),
    ((-7.0, -7.0, 0.0, -4.2), None, {"nutzung": "meadow"}),
    ((0.2, -6.2, 2.2, -4.6), "Dorfweiher", {"natur": "water"}),
    ((2.4, -6.2, 4.1, -4.6), "Sportplatz", {"freizeit": "pitch"}),
    ((-7.0, -4.1, -4.2, 0.5), None, {"nutzung": "farmland"}),
    ((-7.0, 0.6, -4.2, 4.1), "Streuobst am Anger", {"nutzung": "orchard"}),
)


def write_generated(folder: Path, seed: int = 7) -> dict[str, Path]:
    """Write the four sample layers as GeoPackages; the same seed writes the same features."""
    folder.mkdir(parents=True, exist_ok=True)
    streets = list(_streets(seed))
    with_sewer = [line for line, row in streets if row["art"] != "track"]
    rows = {
        "gebaeude": _buildings(seed),
        "strassen": streets,
        "landnutzung": _areas(seed),
        "kanalschaechte": manholes.along(with_sewer, every_m=68, apart_m=25),
    }
    return {layer: sheet(layer, features).write(folder) for layer, features in rows.items()}


def ground(u: float, v: float, seed: int) -> tuple[float, float]:
    """From town metres (`u` along the market, `v` across, 0/0 at the fountain) to EPSG:25832: turned and gently bent."""
    bend = 14 * math.sin(u / 260 + seed) + 4 * math.sin(v / 90)
    turn = math.radians(8 + seed % 5)
    x, y = u + 9 * math.sin(v / 210 + seed), v + bend
    return (
        round(ORIGIN[0] + x * math.cos(turn) - y * math.sin(turn), 2),
        round(ORIGIN[1] + x * math.sin(turn) + y * math.cos(turn), 2),
    )


def _streets(seed: int) -> Iterator[Row]:
    reach_u, reach_v = BLOCKS * BLOCK_M[0], BLOCKS * BLOCK_M[1]
    for number, name in enumerate(ALONG):
        v = (number - BLOCKS) * BLOCK_M[1]
        yield _street(seed, f"a{number}", name, [(u, v) for u in _steps(-reach_u, reach_u)])
    for number, name in enumerate(ACROSS):
        u = (number - BLOCKS) * BLOCK_M[0]
        yield _street(seed, f"q{number}", name, [(u, v) for v in _steps(-reach_v, reach_v)])
    for number, name in enumerate(TRACKS):
        angle = 2 * math.pi * (number + 0.35) / len(TRACKS)
        u, v = reach_u * _square(math.cos(angle)), reach_v * _square(math.sin(angle))
        yield _street(seed, f"w{number}", name, [(u * far, v * far) for far in (1.0, 1.2, 1.4, 1.65)], "track")


def _street(seed: int, mark: str, name: str, line: list[tuple[float, float]], art: str | None = None) -> Row:
    way = f"muster-s-{mark}"
    kinds = {"Marktstraße": "tertiary", "Hauptstraße": "secondary"}
    row: dict[str, Cell] = {"osm_id": way, "name": name, "art": art or kinds.get(name, "residential")}
    return LineString([ground(u, v, seed) for u, v in line]), {**row, **inspections.of_road(f"{seed}/{way}")}


def _buildings(seed: int) -> Iterator[Row]:
    for i, j in _blocks():
        landmark = MARKET.get((i, j)) or LANDMARKS.get((i, j))
        if landmark:
            yield _landmark(seed, i, j, landmark)
        if (i, j) in MARKET:
            continue
        far = math.hypot(i + 0.5, j + 0.5) / (BLOCKS * math.sqrt(2))
        for plot in range(8):
            if draw(f"{seed}/{i}/{j}/{plot}", "built") < 0.92 - 0.6 * far and not (landmark and plot < 4):
                yield _house(seed, i, j, plot)


def _landmark(seed: int, i: int, j: int, landmark: tuple[str, str | None, str]) -> Row:
    """A wing around a courtyard, kept as a relation in the manner of OpenStreetMap: `osm_id` instead of `osm_way_id`."""
    name, use, art = landmark
    u, v = i * BLOCK_M[0] + 22, j * BLOCK_M[1] + 10
    wings = Polygon(_box(u, v, 44, 22, seed), [_box(u + 12, v + 8, 20, 7, seed)])
    key = f"muster-r-{i + BLOCKS}{j + BLOCKS}"
    row: dict[str, Cell] = {"osm_id": key, "name": name, "art": art, "nutzung": use}
    return MultiPolygon([wings]), {**row, **inspections.of_building(f"{seed}/{key}")}


def _house(seed: int, i: int, j: int, plot: int) -> Row:
    """Plots 0 to 3 stand on the block's lower street, 4 to 7 on its upper one."""
    mark = f"{i + BLOCKS}{j + BLOCKS}{plot}"
    key = f"{seed}/{mark}"
    wide, deep, back = between(key, "wide", 9, 15), between(key, "deep", 9, 13), between(key, "back", 2, 7)
    u = i * BLOCK_M[0] + STREET_M + (plot % 4) * 19 + between(key, "aside", 0, 3)
    v = j * BLOCK_M[1] + (STREET_M / 2 + back if plot < 4 else BLOCK_M[1] - STREET_M / 2 - back - deep)
    shape = _ell(u, v, wide, deep, seed) if draw(key, "ell") < 0.25 else Polygon(_box(u, v, wide, deep, seed))
    way = f"muster-g-{mark}"
    row: dict[str, Cell] = {"osm_way_id": way, "art": pick(key, "art", ("house", "house", "residential", "yes", "yes", "farm", "garage"))}
    return MultiPolygon([shape]), {**row, **inspections.of_building(f"{seed}/{way}")}


def _areas(seed: int) -> Iterator[Row]:
    for i, j in _blocks():
        u, v, half = i * BLOCK_M[0], j * BLOCK_M[1], STREET_M / 2
        shape = Polygon(_box(u + half, v + half, BLOCK_M[0] - STREET_M, BLOCK_M[1] - STREET_M, seed))
        kind = {"nutzung": "retail" if (i, j) in MARKET else "grass" if i + j > 5 else "residential"}
        yield _area(f"b{i + BLOCKS}{j + BLOCKS}", "Marktplatz" if (i, j) in MARKET else None, kind, shape)
    for number, ((left, low, right, high), name, kind) in enumerate(AROUND):
        u, v = left * BLOCK_M[0], low * BLOCK_M[1]
        corners = _box(u, v, (right - left) * BLOCK_M[0], (high - low) * BLOCK_M[1], seed)
        yield _area(f"u{number}", name, kind, Polygon(corners))


def _area(mark: str, name: str | None, kind: dict[str, str], shape: Polygon) -> Row:
    return MultiPolygon([shape]), {"osm_way_id": f"muster-l-{mark}", "name": name, **kind}


def _blocks() -> Iterator[tuple[int, int]]:
    return ((i, j) for i in range(-BLOCKS, BLOCKS) for j in range(-BLOCKS, BLOCKS))


def _box(u: float, v: float, wide: float, deep: float, seed: int) -> list[tuple[float, float]]:
    return [ground(u + a, v + b, seed) for a, b in ((0, 0), (wide, 0), (wide, deep), (0, deep), (0, 0))]


def _ell(u: float, v: float, wide: float, deep: float, seed: int) -> Polygon:
    corners = ((0, 0), (wide, 0), (wide, deep), (wide * 0.55, deep), (wide * 0.55, deep * 0.6), (0, deep * 0.6), (0, 0))
    return Polygon([ground(u + a, v + b, seed) for a, b in corners])


def _steps(low: float, high: float, every_m: float = 23.0) -> list[float]:
    return [low + n * (high - low) / round((high - low) / every_m) for n in range(round((high - low) / every_m) + 1)]


def _square(value: float) -> float:
    """Push a point of the circle out towards the town's rectangle."""
    return max(-1.0, min(1.0, value * 1.35))
