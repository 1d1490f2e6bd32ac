"""Sewers: manholes on the axes of the streets, and pipes that fall from each to the next until they reach an outlet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely

from twin_api.layers.musterdorf.chance import Array, days, generator, numbers, pick, steps_in_groups
from twin_api.layers.musterdorf.sheet import Sheet, date, integer, number, text
from twin_api.layers.musterdorf.streets import TOWN
from twin_api.layers.musterdorf.town import Town

OUTLETS: Final = 0.09  # of the corners, those nearest to the stream
LEAST_FALL: Final = 0.004
STATES: Final = ("gut", "mittel", "schlecht")
REMARKS: Final = (
    "Steigeisen angerostet.", "Fugen im Schachtring ausgewaschen.", "Deckel klappert, Einlage erneuern.", "Wurzeleinwuchs am Zulauf.",
    "Schachtring gebrochen, Fremdwasser.", "Berme abgebrochen, Ablagerungen 15 cm.", "Deckel 2024 getauscht.",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sewer:
    """`following` is the manhole into which each drains, -1 at an outlet; `points` have the invert as their height."""

    points: Array  # (manholes, 3)
    following: Array


@dataclass(frozen=True, slots=True)
class _Pieces:
    """Pieces of street as the water runs: `upper` is -1 where the upper corner drains another way."""

    upper: Array
    lower: Array
    backward: Array  # the water runs from the end of the line to its start


def sewer(town: Town) -> Sewer:
    streets = town.streets
    chosen = streets.only(TOWN)
    lines, ends = streets.lines[chosen], np.stack([streets.start[chosen], streets.end[chosen]], axis=1)
    corners = len(streets.corners)
    height = town.stream.height_m(streets.corners)
    pieces = _drain(ends, height, town.stream.away_m(streets.corners))
    length = shapely.length(lines)
    count = _shares(length, town.plan.count("kanalschaechte") - corners)
    piece, step = steps_in_groups(count)
    share = (step + 1) / (count[piece] + 1)
    along = np.where(pieces.backward[piece], 1 - share, share) * length[piece]
    inner = shapely.get_coordinates(shapely.line_interpolate_point(lines[piece], along))
    spots = np.round(np.concatenate([shapely.get_coordinates(streets.corners), inner]), 2)
    first = corners + np.cumsum(count) - count
    following = np.full(len(spots), -1)
    rising = pieces.upper >= 0
    following[pieces.upper[rising]] = np.where(count > 0, first, pieces.lower)[rising]
    last = step == count[piece] - 1
    following[corners:] = np.where(last, pieces.lower[piece], corners + np.arange(len(piece)) + 1)
    cover = np.concatenate([height, town.stream.height_m(shapely.points(inner))])
    chance = generator(town.plan.seed, "inverts")
    invert = _inverts(spots, following, cover - chance.uniform(1.5, 2.6, len(spots)))
    return Sewer(np.column_stack([spots, invert]), following)


def _shares(length: Array, count: int) -> Array:
    upto = np.floor(np.concatenate([[0.0], np.cumsum(length)]) * max(count, 0) / length.sum() + 0.5).astype(int)
    return np.diff(upto)


def _drain(ends: Array, height: Array, away: Array) -> _Pieces:
    """From the outlets upwards, corner by corner: each drains to the lowest neighbour that drains already."""
    reached = np.zeros(len(height), dtype=bool)
    via = np.full(len(height), -1)
    reached[np.argsort(away, kind="stable")[: max(1, round(OUTLETS * len(height)))]] = True
    lower, upper = np.concatenate([ends[:, 0], ends[:, 1]]), np.concatenate([ends[:, 1], ends[:, 0]])
    piece = np.tile(np.arange(len(ends)), 2)
    while not reached.all():
        new = np.flatnonzero(reached[lower] & ~reached[upper])
        if not len(new):  # another part of the net: its lowest corner is an outlet
            reached[np.where(reached, np.inf, height).argmin()] = True
            continue
        new = new[np.lexsort((height[lower[new]], upper[new]))]
        new = new[np.append(True, upper[new][1:] != upper[new][:-1])]
        reached[upper[new]] = True
        via[upper[new]] = piece[new]
    numbers_ = np.arange(len(ends))
    from_start, from_end = via[ends[:, 0]] == numbers_, via[ends[:, 1]] == numbers_
    backward = from_end | (~from_start & (height[ends[:, 0]] < height[ends[:, 1]]))
    up, down = np.where(backward, ends[:, 1], ends[:, 0]), np.where(backward, ends[:, 0], ends[:, 1])
    return _Pieces(np.where(from_start | from_end, up, -1), down, backward)


def _inverts(spots: Array, following: Array, wanted: Array) -> Array:
    """INVARIANT: every pipe falls. The farthest manholes come first, and each presses the one after it down."""
    hops, jump = (following >= 0).astype(int), following.copy()
    while (jump >= 0).any():
        go = jump >= 0
        hops[go], jump[go] = hops[go] + hops[jump[go]], jump[jump[go]]
    length = np.hypot(*(spots - spots[following]).T)
    invert = wanted.copy()
    order = np.argsort(-hops, kind="stable")
    for level in np.split(order, np.flatnonzero(np.diff(hops[order])) + 1):
        invert[level] = np.floor(invert[level] * 100) / 100
        pipe = level[following[level] >= 0]
        np.minimum.at(invert, following[pipe], invert[pipe] - np.maximum(0.03, LEAST_FALL * length[pipe]))
    rounded: Array = np.round(invert, 2)
    return rounded


def manholes(town: Town, net: Sewer) -> Sheet:
    chance = generator(town.plan.seed, "kanalschaechte")
    count = len(net.points)
    state = pick(chance, count, STATES, (0.58, 0.29, 0.13))
    said = chance.random(count) < np.where(state == "gut", 0.05, 0.55)
    return Sheet("kanalschaechte", "Point Z", shapely.points(net.points), {
        "schacht_nr": text(numbers("K-{:05d}", count)),
        "baujahr": integer(1956 + (chance.random(count) ** 0.8 * 68).astype(int)),
        "sohle_m": number(net.points[:, 2]),
        "zustand": text(state),
        "geprueft_am": date(days(chance, count)),
        "bemerkung": text(pick(chance, count, REMARKS), said),
    })  # fmt: skip


def pipes(town: Town, net: Sewer) -> Sheet:
    chance = generator(town.plan.seed, "kanalhaltungen")
    upper = np.flatnonzero(net.following >= 0)
    lower = net.following[upper]
    count, named = len(upper), numbers("K-{:05d}", len(net.points))
    year = 1956 + (chance.random(count) ** 0.8 * 68).astype(int)
    material = np.where(year < 1975, pick(chance, count, ("beton", "steinzeug")), pick(chance, count, ("beton", "steinzeug", "pvc", "gfk")))
    return Sheet("kanalhaltungen", "LineString Z", shapely.linestrings(np.stack([net.points[upper], net.points[lower]], axis=1)), {
        "haltung_nr": text(numbers("H-{:05d}", count)),
        "von_schacht": text(named[upper]),
        "bis_schacht": text(named[lower]),
        "material": text(material),
        "nennweite_mm": integer(pick(chance, count, (250, 300, 400, 500, 800), (30, 45, 15, 7, 3))),
        "baujahr": integer(year),
        "zustand": text(pick(chance, count, STATES, (0.6, 0.28, 0.12))),
    })  # fmt: skip
