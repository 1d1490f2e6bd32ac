"""Blocks in rows between the streets: the rows of a settlement have corners of their own, so that streets meet in T-shapes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely

from twin_api.layers.musterdorf.chance import Array, generator
from twin_api.layers.musterdorf.plan import Plan
from twin_api.layers.musterdorf.settlements import BLOCK_M, MARKET_M, Ground, Settlement
from twin_api.layers.musterdorf.stream import Stream

TURN: Final = 2 * math.pi
BANK_M: Final = 20.0  # no block comes nearer to the stream's axis


@dataclass(frozen=True, slots=True)
class Blocks:
    """All blocks of the town; `u` and `v` are those of their settlement, `lines` the streets below and above."""

    settlement: Array
    low_u: Array
    high_u: Array
    low_v: Array
    high_v: Array
    line: Array  # the street along the lower side; the next number is the one along the upper side
    metre: Array  # metres for one of `u`

    def __len__(self) -> int:
        return len(self.settlement)


@dataclass(frozen=True, slots=True)
class Edges:
    """Pieces of street from corner to corner, before they have a name. `bridge` leads over the stream without houses."""

    settlement: Array
    from_u: Array
    to_u: Array
    from_v: Array
    to_v: Array
    line: Array
    bridge: Array


@dataclass(slots=True)
class Rows:
    """One settlement's rows: `corners[row]` are the `u` of its cross streets, `built[row]` which gaps between them are blocks."""

    lines: Array
    corners: list[Array]
    built: list[Array]
    period: float | None
    middle: list[float]  # metres for one of `u`, in each row


def lay_out(plan: Plan, places: list[Settlement], ground: Ground, stream: Stream) -> tuple[Blocks, Edges]:
    blocks: list[Array] = []
    edges: list[Array] = []
    first_line = 0
    for number, place in enumerate(places):
        chance = generator(plan.seed, f"blocks {number}")
        rows = _ring_rows(place, chance) if place.kind == "core" else _straight_rows(place, chance)
        _choose(rows, number, place, ground, stream, chance)
        blocks.append(_blocks_of(rows, number, first_line))
        edges.extend(_edges_of(rows, number, first_line))
        first_line += 2 * len(rows.lines) + sum(len(corners) for corners in rows.corners)
    b, e = np.concatenate(blocks).T, np.concatenate(edges).T
    return (
        Blocks(b[0].astype(int), b[1], b[2], b[3], b[4], b[5].astype(int), b[6]),
        Edges(e[0].astype(int), e[1], e[2], e[3], e[4], e[5].astype(int), e[6].astype(bool)),
    )


def _straight_rows(place: Settlement, chance: np.random.Generator) -> Rows:
    along, across = BLOCK_M[place.kind]
    reach = place.radius_m * 1.25
    heights = across * chance.uniform(0.9, 1.13, math.ceil(2 * reach / across))
    lines = np.concatenate([[0.0], np.cumsum(heights)])
    corners: list[Array] = []
    for _ in heights:
        row = np.cumsum(along * chance.uniform(0.72, 1.3, math.ceil(2 * reach / along) + 2)) - reach - along * chance.random()
        corners.append(_snapped(row, corners[-1], 30.0) if corners else row)
    return Rows(lines - lines[-1] / 2, corners, [], None, [1.0] * len(heights))


def _ring_rows(place: Settlement, chance: np.random.Generator) -> Rows:
    """The old town lies in rings around the market, as inside a wall that is long gone."""
    along, across = BLOCK_M["core"]
    lines, corners, middle, blocks = [MARKET_M], list[Array](), list[float](), 0
    while blocks < place.blocks + 3:
        lines.append(lines[-1] + across * chance.uniform(0.92, 1.1))
        radius = (lines[-1] + lines[-2]) / 2
        number = max(4, round(TURN * radius / along))
        row = (np.arange(number) + chance.uniform(-0.16, 0.16, number) + chance.random()) * TURN / number
        row = _snapped(row, corners[-1], 22 / radius, TURN) if corners else row
        corners.append(np.append(row, row[0] + TURN))
        middle.append(radius)
        blocks += number
    return Rows(np.array(lines), corners, [], TURN, middle)


def _snapped(row: Array, before: Array, within: float, period: float | None = None) -> Array:
    """Let corners that nearly face those of the row before face them: a crossing instead of two T-shapes."""
    apart = row[:, None] - before[None, :]
    if period:
        apart = (apart + period / 2) % period - period / 2
    nearest = apart[np.arange(len(row)), np.abs(apart).argmin(axis=1)]
    snapped: Array = row - np.where(np.abs(nearest) < within, nearest, 0.0)
    return snapped


def _choose(rows: Rows, number: int, place: Settlement, ground: Ground, stream: Stream, chance: np.random.Generator) -> None:
    """Build the blocks nearest to the middle, with an uneven fringe, and none on the stream."""
    lobes, scores = chance.random(2) * TURN, list[Array]()
    for row, corners in enumerate(rows.corners):
        low, high = rows.lines[row], rows.lines[row + 1]
        u = (corners[:-1] + corners[1:]) / 2
        far = np.full(len(u), (low + high) / 2) if rows.period else np.hypot(u, (low + high) / 2)
        angle = u if rows.period else np.arctan2((low + high) / 2, u)
        lobe = (0.1 * np.sin(3 * angle + lobes[0]) + 0.07 * np.sin(2 * angle + lobes[1])) * (0.3 if rows.period else 1.0)
        score = far * (1 + lobe) + chance.uniform(0, 40, len(u))
        sides = [(corners[:-1], low), (corners[1:], low), (corners[1:], high), (u, high), (corners[:-1], high), (u, low)]
        outline = [ground.place(np.full(len(u), number), at, np.full(len(u), v)) for at, v in sides]
        shape = shapely.convex_hull(shapely.multipoints(np.stack(outline, axis=1)))
        scores.append(np.where(shapely.distance(stream.axis, shape) < BANK_M - 8, np.inf, score))
    every = np.concatenate(scores)
    chosen = np.zeros(len(every), dtype=bool)
    chosen[np.argsort(every, kind="stable")[: min(place.blocks, int(np.isfinite(every).sum()))]] = True
    rows.built = np.split(chosen, np.cumsum([len(score) for score in scores])[:-1])


def _blocks_of(rows: Rows, number: int, first_line: int) -> Array:
    found = []
    for row, (corners, built) in enumerate(zip(rows.corners, rows.built, strict=True)):
        low, high = rows.lines[row], rows.lines[row + 1]
        size = int(built.sum())
        columns = [number, corners[:-1][built], corners[1:][built], low, high, first_line + row, rows.middle[row]]
        found.append(np.column_stack([np.broadcast_to(column, size) for column in columns]))
    return np.concatenate(found)


def _edges_of(rows: Rows, number: int, first_line: int) -> Iterator[Array]:
    kept: list[Array] = []
    cross_line = first_line + len(rows.lines)
    for row, (corners, built) in enumerate(zip(rows.corners, rows.built, strict=True)):
        low, high = rows.lines[row], rows.lines[row + 1]
        if rows.period:
            beside, corners = built | np.roll(built, 1), corners[:-1]
        else:
            beside = np.append(built, False) | np.append(False, built)
        u, lines = corners[beside], cross_line + np.arange(len(corners))[beside]
        kept.append(u)
        yield np.column_stack([np.broadcast_to(column, len(u)) for column in (number, u, u, low, high, lines, False)])
        cross_line += len(corners)
    for line, v in enumerate(rows.lines):
        yield _along(rows, kept, line, v, number, first_line)


def _along(rows: Rows, kept: list[Array], line: int, v: float, number: int, first_line: int) -> Array:
    """The pieces of one street along the rows, cut at every corner below and above."""
    beside = [row for row in (line - 1, line) if 0 <= row < len(kept)]
    u = np.concatenate([kept[row] for row in beside])
    u = np.unique(np.round(u % rows.period if rows.period else u, 9))
    if rows.period and len(u):
        u = np.append(u, u[0] + rows.period)
    low, high = u[:-1], u[1:]
    middle = (low + high) / 2
    lived = np.zeros(len(middle), dtype=bool)
    for row in beside:
        corners = rows.corners[row]
        at = (middle - corners[0]) % rows.period + corners[0] if rows.period else middle
        gap = np.searchsorted(corners, at, side="right") - 1
        inside = (gap >= 0) & (gap < len(rows.built[row]))
        lived |= inside & rows.built[row][np.clip(gap, 0, len(rows.built[row]) - 1)]
    bridge = ~lived & (np.arange(len(lived)) > 0) & (high - low < 330 / max(rows.middle[beside[0]], 1.0)) & (line % 2 == 0)
    real = (lived | bridge) & (high > low)
    columns = (number, low, high, v, v, first_line + line, bridge)
    return np.column_stack([np.broadcast_to(column, len(low))[real] for column in columns])
