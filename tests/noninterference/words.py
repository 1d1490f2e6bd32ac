"""The words that requests are made of: names and values that the role may see, such as are hidden from it, and others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from functools import cached_property
from random import Random
from typing import Any, Final
from uuid import UUID

import shapely

from tests.leaks.canaries import WORDS_OF_THE_HOUSE
from tests.leaks.seen import as_json, to_degrees
from tests.noninterference.asking import HOST
from tests.noninterference.rows import CANARY, SRID, Sight, grants_of
from tests.noninterference.towns import Pair, Row
from tests.towns import DAY
from twin_api.policy.documents import Attribute
from twin_api.policy.evaluate import GEOMETRY

SAMPLED: Final = 24  # rows of a layer that lend their values to a turn's requests


class Words:
    """Of a pair and a role at this moment."""

    def __init__(self, pair: Pair, role: str, random: Random) -> None:
        self._pair = pair
        self.role = role
        self.grants = grants_of(pair.left.policies, role, DAY)
        self.visible: list[tuple[str, Row]] = []
        self.hidden: list[tuple[str, Row]] = []
        for side in pair.sides:
            sight = Sight(self.grants, side.world)
            for layer, rows in side.rows.items():
                for row in random.sample(list(rows.values()), min(len(rows), SAMPLED)):
                    seen = row["id"] not in side.withdrawn and bool(sight.of(pair.left.policies.layers[layer], row))
                    (self.visible if seen else self.hidden).append((layer, row))

    def attributes(self, layer: str) -> Mapping[str, Attribute]:
        return self._pair.left.policies.layers[layer].attributes

    @cached_property
    def layers(self) -> set[str]:
        return {name for side in self._pair.sides for name in side.policies.layers}

    @cached_property
    def hidden_collections(self) -> list[str]:
        every = {c for side in self._pair.sides for other in side.policies.roles for c in grants_of(side.policies, other, DAY)}
        return sorted((self.layers | every) - self.grants.keys())

    @cached_property
    def hidden_names(self) -> list[str]:
        every = {name for side in self._pair.sides for layer in side.policies.layers.values() for name in layer.attributes}
        shown = {name for grant in self.grants.values() for name in grant.attributes}
        return sorted(every - shown)

    @cached_property
    def unsayable(self) -> frozenset[bytes]:
        """Words that stand in no answer unless the client said them: hidden names, and what stands in every hidden text."""
        told = {CANARY, *self.hidden_collections, *self.hidden_names, *self._titles()}
        visible = "\n".join(self._visible_words()).lower()
        return frozenset(
            word.encode() for word in told if len(word) > 4 and word.lower() not in visible and word.lower() not in WORDS_OF_THE_HOUSE
        )

    @cached_property
    def others_addresses(self) -> list[bytes]:
        """To which nothing at the role's own address leads."""
        others = [other for side in self._pair.sides for other in side.policies.roles if not f"{self.role}/".startswith(f"{other}/")]
        return [f"//{HOST}/{other}/".encode() for other in others]

    def _titles(self) -> Iterator[str]:
        for side in self._pair.sides:
            for layer in side.policies.layers.values():
                texts = [layer.title, *(attribute.title for attribute in layer.attributes.values())]
                yield from (word for text in texts for word in (text.de, text.en))

    def _visible_words(self) -> Iterator[str]:
        for name, grant in self.grants.items():
            layer = self._pair.left.policies.layers[grant.layer]
            yield from (name, layer.name, layer.title.de, layer.title.en)
            mine = [layer.attributes[attribute] for attribute in grant.attributes]
            if grant.figures is not None:
                mine += self._pair.left.policies.layers["ortsteile"].attributes.values()
                yield from (figure.name for figure in grant.figures.figures)
                mine += [layer.attributes[figure.attribute] for figure in grant.figures.figures if figure.attribute]
            for attribute in mine:
                yield from (attribute.name, attribute.title.de, attribute.title.en)

    @cached_property
    def ids(self) -> tuple[list[str], list[str]]:
        return [str(row["id"]) for _, row in self.visible], [str(row["id"]) for _, row in self.hidden]

    @cached_property
    def ids_of_one_town(self) -> list[str]:
        """Of all rows that stand in one of the towns alone: whatever looks them up behaves differently there."""
        left, right = self._pair.sides
        return sorted(str(id) for layer in left.rows for id in left.rows[layer].keys() ^ right.rows[layer].keys())

    def values(self, attribute: str) -> list[str]:
        """The attribute's values in both towns, visible and hidden, as a query string writes them."""
        rows = [row for _, row in (*self.visible, *self.hidden) if row.get(attribute) is not None]
        return sorted({_written(row[attribute]) for row in rows}) or ["1"]

    @cached_property
    def any_values(self) -> list[str]:
        rows = [row for _, row in self.hidden] or [row for _, row in self.visible]
        return sorted({_written(value) for row in rows for name, value in row.items() if value is not None and name != GEOMETRY})

    @cached_property
    def points(self) -> list[tuple[float, float]]:
        """True places, of hidden rows and of those that are shown coarsely, in degrees."""
        shapes = [row[GEOMETRY] for _, row in (*self.hidden, *self.visible) if row.get(GEOMETRY) is not None]
        return [to_degrees(SRID, point)[:2] for point in map(_first_point, shapes)]  # type: ignore[misc]

    @cached_property
    def days(self) -> list[str]:
        rows = [row for _, row in (*self.hidden, *self.visible)]
        return sorted({_written(v)[:10] for row in rows for v in row.values() if isinstance(v, date)}) or ["2000-01-01"]

    @cached_property
    def keys(self) -> list[bytes]:
        """Beginnings of cursors: ids of rows."""
        return [row["id"].bytes for _, row in (*self.hidden, *self.visible)] or [bytes(16)]


def _first_point(shape: Any) -> tuple[float, float]:
    x, y = shapely.get_coordinates(shape)[0]
    return float(x), float(y)


def _written(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case datetime() | date():
            return str(as_json(value))
        case UUID():
            return str(value)
        case _:
            return str(value)
