"""Parcels: the lots that fill the blocks, whole blocks for parks and schools, fields between the settlements."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely

from twin_api.layers.musterdorf.blocks import Blocks
from twin_api.layers.musterdorf.chance import Array, generator, sample, steps_in_groups
from twin_api.layers.musterdorf.plan import Plan
from twin_api.layers.musterdorf.settlements import HALF_STREET_M, MARKET_M, Ground, Settlement

FRONT_M: Final = {"core": 12.2, "quarter": 17.0, "village": 18.5, "trade": 62.0}
LOTS: Final = "lots"
PARK: Final = "park"
SCHOOL: Final = "school"
CHURCH: Final = "church"


@dataclass(frozen=True, slots=True)
class Lots:
    """Parcels with a street in front. The four corners: front left and right, back right and left, seen from the street."""

    corners: Array  # (lots, 4, 2)
    block: Array
    settlement: Array
    kind: Array  # of the settlement
    line: Array  # the street in front
    upper: Array  # whether they lie below that street, on the upper side of their block
    place: Array  # along the street

    def shapes(self) -> Array:
        polygons: Array = shapely.polygons(self.corners)
        return polygons


@dataclass(frozen=True, slots=True)
class Wholes:
    """Blocks that are one parcel: parks, schools, the church. `corners` as those of a lot on the block's lower street."""

    shapes: Array
    corners: Array
    role: Array
    settlement: Array


def roles(plan: Plan, blocks: Blocks, kinds: Array) -> Array:
    """What each block is for."""
    chance = generator(plan.seed, "roles")
    kind = kinds[blocks.settlement]
    role = np.full(len(blocks), LOTS, dtype=object)
    role[np.flatnonzero(kind == "core")[:1]] = CHURCH
    free = np.flatnonzero(np.isin(kind, ("quarter", "village")))
    parks = max(plan.count("spielplaetze"), round(0.05 * len(blocks)))
    drawn = chance.permutation(free)
    schools = min(plan.count("schulen"), len(free) // 4)
    role[drawn[:schools]] = SCHOOL
    role[drawn[schools : schools + min(parks, len(free) // 4)]] = PARK
    return role


def lots(plan: Plan, blocks: Blocks, role: Array, kinds: Array, ground: Ground) -> Lots:
    """Lots of one block share their corners, also back to back, so that they fill it without gap or overlap."""
    chance = generator(plan.seed, "lots")
    chosen = np.flatnonzero(role == LOTS)
    kind = kinds[blocks.settlement[chosen]]
    half = np.array([HALF_STREET_M[name] for name in kind])
    front = np.array([FRONT_M[name] for name in kind])
    width = (blocks.high_u - blocks.low_u)[chosen] * blocks.metre[chosen] - 2 * half
    count = np.maximum(2, np.round(width / front * chance.uniform(0.92, 1.08, len(chosen)))).astype(int)
    at, step = steps_in_groups(count + 1)
    uneven = chance.uniform(-0.13, 0.13, (3, len(at))) * ((step > 0) & (step < count[at]))
    uneven[:2] = np.where(kind[at] == "core", uneven[2], uneven[2] + uneven[:2] * 0.35)
    inset = half / blocks.metre[chosen]
    low, high = blocks.low_u[chosen] + inset, blocks.high_u[chosen] - inset
    share = np.clip((step + uneven) / count[at], 0, 1)
    u = low[at] + (high - low)[at] * share
    middle = (blocks.low_v[chosen] + blocks.high_v[chosen]) / 2 + chance.uniform(-3, 3, len(chosen))
    place = blocks.settlement[chosen][at]
    lower = ground.place(place, u[0], (blocks.low_v[chosen] + half)[at])
    upper = ground.place(place, u[1], (blocks.high_v[chosen] - half)[at])
    back = ground.place(place, u[2], middle[at])
    return _lots(blocks, chosen, kind, at, np.flatnonzero(step < count[at]), share[2], (lower, upper, back))


def _lots(blocks: Blocks, chosen: Array, kind: Array, at: Array, left: Array, share: Array, rows: tuple[Array, Array, Array]) -> Lots:
    lower, upper, back = rows
    right = left + 1
    below = np.stack([lower[left], lower[right], back[right], back[left]], axis=1)
    above = np.stack([upper[right], upper[left], back[left], back[right]], axis=1)
    block = np.tile(chosen[at[left]], 2)
    is_upper = np.repeat([False, True], len(left))
    along = blocks.low_u[block] + (blocks.high_u - blocks.low_u)[block] * np.tile(share[left], 2)
    return Lots(
        np.concatenate([below, above]), block, blocks.settlement[block], np.tile(kind[at[left]], 2), blocks.line[block] + is_upper,
        is_upper, along,
    )  # fmt: skip


def wholes(blocks: Blocks, role: Array, kinds: Array, ground: Ground) -> Wholes:
    chosen = np.flatnonzero(role != LOTS)
    half = np.array([HALF_STREET_M[name] for name in kinds[blocks.settlement[chosen]]])
    inset = half / blocks.metre[chosen]
    low_u, high_u = blocks.low_u[chosen] + inset, blocks.high_u[chosen] - inset
    low_v, high_v = blocks.low_v[chosen] + half, blocks.high_v[chosen] - half
    step = np.linspace(0, 1, 7)
    u = low_u[:, None] + (high_u - low_u)[:, None] * np.concatenate([step, step[::-1]])
    v = np.repeat(np.stack([low_v, high_v], axis=1), 7, axis=1)
    ring = ground.place(np.repeat(blocks.settlement[chosen][:, None], 14, axis=1), u, v)
    return Wholes(shapely.polygons(ring), ring[:, [0, 6, 7, 13]], role[chosen], blocks.settlement[chosen])


def outlines(blocks: Blocks, kinds: Array, ground: Ground, places: list[Settlement]) -> Array:
    """The built-up ground of each settlement up to the far side of its outer streets, as one shape each."""
    whole = wholes(blocks, np.full(len(blocks), PARK, dtype=object), kinds, ground)
    reach = {kind: 2 * half + 1.0 for kind, half in HALF_STREET_M.items()}
    shapes = [
        shapely.union_all(shapely.buffer(whole.shapes[whole.settlement == number], reach[place.kind], join_style="mitre"))
        for number, place in enumerate(places)
    ]
    shapes[0] = shapely.union(shapes[0], shapely.buffer(market(ground), 2 * reach["core"]))
    return np.array(shapes, dtype=object)


def market(ground: Ground) -> Any:
    """The square in the middle of the old town."""
    angle = np.linspace(0, 2 * np.pi, 25)[:-1]
    return shapely.polygons(ground.place(np.zeros(24, dtype=int), angle, np.full(24, MARKET_M - HALF_STREET_M["core"])))


def within(corners: Array, across: Array, along: Array) -> Array:
    """Points inside of four-cornered parcels: `across` from left to right and `along` from front to back, both from 0 to 1."""
    front = corners[:, 0] + (corners[:, 1] - corners[:, 0]) * across[:, None]
    back = corners[:, 3] + (corners[:, 2] - corners[:, 3]) * across[:, None]
    points: Array = np.round(front + (back - front) * along[:, None], 2)
    return points


def some(chance: np.random.Generator, mask: Array, count: int) -> Array:
    """The indices of up to `count` of the members for which `mask` holds."""
    among = np.flatnonzero(mask)
    return among[sample(chance, len(among), count)]
