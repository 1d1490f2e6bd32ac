"""A file against its layer: every value, every geometry, every key, with all findings and not only the first."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np

from twin_api.imports.description import Description
from twin_api.imports.finding import Finding, Findings
from twin_api.imports.mapping import ColumnMap
from twin_api.imports.shapes import ShapeCheck
from twin_api.imports.source import Batch, Source
from twin_api.imports.values import Read, Unfit, reader, shape
from twin_api.policy.documents import Attribute, Extent, Layer
from twin_api.texts import Text

DIGEST: Final = 16


class Check:
    """Turns batches into rows for the store and collects what is wrong. Memory: 16 bytes per feature for the keys."""

    def __init__(
        self,
        layer: Layer,
        source: Source,
        mapping: ColumnMap,
        findings: Findings,
        description: Description,
        extent: Extent | None,
    ) -> None:
        self._layer, self._source, self._mapping, self._findings = layer, source, mapping, findings
        self._description, self._extent, self._astray = description, extent, Findings()
        self._readers = {name: self._reader(layer.attributes[name], source, column) for name, column in mapping.columns.items()}
        self._shapes = self._shape_check(source)
        self._digests = bytearray()

    def rows(self, batch: Batch) -> Iterator[Sequence[Any]]:
        """The mapped attributes in the layer's order, then the geometry. Complete only while there is no finding."""
        columns = [self._values(batch, name, column) for name, column in self._mapping.columns.items()]
        self._note_keys(batch, columns)
        if self._shapes is not None:
            columns.append(
                self._shapes.ewkb(
                    batch.wkb,
                    lambda row, what, remedy: self._report(batch, row, what, remedy),
                    lambda row, what, remedy: self._astray.add(Finding(what, remedy, batch.first + row, batch.fids[row])),
                )
            )
        return zip(*columns, strict=self.is_clean)

    @property
    def is_clean(self) -> bool:
        """Whether nothing was found so far."""
        return not self._findings.total and not self._astray.total

    def finish(self, read: int, total: int | None) -> None:
        """What only the whole file shows: a key used twice, features the reader left out, values it turned into others."""
        if total is not None and read != total:
            self._findings.add(_left_out(read, total))
        self._note_doubts()
        self._note_astray()
        for feature, earlier in self._repeated():
            what = Text(f"derselbe Schlüssel wie Objekt {earlier}", f"the same key as feature {earlier}")
            self._findings.add(
                Finding(what, Text("eines davon entfernen", "remove one of them"), feature, attribute=", ".join(self._layer.key))
            )

    def _reader(self, attribute: Attribute, source: Source, column: str) -> Read | None:
        kind = source.columns[column]
        read = reader(attribute, kind, source.format.moments_in_utc)
        if read is None and kind != "other":
            what = Text(f"die Spalte `{column}` ist vom Typ {kind}", f"the column `{column}` is of type {kind}")
            self._findings.add(
                Finding(what, Text(f"verlangt ist {attribute.type}", f"{attribute.type} is required"), attribute=attribute.name)
            )
        return read

    def _shape_check(self, source: Source) -> ShapeCheck | None:
        if self._layer.geometry is None:
            return None
        if not source.has_geometry:
            what = Text("die Datei hat keine Geometrien", "the file has no geometries")
            self._findings.add(Finding(what, Text(f"verlangt ist {self._layer.geometry.type}", f"{self._layer.geometry.type} is required")))
            return None
        return ShapeCheck(self._layer.geometry, source.crs, self._description, self._extent)

    def _values(self, batch: Batch, name: str, column: str) -> list[Any]:
        read, attribute, values = self._readers[name], self._layer.attributes[name], []
        for row, value in enumerate(batch.columns.get(column, ())):
            try:
                values.append(None if value is None or read is None else read(value))
            except Unfit as unfit:
                values.append(None)
                found = shape(attribute, value)
                expected = Text(f"verlangt ist {unfit.expected.de}", f"{unfit.expected.en} is required")
                self._report(batch, row, found, expected, name)
        return values

    def _note_keys(self, batch: Batch, columns: list[list[Any]]) -> None:
        if not self._layer.key:
            return
        at = [list(self._mapping.columns).index(name) for name in self._layer.key]
        for row, key in enumerate(zip(*(columns[number] for number in at), strict=True)):
            if all(part is None for part in key):
                what = Text("der Schlüssel ist leer", "the key is empty")
                self._report(batch, row, what, Text("einen Wert angeben", "give a value"), ", ".join(self._layer.key))
            self._digests += hashlib.blake2b(repr(key).encode(errors="surrogatepass"), digest_size=DIGEST).digest()

    def _note_doubts(self) -> None:
        attributes = {column: self._layer.attributes[name] for name, column in self._mapping.columns.items()}
        for fid, column, value in self._source.doubts(attributes):
            wanted = Text(f"verlangt ist {self._source.columns[column]}", f"{self._source.columns[column]} is required")
            self._findings.add(Finding(shape(attributes[column], value), wanted, fid=fid, attribute=attributes[column].name))

    def _note_astray(self) -> None:
        """Features far away one by one, or one finding for all where it is the file's coordinates that are misunderstood."""
        whole = self._shapes.conclude() if self._shapes is not None else None
        if whole is not None:
            self._findings.add(whole)
        else:
            self._findings.take(self._astray)

    def _repeated(self) -> Iterator[tuple[int, int]]:
        """Pairs of features (from 1) with the same key; rows without any key are no pairs."""
        halves = np.frombuffer(bytes(self._digests), dtype=np.uint64).reshape(-1, 2)
        order = np.lexsort((halves[:, 1], halves[:, 0]))
        same = (halves[order[1:]] == halves[order[:-1]]).all(axis=1)
        empty = hashlib.blake2b(repr((None,) * len(self._layer.key)).encode(), digest_size=DIGEST).digest()
        for at in np.flatnonzero(same).tolist():
            earlier, later = sorted((int(order[at]), int(order[at + 1])))
            if bytes(halves[later].tobytes()) != empty:
                yield later + 1, earlier + 1

    def _report(self, batch: Batch, row: int, what: Text, remedy: Text, attribute: str | None = None) -> None:
        self._findings.add(Finding(what, remedy, batch.first + row, batch.fids[row], attribute))


def _left_out(read: int, total: int) -> Finding:
    return Finding(
        Text(f"die Datei enthält {total} Objekte, lesbar sind {read}", f"the file holds {total} features, {read} can be read"),
        Text("Einträge berichtigen, die kein Feature sind", "mend the entries that are no features"),
    )
