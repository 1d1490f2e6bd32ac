"""The small map of a page for people: its own items as they are shown, north up, drawn into the page as SVG.

Nothing goes in but what stands on the page as data; equal pages have equal maps. No script, no style of its own, no other host.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import floor, log10
from typing import Any, Final

import numpy as np

from twin_api.encodings.ground import Ground
from twin_api.encodings.outlines import AREA, LINE, POINT, Drawn, Outline, Points, outlines, read_parts
from twin_api.texts import Language, Text

WIDTH: Final = 1440  # units; a pixel is three to five of them
_PADDING: Final = 90
_FLATTEST: Final = 0.55  # height by width
_LEAST_M: Final = 100.0  # ground that a map shows at least: a tree needs its surroundings
_FINGER: Final = 108  # units: 24 pixels on a narrow screen
_BAR: Final = 400  # the longest scale bar
_LABEL: Final = (330, 130)  # units: the width of a label and the height of two on a narrow screen
_LINES: Final = 3  # of the grid, about, each way
_EAST: Final = (Text("W", "W"), Text("O", "E"))
_NORTH: Final = (Text("S", "S"), Text("N", "N"))


@dataclass(frozen=True, slots=True)
class Shape:
    """One item, drawn: `areas`, `lines` and `dots` are SVG paths. `target` is one too, where the shape is too small to be hit."""

    item: int
    areas: str
    lines: str
    dots: str
    target: str


@dataclass(frozen=True, slots=True)
class GridLine:
    label: str
    at: int
    is_north: bool  # it runs from west to east, and its label is a northing


@dataclass(frozen=True, slots=True)
class Bar:
    label: str
    length: int


@dataclass(frozen=True, slots=True)
class Map:
    width: int
    height: int
    shapes: Sequence[Shape]
    grid: Sequence[GridLine]
    bar: Bar | None
    unplaced: int  # items that have no place

    @property
    def placed(self) -> int:
        return len(self.shapes)


@dataclass(frozen=True, slots=True)
class Sheet:
    """Where the map lies: its north-western corner on the ground, and how many units of it a unit of the ground is, each way."""

    west: float
    north: float
    by_east: float
    by_north: float
    height: int
    middle: float

    def place(self, points: Points) -> Points:
        return np.stack([(points[:, 0] - self.west) * self.by_east, (self.north - points[:, 1]) * self.by_north], axis=1)


def draw(geometries: Sequence[Mapping[str, Any] | None], ground: Ground, lang: Language) -> Map | None:
    """The map of these GeoJSON geometries, None where none of them has a place. Time and size have a bound, whatever they hold."""
    parts = read_parts(geometries, north_first=ground.north_first)
    if parts is None:
        return None
    sheet = _sheet(parts.points, ground)
    drawn = outlines(parts, sheet.place)
    # what is smaller lies above, so that it can be hit
    shapes = [_shape(outline) for outline in sorted(drawn, key=_size, reverse=True)]
    return Map(WIDTH, sheet.height, shapes, _grid(sheet, ground, lang), _bar(sheet, ground), len(geometries) - len(drawn))


def _sheet(points: Points, ground: Ground) -> Sheet:
    (west, south), (east, north) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    middle = (south + north) / 2
    least = _LEAST_M / (ground.unit_m(middle) or 1.0)
    width, inside = ground.widths(middle), WIDTH - 2 * _PADDING
    across, up = max((east - west) * width, least), max(north - south, least * _FLATTEST)
    height = round(WIDTH * min(1.0, max(_FLATTEST, up / across)))
    by_north = min(inside / across, (height - 2 * _PADDING) / up)
    by_east = by_north * width
    return Sheet((west + east) / 2 - WIDTH / 2 / by_east, middle + height / 2 / by_north, by_east, by_north, height, middle)


def _size(outline: Outline) -> tuple[int, int]:
    left, top, right, bottom = outline.box
    return outline.kind, (right - left) * (bottom - top)


def _shape(outline: Outline) -> Shape:
    paths = ["".join(_path(kind, points) for kind, points in outline.parts if kind == wanted) for wanted in (POINT, LINE, AREA)]
    left, top, right, bottom = outline.box
    width, height = right - left, bottom - top
    if outline.kind == AREA and min(width, height) >= _FINGER:
        target = ""
    elif outline.kind != POINT and max(width, height) < _FINGER:
        target = f"M{(left + right) // 2} {(top + bottom) // 2}h0"
    else:
        target = "".join(paths)
    return Shape(outline.item, paths[AREA], paths[LINE], paths[POINT], target)


def _path(kind: int, points: Drawn) -> str:
    """Whole numbers, each relative to the one before. A dot is a line without length: its width is set in pixels, whatever the scale."""
    if kind == POINT:
        return "".join(f"M{x} {y}h0" for x, y in points.tolist())
    x, y = points[0].tolist()
    steps = " ".join(f"{right} {down}" for right, down in np.diff(points, axis=0).tolist())
    return f"M{x} {y}l{steps}{'z' if kind == AREA else ''}"


def _grid(sheet: Sheet, ground: Ground, lang: Language) -> list[GridLine]:
    east = sheet.west + WIDTH / sheet.by_east
    south = sheet.north - sheet.height / sheet.by_north
    lines = [(value, step, False) for value, step in _multiples(sheet.west, east)]
    lines += [(value, step, True) for value, step in _multiples(south, sheet.north)]
    return [line for line in (_grid_line(sheet, ground, lang, *told) for told in lines) if _has_room(line)]


def _has_room(line: GridLine) -> bool:
    """For its label, inside the map."""
    width, height = _LABEL
    return line.at > height if line.is_north else line.at < WIDTH - width


def _grid_line(sheet: Sheet, ground: Ground, lang: Language, value: float, step: float, is_north: bool) -> GridLine:
    at = (sheet.north - value) * sheet.by_north if is_north else (value - sheet.west) * sheet.by_east
    return GridLine(_label(value, step, ground, lang, is_north), round(at), is_north)


def _label(value: float, step: float, ground: Ground, lang: Language, is_north: bool) -> str:
    digits = max(0, -floor(log10(step) + 1e-9))
    if ground.unit != "degree":
        return _number(value, digits, lang)
    sides = _NORTH if is_north else _EAST
    return f"{_number(abs(value), digits, lang)}° {sides[value >= 0].say(lang)}"


def _number(value: float, digits: int, lang: Language) -> str:
    text = f"{value + 0.0:.{digits}f}"
    return text.replace(".", ",") if lang == "de" else text


def _multiples(begin: float, end: float) -> Iterator[tuple[float, float]]:
    """Round numbers in between, and the step from one to the next."""
    step = _round((end - begin) / _LINES)
    for number in range(floor(begin / step) + 1, floor(end / step) + 1):
        yield number * step, step


def _bar(sheet: Sheet, ground: Ground) -> Bar | None:
    unit_m = ground.unit_m(sheet.middle)
    if unit_m is None:
        return None
    by_metre = sheet.by_north / unit_m
    length_m = _round(_BAR / by_metre)
    return Bar(f"{length_m / 1000:.0f} km" if length_m >= 1000 else f"{length_m:.0f} m", round(length_m * by_metre))


def _round(most: float) -> float:
    """The largest 1, 2 or 5 with zeros that is not more."""
    magnitude = 10.0 ** floor(log10(most))
    return next(first * magnitude for first in (5, 2, 1) if first * magnitude <= most * (1 + 1e-9))
