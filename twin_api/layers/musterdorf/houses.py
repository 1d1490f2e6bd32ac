"""Buildings on their parcels: rectangles and L-shapes that face the street, with garages and barns behind them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely

from twin_api.layers.musterdorf.chance import Array, generator
from twin_api.layers.musterdorf.parcels import CHURCH, PARK, Lots, Wholes, some, within
from twin_api.layers.musterdorf.plan import Plan

BUILT: Final = {"core": 0.985, "quarter": 0.94, "village": 0.88, "trade": 0.88}
SIZES: Final = {  # metres: least and most width, least and most depth, least and most distance from the street
    "core": (9, 14, 10, 16, 0.2, 0.6), "quarter": (9, 13, 9, 12, 3.5, 7), "village": (10, 16, 9, 13, 3, 11),
    "trade": (26, 52, 18, 34, 7, 12),
}  # fmt: skip
LARGE: Final = {"school": (52.0, 30.0), CHURCH: (30.0, 13.0)}


@dataclass(frozen=True, slots=True)
class Houses:
    """`lot` is the parcel of each, -1 for the large buildings of whole blocks; `middle` lies inside the building."""

    shapes: Array
    middle: Array
    lot: Array
    whole: Array
    annex: Array  # garage or barn
    ell: Array


def build(plan: Plan, lots: Lots, wholes: Wholes) -> Houses:
    chance = generator(plan.seed, "houses")
    mains = np.flatnonzero(chance.random(len(lots.block)) < np.array([BUILT[kind] for kind in lots.kind]))
    own = _main_frames(chance, lots, mains)
    large = np.flatnonzero(wholes.role != PARK)
    size = np.array([LARGE[role] for role in wholes.role[large]]).reshape(-1, 2)
    big = _large_frames(wholes.corners[large], size, np.where(wholes.role[large] == CHURCH, 0.7, 0.5))
    ell = (chance.random(len(mains)) < 0.27) & (own[:, 5] > 8) & (lots.kind[mains] != "core")
    wanted = plan.count("gebaeude") - len(mains) - len(large)
    room = np.isin(lots.kind[mains], ("quarter", "village", "trade")) | (own[:, 6] > own[:, 5] + 9)
    behind = some(chance, room & (own[:, 6] > own[:, 5] + 7.5), max(wanted, 0))
    frames = np.concatenate([own[:, :6], big, _annexes(chance, own[behind])])
    none = np.full(len(large), -1)
    lot = np.concatenate([mains, none, mains[behind]])
    whole = np.concatenate([np.full(len(mains), -1), large, np.full(len(behind), -1)])
    bent = np.concatenate([ell, wholes.role[large] == "school", np.zeros(len(behind), bool)])
    annex = np.repeat([False, True], [len(mains) + len(large), len(behind)])
    shapes, middle = _footprints(frames, bent, chance.random(len(frames)) < 0.5)
    row = np.flatnonzero(lots.kind[mains] == "core")
    shapes[row], middle[row] = _row_houses(chance, lots.corners[mains[row]], own[row, 5])
    return Houses(shapes, middle, lot, whole, annex, bent)


def _main_frames(chance: np.random.Generator, lots: Lots, mains: Array) -> Array:
    """Rows of numbers: left front corner (x, y), direction along the street (x, y), width, depth, free depth of the parcel, its lean."""
    corners = lots.corners[mains]
    kind = lots.kind[mains]
    sizes = np.array([SIZES[name] for name in kind])
    drawn = sizes[:, 0::2] + (sizes[:, 1::2] - sizes[:, 0::2]) * chance.random((len(mains), 3))
    front = corners[:, 1] - corners[:, 0]
    length = np.hypot(*front.T)
    along = front / length[:, None]
    inward = along[:, ::-1] * (-1, 1)
    offsets = ((corners[:, 2:] - corners[:, :1]) * inward[:, None, :]).sum(axis=2)
    deep = offsets.min(axis=1)
    narrow = np.minimum(length, np.hypot(*(corners[:, 2] - corners[:, 3]).T))
    ahead = corners[:, 2:].mean(axis=1) - corners[:, :2].mean(axis=1)
    lean = (ahead * along).sum(axis=1) / (ahead * inward).sum(axis=1)  # sideways for each metre away from the street
    depth = np.minimum(drawn[:, 1], deep - drawn[:, 2] - 1.5)
    room = narrow - np.abs(lean) * depth
    width = np.minimum(drawn[:, 0], room - np.where(kind == "trade", 8.0, 3.4))
    aside = (length - width) / 2 + lean * (drawn[:, 2] + depth / 2) + (room - width - 2) / 4 * chance.uniform(-1, 1, len(mains))
    start = corners[:, 0] + along * aside[:, None] + inward * drawn[:, 2:]
    return np.column_stack([start, along, width, depth, deep - drawn[:, 2], lean])


def _row_houses(chance: np.random.Generator, corners: Array, depth: Array) -> tuple[Array, Array]:
    """Wall to wall with their neighbours, as wide as the parcel."""
    deep = np.hypot(*(corners[:, 2:].mean(axis=1) - corners[:, :2].mean(axis=1)).T)
    back = np.minimum(depth / deep, 0.86)
    left, right = (np.where(chance.random(len(back)) < 0.12, 0.16, 0.015) for _ in range(2))
    none = np.zeros(len(back))
    sides = ((left, none), (1 - right, none), (1 - right, back), (left, back))
    shapes: Array = shapely.polygons(np.stack([within(corners, across, along) for across, along in sides], axis=1))
    return shapes, within(corners, none + 0.5, back / 2)


def _large_frames(corners: Array, size: Array, back: Array) -> Array:
    if not len(corners):
        return np.empty((0, 6))
    front = corners[:, 1] - corners[:, 0]
    along = front / np.hypot(*front.T)[:, None]
    middle = within(corners, np.full(len(corners), 0.5), back)
    start = middle - along * size[:, :1] / 2 - along[:, ::-1] * (-1, 1) * size[:, 1:] / 2
    return np.column_stack([start, along, size])


def _annexes(chance: np.random.Generator, own: Array) -> Array:
    """Behind the house, at its left or right side."""
    along, width, depth, free = own[:, 2:4], own[:, 4], own[:, 5], own[:, 6]
    large = width > 20
    wide = np.minimum(np.where(large, chance.uniform(9, 16, len(own)), chance.uniform(3.2, 6.5, len(own))), width)
    deep = np.minimum(np.where(large, chance.uniform(6, 11, len(own)), chance.uniform(5.5, 7.5, len(own))), free - depth - 3.2)
    aside = np.where(chance.random(len(own)) < 0.5, 0.0, width - wide)
    lean = own[:, 7]
    back = depth + 1.5 + chance.random(len(own)) * np.maximum(free - depth - deep - 3.2, 0) * 0.6
    aside = aside + lean * (back + deep / 2 - depth / 2)
    start = own[:, :2] + along * aside[:, None] + along[:, ::-1] * (-1, 1) * back[:, None]
    return np.column_stack([start, along, wide, deep])


def _footprints(frames: Array, ell: Array, mirrored: Array) -> tuple[Array, Array]:
    start, along, width, depth = frames[:, :2], frames[:, 2:4], frames[:, 4], frames[:, 5]
    inward = along[:, ::-1] * (-1, 1)
    shapes = np.empty(len(frames), dtype=object)
    for outline, chosen in ((_BOX, ~ell), (_ELL, ell & ~mirrored), (_ELL * (-1, 1) + (1, 0), ell & mirrored)):
        across = outline[None, :, 0] * width[chosen, None]
        back = outline[None, :, 1] * depth[chosen, None]
        points = start[chosen, None, :] + across[..., None] * along[chosen, None, :] + back[..., None] * inward[chosen, None, :]
        shapes[chosen] = shapely.polygons(np.round(points, 2))
    middle = start + along * (width / 2)[:, None] + inward * (depth * np.where(ell, 0.27, 0.5))[:, None]
    return shapes, np.round(middle, 2)


_BOX: Final = np.array([(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)])
_ELL: Final = np.array([(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.55, 1.0), (0.55, 0.55), (0.0, 0.55)])
