"""Tables without a geometry type of their own, opened for import: rows become features, and some columns say where they are."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np
import shapely

from twin_api.imports.description import Description, Place, Reading
from twin_api.imports.finding import refuse
from twin_api.imports.format import Broken, Format, Record, Sheet, Table
from twin_api.imports.source import BATCH, Batch, Source
from twin_api.imports.tables.condition import Condition
from twin_api.imports.values.written import ungrouped
from twin_api.policy.finding import quoted, suggestion
from twin_api.texts import Text

NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?")
COLLECTION: Final = re.compile(r"GEOMETRYCOLLECTION", re.IGNORECASE)


def open_sheet(path: Path, format_: Format, description: Description, folder: Path) -> Source:
    """Open a table whose format reads it by itself. Raises `FileRefused` if it lacks a column that the description names."""
    assert format_.sheet is not None  # noqa: S101 - the caller has looked
    prepared = format_.prepare(path, description, folder)
    sheet = format_.sheet(path.name, prepared, description)
    _check_place(path, description.place, sheet)
    condition = Condition(description.where, sheet.columns) if description.where is not None else None
    table = Table(path, sheet.name, "", sheet.columns, description.where)
    total = sheet.total if condition is None else None
    return Source(
        format_, table, bool(description.place.columns), description.crs, total, partial(read_sheet, sheet, description, condition)
    )


def _check_place(path: Path, place: Place, sheet: Sheet) -> None:
    if place.columns and place.wkt is None and (place.x is None or place.y is None):
        what = Text("für den Ort ist nur eine Koordinate genannt", "only one coordinate is named for the place")
        raise refuse(what, Text("Ostwert und Nordwert nennen, oder eine Spalte mit WKT", "name easting and northing, or a column of WKT"))
    for name in place.columns:
        if name not in sheet.columns:
            de, en = f"hat keine Spalte {quoted(name)} für den Ort", f"has no place column {quoted(name)}"
            raise refuse(Text(f"{quoted(path.name)} {de}", f"{quoted(path.name)} {en}"), suggestion(name, sheet.columns))


def read_sheet(sheet: Sheet, description: Description, condition: Condition | None, columns: Sequence[str]) -> Iterator[Batch]:
    """Batches of the rows that fulfil the condition, and of the rows that are none; `fids` are the rows' numbers in the file."""
    first, records = 1, sheet.records()
    while some := list(islice(records, BATCH)):
        chosen = some if condition is None else condition.choose(some)
        if chosen:
            yield _batch(sheet, description, first, chosen, columns)
        first += len(chosen)


def _batch(sheet: Sheet, description: Description, first: int, records: Sequence[Record], columns: Sequence[str]) -> Batch:
    names, faults = list(sheet.columns), _Faults()
    cells = {name: [record.cells[at] if record.cells else None for record in records] for at, name in enumerate(names)}
    for row, record in enumerate(records):
        faults.add(row, record.fault)
    chosen = {name: [faults.sound(row, value) for row, value in enumerate(cells[name])] for name in columns}
    wkb = _places(description, cells, faults, len(records)) if description.place.columns else []
    return Batch(first, [record.number for record in records], chosen, wkb, faults.by_row)


class _Faults:
    """What is wrong with the rows of a batch."""

    def __init__(self) -> None:
        self.by_row: dict[int, list[Broken]] = {}

    def add(self, row: int, fault: Broken | None) -> None:
        if fault is not None and fault not in self.by_row.get(row, ()):
            self.by_row.setdefault(row, []).append(fault)

    def sound(self, row: int, value: Any) -> Any:
        """The value, or nothing in the place of one that is none."""
        if isinstance(value, Broken):
            self.add(row, value)
            return None
        return value


def _places(description: Description, cells: Mapping[str, Sequence[Any]], faults: _Faults, count: int) -> list[bytes | None]:
    """A point of its coordinates for each row, or what its WKT says; nothing where the row says nothing."""
    place = description.place
    if place.wkt is not None:
        return [_shape(place.wkt, faults.sound(row, cells[place.wkt][row]), row, faults) for row in range(count)]
    numbers = [_coordinates(name, cells[name], description, faults) for name in place.columns]
    places = np.array(numbers, dtype=float).T  # what is not known becomes NaN
    whole = np.flatnonzero(np.isfinite(places).all(axis=1))
    for row in np.flatnonzero(np.isfinite(places).any(axis=1) & ~np.isfinite(places).all(axis=1)).tolist():
        if row not in faults.by_row:
            faults.add(row, _incomplete(place.columns[int(np.flatnonzero(np.isnan(places[row]))[0])]))
    wkb: list[bytes | None] = [None] * count
    for row, point in zip(whole.tolist(), shapely.to_wkb(shapely.points(places[whole])) if len(whole) else (), strict=True):
        wkb[row] = point
    return wkb


def _incomplete(name: str) -> Broken:
    what = Text(f"die Ortsangabe in Spalte {quoted(name)} fehlt", f"the coordinate in column {quoted(name)} is missing")
    return Broken(what, Text("alle Koordinaten angeben oder keine", "give all coordinates or none"))


def _coordinates(name: str, values: Sequence[Any], description: Description, faults: _Faults) -> list[float | None]:
    rule = description.rule(name)
    reading = rule.reading if rule is not None else description.reading
    return [_coordinate(name, faults.sound(row, value), reading, row, faults) for row, value in enumerate(values)]


def _coordinate(name: str, value: Any, reading: Reading, row: int, faults: _Faults) -> float | None:
    if value is None or (isinstance(value, str) and (not value.strip() or value in reading.nulls)):
        return None
    number = _number(value, reading)
    if number is None:
        what = Text(f"die Ortsangabe in Spalte {quoted(name)} ist keine Zahl", f"the coordinate in column {quoted(name)} is no number")
        sign = Text("Dezimalkomma", "decimal comma") if reading.decimal == "," else Text("Dezimalpunkt", "decimal point")
        faults.add(row, Broken(what, Text(f"verlangt ist eine Zahl mit {sign.de}", f"a number with a {sign.en} is required")))
    return number


def _number(value: Any, reading: Reading) -> float | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value) if math.isfinite(value) else None
    text = ungrouped(reading)(str(value).strip())
    if reading.decimal != ".":
        text = text.replace(".", "?").replace(reading.decimal, ".")
    return float(text) if NUMBER.fullmatch(text) and math.isfinite(float(text)) else None


def _shape(name: str, value: Any, row: int, faults: _Faults) -> bytes | None:
    """A collection within a collection is no place of anything; a deep nest of them would take the parser down."""
    if value is None or not str(value).strip():
        return None
    text = str(value)
    shape = shapely.from_wkt(text, on_invalid="ignore") if len(COLLECTION.findall(text)) < 2 else None
    if shape is not None:
        return bytes(shapely.to_wkb(shape))
    what = Text(f"die Ortsangabe in Spalte {quoted(name)} ist kein WKT", f"the geometry in column {quoted(name)} is no WKT")
    faults.add(row, Broken(what, Text("verlangt ist WKT wie `POINT (678000 5540000)`", "WKT such as `POINT (678000 5540000)` is required")))
    return None
