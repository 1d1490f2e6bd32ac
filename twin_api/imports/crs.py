"""From the file's coordinate reference system to the layer's: exactly, or not at all."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from pyproj import CRS, Transformer
from pyproj.exceptions import ProjError
from pyproj.transformer import TransformerGroup

from twin_api.imports.finding import refuse
from twin_api.policy.documents import Geometry
from twin_api.texts import Text

AROUND_LON, AROUND_LAT = 2.5, 1.0  # towns use a zone beyond its edge: all of Bavaria writes EPSG:25832, which ends at 12° E
LON_LAT: Final = CRS("OGC:CRS84")
Transform = Callable[[Any], Any]  # array (n, 2) or (n, 3) -> the same with x and y moved, z untouched


def transform_into(geometry: Geometry, source: str | None) -> Transform:
    """A function on coordinate arrays, x before y (easting, longitude first). Raises `FileRefused` if it would not be exact."""
    target = CRS.from_epsg(geometry.epsg)
    origin = _known(source)
    _check_heights(geometry, origin)
    flat = origin.sub_crs_list[0] if origin.is_compound else origin
    if flat.to_2d().equals(target, ignore_axis_order=True):
        return lambda coordinates: coordinates
    transformer = _best(flat.to_2d(), target)

    def transform(coordinates: Any) -> Any:
        x, y = transformer.transform(coordinates[:, 0], coordinates[:, 1])
        return np.column_stack([x, y, coordinates[:, 2:]])

    return transform


def outside(geometry: Geometry) -> Callable[[Any], Any]:
    """A function from bounds (n, 4) in the layer's CRS to which of them leave its area of use, with some room around it."""
    target = CRS.from_epsg(geometry.epsg)
    back = Transformer.from_crs(target, LON_LAT, always_xy=True)
    area = target.area_of_use
    west, south, east, north = area.bounds if area is not None else (-180.0, -90.0, 180.0, 90.0)

    def leave(bounds: Any) -> Any:
        away = np.zeros(len(bounds), dtype=bool)
        for corner in (bounds[:, :2], bounds[:, 2:]):
            lon, lat = back.transform(corner[:, 0], corner[:, 1])
            known = np.isfinite(lon) & np.isfinite(lat)
            inside = (lon >= west - AROUND_LON) & (lon <= east + AROUND_LON) & (lat >= south - AROUND_LAT) & (lat <= north + AROUND_LAT)
            away |= ~(known & inside)
        return away

    return leave


def _known(source: str | None) -> CRS:
    remedy = Text(
        "in der Quelle das Koordinatensystem setzen und die Datei neu ausgeben", "set the CRS at the source and export the file again"
    )
    if not source:
        raise refuse(Text("die Datei nennt kein Koordinatensystem", "the file names no coordinate reference system"), remedy)
    try:
        crs = CRS.from_user_input(source)
    except ProjError:
        crs = None
    if crs is None or crs.is_engineering or "undefined" in crs.name.lower() or "unknown" in crs.name.lower():
        name = crs.name if crs is not None else source[:60]
        raise refuse(Text(f"das Koordinatensystem der Datei ist unbestimmt: {name}", f"the file's CRS is undefined: {name}"), remedy)
    return crs


def _check_heights(geometry: Geometry, origin: CRS) -> None:
    """Heights pass unchanged, so they must be of the layer's height system where the file says which they are."""
    if not geometry.type.endswith("Z") or geometry.heights is None:
        return
    vertical = origin.sub_crs_list[1].name if origin.is_compound else None
    if vertical is not None and geometry.heights.casefold() in vertical.casefold():
        return
    if vertical is not None or len(origin.axis_info) == 3:
        found = vertical or origin.name + " (ellipsoid)"
        raise refuse(
            Text(f"Höhen im System {found}, verlangt ist {geometry.heights}", f"heights are in {found}, {geometry.heights} is required"),
            Text(
                f"Höhen in {geometry.heights} liefern, etwa als GeoPackage in EPSG:{geometry.epsg}",
                f"deliver heights in {geometry.heights}, for example as GeoPackage in EPSG:{geometry.epsg}",
            ),
        )


def _best(origin: CRS, target: CRS) -> Transformer:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        group = TransformerGroup(origin, target, always_xy=True, allow_ballpark=False)
    if group.transformers and group.best_available:
        return group.transformers[0]
    grids = [grid.short_name for operation in group.unavailable_operations[:1] for grid in operation.grids]
    missing = ", ".join(f"`{name}`" for name in grids)
    lack = Text(f"es fehlt das Gitter {missing}", f"the grid {missing} is missing") if missing else Text("es gibt keine", "there is none")
    raise refuse(
        Text(
            f"keine genaue Umrechnung von {origin.name} nach {target.name}: {lack.de}",
            f"no exact transformation from {origin.name} to {target.name}: {lack.en}",
        ),
        Text(f"Datei in EPSG:{target.to_epsg()} liefern", f"deliver the file in EPSG:{target.to_epsg()}")
        if not missing
        else Text(
            f"Gitter in den Ordner von PROJ legen (`projsync --file {grids[0]}`) oder Datei in EPSG:{target.to_epsg()} liefern",
            f"put the grid into PROJ's folder (`projsync --file {grids[0]}`) or deliver the file in EPSG:{target.to_epsg()}",
        ),
    )
