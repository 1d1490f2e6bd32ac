"""One layer of the sample town on its way into a GeoPackage; column names are the names of the layer's attributes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import pyogrio.raw
import shapely

from twin_api.layers.musterdorf.chance import Array

EPSG: Final = 25832
Kind = Literal["text", "integer", "number", "boolean", "date", "datetime"]
DTYPES: Final[Mapping[Kind, Any]] = {
    "text": np.dtype(object),
    "integer": np.dtype("int64"),
    "number": np.dtype("float64"),
    "boolean": np.dtype(bool),
    "date": np.dtype("datetime64[D]"),
    "datetime": np.dtype("datetime64[ms]"),  # in UTC
}


@dataclass(frozen=True, slots=True)
class Column:
    """`known` is False where the value is NULL, whatever stands there in `values`; None if all are known."""

    kind: Kind
    values: Array
    known: Array | None = None


@dataclass(frozen=True, slots=True)
class Sheet:
    layer: str
    geometry_type: str  # as GDAL says it: `MultiPolygon`, `LineString`, `Point Z`
    geometry: Array
    columns: Mapping[str, Column]

    def write(self, folder: Path) -> Path:
        """Write `<folder>/<layer>.gpkg`, replacing what is there."""
        path = folder / f"{self.layer}.gpkg"
        path.unlink(missing_ok=True)
        times = {name: np.full(len(self.geometry), 100) for name, column in self.columns.items() if column.kind == "datetime"}
        pyogrio.raw.write(
            path,
            shapely.to_wkb(self.geometry),
            field_data=[column.values.astype(DTYPES[column.kind]) for column in self.columns.values()],
            field_mask=[None if column.known is None else ~column.known for column in self.columns.values()],
            fields=list(self.columns),
            layer=self.layer,
            driver="GPKG",
            geometry_type=self.geometry_type,
            crs=f"EPSG:{EPSG}",
            gdal_tz_offsets=times,
        )
        return path


def text(values: Array, known: Array | None = None) -> Column:
    return Column("text", values, known)


def integer(values: Array, known: Array | None = None) -> Column:
    return Column("integer", values, known)


def number(values: Array, known: Array | None = None, digits: int = 2) -> Column:
    return Column("number", np.round(values, digits), known)


def boolean(values: Array, known: Array | None = None) -> Column:
    return Column("boolean", values, known)


def date(values: Array, known: Array | None = None) -> Column:
    return Column("date", values, known)
