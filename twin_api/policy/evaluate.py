"""What a grant shows of rows, computed in Python: the reference for the published tables, and what policy tests stand on.

Must never serve a role: it is handed whole rows. What it says of a row depends on that row, the areas and the clock alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from math import inf, isfinite
from typing import Any, Final

import shapely

from twin_api.policy.documents import Figure, Grant, Layer
from twin_api.policy.figures import AMOUNTS, FEWEST
from twin_api.policy.masks import GeometryMask, Hide, KeepGeometry, Round, Xy
from twin_api.policy.rule import Row, World, truth

GEOMETRY: Final = "geometry"
DOMINANT_PERCENT: Final = 85  # of a sum, held by its two largest contributors
FEWEST_SUPPRESSED: Final = 2  # a single suppressed group is the total less the others

Item = Mapping[str, Any]


def shown(grant: Grant, layer: Layer, row: Row, world: World) -> Item | None:
    """What an item of the grant shows: attribute -> masked value, `geometry` -> a geometry of shapely or None; None: it is hidden.

    A hidden geometry (`hide`) has no entry. For grants of items, not of figures.
    """
    if not is_shown(grant, row, world):
        return None
    item = {name: mask.value(row[name], row) for name, mask in grant.attributes.items()}
    if layer.geometry is not None and not isinstance(grant.geometry, Hide):
        item[GEOMETRY] = _masked(grant.geometry, row[GEOMETRY], world)
    return item


def is_shown(grant: Grant, row: Row, world: World) -> bool:
    """Whether the grant's rule and embargo let the row through; of figures: whether it is counted."""
    return truth(grant.shown_rows, standing(row), world) is True


def standing(row: Row) -> Row:
    """The row as rules read it: `geometry` is the point that stands for the item."""
    return {**row, GEOMETRY: standing_point(row.get(GEOMETRY))}


def standing_point(geometry: Any) -> Any:
    """A point itself, of lines and surfaces one point on them; without height. None for no geometry."""
    if geometry is None or geometry.is_empty:
        return None
    flat = shapely.force_2d(geometry)
    return flat if flat.geom_type == "Point" else shapely.point_on_surface(flat)


def _masked(mask: GeometryMask, geometry: Any, world: World) -> Any:
    if geometry is None or isinstance(mask, KeepGeometry):
        return geometry
    if isinstance(mask, Xy):
        return shapely.force_2d(geometry)
    point = standing_point(geometry)
    coordinates = mask.point(point.coords[0], world) if point is not None else None
    return None if coordinates is None else shapely.Point(coordinates)


@dataclass(slots=True)
class _Group:
    """`values` holds the figures shown; None is one that is withheld."""

    label: Mapping[str, Any]
    geometry: Any
    members: Sequence[Row]
    values: dict[str, Any] = field(default_factory=dict)
    is_suppressed: bool = False

    @property
    def order(self) -> tuple[int, tuple[str, ...]]:
        return len(self.members), tuple(str(value) for value in self.label.values())


def groups(grant: Grant, layer: Layer, areas: Layer | None, rows: Iterable[Row], world: World) -> list[Item]:
    """Every group with its figures: label columns, `geometry` of an area, figure -> number or None where it is withheld.

    `areas` is the layer that the figures group by, its rows in `world`; None where they group by an attribute.
    """
    figures = grant.figures
    if figures is None:
        return []
    counted = [row for row in rows if is_shown(grant, row, world)]
    every = list(_by_area(areas, counted, world) if areas is not None else _by_value(layer, figures.group_by, counted))
    occupied = sorted((group for group in every if group.members), key=lambda group: group.order)
    _suppress(occupied, figures.at_least)
    if any(len(group.members) < figures.at_least for group in occupied) and _are_too_few(occupied, figures.at_least):
        for group in every:  # beside zeros, the one that is none would be known to be small
            group.is_suppressed = True
    for figure in figures.figures:
        for group in every:
            group.values[figure.name] = None if group.is_suppressed else _value(figure, layer, group.members, figures.at_least)
        if figure.kind in AMOUNTS:
            _withhold_a_second(figure.name, [group for group in occupied if not group.is_suppressed])
    return [{**group.label, **({GEOMETRY: group.geometry} if areas is not None else {}), **group.values} for group in every]


def _by_area(areas: Layer, rows: Iterable[Row], world: World) -> Iterator[_Group]:
    held = [(row, world.area_of(areas.name, areas.key, standing_point(row[GEOMETRY]))) for row in rows]
    for area in world.areas.get(areas.name, ()):
        label = {name: area[name] for name in areas.key}
        yield _Group(label, area[GEOMETRY], [row for row, its_area in held if its_area is area])


def _by_value(layer: Layer, attribute: str, rows: Sequence[Row]) -> Iterator[_Group]:
    for value in layer.attributes[attribute].enum or ():
        yield _Group({attribute: value}, None, [row for row in rows if row[attribute] == value])


def _suppress(occupied: Sequence[_Group], at_least: int) -> None:
    """Complementary suppression over the groups in order of size: from the smallest on, until none can be had by subtraction."""
    if not any(len(group.members) < at_least for group in occupied):
        return
    before = 0
    for number, group in enumerate(occupied):
        if len(group.members) >= at_least and number >= FEWEST_SUPPRESSED and before >= at_least:
            return
        group.is_suppressed = True
        before += len(group.members)


def _are_too_few(occupied: Sequence[_Group], at_least: int) -> bool:
    return len(occupied) < FEWEST_SUPPRESSED or sum(len(group.members) for group in occupied) < at_least


def _withhold_a_second(name: str, visible: Sequence[_Group]) -> None:
    """Where one group alone withholds a figure, it could be had from the total: the smallest that shows one withholds it too."""
    if sum(group.values[name] is None for group in visible) == 1:
        second = next((group for group in visible if group.values[name] is not None), None)
        if second is not None:
            second.values[name] = None


def _value(figure: Figure, layer: Layer, members: Sequence[Row], at_least: int) -> Any:
    if figure.kind == "count":
        return _rounded(figure, len(members))
    values = [row[str(figure.attribute)] for row in members if row[str(figure.attribute)] is not None]
    if len(values) < at_least:
        return None
    if figure.kind == "share":
        return _share(figure, values)
    return _amount(figure, values, is_whole=layer.attributes[str(figure.attribute)].type == "integer")


def _share(figure: Figure, values: Sequence[Any]) -> float | None:
    """In percent of those that have a value; never 0 or 100, which would speak of each one."""
    matching = sum(value in figure.values for value in values)
    if min(matching, len(values) - matching) < FEWEST:
        return None
    percent = Round(figure.step or Decimal(1)).value(100 * matching / len(values))
    return percent if percent is not None and 0 < percent < 100 else None


def _amount(figure: Figure, values: Sequence[float], *, is_whole: bool) -> Any:
    """Sum or mean, added up exactly from the shortest decimals, so that the order of rows is no matter; None beyond what a column holds.

    None too where two stand out, and where all are 0: it would speak of each one.
    """
    numbers = [Fraction(repr(value)) for value in values]
    sizes = sorted(map(abs, numbers))
    if sizes[-1] == 0 or 100 * sum(sizes[-2:]) > DOMINANT_PERCENT * sum(sizes):
        return None
    total = sum(numbers, Fraction(0))
    if figure.kind == "mean":
        return _rounded(figure, float(total / len(numbers)))
    return _rounded(figure, int(total) if is_whole else _double(total))


def _double(number: Fraction) -> float:
    try:
        return float(number)
    except OverflowError:
        return inf


def _rounded(figure: Figure, value: float) -> Any:
    if figure.step is None and isinstance(value, float):
        return value if isfinite(value) else None
    return Round(figure.step or Decimal(1)).value(value)
