"""The boundary and its eight districts, built from shared edges: each vertex of one is a vertex of its neighbour."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from twin_api.layers.musterdorf.chance import Array, generator
from twin_api.layers.musterdorf.plan import ORIGIN, Plan
from twin_api.layers.musterdorf.settlements import DISTRICTS, SECTORS, Settlement

PIECES = 24  # of each edge


@dataclass(frozen=True, slots=True)
class Districts:
    """`shapes` in the order of `DISTRICTS`; `gates` are points of the boundary where roads leave."""

    boundary: Any
    shapes: Array
    gates: Array

    def of(self, points: Array) -> Array:
        """The number of the district in which each point lies."""
        where = np.zeros(len(points), dtype=int)
        inside, district = shapely.STRtree(self.shapes).query(points, predicate="intersects")
        where[inside] = district
        return where


def divide(plan: Plan, places: list[Settlement]) -> Districts:
    chance = generator(plan.seed, "districts")
    starts = [math.radians(low) for low, _ in SECTORS.values()]
    waves = chance.random(4) * 2 * math.pi
    inner, outer, rays = [], [], []
    for number, start in enumerate(starts):
        end = starts[(number + 1) % len(starts)]
        angles = np.linspace(start, end if end > start else end + 2 * math.pi, PIECES + 1)
        inner.append(_ring(angles, places[0].radius_m + 22, waves[:2], 0.03, chance))
        outer.append(_ring(angles, plan.radius_m, waves[2:], 0.07, chance))
    for number, start in enumerate(starts):
        rays.append(_ray(start, inner[number][0], outer[number][0], chance))
    for ring in (inner, outer):
        for number in range(len(ring)):  # the last vertex of an edge is the first of the next
            ring[number][-1] = ring[(number + 1) % len(ring)][0]
    shapes = {"Altstadt": shapely.polygons(np.concatenate([edge[:-1] for edge in inner]))}
    for number, name in enumerate(SECTORS):
        after = rays[(number + 1) % len(rays)]
        ring_ = [rays[number][:-1], outer[number][:-1], after[::-1][:-1], inner[number][::-1]]
        shapes[name] = shapely.polygons(np.concatenate(ring_))
    boundary = shapely.polygons(np.concatenate([edge[:-1] for edge in outer]))
    gates = shapely.points(np.array([outer[number][PIECES // 2] for number in (0, 2, 4, 5)]))
    return Districts(boundary, np.array([shapes[name] for name in DISTRICTS], dtype=object), gates)


def _ring(angles: Array, radius: float, waves: Array, uneven: float, chance: np.random.Generator) -> Array:
    far = radius * (1 + uneven * np.sin(2 * angles + waves[0]) + 0.6 * uneven * np.sin(5 * angles + waves[1]))
    far = far * (1 + chance.uniform(-0.006, 0.006, len(angles)))
    return np.round(np.column_stack([far * np.cos(angles), far * np.sin(angles)]) + ORIGIN, 2)


def _ray(angle: float, start: Array, end: Array, chance: np.random.Generator) -> Array:
    """From the old town to the boundary, swinging a little to both sides."""
    step = np.linspace(0, 1, PIECES + 1)
    swing = math.radians(2.5) * np.sin(math.pi * step) * np.sin(step * 9 + chance.random() * 6)
    swing += np.append(np.append(0, chance.uniform(-0.006, 0.006, PIECES - 1)), 0)
    near, far = (math.hypot(*(point - ORIGIN)) for point in (start, end))
    radius = near + (far - near) * step
    line = np.round(np.column_stack([radius * np.cos(angle + swing), radius * np.sin(angle + swing)]) + ORIGIN, 2)
    line[0], line[-1] = start, end
    return line
