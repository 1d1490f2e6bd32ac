"""A file against its layer: every value and every geometry, with all findings and not only the first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from twin_api.imports.finding import Finding, refuse
from twin_api.imports.job import Job
from twin_api.imports.mapping import ColumnMap
from twin_api.imports.places.shapes import ShapeCheck
from twin_api.imports.source import Batch, Source, left_out
from twin_api.imports.values.at_once import read_at_once
from twin_api.imports.values.copy_rows import encode_column, encode_rows
from twin_api.imports.values.plain import Unfit, shape
from twin_api.imports.values.readers import Read, reader
from twin_api.policy.documents import Attribute
from twin_api.policy.finding import quoted
from twin_api.texts import Text

MOST_DOUBTS: Final = 100_000
KEY_OCTETS: Final = 2_500  # an index of PostgreSQL takes a third of a page from a row, and something is written beside the key
FITTING: Final = Text("verlangt ist eine Zahl, die in ihre Spalte passt", "a number that fits into its column is required")
PLACE_COLUMNS: Final = Text("sagen, welche ihrer Spalten den Ort enthalten", "say which of its columns hold the place")
Report = Callable[[Finding], None]


@dataclass(slots=True)
class Checked:
    """The rows of a batch that nothing is wrong with, as PostgreSQL's COPY takes them: number of the feature, attributes, geometry."""

    rows: bytes
    count: int


@dataclass(slots=True)
class _Faults:
    """What is wrong in one batch, and in which of its rows."""

    check: Check
    batch: Batch
    rows: set[int] = field(default_factory=set)

    def take_over(self) -> None:
        """What the reader itself could not make out."""
        for row, faults in sorted(self.batch.faults.items()):
            self.rows.add(row)
            for fault in faults:
                self.check.report_row(self.batch, row, fault.what, fault.remedy)

    def report(self, row: int, what: Text, remedy: Text, attribute: str | None = None) -> None:
        """Of a row that could not be made out it is not said what it lacks for that reason."""
        self.rows.add(row)
        if row not in self.batch.faults:
            self.check.report_row(self.batch, row, what, remedy, attribute)

    def report_astray(self, row: int, what: Text, remedy: Text) -> None:
        """Far away: whether it is the feature or the whole file that is wrong shows at the end."""
        self.rows.add(row)
        self.check.report_astray(self.batch, row, what, remedy)


class Check:
    """For one file of an import; `file` is named in findings where there are several."""

    def __init__(self, job: Job, source: Source, mapping: ColumnMap, report: Report, astray: Report, file: str | None = None) -> None:
        layer = job.layer
        self._layer, self._source, self._mapping, self._file, self._before = layer, source, mapping, file, 0
        self._report, self._astray = report, astray
        self._readers = {name: self._reader(layer.attributes[name], column) for name, column in mapping.columns.items()}
        self._shapes = self._shape_check(job)
        self._doubts: dict[int, list[tuple[str, Any]]] = {}

    def start(self, before: int) -> None:
        """Features are counted on from `before`. Where the reader would turn values into others, one pass finds them first."""
        self._before = before
        for fid, column, value in self._source.doubts(set(self._mapping.columns.values())):
            self._doubts.setdefault(fid, []).append((column, value))
            if len(self._doubts) > MOST_DOUBTS:
                number = MOST_DOUBTS
                what = Text(
                    f"mehr als {number} Werte sind nicht von der Art ihrer Spalte",
                    f"more than {number} values are not of their column's kind",
                )
                raise refuse(what, Text("Datei neu ausgeben lassen", "export the file again"))

    def batch(self, batch: Batch) -> Checked:
        """Check every value of the batch, and encode the rows that are right."""
        faults = _Faults(self, batch)
        faults.take_over()
        self._check_doubts(batch, faults)
        columns = {name: self._values(batch, name, column, faults) for name, column in self._mapping.columns.items()}
        self._check_keys(columns, faults)
        shapes = self._shapes.ewkb(batch.wkb, faults.report, faults.report_astray) if self._shapes is not None else None
        right = [row for row in range(len(batch.fids)) if row not in faults.rows]
        first = self._before + batch.first
        empty = [None] * len(batch.fids)
        cells: list[tuple[str, Sequence[Any]]] = [("integer", range(first, first + len(batch.fids)))]
        cells += [(self._layer.attributes[name].type, columns.get(name, empty)) for name in self._mapping.attributes]
        cells += [("geometry", shapes)] if shapes is not None else []
        encoded = [encode_column(type_, [values[row] for row in right] if faults.rows else values) for type_, values in cells]
        return Checked(encode_rows(encoded), len(right))

    def finish(self, read: int) -> None:
        """What only the whole file shows: features that the reader left out."""
        if self._source.total is not None and read != self._source.total:
            self._report(replace(left_out(read, self._source.total).shown[0], file=self._file))

    def conclude(self) -> Finding | None:
        """The one finding that stands for all features astray, if it is the file's coordinates that are misunderstood."""
        return self._shapes.conclude() if self._shapes is not None else None

    def report_astray(self, batch: Batch, row: int, what: Text, remedy: Text) -> None:
        self._astray(self._finding(batch, row, what, remedy))

    def report_row(self, batch: Batch, row: int, what: Text, remedy: Text, attribute: str | None = None) -> None:
        self._report(self._finding(batch, row, what, remedy, attribute))

    def _finding(self, batch: Batch, row: int, what: Text, remedy: Text, attribute: str | None = None) -> Finding:
        fid, column = batch.fids[row], self._mapping.columns.get(attribute or "")
        place = fid if self._source.format.tabular else None  # the number of its row, where there are rows
        return Finding(what, remedy, self._before + batch.first + row, fid, attribute, column, place, self._file)

    def _reader(self, attribute: Attribute, column: str) -> Read | None:
        kind = self._source.columns[column]
        read = reader(attribute, kind, self._mapping.readings[attribute.name], self._source.format.moments_in_utc)
        if read is None and kind != "other":
            what = Text(f"die Spalte {quoted(column)} ist vom Typ {kind}", f"the column {quoted(column)} is of type {kind}")
            self._report(Finding(what, Text(f"verlangt ist {attribute.type}", f"{attribute.type} is required"), attribute=attribute.name))
        return read

    def _shape_check(self, job: Job) -> ShapeCheck | None:
        if self._layer.geometry is None:
            return None
        if not self._source.has_geometry:
            what = Text("die Datei hat keine Geometrien", "the file has no geometries")
            type_ = self._layer.geometry.type
            remedy = Text(f"verlangt ist {type_}", f"{type_} is required")
            self._report(Finding(what, PLACE_COLUMNS if self._source.format.tabular else remedy))
            return None
        return ShapeCheck(self._layer.geometry, self._source.crs, job.description, job.extent)

    def _values(self, batch: Batch, name: str, column: str, faults: _Faults) -> list[Any]:
        read, found = self._readers[name], batch.columns.get(column, ())
        values = read_at_once(read, found) if read is not None else None
        if values is not None:
            return values
        values = []
        for row, value in enumerate(found):
            try:
                values.append(None if value is None or read is None else read(value))
            except Unfit as unfit:
                values.append(None)
                expected = Text(f"verlangt ist {unfit.expected.de}", f"{unfit.expected.en} is required")
                faults.report(row, shape(self._layer.attributes[name], value), expected, name)
        return values

    def _check_keys(self, columns: dict[str, list[Any]], faults: _Faults) -> None:
        if not self._layer.key:
            return
        self._check_long_keys(columns, faults)
        if None not in columns[self._layer.key[0]]:
            return
        keys = zip(*(columns[name] for name in self._layer.key), strict=True)
        for row, key in enumerate(keys):
            if all(part is None for part in key) and row not in faults.rows:
                what = Text("der Schlüssel ist leer", "the key is empty")
                faults.report(row, what, Text("einen Wert angeben", "give a value"), ", ".join(self._layer.key))

    def _check_long_keys(self, columns: dict[str, list[Any]], faults: _Faults) -> None:
        """What could not be found again by its key. Only texts are long; most batches are done with the longest of each column."""
        texts = [columns[name] for name in self._layer.key if self._layer.attributes[name].type == "text"]
        if 4 * sum(max(map(len, filter(None, values)), default=0) for values in texts) <= KEY_OCTETS:
            return
        for row, key in enumerate(zip(*texts, strict=True)):
            octets = sum(len(part.encode()) for part in key if part is not None)
            if octets > KEY_OCTETS and row not in faults.rows:
                what = Text(f"der Schlüssel ist {octets} Bytes lang", f"the key is {octets} octets long")
                remedy = Text(f"höchstens {KEY_OCTETS}; einen kürzeren wählen", f"at most {KEY_OCTETS}; choose a shorter one")
                faults.report(row, what, remedy, ", ".join(self._layer.key))

    def _check_doubts(self, batch: Batch, faults: _Faults) -> None:
        names = {column: name for name, column in self._mapping.columns.items()}
        for row, fid in enumerate(batch.fids) if self._doubts else ():
            for column, value in self._doubts.get(fid, ()):
                kind, name = self._source.columns[column], names[column]
                fits = isinstance(value, int) and kind == "integer"
                expected = FITTING if fits else Text(f"verlangt ist {kind}", f"{kind} is required")
                faults.report(row, shape(self._layer.attributes[name], value), expected, name)
