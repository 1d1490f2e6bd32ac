"""A file opened for import: its columns, its coordinate reference system, and its features in batches of bounded size."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError, FieldError
from pyogrio.raw import open_arrow

from twin_api.imports.arrow import StreamBroken, Values, read_stream
from twin_api.imports.description import Description
from twin_api.imports.finding import FileRefused, refuse
from twin_api.imports.format import Doubt, Format, Kind, Table
from twin_api.imports.gdal import only, sealed
from twin_api.policy.finding import listed, quoted, suggestion
from twin_api.texts import Text

BATCH: Final = 5_000
KINDS: Final[dict[str, Kind]] = {
    "OFTString": "text", "OFTInteger": "integer", "OFTInteger64": "integer", "OFTReal": "number",
    "OFTDate": "date", "OFTDateTime": "datetime",
}  # fmt: skip
VALUES: Final = re.compile(r"(?<=Unrecognized number).*|(?<=Unexpected character).*|(?<=Unrecognized string).*", re.DOTALL)
FOLDERS: Final = re.compile(r"(?<![\w/])/(?:[^/'\"\s]+/)+")
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

    format: Format
    table: Table
    options: Mapping[str, str]
    has_geometry: bool
    crs: str | None
    total: int | None

    @property
    def columns(self) -> Mapping[str, Kind]:
        return self.table.columns

    def doubts(self, columns: Iterable[str]) -> Iterable[Doubt]:
        """Values of these columns that the reader would have turned into others."""
        return self.format.doubts(replace(self.table, columns={name: self.table.columns[name] for name in columns}))

    def batches(self, columns: Sequence[str]) -> Iterator[Batch]:
        """The features with these columns only, one pass, never more than a few batches in memory."""
        batches = self._batches(columns)
        while (batch := self._next(batches)) is not None:
            yield batch

    def _next(self, batches: Iterator[Batch]) -> Batch | None:
        """Without GDAL's remarks on geometries: our own check says the same, with the feature's number."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            try:
                return next(batches, None)
            except UNREADABLE as error:
                raise unreadable(self.table.path, error) from None

    def _batches(self, columns: Sequence[str]) -> Iterator[Batch]:
        opened = open_arrow(
            self.table.path, layer=self.table.layer, columns=list(columns), where=self.table.where, return_fids=True,
            batch_size=BATCH, datetime_as_string=True, use_pyarrow=False, **self.options,
        )  # fmt: skip
        with ExitStack() as stack:
            with only(self.format.drivers):
                meta, stream = stack.enter_context(opened)
            first, geometry = 1, meta["geometry_name"] or "wkb_geometry"
            for batch in read_stream(stream):
                fids = batch[meta["fid_column"] or "OGC_FID"]
                yield Batch(first, fids, {name: batch[name] for name in columns}, batch.get(geometry, []) if self.has_geometry else [])
                first += len(fids)


def open_source(path: Path, format_: Format, description: Description, folder: Path) -> Source:
    """Open one layer of a file. Raises `FileRefused` if it has no such layer, or another driver claims it."""
    prepared = format_.prepare(path, description, folder)
    prepared = sealed(path, folder) if prepared == path else prepared
    options = format_.options(description)
    counted = format_.count(prepared)
    try:
        with only(format_.drivers):
            chosen = _choose(path, [str(name) for name, _ in pyogrio.list_layers(prepared)], description.source_layer)
            info = pyogrio.read_info(prepared, layer=chosen, **options)
    except UNREADABLE as error:
        raise unreadable(path, error) from None
    if info["driver"] not in format_.drivers:
        raise refuse(
            Text(f"{quoted(path.name)} ist im Format {info['driver']}", f"{quoted(path.name)} is in the format {info['driver']}"),
            Text(f"verlangt ist {format_.name}", f"{format_.name} is required"),
        )
    table = Table(prepared, chosen, info["fid_column"], _kinds(info), description.where)
    total = _total(counted, table, info["features"])
    return Source(format_, table, options, info["geometry_type"] is not None, info["crs"], total)


def _total(counted: int | None, table: Table, announced: int) -> int | None:
    """Of a part chosen by a condition nobody knows the size."""
    total = announced if counted is None else counted
    return None if table.where is not None or total < 0 else total


def unreadable(path: Path, error: Exception) -> FileRefused:
    said = _said(error)
    return refuse(
        Text(f"{quoted(path.name)} lässt sich nicht lesen: {said}", f"{quoted(path.name)} cannot be read: {said}"),
        Text("Datei neu ausgeben lassen oder `--from`/`--where` prüfen", "export the file again, or check `--from`/`--where`"),
    )


def _said(error: Exception) -> str:
    """GDAL's words, shortened, without folders of ours, values of the file, and its advice to try another driver."""
    words = VALUES.sub("", FOLDERS.sub("", str(error).partition("; It might help")[0]))
    return "".join(letter if letter.isprintable() else " " for letter in words)[:200]


def _choose(path: Path, layers: list[str], wanted: str | None) -> str:
    if wanted in layers:
        return str(wanted)
    if wanted is None and len(layers) == 1:
        return layers[0]
    if wanted is None:
        raise refuse(
            Text(f"{quoted(path.name)} enthält mehrere Layer", f"{quoted(path.name)} holds several layers"),
            Text(f"mit `--from` eine wählen: {listed(layers)}", f"choose one with `--from`: {listed(layers)}"),
        )
    what = Text(f"{quoted(path.name)} hat keinen Layer {quoted(wanted)}", f"{quoted(path.name)} has no layer {quoted(wanted)}")
    raise refuse(what, suggestion(wanted, layers))


def _kinds(info: Mapping[str, Any]) -> dict[str, Kind]:
    kinds: dict[str, Kind] = {}
    for name, type_, subtype in zip(info["fields"], info["ogr_types"], info["ogr_subtypes"], strict=True):
        kinds[str(name)] = "boolean" if subtype == "OFSTBoolean" else KINDS.get(type_, "other")
    return kinds
