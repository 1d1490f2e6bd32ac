"""A file opened for import: its columns, its coordinate reference system, and its features in batches of bounded size."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError, FieldError
from pyogrio.raw import open_arrow

from twin_api.imports.arrow import StreamBroken, Values, read_stream
from twin_api.imports.finding import FileRefused, refuse
from twin_api.policy.finding import listed, quoted, suggestion
from twin_api.texts import Text

BATCH: Final = 5_000
Kind = Literal["text", "integer", "number", "boolean", "date", "datetime", "other"]
KINDS: Final[dict[str, Kind]] = {
    "OFTString": "text", "OFTInteger": "integer", "OFTInteger64": "integer", "OFTReal": "number",
    "OFTDate": "date", "OFTDateTime": "datetime",
}  # fmt: skip
UNREADABLE: Final = (DataSourceError, DataLayerError, FieldError, StreamBroken, ValueError)


@dataclass(frozen=True, slots=True)
class Batch:
    """Features `first` (from 1) and following. `wkb` is empty for a source without geometry."""

    first: int
    fids: Values
    columns: Mapping[str, Values]
    wkb: Values


@dataclass(frozen=True, slots=True)
class Source:
    """`total` is what the file says of itself before it is read; `crs` as pyproj takes it."""

    path: Path
    layer: str
    columns: Mapping[str, Kind]
    has_geometry: bool
    crs: str | None
    total: int | None
    where: str | None

    def batches(self, columns: Sequence[str]) -> Iterator[Batch]:
        """The features with these columns only, one pass, never more than a few batches in memory."""
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", RuntimeWarning
            )  # GDAL's remarks on geometries; our own check says the same with the feature's number
            try:
                yield from self._batches(columns)
            except UNREADABLE as error:
                raise unreadable(self.path, error) from None

    def _batches(self, columns: Sequence[str]) -> Iterator[Batch]:
        with open_arrow(
            self.path, layer=self.layer, columns=list(columns), where=self.where, return_fids=True, batch_size=BATCH,
            datetime_as_string=True, use_pyarrow=False,
        ) as (meta, stream):  # fmt: skip
            first, geometry = 1, meta["geometry_name"] or "wkb_geometry"
            for batch in read_stream(stream):
                fids = batch[meta["fid_column"] or "OGC_FID"]
                yield Batch(first, fids, {name: batch[name] for name in columns}, batch.get(geometry, []) if self.has_geometry else [])
                first += len(fids)


def open_source(path: Path, drivers: Sequence[str], layer: str | None, where: str | None, total: int | None) -> Source:
    """Open one layer of a file with one of these drivers; `total` is the count a format knows by itself."""
    try:
        chosen = _choose(path, [str(name) for name, _ in pyogrio.list_layers(path)], layer)
        info = pyogrio.read_info(path, layer=chosen)
    except UNREADABLE as error:
        raise unreadable(path, error) from None
    if info["driver"] not in drivers:
        raise refuse(Text(f"{quoted(path.name)} ist im Format {info['driver']}", f"{quoted(path.name)} is in the format {info['driver']}"))
    known = info["features"] if info["features"] >= 0 and where is None else None
    return Source(path, chosen, _kinds(info), info["geometry_type"] is not None, info["crs"], known if total is None else total, where)


def unreadable(path: Path, error: Exception) -> FileRefused:
    return refuse(
        Text(f"{quoted(path.name)} lässt sich nicht lesen: {error}", f"{quoted(path.name)} cannot be read: {error}"),
        Text("Datei neu ausgeben lassen oder `--from`/`--where` prüfen", "export the file again, or check `--from`/`--where`"),
    )


def _choose(path: Path, layers: list[str], wanted: str | None) -> str:
    if wanted in layers:
        return str(wanted)
    if wanted is None and len(layers) == 1:
        return layers[0]
    if wanted is None:
        raise refuse(
            Text(f"{quoted(path.name)} enthält mehrere Ebenen", f"{quoted(path.name)} holds several layers"),
            Text(f"mit `--from` eine wählen: {listed(layers)}", f"choose one with `--from`: {listed(layers)}"),
        )
    what = Text(f"{quoted(path.name)} hat keine Ebene {quoted(wanted)}", f"{quoted(path.name)} has no layer {quoted(wanted)}")
    raise refuse(what, suggestion(wanted, layers))


def _kinds(info: Mapping[str, Any]) -> dict[str, Kind]:
    kinds: dict[str, Kind] = {}
    for name, type_, subtype in zip(info["fields"], info["ogr_types"], info["ogr_subtypes"], strict=True):
        kinds[str(name)] = "boolean" if subtype == "OFSTBoolean" else KINDS.get(type_, "other")
    return kinds
