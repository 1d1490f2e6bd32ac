"""Geometries as people write them into policy tests: nested lists of numbers in the layer's CRS.

Must never mend what is written: a geometry that the store would refuse is a finding.
"""

from __future__ import annotations

from math import isclose, isfinite
from typing import Any, Final

import shapely
from shapely.geometry import mapping, shape

from twin_api.policy.fields import items_of
from twin_api.policy.finding import Findings, quoted
from twin_api.policy.yaml_file import Items, Node, Scalar
from twin_api.texts import Text

DEPTHS: Final = {"Point": 0, "MultiPoint": 1, "LineString": 1, "MultiLineString": 2, "Polygon": 2, "MultiPolygon": 3}
TOLERANCE: Final = 1e-9  # of a coordinate: millimetres


def read_geometry(node: Node, type_: str, findings: Findings) -> Any:
    """A valid geometry of shapely of that OGC type (`PointZ` …); None for `null` and after a finding."""
    coordinates = read_coordinates(node, findings)
    if coordinates is None:
        return None
    geometry = _built(coordinates, type_)
    if geometry is None:
        what = Text(f"das sind nicht die Koordinaten einer Geometrie der Art {quoted(type_)}",
                    f"these are not the coordinates of a geometry of type {quoted(type_)}")  # fmt: skip
        findings.add(node.place, what, Text(f"als {_form(type_)} schreiben", f"write {_form(type_)}"))
    elif not geometry.is_valid:
        what = Text("die Linien dieser Fläche kreuzen einander", "the lines of this surface cross each other")
        findings.add(node.place, what, Text("die Ecken der Reihe nach angeben", "give its corners in order"))
    return geometry


def read_coordinates(node: Node, findings: Findings) -> list[Any] | None:
    """Nested lists of numbers; None for `null` and after a finding."""
    if isinstance(node, Scalar) and node.value is None:
        return None
    before = len(findings)
    coordinates = [_coordinate(item, findings) for item in items_of(node, findings)]
    return coordinates if len(findings) == before else None


def _coordinate(node: Node, findings: Findings) -> Any:
    if isinstance(node, Items):
        return [_coordinate(item, findings) for item in node.items]
    if isinstance(node, Scalar) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
        return float(node.value)
    shown = quoted(node.value) if isinstance(node, Scalar) else "`…`"
    what = Text(f"{shown} ist keine Koordinate", f"{shown} is no coordinate")
    findings.add(node.place, what, Text("eine Zahl ohne Anführungszeichen schreiben", "write a number without quotes"))
    return 0.0


def _built(coordinates: list[Any], type_: str) -> Any:
    flat = type_.removesuffix("Z")
    if not _is_nested(coordinates, DEPTHS[flat], 3 if type_.endswith("Z") else 2):
        return None
    try:
        return shape({"type": flat, "coordinates": coordinates})
    except (ValueError, shapely.errors.ShapelyError):  # too few points for a line or a ring
        return None


def _is_nested(coordinates: Any, depth: int, size: int) -> bool:
    if not isinstance(coordinates, list) or not coordinates:
        return False
    if depth:
        return all(_is_nested(inner, depth - 1, size) for inner in coordinates)
    return len(coordinates) == size and all(isinstance(number, float) and isfinite(number) for number in coordinates)


def _form(type_: str) -> str:
    """What the nesting looks like: `[[x, y], …]` for a line."""
    position = "[x, y, z]" if type_.endswith("Z") else "[x, y]"
    depth = DEPTHS[type_.removesuffix("Z")]
    return f"`{'[' * depth}{position}{', …]' + ']' * (depth - 1) if depth else ''}`"


def is_geometry(coordinates: list[Any] | None, geometry: Any) -> bool:
    """Whether the nested lists are this geometry's coordinates, to the millimetre; an open ring closes itself."""
    if coordinates is None or geometry is None:
        return coordinates is geometry
    meant = _built(coordinates, geometry.geom_type + ("Z" if geometry.has_z else ""))
    return meant is not None and _is_same(mapping(meant)["coordinates"], mapping(geometry)["coordinates"])


def _is_same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return isclose(one, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    if isinstance(one, float) or isinstance(other, float):
        return False
    return len(one) == len(other) and all(_is_same(a, b) for a, b in zip(one, other, strict=True))


def as_coordinates(geometry: Any) -> str:
    """As it would be written in a test."""
    return "null" if geometry is None else str(_as_list(mapping(geometry)["coordinates"]))


def _as_list(coordinates: Any) -> Any:
    return [_as_list(inner) for inner in coordinates] if isinstance(coordinates, tuple | list) else round(coordinates, 6)
