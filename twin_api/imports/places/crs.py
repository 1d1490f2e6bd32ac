"""From the file's coordinate reference system to the layer's: exactly, or not at all."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, Final

from pyproj import CRS, Transformer
from pyproj.aoi import AreaOfInterest
from pyproj.exceptions import ProjError
from pyproj.transformer import TransformerGroup

from twin_api.imports.description import Description
from twin_api.imports.finding import FileRefused, refuse
from twin_api.imports.places.crs_names import find_named
from twin_api.imports.places.grids import how_to_get
from twin_api.policy.crs import LON_LAT
from twin_api.policy.documents import Extent, Geometry
from twin_api.policy.finding import quoted
from twin_api.texts import Text

Transform = Callable[[Any], Any]  # array (n, 2) or (n, 3) -> the same with x and y moved, z untouched
ZONE_M: Final = 1_000_000  # a zone's number stands in front of eastings of six digits


def read_crs(source: str | None, description: Description) -> CRS | None:
    """What a person says of the file, else what it says of itself; None where nobody says it, or says that it is unknown.

    A datum shift of the file's own (`TOWGS84`) is left out: it is good to some metres, and PROJ knows the datum better.
    """
    name = description.crs or source
    crs = find_named(name) if name else None
    if name and crs is None:
        raise refuse(
            Text(
                f"ein Koordinatensystem {quoted(name[:60])} gibt es nicht", f"there is no coordinate reference system {quoted(name[:60])}"
            ),
            Text("eine EPSG-Nummer sagen, etwa `crs: EPSG:25832`", "say a number of EPSG, such as `crs: EPSG:25832`"),
        )
    return None if crs is None or _is_unknown(crs) else crs


def transform_into(geometry: Geometry, origin: CRS, description: Description, extent: Extent | None = None) -> Transform:
    """A function on coordinate arrays, x before y (easting, longitude first). Raises `FileRefused` if it would not be exact.

    The best transformation for the town is meant; without `extent` the best for the whole area of the CRS.
    """
    target = CRS.from_epsg(geometry.epsg)
    _check_heights(geometry, origin)
    flat = _flat(origin)
    if flat.equals(target, ignore_axis_order=True):
        return as_said(description)
    return _steps(description, _best(flat, target, extent))


def place_roughly(geometry: Geometry, origin: CRS, description: Description) -> Transform:
    """The same to some hundred metres, whatever grids there are: enough to see whether a feature is in the town."""
    return _steps(description, Transformer.from_crs(_flat(origin), CRS.from_epsg(geometry.epsg), always_xy=True))


def stay(coordinates: Any) -> Any:
    """Where the file's coordinates are the layer's."""
    return coordinates


def as_said(description: Description) -> Transform:
    """Axes and zone prefix put right, nothing else; `stay` itself where there is nothing to put right."""
    if description.axes == "as-declared" and description.zone_prefix is None:
        return stay

    def put_right(coordinates: Any) -> Any:
        right = coordinates.astype(float)
        if description.axes == "swapped":
            right[:, :2] = coordinates[:, 1::-1]
        right[:, 0] -= ZONE_M * (description.zone_prefix or 0)
        return right

    return put_right


def _steps(description: Description, transformer: Transformer) -> Transform:
    put_right = as_said(description)

    def transform(coordinates: Any) -> Any:
        right = put_right(coordinates).astype(float)
        right[:, 0], right[:, 1] = transformer.transform(right[:, 0], right[:, 1])
        return right

    return transform


def _is_unknown(crs: CRS) -> bool:
    """An engineering CRS, `undefined` of a GeoPackage, or a datum without a name, which only an ellipsoid stands for."""
    flat = _flat(crs)
    names = [flat.name] if flat.is_engineering or flat.geodetic_crs is None else [flat.name, flat.geodetic_crs.name, _datum(flat)]
    return flat.is_engineering or any(word in name.lower() for name in names for word in ("undefined", "unknown"))


def _datum(crs: CRS) -> str:
    return crs.datum.name if crs.datum is not None else ""


def _flat(crs: CRS) -> CRS:
    """The horizontal part, without a datum shift that somebody tied to it."""
    crs = _unbound(crs)
    return _flat(crs.sub_crs_list[0]) if crs.is_compound else crs.to_2d()


def _unbound(crs: CRS) -> CRS:
    return crs.source_crs if crs.is_bound and crs.source_crs is not None else crs


def _vertical(crs: CRS) -> str | None:
    """The height system: `DHHN2016 height`; that of an ellipsoid for a CRS with three axes; None where heights are not spoken of."""
    crs = _unbound(crs)
    if crs.is_compound:
        return str(_unbound(crs.sub_crs_list[1]).name)
    return f"{crs.name} (ellipsoid)" if len(crs.axis_info) == 3 else None


def _check_heights(geometry: Geometry, origin: CRS) -> None:
    """Heights pass unchanged to the last digit, so they must be of the layer's height system where the file says which they are."""
    found = _vertical(origin)
    if not geometry.type.endswith("Z") or geometry.heights is None or found is None:
        return
    if found.casefold().removesuffix(" height") == geometry.heights.casefold().removesuffix(" height"):
        return
    raise refuse(
        Text(f"Höhen im System {found}, verlangt ist {geometry.heights}", f"heights are in {found}, {geometry.heights} is required"),
        Text(
            f"Höhen in {geometry.heights} liefern, etwa als GeoPackage in EPSG:{geometry.epsg}",
            f"deliver heights in {geometry.heights}, for example as GeoPackage in EPSG:{geometry.epsg}",
        ),
    )


def _best(origin: CRS, target: CRS, extent: Extent | None) -> Transformer:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        try:
            group = TransformerGroup(origin, target, always_xy=True, allow_ballpark=False, area_of_interest=_around(extent))
        except ProjError:
            raise _no_way(origin, target) from None
    if group.transformers and group.best_available:
        return group.transformers[0]
    grids = [grid.short_name for operation in group.unavailable_operations[:1] for grid in operation.grids]
    missing = ", ".join(f"`{name}`" for name in grids)
    lack = Text(f"es fehlt das Gitter {missing}", f"the grid {missing} is missing") if missing else Text("es gibt keine", "there is none")
    deliver = Text(f"Datei in EPSG:{target.to_epsg()} liefern", f"deliver the file in EPSG:{target.to_epsg()}")
    get = how_to_get(grids[0]) if grids else Text("")
    raise refuse(
        Text(
            f"keine genaue Umrechnung von {origin.name} nach {target.name}: {lack.de}",
            f"no exact transformation from {origin.name} to {target.name}: {lack.en}",
        ),
        Text(f"{get.de} oder {deliver.de}", f"{get.en}, or {deliver.en}") if grids else deliver,
    )


def _no_way(origin: CRS, target: CRS) -> FileRefused:
    """A definition that PROJ understands and cannot follow."""
    return refuse(
        Text(
            f"keine Umrechnung von {quoted(origin.name)} nach {target.name}",
            f"no transformation from {quoted(origin.name)} to {target.name}",
        ),
        Text(f"Datei in EPSG:{target.to_epsg()} liefern", f"deliver the file in EPSG:{target.to_epsg()}"),
    )


def _around(extent: Extent | None) -> Any:
    if extent is None:
        return None
    to_degrees = Transformer.from_crs(CRS.from_epsg(extent.epsg), LON_LAT, always_xy=True)
    return AreaOfInterest(*to_degrees.transform_bounds(extent.west, extent.south, extent.east, extent.north))
