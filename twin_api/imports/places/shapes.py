"""The geometries of a batch: checked one by one, moved into the layer's CRS, ready for PostGIS as EWKB."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import shapely

from twin_api.imports.description import Description
from twin_api.imports.finding import Finding
from twin_api.imports.places.crs import Transform, as_said, read_crs, stay, transform_into
from twin_api.imports.places.whereabouts import CHECK, Whereabouts
from twin_api.policy.documents import Extent, Geometry
from twin_api.texts import Text

Report = Callable[[int, Text, Text], None]  # row of the batch, what is wrong, remedy
PARTS: Final = {"Point": "MultiPoint", "LineString": "MultiLineString", "Polygon": "MultiPolygon"}
COLLECT: Final = {"MultiPoint": shapely.multipoints, "MultiLineString": shapely.multilinestrings, "MultiPolygon": shapely.multipolygons}
REASONS: Final = {
    "Self-intersection": "Linie schneidet sich selbst", "Ring Self-intersection": "Ring schneidet sich selbst",
    "Hole lies outside shell": "Loch liegt außerhalb", "Holes are nested": "Löcher ineinander", "Nested shells": "Flächen ineinander",
    "Nested holes": "Löcher ineinander", "Duplicate Rings": "Ring doppelt", "Interior is disconnected": "Inneres zerfällt",
    "Too few points in geometry component": "zu wenige verschiedene Punkte",
}  # fmt: skip
POINTS: Final = 1_000_000
COMPLETE: Final = Text("Objekt ergänzen oder weglassen", "complete the feature or leave it out")
MEND: Final = Text("in der Quelle berichtigen", "mend it at the source")


class ShapeCheck:
    """For one layer and one source CRS. Nothing is mended: a wrong geometry is reported and left out."""

    def __init__(self, geometry: Geometry, source_crs: str | None, description: Description, extent: Extent | None) -> None:
        self._geometry = geometry
        self._z = geometry.type.endswith("Z")
        self._type = geometry.type.removesuffix("Z")
        origin = read_crs(source_crs, description)
        unplaced = as_said(description)
        self._transform: Transform = unplaced if origin is None else transform_into(geometry, origin, description, extent)
        self._srid = bytes([0xA0 if self._z else 0x20]) + geometry.epsg.to_bytes(4, "little")  # follows in EWKB where its flag is set
        self._whereabouts = Whereabouts(geometry, origin, description, extent)

    def conclude(self) -> Finding | None:
        """After the last batch: the one finding that stands for all that were reported astray, if most of the file is."""
        return self._whereabouts.conclude()

    def ewkb(self, wkb: list[bytes | None], report: Report, astray: Report) -> list[bytes | None]:
        """EWKB with the layer's SRID for each row; `None` or worthless for rows that are reported. `astray` hears of features far away."""
        shapes = shapely.from_wkb(np.array(wkb, dtype=object), on_invalid="ignore")
        good = self._readable(shapes, wkb, report)
        good &= self._bounded(shapes, good, report)
        good &= self._dimension(shapes, good, report)
        good &= self._finite(shapes, good, report)
        rows = np.flatnonzero(good)
        moved = self._promote(shapes[rows])
        if self._transform is not stay:
            moved = shapely.transform(moved, self._transform, include_z=self._z)
        self._place(shapes[rows], moved, rows, report, astray)
        ewkb: list[bytes | None] = [None] * len(wkb)
        octets = shapely.to_wkb(moved, output_dimension=3 if self._z else 2, byte_order=1, flavor="extended")
        placed = [value[:4] + self._srid + value[5:] for value in octets]
        if len(placed) == len(wkb):
            return placed
        for row, value in zip(rows.tolist(), placed, strict=True):
            ewkb[row] = value
        return ewkb

    def _readable(self, shapes: Any, wkb: list[bytes | None], report: Report) -> Any:
        """There, not empty, and of the layer's type or a single part of it."""
        allowed = {self._type} | {single for single, multi in PARTS.items() if multi == self._type}
        kinds = [int(shapely.GeometryType[kind.upper()]) for kind in allowed]
        good = np.isin(shapely.get_type_id(shapes), kinds) & ~shapely.is_empty(shapes)  # of none, the type is -1
        for row in np.flatnonzero(~good).tolist():
            shape, octets = shapes[row], wkb[row]
            if octets is None:
                report(row, Text("keine Geometrie", "no geometry"), COMPLETE)
            elif shape is None:
                report(row, _unreadable(octets), MEND)
            elif shape.is_empty:
                report(row, _empty(shape), COMPLETE)
            else:
                found = Text(f"Geometrie vom Typ `{shape.geom_type}`", f"geometry of type `{shape.geom_type}`")
                report(row, found, Text(f"verlangt ist `{self._geometry.type}`", f"`{self._geometry.type}` is required"))
        return good

    def _bounded(self, shapes: Any, good: Any, report: Report) -> Any:
        """What is costly beyond any use; the borders of a state have some hundred thousand points."""
        large = good & (shapely.get_num_coordinates(shapes) > POINTS)
        for row in np.flatnonzero(large).tolist():
            what = Text(f"die Geometrie hat mehr als {POINTS} Punkte", f"the geometry has more than {POINTS} points")
            report(row, what, Text("in der Quelle vereinfachen oder aufteilen", "simplify or divide it at the source"))
        return ~large

    def _dimension(self, shapes: Any, good: Any, report: Report) -> Any:
        flat = good & ~shapely.has_z(shapes) if self._z else np.zeros(len(shapes), dtype=bool)
        for row in np.flatnonzero(flat).tolist():
            report(
                row, Text("Geometrie ohne Höhe", "geometry without height"), Text("Koordinaten mit z liefern", "deliver coordinates with z")
            )
        return ~flat

    def _finite(self, shapes: Any, good: Any, report: Report) -> Any:
        coordinates, rows = shapely.get_coordinates(np.where(good, shapes, None), include_z=self._z, return_index=True)
        broken = np.unique(rows[~np.isfinite(coordinates).all(axis=1)])
        for row in broken.tolist():
            report(row, Text("Koordinate ist keine endliche Zahl", "a coordinate is not a finite number"), MEND)
        finite = np.ones(len(shapes), dtype=bool)
        finite[broken] = False
        return finite

    def _promote(self, shapes: Any) -> Any:
        if self._z:
            shapes = shapely.force_3d(shapes)
        elif (shapely.get_coordinate_dimension(shapes) > 2).any():
            shapes = shapely.force_2d(shapes)
        if self._type not in COLLECT:
            return shapes
        single = np.flatnonzero(shapely.get_type_id(shapes) < shapely.GeometryType.MULTIPOINT)
        if len(single):
            shapes = shapes.copy()
            shapes[single] = COLLECT[self._type](shapes[single], indices=np.arange(len(single)))
        return shapes

    def _place(self, shapes: Any, moved: Any, rows: Any, report: Report, astray: Report) -> None:
        away = self._whereabouts.find_outside(shapely.bounds(shapes), shapely.bounds(moved))
        for at in np.flatnonzero(away).tolist():
            astray(int(rows[at]), self._whereabouts.said_of_one, CHECK)
        for at in np.flatnonzero(~away & ~shapely.is_valid(moved)).tolist():
            report(int(rows[at]), self._why(moved[at]), MEND)

    def _why(self, shape: Any) -> Text:
        """The reason; its place only where everybody may see the layer's geometry."""
        reason, _, place = shapely.is_valid_reason(shape).partition("[")
        point = re.match(r"(-?[\d.]+)\S* (-?[\d.]+)", place) if self._geometry.class_ == "public" else None
        at = f" ({float(point[1]):.2f} {float(point[2]):.2f})" if point else ""
        bei, near = (f" bei{at}", f" at{at}") if at else ("", "")
        return Text(f"ungültige Geometrie: {REASONS.get(reason, reason)}{bei}", f"invalid geometry: {reason}{near}")


def _empty(shape: Any) -> Text:
    """A reader makes an empty point of a point whose coordinates are no numbers."""
    if shape.geom_type == "Point":
        return Text("Punkt ohne endliche Koordinaten", "point without finite coordinates")
    return Text("leere Geometrie", "empty geometry")


def _unreadable(octets: bytes) -> Text:
    try:
        shapely.from_wkb(octets)
    except shapely.errors.GEOSException as error:
        if "closed" in str(error):
            return Text("Ring ist nicht geschlossen", "a ring is not closed")
        if "number of points" in str(error) or "point array" in str(error).lower():
            return Text("zu wenige Punkte", "too few points")
    return Text("Geometrie nicht lesbar", "geometry cannot be read")
