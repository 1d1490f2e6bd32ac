"""A file opened for import: its columns, its coordinate reference system, and its features in batches of bounded size."""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError, FieldError
from pyogrio.raw import open_arrow

from twin_api.imports.arrow import StreamBroken, Values, read_stream
from twin_api.imports.description import Description
from twin_api.imports.finding import FileRefused, Finding, Findings, refuse
from twin_api.imports.format import Broken, Doubt, Format, Kind, Table
from twin_api.imports.guards.gdal import forget_failures, last_failure, only, sealed
from twin_api.imports.places.curves import straighten_all
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
    """Features `first` (from 1) and following. `wkb` is empty for a source without geometry; `faults` go by the row of the batch."""

    first: int
    fids: Values
    columns: Mapping[str, Values]
    wkb: Values
    faults: Mapping[int, Sequence[Broken]] = field(default_factory=dict)

    def part(self, start: int, stop: int) -> Batch:
        """Some of its rows as a batch of their own."""
        columns = {name: values[start:stop] for name, values in self.columns.items()}
        faults = {row - start: known for row, known in self.faults.items() if start <= row < stop}
        return Batch(self.first + start, self.fids[start:stop], columns, self.wkb[start:stop], faults)


Read = Callable[[Sequence[str]], Iterator[Batch]]


@dataclass(frozen=True, slots=True)
class Source:
    """`total` is what the file says of itself before it is read; `crs` as pyproj takes it."""

    format: Format
    table: Table
    has_geometry: bool
    crs: str | None
    total: int | None
    read: Read

    @property
    def columns(self) -> Mapping[str, Kind]:
        return self.table.columns

    def doubts(self, columns: Iterable[str]) -> Iterable[Doubt]:
        """Values of these columns that the reader would have turned into others."""
        return self.format.doubts(replace(self.table, columns={name: self.table.columns[name] for name in columns}))

    def batches(self, columns: Sequence[str]) -> Iterator[Batch]:
        """The features with these columns only, one pass, never more than a few batches in memory."""
        batches = self.read(columns)
        while (batch := self._next(batches)) is not None:
            yield batch

    def check_end(self) -> None:
        """After the last batch, if nothing else is wrong: raises `FileRefused` where the reader took an error for the end of the file."""
        failure = last_failure() if self.format.sheet is None else None
        if failure is not None:
            raise unreadable(self.table.path, failure)

    def _next(self, batches: Iterator[Batch]) -> Batch | None:
        with _reading(self.table.path):
            return next(batches, None)


def read_table(
    table: Table, format_: Format, options: Mapping[str, str], has_geometry: bool, expected: int, columns: Sequence[str]
) -> Iterator[Batch]:
    """What GDAL reads, batch by batch, arcs as chords. With a condition it reads all columns: those it may leave out it takes for empty.

    `expected` features are in the whole file, -1 if it does not say so: a condition must not hide that some cannot be read.
    """
    wanted = list(columns) if table.where is None else None
    opened = open_arrow(
        table.path, layer=table.layer, columns=wanted, where=table.where, return_fids=True,
        batch_size=BATCH, datetime_as_string=True, use_pyarrow=False, **options,
    )  # fmt: skip
    with ExitStack() as stack:
        with only(format_.drivers):
            meta, stream = stack.enter_context(opened)
        first, geometry = 1, meta["geometry_name"] or "wkb_geometry"
        forget_failures()
        for batch in read_stream(stream):
            fids = batch[meta["fid_column"] or "OGC_FID"]
            wkb = straighten_all(batch.get(geometry, [])) if has_geometry else []
            yield Batch(first, fids, {name: batch[name] for name in columns}, wkb)
            first += len(fids)
    if table.where is not None and expected >= 0:
        everything = read_table(replace(table, where=None), format_, options, has_geometry, -1, [])
        left_out(sum(len(batch.fids) for batch in everything), expected).raise_any()


def left_out(read: int, total: int) -> Findings:
    """One finding if a reader passed over some features in silence."""
    findings = Findings()
    if read != total:
        what = Text(f"die Datei enthält {total} Objekte, lesbar sind {read}", f"the file holds {total} features, {read} can be read")
        findings.add(Finding(what, Text("Einträge berichtigen, die kein Feature sind", "mend the entries that are no features")))
    return findings


def open_source(path: Path, format_: Format, description: Description, folder: Path) -> Source:
    """Open one layer of a file. Raises `FileRefused` if it has no such layer, or another driver claims it."""
    prepared = format_.prepare(path, description, folder)
    prepared = sealed(path, folder) if prepared == path else prepared
    options = format_.options(description)
    counted = format_.count(prepared)
    with _reading(path), only(format_.drivers):
        chosen = choose(path.name, [str(name) for name, _ in pyogrio.list_layers(prepared)], description.source_layer)
        info = pyogrio.read_info(prepared, layer=chosen, **options)
    if info["driver"] not in format_.drivers:
        raise refuse(
            Text(f"{quoted(path.name)} ist im Format {info['driver']}", f"{quoted(path.name)} is in the format {info['driver']}"),
            Text(f"verlangt ist {format_.name}", f"{format_.name} is required"),
        )
    _check_names(info)
    kinds = _kinds(info) | _unspoken(info, format_.columns(prepared, chosen))
    table = Table(prepared, chosen, info["fid_column"], kinds, description.where, tuple(map(str, info["fields"])))
    expected = int(info["features"]) if counted is None else counted
    has_geometry = info["geometry_type"] is not None
    read = partial(read_table, table, format_, options, has_geometry, expected)
    total = None if description.where is not None or expected < 0 else expected  # of a part nobody knows the size
    return Source(format_, table, has_geometry, description.crs or info["crs"], total, read)


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Without GDAL's remarks on geometries and systems: our own check says the same, with the feature's number."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        try:
            yield
        except UNREADABLE as error:
            raise unreadable(path, error) from None


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


def choose(name: str, layers: list[str], wanted: str | None) -> str:
    """The layer wanted, or the only one. Raises `FileRefused` with the names of those there are."""
    if wanted in layers:
        return str(wanted)
    if not layers:
        raise refuse(Text(f"{quoted(name)} enthält keine Daten", f"{quoted(name)} holds no data"))
    if wanted is None and len(layers) == 1:
        return layers[0]
    if wanted is None:
        raise refuse(
            Text(f"{quoted(name)} enthält mehrere Layer", f"{quoted(name)} holds several layers"),
            Text(f"mit `--from` eine wählen: {listed(layers)}", f"choose one with `--from`: {listed(layers)}"),
        )
    what = Text(f"{quoted(name)} hat keinen Layer {quoted(wanted)}", f"{quoted(name)} has no layer {quoted(wanted)}")
    raise refuse(what, suggestion(wanted, layers))


def _check_names(info: Mapping[str, Any]) -> None:
    """Of two columns of one name only the last would be read."""
    findings = Findings()
    for name, count in Counter(map(str, info["fields"])).items():
        if count > 1:
            what = Text(f"{count} Spalten heißen {quoted(name)}", f"{count} columns are called {quoted(name)}")
            findings.add(Finding(what, Text("jeder Spalte einen eigenen Namen geben", "give each column a name of its own")))
    findings.raise_any()


def _unspoken(info: Mapping[str, Any], columns: Iterable[str]) -> dict[str, Kind]:
    """Columns that are there and cannot be read: whoever wants one has to hear of it."""
    known = {*map(str, info["fields"]), info["fid_column"], info["geometry_name"]}
    return {name: "other" for name in columns if name not in known}


def _kinds(info: Mapping[str, Any]) -> dict[str, Kind]:
    kinds: dict[str, Kind] = {}
    for name, type_, subtype in zip(info["fields"], info["ogr_types"], info["ogr_subtypes"], strict=True):
        kinds[str(name)] = "boolean" if subtype == "OFSTBoolean" else KINDS.get(type_, "other")
    return kinds
