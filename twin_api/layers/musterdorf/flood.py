"""The flood of a hundred years (HQ100): how deep the water stands along the stream, and which buildings stand in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely

from twin_api.layers.musterdorf.buildings import Buildings
from twin_api.layers.musterdorf.chance import Array, generator, numbers
from twin_api.layers.musterdorf.shapes import multi
from twin_api.layers.musterdorf.sheet import Sheet, integer, number, text
from twin_api.layers.musterdorf.town import Town

DEPTHS: Final = (  # name, from and to in metres, share of the plain's width
    ("ueber_2m", 2.0, 3.5, 0.2), ("bis_2m", 1.0, 2.0, 0.45), ("bis_1m", 0.5, 1.0, 0.72), ("bis_0_5m", 0.05, 0.5, 1.0),
)  # fmt: skip
NARROWEST_M: Final = 22.0


@dataclass(frozen=True, slots=True)
class Flood:
    """Shapes that do not overlap; `depth` numbers `DEPTHS`."""

    shapes: Array
    depth: Array


def flood(town: Town) -> Flood:
    """As wide as it takes to reach about as many buildings as the plan says."""
    middles = shapely.points(town.houses.middle)
    factors = np.sort(town.stream.away_m(middles) / town.stream.reach_at(middles))
    width = max(float(factors[min(town.plan.count("hochwasser_gebaeude"), len(factors) - 1)]), NARROWEST_M)
    stretches = _stretches(town)
    shapes, depths, inside = list[Any](), list[int](), None
    for depth, (_, _, _, share) in enumerate(DEPTHS):
        region = _region(town, width * share)
        ring = region if inside is None else shapely.difference(region, inside, grid_size=0.01)
        for piece in shapely.intersection(ring, stretches, grid_size=0.01):
            parts = shapely.get_parts(piece)
            parts = parts[(shapely.get_type_id(parts) == 3) & (shapely.area(parts) > 1)]
            if len(parts):
                shapes.append(shapely.multipolygons(parts))
                depths.append(depth)
        inside = region
    return Flood(np.array(shapes, dtype=object), np.array(depths))


def _region(town: Town, width_m: float) -> Any:
    axis = shapely.get_coordinates(town.stream.axis)
    segments = shapely.linestrings(np.stack([axis[:-1], axis[1:]], axis=1))
    reach = (town.stream.reach[:-1] + town.stream.reach[1:]) / 2
    whole = shapely.union_all(shapely.buffer(segments, np.maximum(width_m * reach, 5.0), quad_segs=6))
    return shapely.intersection(shapely.simplify(whole, 0.3), town.districts.boundary, grid_size=0.01)


def _stretches(town: Town) -> Array:
    """The land cut across the stream: each stretch holds what lies nearest to its part of the axis."""
    axis = shapely.points(shapely.get_coordinates(town.stream.axis))
    around = shapely.buffer(town.districts.boundary.envelope, 2_000)
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(axis), extend_to=around))
    cell, vertex = shapely.STRtree(axis).query(cells, predicate="contains")
    inside = np.flatnonzero(shapely.intersects(town.districts.boundary, axis))
    count = max(2, round(town.plan.count("hochwasser_hq100") / len(DEPTHS)))
    stretch = np.clip((vertex - inside[0]) * count // (inside[-1] - inside[0] + 1), 0, count - 1)
    return np.array([shapely.union_all(cells[cell[stretch == number]]) for number in range(count)], dtype=object)


def areas(water: Flood) -> Sheet:
    names, low, high, _ = (np.array(column, dtype=object) for column in zip(*DEPTHS, strict=True))
    deepest = water.depth == 0
    return Sheet("hochwasser_hq100", "MultiPolygon", multi(water.shapes), {
        "flaeche_nr": text(numbers("HQ-{:03d}", len(water.shapes))),
        "tiefe": text(names[water.depth]),
        "tiefe_von_m": number(np.where(water.depth == 3, 0.0, low[water.depth]).astype(float)),
        "tiefe_bis_m": number(high[water.depth].astype(float), ~deepest),
    })  # fmt: skip


def affected(town: Town, water: Flood, buildings: Buildings) -> Sheet:
    """Every building whose middle stands in the water; those who need help most are the first to be fetched."""
    chance = generator(town.plan.seed, "hochwasser_gebaeude")
    middles = shapely.points(town.houses.middle)
    house, area = shapely.STRtree(water.shapes).query(middles, predicate="intersects")
    house, once = np.unique(house, return_index=True)
    depth = water.depth[area[once]]
    low, high = (np.array([entry[column] for entry in DEPTHS])[depth] for column in (1, 2))
    deep = np.round(low + (high - low) * chance.random(len(house)) ** np.where(depth == 0, 2, 1) * 0.98, 2)
    lived = buildings.use[house] == "wohnen"
    people = np.where(lived, 1 + chance.poisson(np.where(buildings.core[house], 3.4, 1.8)), 0)
    help_ = chance.binomial(people, 0.11)
    rank = np.empty(len(house), dtype=int)
    rank[np.lexsort((house, -people, -deep, -help_))] = np.arange(1, len(house) + 1)
    return Sheet("hochwasser_gebaeude", "Point", middles[house], {
        "gebaeude_id": text(buildings.id[house]),
        "adresse": text(buildings.address[house]),
        "tiefe_m": number(deep),
        "bewohner": integer(people),
        "hilfe_noetig": integer(help_),
        "rang": integer(rank),
    })  # fmt: skip
