"""The file opened as its own form needs it: a table with its encoding, its header, and the columns that hold the place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Final

from twin_api.imports.arrow import Values
from twin_api.imports.description import Description, Place, Reading
from twin_api.imports.drafts.places import Whereabouts, bounds_of, find_place, whereabouts
from twin_api.imports.drafts.suspects import PHONES, likeness_of, patterns_in
from twin_api.imports.drafts.tables import is_written_table, read_writing
from twin_api.imports.finding import FileRefused, refuse
from twin_api.imports.formats import open_file, unpacked
from twin_api.imports.source import Source
from twin_api.texts import Text

NAMELESS: Final = re.compile(r"field_\d+")
TITLE_ROWS: Final = 12


@dataclass(frozen=True, slots=True)
class Opened:
    """`remarks` say in German what was found out about the file and should be looked at."""

    source: Source
    description: Description
    remarks: tuple[str, ...] = ()

    @property
    def columns(self) -> list[str]:
        """Those that can be attributes: with plain values, and not the place itself."""
        place = self.description.place.columns
        return [name for name, kind in self.source.columns.items() if kind != "other" and name not in place]


def open_for_draft(path: Path, source_layer: str | None, town_epsg: int, folder: Path) -> Opened:
    """Raises `FileRefused` for what cannot be read. `folder` is for what has to be unpacked.

    The description is that of the file as it was given, packed or not.
    """
    description = Description(source_layer=source_layer)
    inside, within = unpacked(path, description, folder)
    if is_written_table(inside):
        writing = read_writing(inside)
        within = replace(within, encoding=writing.encoding, separator=writing.separator, header=writing.header)
        opened = Opened(open_file(inside, within, folder), within)
    else:
        opened = _below_titles(inside, within, folder)
    _check_header(opened)
    placed = opened if opened.source.has_geometry else _placed(inside, opened, town_epsg, folder)
    return replace(placed, description=replace(placed.description, source_layer=source_layer))


def _below_titles(path: Path, description: Description, folder: Path) -> Opened:
    """A sheet may begin with titles; its header is the first row that names most columns."""
    opened = Opened(open_file(path, description, folder), description)
    if not opened.source.format.tabular or _is_headed(opened.source):
        return opened
    for header in range(2, TITLE_ROWS + 1):
        below = replace(description, header=header)
        with suppress(FileRefused):
            source = open_file(path, below, folder)
            if _is_headed(source):
                return Opened(source, below)
    return opened


def _check_header(opened: Opened) -> None:
    """A table without a header lends its first row's values as names, and a draft is made of names."""
    if opened.source.format.tabular and any(patterns_in(name) or likeness_of(name) == PHONES for name in opened.source.columns):
        row = opened.description.header
        what = Text(f"in Zeile {row} stehen Werte statt Spaltennamen", f"row {row} holds values instead of column names")
        raise refuse(what, Text("eine Zeile mit Spaltennamen ergänzen", "add a row with column names"))


def _is_headed(source: Source) -> bool:
    nameless = sum(NAMELESS.fullmatch(name) is not None for name in source.columns)
    return len(source.columns) > 1 and 2 * nameless < len(source.columns)


def _placed(path: Path, opened: Opened, town_epsg: int, folder: Path) -> Opened:
    """The first rows decide whether columns hold a place; all rows are looked at afterwards."""
    head: Mapping[str, Values] = next((batch.columns for batch in islice(opened.source.batches(opened.columns), 1)), {})
    place = find_place(head, _number)
    if place == Place():
        return opened
    bounds = bounds_of(head, place, _number)
    where = whereabouts(bounds, None, town_epsg) if bounds else Whereabouts(remarks=("Koordinatensystem angenommen, bitte prüfen",))
    remarks = where.remarks
    if where.axes == "swapped":
        place = replace(place, x=place.y, y=place.x)
        remarks = (*remarks, "die Überschriften der Koordinaten sind vertauscht")
    comma = any(isinstance(value, str) and "," in value for name in (place.x, place.y) if name for value in head[name])
    description = replace(
        opened.description, place=place, crs=where.crs or f"EPSG:{town_epsg}", zone_prefix=where.zone_prefix,
        reading=Reading(decimal="," if comma else "."),
    )  # fmt: skip
    return Opened(open_file(path, description, folder), description, remarks)


def _number(text: str) -> float | None:
    try:
        return float(text.strip().replace(",", "."))
    except ValueError:
        return None
