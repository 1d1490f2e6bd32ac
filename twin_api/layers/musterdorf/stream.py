"""The stream that crosses the town, the heights of the ground on both sides of it, and how far its flood reaches."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely

from twin_api.layers.musterdorf.chance import Array, generator
from twin_api.layers.musterdorf.plan import ORIGIN, Plan
from twin_api.layers.musterdorf.settlements import Settlement

PASSES: Final = (("Oberdorf", 0.15), ("Siedlung", 0.62), ("Altstadt", 0.6), ("Süd", 0.62), ("Mühlbach", 0.15))
SPRING_M: Final = 338.0  # above sea level (DHHN2016)
STATION_M: Final = 20.0


@dataclass(frozen=True, slots=True)
class Stream:
    """`axis` runs downstream in EPSG:25832; `reach` is how wide the plain is at each of its vertices, as a factor around one."""

    axis: Any
    reach: Array

    def away_m(self, points: Array) -> Array:
        distance: Array = shapely.distance(self.axis, points)
        return distance

    def height_m(self, points: Array) -> Array:
        """Height of the ground: the valley falls with the stream and rises on both of its sides."""
        along = shapely.line_locate_point(self.axis, points)
        away = self.away_m(points)
        x, y = shapely.get_x(points) - ORIGIN[0], shapely.get_y(points) - ORIGIN[1]
        rolling = 2.5 * np.sin(x / 430) * np.cos(y / 510) * (1 - np.exp(-away / 300))
        height: Array = SPRING_M - 0.0022 * along + 70 * (1 - np.exp(-away / 2_600)) + rolling
        return height

    def reach_at(self, points: Array) -> Array:
        """The plain's factor where the stream is nearest."""
        vertex = np.minimum((shapely.line_locate_point(self.axis, points) / STATION_M).astype(int), len(self.reach) - 1)
        reach: Array = self.reach[vertex]
        return reach


def dig(plan: Plan, places: list[Settlement]) -> Stream:
    """From the hills behind Oberdorf past the old town to the boundary behind Mühlbach."""
    named = {place.name: place for place in reversed(places)}
    corners = [_polar(plan.radius_m * 1.15, 57), _polar(plan.radius_m * 0.85, 44)]
    for name, beside in PASSES:
        place = named[name]
        corners.append(_beside(place, beside))
    corners += [_polar(plan.radius_m * 0.9, 241), _polar(plan.radius_m * 1.15, 232)]
    course = _smooth(np.array(corners))
    chance = generator(plan.seed, "stream")
    length = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(course, axis=0).T))])
    stations = np.arange(0, length[-1], STATION_M)
    line = np.column_stack([np.interp(stations, length, course[:, axis]) for axis in (0, 1)])
    across = np.gradient(line, axis=0)[:, ::-1] * (-1, 1)
    across /= np.hypot(*across.T)[:, None]
    first, second, third, fourth = chance.random(4) * 2 * math.pi
    meander = 16 * np.sin(stations / 85 + first) + 7 * np.sin(stations / 37 + second)
    reach = 1 + 0.38 * np.sin(stations / 310 + third) + 0.2 * np.sin(stations / 120 + fourth)
    return Stream(shapely.linestrings(np.round(line + across * meander[:, None] + ORIGIN, 2)), reach)


def _beside(place: Settlement, beside: float) -> tuple[float, float]:
    """A point south-east of a settlement's middle, this share of its radius away."""
    if place.name == "Siedlung":
        return place.x - 0.2 * place.radius_m, place.y + beside * place.radius_m
    if place.name == "Süd":
        return place.x - 0.75 * beside * place.radius_m, place.y + 0.55 * beside * place.radius_m
    return place.x + 0.5 * beside * place.radius_m, place.y - 0.85 * beside * place.radius_m


def _polar(radius: float, degrees: float) -> tuple[float, float]:
    return radius * math.cos(math.radians(degrees)), radius * math.sin(math.radians(degrees))


def _smooth(corners: Array) -> Array:
    """Cut the corners again and again (Chaikin 1974); the ends stay."""
    for _ in range(5):
        early, late = 0.75 * corners[:-1] + 0.25 * corners[1:], 0.25 * corners[:-1] + 0.75 * corners[1:]
        cut = np.stack([early, late], axis=1).reshape(-1, 2)
        corners = np.concatenate([corners[:1], cut, corners[-1:]])
    return corners
