"""The whole town as shapes, before anything is said about them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from twin_api.layers.musterdorf import blocks, districts, fields, houses, parcels, settlements, stream, streets
from twin_api.layers.musterdorf.chance import Array
from twin_api.layers.musterdorf.plan import SMALLEST, Plan


@dataclass(frozen=True, slots=True)
class Town:
    plan: Plan
    places: list[settlements.Settlement]
    districts: districts.Districts
    stream: stream.Stream
    streets: streets.Streets
    lots: parcels.Lots
    wholes: parcels.Wholes
    fields: fields.Fields
    houses: houses.Houses
    market: object
    roads: Array  # the parcels of the roads

    @property
    def kinds(self) -> Array:
        return np.array([place.kind for place in self.places], dtype=object)


def found(seed: int, size: int) -> Town:
    """Lay out a town of about `size` features; below `SMALLEST` it would lack its districts."""
    if size < SMALLEST:
        raise ValueError(f"a town has at least {SMALLEST} features, not {size}")
    plan = Plan(seed, size)
    places = settlements.settle(plan)
    ground = settlements.ground(plan, places)
    brook = stream.dig(plan, places)
    parts = districts.divide(plan, places)
    built, edges = blocks.lay_out(plan, places, ground, brook)
    kinds = np.array([place.kind for place in places], dtype=object)
    role = parcels.roles(plan, built, kinds)
    lots, wholes = parcels.lots(plan, built, role, kinds, ground), parcels.wholes(built, role, kinds, ground)
    net = streets.join(places, streets.build(plan, places, ground, edges, brook), parts.gates)
    outlines = parcels.outlines(built, kinds, ground, places)
    roads = net.only(streets.ROAD)
    strips = shapely.buffer(net.lines[roads], streets.HALF_ROAD_M + 1.5, cap_style="flat", quad_segs=3)
    land = fields.plough(plan, parts.boundary, strips, outlines, brook)
    net = streets.add(
        net, land.tracks, streets.TRACK, np.array([f"Feldweg {number + 1}" for number in range(len(land.tracks))], dtype=object)
    )
    return Town(
        plan, places, parts, brook, net, lots, wholes, land, houses.build(plan, lots, wholes), parcels.market(ground),
        shapely.set_precision(strips, 0.01),
    )  # fmt: skip
