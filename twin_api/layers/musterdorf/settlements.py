"""The old town, its quarters and the villages around: where they lie, how large they are, and how their streets bend."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from twin_api.layers.musterdorf.chance import Array, generator
from twin_api.layers.musterdorf.plan import ORIGIN, Plan

Kind = Literal["core", "quarter", "village", "trade"]
DISTRICTS: Final = ("Altstadt", "Nord", "Süd", "Oberdorf", "Mühlbach", "Weiler", "Gewerbepark", "Siedlung")
SECTORS: Final[dict[str, tuple[float, float]]] = {  # degrees, anticlockwise from east: from, to
    "Nord": (59, 121), "Gewerbepark": (121, 183), "Weiler": (183, 219), "Mühlbach": (219, 257), "Süd": (257, 319),
    "Siedlung": (319, 381), "Oberdorf": (381, 419),
}  # fmt: skip
BLOCK_M: Final[dict[Kind, tuple[float, float]]] = {  # along and across, from street to street
    "core": (105, 55), "quarter": (186, 75), "village": (180, 84), "trade": (210, 115),
}  # fmt: skip
HALF_STREET_M: Final[dict[Kind, float]] = {"core": 4.0, "quarter": 5.0, "village": 4.5, "trade": 6.5}
LOTS: Final[dict[Kind, float]] = {"core": 15.5, "quarter": 18.5, "village": 16.5, "trade": 6}  # parcels of a block, on average
MAIN: Final[tuple[tuple[str, Kind, float], ...]] = (  # blocks by default
    ("Nord", "quarter", 40), ("Süd", "quarter", 40), ("Siedlung", "quarter", 40), ("Gewerbepark", "trade", 11),
    ("Oberdorf", "village", 13), ("Mühlbach", "village", 13), ("Weiler", "village", 11),
)  # fmt: skip
EXTRA: Final[tuple[tuple[Kind, float], ...]] = (
    ("village", 5), ("village", 4), ("village", 5), ("village", 6), ("quarter", 46), ("village", 9),
    ("quarter", 34), ("village", 6), ("trade", 9),
)  # fmt: skip
GROWTH: Final[dict[Kind, float]] = {"core": 0.5, "quarter": 0.4, "village": 0.25, "trade": 0.4}
MARKET_M: Final = 34.0  # from the fountain to the houses' street
TRIES: Final = 300
WITHIN: Final = 0.87  # of the radius; the boundary is uneven
LOTS_IN_BLOCKS: Final = 3_900


@dataclass(frozen=True, slots=True)
class Settlement:
    """`x` and `y` are metres from the market. Inside, `u` and `v` run along and across the streets (in the core: angle and radius)."""

    name: str
    kind: Kind
    x: float
    y: float
    radius_m: float
    blocks: int


@dataclass(frozen=True, slots=True)
class Ground:
    """Leads from a settlement's own `u` and `v` to EPSG:25832, for all settlements at once."""

    x: Array
    y: Array
    turn: Array
    bends: Array  # six phases and amplitudes for each
    core: Array

    def place(self, settlement: Array, u: Array, v: Array) -> Array:
        """Coordinates, rounded to centimetres, with a last axis of two. INVARIANT: `v` lies to the left of `u`, in the core as well."""
        bend = self.bends[settlement]
        radius = v * (1 + 0.07 * np.sin(2 * u + bend[..., 0]) + 0.025 * np.sin(3 * u + bend[..., 1]))
        east = u + bend[..., 2] * np.sin(v / 190 + bend[..., 0]) + 7 * np.sin(u / 95 + bend[..., 1])
        north = v + bend[..., 3] * np.sin(u / 210 + bend[..., 1]) + 4 * np.sin(u / 70 + bend[..., 0])
        core = self.core[settlement]
        east, north = np.where(core, radius * np.cos(u), east), np.where(core, -radius * np.sin(u), north)
        cos, sin = np.cos(self.turn[settlement]), np.sin(self.turn[settlement])
        x = self.x[settlement] + east * cos - north * sin
        y = self.y[settlement] + east * sin + north * cos
        return np.round(np.stack([ORIGIN[0] + x, ORIGIN[1] + y], axis=-1), 2)


def settle(plan: Plan) -> list[Settlement]:
    """The core first; none lies over another."""
    scale = plan.scale
    growth = {kind: scale ** (power if scale > 1 else 1.0) for kind, power in GROWTH.items()}
    core = max(4, round(36 * growth["core"]))
    places = [Settlement("Altstadt", "core", 0.0, 0.0, MARKET_M + math.sqrt(core * 5_800 / math.pi) + 12, core)]
    for name, kind, blocks in MAIN:
        number = max(2, round(blocks * growth[kind]))
        radius = _radius(kind, number)
        touching = max(places[0].radius_m + radius + 60, radius / 0.47)
        far = touching if kind != "village" else max(0.62 * plan.radius_m, 1.9 * places[0].radius_m + radius)
        angle = math.radians(sum(SECTORS[name]) / 2)
        places.append(Settlement(name, kind, far * math.cos(angle), far * math.sin(angle), radius, number))
    _settle_more(plan, places, growth)
    return places


def _settle_more(plan: Plan, places: list[Settlement], growth: dict[Kind, float]) -> None:
    """Hamlets and, in a larger town, further quarters, until there are blocks enough for all parcels or no room is left."""
    chance = generator(plan.seed, "settlements")
    missing = LOTS_IN_BLOCKS * plan.scale - sum(place.blocks * LOTS[place.kind] for place in places)
    failures = number = 0
    while missing > 1.5 * LOTS["village"] and failures < len(EXTRA):
        kind, blocks = EXTRA[number % len(EXTRA)]
        wanted = min(max(3, round(blocks * growth[kind])), math.ceil(missing / LOTS[kind]))
        place = _find_room(plan, places, kind, wanted, chance)
        if place is not None:
            places.append(place)
            missing -= wanted * LOTS[kind]
        failures = 0 if place is not None else failures + 1
        number += 1


def _find_room(plan: Plan, places: list[Settlement], kind: Kind, blocks: int, chance: np.random.Generator) -> Settlement | None:
    radius = _radius(kind, blocks)
    for attempt in range(TRIES):
        far = plan.radius_m * (0.3 + 0.53 * chance.random() ** (1.3 if kind == "quarter" else 0.7))
        angle = chance.random() * 2 * math.pi
        x, y = far * math.cos(angle), far * math.sin(angle)
        gap = 70 if attempt > TRIES / 2 else 180
        inside = far + radius < WITHIN * plan.radius_m
        if inside and all(math.hypot(x - other.x, y - other.y) > radius + other.radius_m + gap for other in places):
            return Settlement(_district(angle), kind, x, y, radius, blocks)
    return None


def ground(plan: Plan, places: list[Settlement]) -> Ground:
    chance = generator(plan.seed, "ground")
    count = len(places)
    bends = np.column_stack(
        [chance.random((count, 2)) * 2 * math.pi, chance.uniform(14, 34, (count, 2)) * chance.choice([-1, 1], (count, 2))]
    )
    return Ground(
        np.array([place.x for place in places]),
        np.array([place.y for place in places]),
        chance.random(count) * math.pi,
        bends,
        np.array([place.kind == "core" for place in places]),
    )


def _radius(kind: Kind, blocks: int) -> float:
    along, across = BLOCK_M[kind]
    return math.sqrt(blocks * along * across / math.pi) * 1.15 + 15 + 0.35 * along / math.sqrt(blocks)  # few blocks make no circle


def _district(angle: float) -> str:
    degrees = math.degrees(angle) % 360
    turned = (degrees, degrees + 360)
    return next(name for name, (low, high) in SECTORS.items() if any(low <= value < high for value in turned))
