"""One layer of the sample town on its way into a GeoPackage; column names are the names of the layer's attributes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyogrio.raw
import shapely

Kind = Literal["text", "integer", "number", "date"]
DTYPES: dict[Kind, tuple[Any, Any]] = {  # numpy type, and what stands below the mask of a NULL
    "text": (np.dtype(object), None),
    "integer": (np.dtype("int64"), 0),
    "number": (np.dtype("float64"), 0.0),
    "date": (np.dtype("datetime64[D]"), np.datetime64("1970-01-01", "D")),
}
Cell = str | int | float | date | None


@dataclass(frozen=True, slots=True)
class Sheet:
    layer: str
    geometry_type: str  # as GDAL says it: `MultiPolygon`, `LineString`, `Point Z`
    epsg: int
    columns: Mapping[str, Kind]
    rows: tuple[tuple[shapely.Geometry, Mapping[str, Cell]], ...]

    def write(self, folder: Path) -> Path:
        """Write `<folder>/<layer>.gpkg`, replacing what is there."""
        path = folder / f"{self.layer}.gpkg"
        path.unlink(missing_ok=True)
        fields = [column(kind, [row.get(name) for _, row in self.rows]) for name, kind in self.columns.items()]
        pyogrio.raw.write(
            path,
            shapely.to_wkb(np.array([geometry for geometry, _ in self.rows], dtype=object)),
            field_data=[data for data, _ in fields],
            field_mask=[mask for _, mask in fields],
            fields=list(self.columns),
            layer=self.layer,
            driver="GPKG",
            geometry_type=self.geometry_type,
            crs=f"EPSG:{self.epsg}",
        )
        return path


def column(kind: Kind, cells: Iterable[Cell]) -> tuple[Any, Any]:
    """The cells as one numpy array, and where they are NULL."""
    dtype, nothing = DTYPES[kind]
    known = list(cells)
    data = np.array([nothing if cell is None else cell for cell in known], dtype=dtype)
    return data, np.array([cell is None for cell in known], dtype=bool)
