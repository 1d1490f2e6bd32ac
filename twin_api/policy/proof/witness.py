"""Counterexamples as rows and values that could be stored, each judged again by the plain reference before anybody is shown it.

Must never hand out one that the reference does not confirm.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from math import inf, nextafter
from typing import Any, Final
from zoneinfo import ZoneInfo

import shapely

from twin_api.policy.check import GEOMETRY
from twin_api.policy.documents import Layer
from twin_api.policy.masks import GeometryMask, ValueMask
from twin_api.policy.proof.solver import Found
from twin_api.policy.proof.variable import AreaName, Speech, Variable
from twin_api.policy.rule import Row, Rule, World, shows

SPOT: Final = shapely.Point(600_000, 5_500_000)  # somewhere; what counts is the area around it
SAMPLES: Final[Mapping[str, Sequence[Any]]] = {
    "text": ("a", "b", ""),
    "integer": (1, 0, 2, -1, 100, 1000),
    "number": (1.0, 0.0, 0.5, 1.5, 2.0, -1.0, 100.0, 1000.0),
    "boolean": (True, False),
    "date": (date(2026, 1, 1), date(2026, 1, 2), date(2026, 2, 1), date(2025, 1, 1)),
    "datetime": tuple(datetime(*day, tzinfo=UTC) for day in ((2026, 1, 1), (2026, 1, 2), (2026, 2, 1), (2025, 1, 1))),
}
POINTS: Final = ((0.25, 0.25, 1.0), (0.5, 0.5, 2.0), (1e7, 1e7, 1.0))
ORDINARY_MOMENT: Final = datetime(2026, 6, 1, 10, tzinfo=UTC)
MILLIMETRE: Final = Fraction(1, 1000)


@dataclass(frozen=True, slots=True)
class Witness:
    """A row, what it lies in and when: `lower` shows it and none of `uppers` does."""

    row: Row
    areas: Mapping[AreaName, str | None] = field(default_factory=dict)
    world: World = field(default_factory=World)
    looks_at_clock: bool = False


@dataclass(frozen=True, slots=True)
class Pair:
    """Two values that one role sees as one and the other tells apart."""

    one: Any
    other: Any


class Case:
    """One question about rows, with the reference that answers it for a single row."""

    def __init__(self, lower: Rule, uppers: Sequence[Rule], layer: Layer, zone: str, speech: Speech) -> None:
        self._lower, self._uppers, self._layer, self._zone, self._speech = lower, uppers, layer, zone, speech

    def witness(self, found: Found) -> Witness | None:
        """The row as a plain one, as empty and ordinary as it can be; None where the reference does not confirm it."""
        values = {v: None if n is None else self._speech.orders[v].value(n) for v, n in found.assignment.items()}
        noon = datetime.combine(date.fromordinal(found.today), time(12), ZoneInfo(self._zone)).astimezone(UTC)
        for now in (ORDINARY_MOMENT, noon, found.now):
            if self._holds(values, now):
                return self._row(self._plain(values, now), now)
        return None

    def with_value(self, witness: Witness, name: str) -> Witness:
        """The same with something in the attribute, so that it can be seen to be missing; unchanged where that cannot be."""
        if witness.row[name] is not None:
            return witness
        for value in self._ordinary(name):
            changed = replace(witness, row={**witness.row, name: value})
            if self._confirms(changed):
                return changed
        return witness

    def _plain(self, values: dict[Variable, Any], now: datetime) -> dict[Variable, Any]:
        for variable in values:
            for candidate in (None, *self._ordinary(variable)):
                changed = {**values, variable: candidate}
                if self._holds(changed, now):
                    values = changed
                    break
        return values

    def _ordinary(self, variable: Variable) -> Iterator[Any]:
        """Values a person would think of: those of an enumeration, those that rules name, and their neighbours."""
        attribute = self._layer.attributes[variable] if isinstance(variable, str) else None
        if attribute is not None and attribute.enum is not None:
            yield from attribute.enum
        for constant in self._speech.constants.get(variable, ()):
            yield constant
            yield from _neighbours(constant)
        yield from SAMPLES[attribute.type if attribute is not None else "text"]

    def _holds(self, values: Mapping[Variable, Any], now: datetime) -> bool:
        return self._confirms(self._row(values, now))

    def _confirms(self, witness: Witness) -> bool:
        row = {**witness.row, GEOMETRY: SPOT}
        return shows(self._lower, row, witness.world) and not any(shows(upper, row, witness.world) for upper in self._uppers)

    def _row(self, values: Mapping[Variable, Any], now: datetime) -> Witness:
        areas: dict[AreaName, str | None] = {name: value for name, value in values.items() if not isinstance(name, str)}
        row = {**dict.fromkeys(self._layer.attributes), **{name: value for name, value in values.items() if isinstance(name, str)}}
        return Witness(row, areas, World(_world(areas), now, self._zone), self._speech.has_due)


def _world(areas: Mapping[AreaName, str | None]) -> dict[str, list[dict[str, Any]]]:
    """One area of each layer around the spot, where the row lies in one."""
    world: dict[str, list[dict[str, Any]]] = {}
    for layer, _, key in areas:
        told = {a: value for (of, a, _), value in areas.items() if of == layer}
        if any(value is not None for value in told.values()):
            world[layer] = [{**dict.fromkeys(key, "x"), **told, GEOMETRY: SPOT.buffer(1)}]
    return world


def _neighbours(constant: Any) -> Iterator[Any]:
    match constant:
        case bool() | str():
            return
        case int():
            yield from (number for number in (constant + 1, constant - 1) if -(2**63) <= number < 2**63)
        case float():
            yield from (constant + 1, constant - 1, constant + 0.5)
        case _:
            for step in (timedelta(days=1), timedelta(days=-1)):
                try:
                    yield constant + step
                except OverflowError:
                    continue


def value_pair(lower: ValueMask, upper: ValueMask, type_: str, edge: tuple[Fraction, bool] | None) -> Pair | None:
    """Two values that `upper` shows as one and `lower` does not; at the edge that a solver found, or among ordinary ones."""
    near = _at_edge(type_, *edge) if edge is not None else ()
    return _first_pair((*near, *SAMPLES[type_]), lower.value, upper.value)


def place_pair(lower: GeometryMask, upper: GeometryMask, edge: tuple[Fraction, bool] | None) -> Pair | None:
    """The same of two points."""
    near = ((float(edge[0] - MILLIMETRE), 0.0, 0.0), (float(edge[0]), 0.0, 0.0)) if edge is not None else ()
    return _first_pair((*near, *POINTS), lower.point, upper.point)


def _first_pair(values: Sequence[Any], lower: Any, upper: Any) -> Pair | None:
    for number, one in enumerate(values):
        for other in values[number + 1 :]:
            if upper(one) == upper(other) and lower(one) != lower(other):
                return Pair(one, other)
    return None


def _at_edge(type_: str, edge: Fraction, is_held: bool) -> tuple[Any, Any]:
    """The last value below the edge and the first above it."""
    match type_:
        case "integer":
            return int(edge) - 1, int(edge)
        case "number":
            held = float(edge)
            return (nextafter(held, -inf), held) if is_held else (held, nextafter(held, inf))
    first = date(int(edge) // 12, int(edge) % 12 + 1, 1)
    if type_ == "date":
        return first - timedelta(days=1), first
    begin = datetime.combine(first, time(), UTC)
    return begin - timedelta(microseconds=1), begin
