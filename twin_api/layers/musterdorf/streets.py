"""Streets: between the blocks, from settlement to settlement, and out into the fields."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import shapely

from twin_api.layers.musterdorf.blocks import Edges
from twin_api.layers.musterdorf.chance import Array, generator
from twin_api.layers.musterdorf.names import name_place, name_streets
from twin_api.layers.musterdorf.plan import ORIGIN, Plan
from twin_api.layers.musterdorf.settlements import HALF_STREET_M, Ground, Settlement
from twin_api.layers.musterdorf.stream import Stream

TOWN: Final = "town"  # with houses, lights and sewers
BRIDGE: Final = "bridge"
ROAD: Final = "road"
TRACK: Final = "track"
HALF_ROAD_M: Final = 5.0


@dataclass(frozen=True, slots=True)
class Streets:
    """Pieces of street. `start` and `end` number the `corners` where pieces of kind `town` meet; elsewhere they are -1."""

    lines: Array
    kind: Array
    settlement: Array
    half_m: Array
    line: Array
    name: Array
    start: Array
    end: Array
    corners: Array

    def only(self, *kinds: str) -> Array:
        """The indices of the pieces of these kinds."""
        return np.flatnonzero(np.isin(self.kind, kinds))


def build(plan: Plan, places: list[Settlement], ground: Ground, edges: Edges, stream: Stream) -> Streets:
    steps = np.linspace(0, 1, 6)
    u = edges.from_u[:, None] + (edges.to_u - edges.from_u)[:, None] * steps
    v = edges.from_v[:, None] + (edges.to_v - edges.from_v)[:, None] * steps
    points = ground.place(np.repeat(edges.settlement[:, None], 6, axis=1), u, v)
    lines = shapely.linestrings(points)
    kept = (~edges.bridge | shapely.intersects(lines, stream.axis)) & (shapely.length(lines) > 2)
    lines, points = lines[kept], points[kept]
    settlement, line, bridge = edges.settlement[kept], edges.line[kept], edges.bridge[kept]
    ends = np.concatenate([points[:, 0], points[:, -1]])
    corners, at = np.unique(ends, axis=0, return_inverse=True)
    at = at.reshape(2, -1)
    kinds = np.array([place.kind for place in places], dtype=object)[settlement]
    half = np.array([HALF_STREET_M[place.kind] for place in places])[settlement]
    names = name_streets(line, kinds, generator(plan.seed, "names"))
    kind = np.where(bridge, BRIDGE, TOWN).astype(object)
    return Streets(lines, kind, settlement, half, line, names, at[0], at[1], shapely.points(corners))


def add(streets: Streets, lines: Array, kind: str, names: Array) -> Streets:
    """The streets with more of them that lie in no settlement."""
    count = len(lines)
    nowhere = np.full(count, -1)
    return replace(
        streets,
        lines=np.concatenate([streets.lines, lines]),
        kind=np.concatenate([streets.kind, np.full(count, kind, dtype=object)]),
        settlement=np.concatenate([streets.settlement, nowhere]),
        half_m=np.concatenate([streets.half_m, np.full(count, HALF_ROAD_M if kind == ROAD else 1.8)]),
        line=np.concatenate([streets.line, streets.line.max() + 1 + np.arange(count)]),
        name=np.concatenate([streets.name, names]),
        start=np.concatenate([streets.start, nowhere]),
        end=np.concatenate([streets.end, nowhere]),
    )


def join(places: list[Settlement], streets: Streets, gates: Array) -> Streets:
    """Roads between the settlements, so that each can be reached, and out through the `gates` of the boundary."""
    by_place = [streets.corners[_corners_of(streets, number)] for number in range(len(places))]
    roads, names = [], []
    for one, other in _links(places):
        start = _nearest(by_place[one], _middle(places[other]))
        end = _nearest(by_place[other], start)
        roads.append(_bent(_nearest(by_place[one], end), end, 0.05 if (one + other) % 2 else -0.05))
        target = places[other].name if places[other].kind in ("quarter", "trade") or other < 8 else name_place(other)
        names.append(f"{target}er Straße" if target.endswith(("dorf", "bach", "hof")) else f"Straße nach {target}")
    for gate in gates:
        middles = [shapely.distance(_middle(place), gate) for place in places]
        nearest = _nearest(by_place[int(np.argmin(middles))], gate)
        roads.append(_bent(nearest, gate, 0.04))
        names.append(f"Straße nach {name_place(len(names) + 40)}")
    return add(streets, np.array(roads, dtype=object), ROAD, np.array(names, dtype=object))


def _corners_of(streets: Streets, place: int) -> Array:
    mine = streets.settlement == place
    return np.unique(np.concatenate([streets.start[mine], streets.end[mine]]))


def _links(places: list[Settlement]) -> Iterator[tuple[int, int]]:
    """The shortest net that reaches all (Prim 1957), and a second road for those with a near neighbour; none through a third place."""
    cost = _costs(places)
    reached, links = [0], set[tuple[int, int]]()
    while len(reached) < len(places):
        outside = np.setdiff1d(np.arange(len(places)), reached)
        part = cost[reached][:, outside]
        near, far = reached[int(part.min(axis=1).argmin())], int(outside[int(part.min(axis=0).argmin())])
        links.add((min(near, far), max(near, far)))
        reached.append(far)
    for one in range(len(places)):
        for other in map(int, np.argsort(cost[one], kind="stable")[:2]):
            if cost[one, other] < np.inf and cost[one, other] < 2.2 * cost[one].min() + 150:
                links.add((min(one, other), max(one, other)))
    return iter(sorted(links))


def _costs(places: list[Settlement]) -> Array:
    at = np.array([(place.x, place.y) for place in places])
    radius = np.array([place.radius_m for place in places])
    middles = shapely.points(at)
    cost = np.full((len(places), len(places)), np.inf)
    for one in range(len(places)):
        ways = shapely.linestrings(np.stack([np.broadcast_to(at[one], at.shape), at], axis=1))
        near = shapely.distance(ways[:, None], middles[None, :]) < radius[None, :] * 0.95
        near[:, one] = False
        np.fill_diagonal(near, False)
        gap = np.hypot(*(at - at[one]).T) - radius - radius[one]
        cost[one] = np.maximum(gap, 10) * np.where(near.any(axis=1), 6, 1)
        cost[one, one] = np.inf
    return cost


def _middle(place: Settlement) -> Any:
    return shapely.Point(place.x + ORIGIN[0], place.y + ORIGIN[1])


def _nearest(points: Array, to: Any) -> Any:
    return points[int(np.argmin(shapely.distance(points, to)))]


def _bent(start: Any, end: Any, sideways: float) -> Any:
    """A road with one long bend, swinging this share of its length to the left."""
    a, b = np.array([start.x, start.y]), np.array([end.x, end.y])
    step = np.linspace(0, 1, 17)[:, None]
    left = np.array([-(b - a)[1], (b - a)[0]])
    swing = np.sin(step * np.pi) * sideways + np.sin(step * 3 * np.pi) * sideways / 4
    return shapely.LineString(np.round(a + (b - a) * step + left * swing, 2))
