"""Whether two towns look alike to a role, row by row. What has not changed since it was looked at is not looked at again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from tests.noninterference.rows import AREAS, Look, Sight
from tests.noninterference.towns import Row, Side
from twin_api.policy.documents import Grant, Layer

NOTHING: Final[Look] = ()


class Likeness:
    """Of two towns for one role. INVARIANT: a row that changes is another object: writes replace rows and never alter one."""

    def __init__(self, sides: tuple[Side, Side], layers: Mapping[str, Layer]) -> None:
        self._sides = sides
        self._layers = layers
        self._looked_at = [_LookedAt(), _LookedAt()]

    def differ(self, grants: Mapping[str, Grant]) -> list[str]:
        """Layer and id of the rows that look different. `grants` are what the role sees, the same in both towns."""
        here, there = (looked_at.on(side, grants) for looked_at, side in zip(self._looked_at, self._sides, strict=True))
        left, right = self._sides
        return [
            f"{name}/{id}"
            for name, layer in self._layers.items()
            for id in left.rows[name].keys() | right.rows[name].keys()
            if here.look(left, layer, id) != there.look(right, layer, id)
        ]


class _LookedAt:
    """What the rows of one town looked like, for as long as its areas and what is granted stay."""

    def __init__(self) -> None:
        self._ground: Sequence[Any] = ()
        self._sight: Sight | None = None
        self._looks: dict[UUID, tuple[Row, Look]] = {}

    def on(self, side: Side, grants: Mapping[str, Grant]) -> _LookedAt:
        ground = [*grants.values(), *(row for layer in AREAS for row in side.rows[layer].values())]
        if len(ground) != len(self._ground) or any(a is not b for a, b in zip(ground, self._ground, strict=True)):
            self._ground, self._sight, self._looks = ground, Sight(grants, side.world), {}
        return self

    def look(self, side: Side, layer: Layer, id: UUID) -> Look:
        row = side.rows[layer.name].get(id)
        if row is None or id in side.withdrawn or self._sight is None:
            return NOTHING
        known = self._looks.get(id)
        if known is None or known[0] is not row:
            known = self._looks[id] = row, self._sight.of(layer, row)
        return known[1]
