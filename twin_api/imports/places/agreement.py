"""Whether Python, which brings coordinates into the store, and the database, which takes them out, transform them alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import numpy as np
import psycopg
from pyproj import CRS, Transformer

from twin_api.imports.description import Description
from twin_api.imports.finding import FileRefused, Finding
from twin_api.imports.places.crs import transform_into
from twin_api.policy.crs import area_of, unit_of
from twin_api.policy.documents import Extent, Geometry
from twin_api.texts import Text

USUAL: Final = (25832, 25833, 4326, 3857, 31467, 31468, 4647, 5678)
GERMANY: Final = Extent(4326, 6.2, 47.6, 14.8, 54.8)
TOLERANCE_M: Final = 0.001
METRES_PER_DEGREE: Final = 111_320.0
TRANSFORMED: Final = """
    SELECT postgis.ST_X(there), postgis.ST_Y(there)
    FROM unnest(%s::float8[], %s::float8[]) WITH ORDINALITY AS point (x, y, number),
        LATERAL postgis.ST_Transform(postgis.ST_SetSRID(postgis.ST_MakePoint(x, y), %s::int), %s::int) AS there
    ORDER BY number"""
MEND: Final = Text(
    "auf beiden Rechnern das Systempaket `proj-data` einrichten, dann die Datenbank neu starten",
    "install the system's package `proj-data` on both machines, then restart the database",
)


def find_disagreements(connection: psycopg.Connection[Any], targets: Iterable[int], extent: Extent | None) -> Iterator[Finding]:
    """A finding for each pair of coordinate systems whose points in the town (or in Germany) come out more than a millimetre apart.

    `targets` are the EPSG numbers of the layers; sources are those usual in Germany. `connection` has to be autocommit.
    """
    for target in sorted(set(targets)):
        for source in USUAL:
            points = _points(source, target, extent or GERMANY)
            if source != target and len(points):
                yield from _compare(connection, source, target, points, extent)


def transform_in_database(connection: psycopg.Connection[Any], source: int, target: int, points: Any) -> Any:
    """Points (n, 2), x before y, as the database transforms them."""
    values = [points[:, 0].tolist(), points[:, 1].tolist(), source, target]
    return np.array(connection.execute(TRANSFORMED, values).fetchall(), dtype=float)


def transform_in_python(source: int, target: int, points: Any, extent: Extent | None) -> Any:
    """The same by the way imports take. Where a state's own grid is missing, by the grid for all of Germany, as the database does it."""
    layer, origin = Geometry("Point", target, ""), CRS.from_epsg(source)
    try:
        return transform_into(layer, origin, Description(), extent)(points)
    except FileRefused:
        return transform_into(layer, origin, Description())(points)


def _compare(connection: psycopg.Connection[Any], source: int, target: int, points: Any, extent: Extent | None) -> Iterator[Finding]:
    pair = f"EPSG:{source} → EPSG:{target}"
    try:
        here, there = transform_in_python(source, target, points, extent), transform_in_database(connection, source, target, points)
    except FileRefused as refused:
        yield from refused.findings
    except (psycopg.DataError, psycopg.InternalError) as error:
        said = error.sqlstate
        yield Finding(Text(f"{pair}: die Datenbank kann es nicht ({said})", f"{pair}: the database cannot do it ({said})"), MEND)
    else:
        apart = float(np.hypot(*(here - there).T).max()) * (METRES_PER_DEGREE if unit_of(target) == "degree" else 1.0)
        if not apart <= TOLERANCE_M:
            yield Finding(
                Text(
                    f"{pair}: Python und Datenbank liegen {apart:.3f} m auseinander", f"{pair}: Python and database are {apart:.3f} m apart"
                ),
                MEND,
            )


def _points(source: int, target: int, extent: Extent) -> Any:
    """Corners and centre of the extent in the source's CRS, as far as both systems are meant for them."""
    west, south, east, north = extent.west, extent.south, extent.east, extent.north
    corners = [(west, south), (west, north), (east, south), (east, north), ((west + east) / 2, (south + north) / 2)]
    points = np.array(corners, dtype=float)
    inside = np.ones(len(points), dtype=bool)
    for epsg in (target, source):
        there = Transformer.from_crs(CRS.from_epsg(extent.epsg), CRS.from_epsg(epsg), always_xy=True)
        placed = np.column_stack(there.transform(points[:, 0], points[:, 1]))
        inside &= area_of(epsg)(placed)
    return placed[inside]
