"""Rows for the towns: what visible rows look like, what hidden ones look like, and whether a role can tell two rows apart.

What a role sees of a row is what the reference in Python says (`policy/evaluate.py`), never what was published.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any, Final
from uuid import UUID

import shapely

from tests.town.rows import EAST, NORTH
from twin_api.policy.documents import Grant, Layer, Policies
from twin_api.policy.evaluate import GEOMETRY, shown
from twin_api.policy.masks import Area
from twin_api.policy.rule import Row, World, insides_of

CANARY: Final = "KNRY"  # stands in every hidden text and in no visible one
SIDE_M: Final = 300.0  # of a district at first; there are four, and places beyond them
AREAS: Final[Mapping[str, Sequence[str]]] = {"ortsteile": ("Nord", "Ost", "Mitte", "Sued"), "reviere": (f"{CANARY}-West", f"{CANARY}-Ost")}
NOW: Final = datetime.now(UTC)
SRID: Final = 25832

Look = tuple[tuple[str, tuple[tuple[str, Any], ...]], ...]


def areas() -> dict[str, list[dict[str, Any]]]:
    """The rows of the layers of areas: four districts, which everybody sees, and two beats, which hardly anybody does."""
    told = {"ortsteile": {"einwohner": 100, "kurzzeichen": f"{CANARY}-kurz"}, "reviere": {}}
    return {
        layer: [
            {"id": UUID(int=(0x4000 << 64) | (0x8000 << 48) | 16 * len(layer) + number), "name": name, **told[layer], GEOMETRY: shape}
            for number, (name, shape) in enumerate(borders(SIDE_M, SIDE_M)[layer].items())
        ]
        for layer in AREAS
    }


def borders(x: float, y: float) -> dict[str, dict[str, Any]]:
    """By layer and name the areas that meet at the place, in metres from the towns' corner."""
    low, high = 0.0, 2 * SIDE_M
    corners = {
        "ortsteile": ((low, low, x, y), (x, low, high, y), (low, y, x, high), (x, y, high, high)),
        "reviere": ((low, low, x, high), (x, low, high, high)),
    }
    return {layer: {name: _box(*corner) for name, corner in zip(AREAS[layer], corners[layer], strict=True)} for layer in AREAS}


def _box(west: float, south: float, east: float, north: float) -> Any:
    return shapely.box(EAST + west, NORTH + south, EAST + east, NORTH + north)


@dataclass(frozen=True)
class Sight:
    """What a role sees of rows, by its grants and the areas of a town."""

    grants: Mapping[str, Grant]
    world: World

    def of(self, layer: Layer, row: Row) -> Look:
        """By collection, what the row's item shows. Figures are not asked: they rest until they are refreshed."""
        looks = []
        for collection, grant in self.grants.items():
            if grant.layer != layer.name or grant.figures is not None:
                continue
            item = shown(grant, layer, {GEOMETRY: None, **row}, self.world)
            if item is not None:
                looks.append((collection, tuple((name, _plain(value)) for name, value in item.items())))
        return tuple(looks)

    @property
    def shown_areas(self) -> set[str]:
        """The layers of areas that the role is shown, as items or as groups of figures."""
        told = {grant.layer for grant in self.grants.values()}
        return (told | {grant.figures.group_by for grant in self.grants.values() if grant.figures is not None}) & AREAS.keys()

    @property
    def areas(self) -> set[str]:
        """The layers of areas whose borders the role could notice: it sees them, or what it sees is sorted by them."""
        told = self.shown_areas
        for grant in self.grants.values():
            told |= {inside.layer for inside in insides_of(grant.shown_rows)}
            told |= {grant.geometry.layer} if isinstance(grant.geometry, Area) else set()
        return told & AREAS.keys()


class Drawer:
    """Draws rows. Texts of hidden rows are words, where those of visible ones read as numbers: an error on the hidden would show."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self._number = 0

    def id(self) -> UUID:
        return UUID(int=self.random.getrandbits(128), version=4)

    def row(self, layer: Layer) -> dict[str, Any]:
        """A row that may turn out visible or hidden, with hidden-looking values; its geometry anywhere, sometimes far out or nowhere."""
        row = {"id": self.id(), **{name: self.value(layer, name, hidden=True) for name in layer.attributes}}
        if layer.geometry is not None:
            row[GEOMETRY] = self.geometry(layer.geometry.type, far=self.random.random() < 0.15)
        return row

    def visible_row(self, layer: Layer, sight: Sight) -> dict[str, Any] | None:
        """A row that some collection of the role shows, with everything else about it hidden-looking; None where none shows any."""
        for _ in range(12):
            row = self.row(layer)
            mine = [grant for grant in sight.grants.values() if grant.layer == layer.name and grant.figures is None]
            if not mine:
                return None
            told = {name for grant in mine for name in grant.attributes}
            row |= {name: self.value(layer, name, hidden=False) for name in layer.attributes if name in told}
            if layer.geometry is not None and row[GEOMETRY] is not None:
                row[GEOMETRY] = self.geometry(layer.geometry.type, far=False)
            if sight.of(layer, row):
                return row
        return None

    def hidden_row(self, layer: Layer, sight: Sight) -> dict[str, Any] | None:
        """A row that the role does not see at all; None where it sees every one."""
        drawn = (self.row(layer) for _ in range(8))
        return next((row for row in drawn if not sight.of(layer, row)), None)

    def value(self, layer: Layer, name: str, *, hidden: bool) -> Any:
        attribute = layer.attributes[name]
        if not attribute.key and self.random.random() < 0.08:
            return None
        if attribute.enum:
            return self.random.choice(list(attribute.enum))
        if attribute.key:
            return self._unique(name, hidden)
        return _KINDS[attribute.type](self, name, hidden)

    def _unique(self, name: str, hidden: bool) -> str:
        self._number += 1
        return f"{CANARY}-{name}-{self._number}" if hidden else str(10_000 + self._number)

    def text(self, name: str, hidden: bool) -> str:
        self._number += 1
        if hidden:
            return f"{CANARY}-{name}-{self._number}-{self.random.randrange(10**6)}"
        return str(self.random.choice([self.random.randrange(1, 60), self._number]))

    def number(self, name: str, hidden: bool) -> float:
        return round(self.random.uniform(700, 999) if hidden and self.random.random() < 0.7 else self.random.uniform(1, 40), 3)

    def integer(self, name: str, hidden: bool) -> int:
        low, high = (400, 2500) if hidden and self.random.random() < 0.7 else (20, 300)
        return self.random.randrange(low, high)

    def boolean(self, name: str, hidden: bool) -> bool:
        return self.random.random() < 0.5

    def date(self, name: str, hidden: bool) -> date:
        """Decades away from today on both sides: nothing comes due while a test runs."""
        if hidden and self.random.random() < 0.6:
            return self.random.choice([date(1700, 1, 1), date(2200, 1, 1)]) + timedelta(self.random.randrange(30_000))
        return date(1950, 1, 1) + timedelta(self.random.randrange(20_000))

    def datetime(self, name: str, hidden: bool) -> datetime:
        return datetime.combine(self.date(name, hidden), datetime.min.time(), UTC) + timedelta(seconds=self.random.randrange(86_400))

    def geometry(self, type_: str, *, far: bool) -> Any:
        if self.random.random() < 0.06:
            return None
        reach = 50_000.0 if far else 2 * SIDE_M
        x = EAST + self.random.uniform(-reach if far else 0, reach)
        y = NORTH + self.random.uniform(-reach if far else 0, reach)
        return self._shaped(type_, round(x, 3), round(y, 3))

    def _shaped(self, type_: str, x: float, y: float) -> Any:
        match type_:
            case "Point":
                return shapely.Point(x, y)
            case "PointZ":
                return shapely.Point(x, y, round(self.random.uniform(400, 430), 3))
            case "LineString":
                return shapely.LineString([(x, y), (x + self.random.uniform(1, 80), y + 7), (x + 90, y + self.random.uniform(8, 80))])
            case "MultiPolygon":
                return shapely.MultiPolygon([shapely.box(x, y, x + 20, y + 12)])
        raise AssertionError(f"nobody draws a {type_}")

    def near(self, geometry: Any) -> Any:
        """Somewhere close by, often in the same cell of a grid."""
        dx, dy = self.random.uniform(-9, 9), self.random.uniform(-9, 9)
        return shapely.transform(geometry, lambda points: points + [dx, dy, 0][: points.shape[1]], include_z=geometry.has_z)

    def alike(self, sight: Sight, layer: Layer, row: Mapping[str, Any]) -> dict[str, Any]:
        """Another row that looks the same to the role: every cell drawn anew, and kept where the role cannot tell."""
        other = dict(row)
        before = sight.of(layer, row)
        for name in self.random.sample([*layer.attributes, GEOMETRY], len(layer.attributes) + 1):
            candidate = {**other, name: self._another(layer, name, other)} if name in other else other
            if sight.of(layer, candidate) == before:
                other = candidate
        return other

    def _another(self, layer: Layer, name: str, row: Mapping[str, Any]) -> Any:
        if name == GEOMETRY:
            near = row[GEOMETRY] is not None and self.random.random() < 0.7
            return self.near(row[GEOMETRY]) if near else self.geometry(layer.geometry.type, far=self.random.random() < 0.5)  # type: ignore[union-attr]
        if isinstance(row[name], float) and self.random.random() < 0.6:
            return round(row[name] + self.random.uniform(-0.4, 0.4), 3)
        return self.value(layer, name, hidden=True)


_KINDS: Final[Mapping[str, Callable[[Drawer, str, bool], Any]]] = {
    "text": Drawer.text,
    "number": Drawer.number,
    "integer": Drawer.integer,
    "boolean": Drawer.boolean,
    "date": Drawer.date,
    "datetime": Drawer.datetime,
}


def _plain(value: Any) -> Any:
    return shapely.to_wkb(value, hex=True) if isinstance(value, shapely.Geometry) else value


def grants_of(policies: Policies, role: str, day: date) -> Mapping[str, Grant]:
    return policies.roles[role].open_on(day)


def stored(value: Any) -> Any:
    """A cell as a parameter of SQL that a file can hold too."""
    if isinstance(value, shapely.Geometry):
        return shapely.to_wkb(shapely.set_srid(value, SRID), hex=True, include_srid=True)
    return value
