"""Excel workbooks (.xlsx): cells with the types they have, and no value where Excel itself has none.

GDAL's driver holds the whole sheet in memory, lets error values and formulas without a result pass as empty, and guesses the header.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from twin_api.imports.description import Description, Reading
from twin_api.imports.finding import refuse
from twin_api.imports.format import Broken, Format, Kind, Record, Sheet
from twin_api.imports.guards.archive import unpack_zip
from twin_api.imports.guards.xml import check_xml_members
from twin_api.imports.source import choose
from twin_api.imports.tables.header import name_columns
from twin_api.imports.tables.workbook import (
    Cell,
    Workbook,
    WorkbookBroken,
    column_letters,
    merged_ranges,
    open_workbook,
    place_of,
    read_cells,
    unescape,
)
from twin_api.policy.finding import listed, quoted
from twin_api.texts import Text

WHOLE: Final = re.compile(r"-?\d{1,15}")
COLUMNS: Final = 16_384
FALSE_LEAP_DAY: Final = 60  # Excel has a 29 February 1900; days before it are counted one off
ORDER: Final[tuple[tuple[type, Kind], ...]] = (
    (bool, "boolean"),
    (datetime, "datetime"),
    (date, "date"),
    (int, "integer"),
    (float, "number"),
)
AGAIN: Final = Text(
    "in der Tabellenkalkulation öffnen, berichtigen und neu speichern", "open it in the spreadsheet program, mend it and save it again"
)
SPLIT: Final = Text("die Verbindung aufheben und jede Zelle ausfüllen", "split the cells and fill each of them")


def recognises(head: bytes) -> bool:
    return head.startswith(b"PK\x03\x04")


def prepare(path: Path, description: Description, folder: Path) -> Path:
    parts = unpack_zip(path, folder)
    check_xml_members(parts, path.name)
    return parts


def read(name: str, folder: Path, description: Description) -> Sheet:
    """One pass over the sheet before the first row is handed out: what kind of values each column holds, and how many rows."""
    with _reading():
        workbook = open_workbook(folder)
        sheet = choose(name, list(workbook.sheets), description.source_layer)
        _check_merged(workbook, sheet, description)
        return _survey(workbook, sheet, description)


def _survey(workbook: Workbook, name: str, description: Description) -> Sheet:
    header: list[str] = []
    kinds: dict[int, set[Kind]] = {}
    total = 0
    for number, cells in _rows(workbook, name):
        if number == description.header:
            header = _header(cells)
        elif number > description.header:
            total += 1
            for column, value in cells.items():
                if not isinstance(value, Broken):
                    kinds.setdefault(column, set()).add(_kind(value))
    names = name_columns(header, description.header)
    columns = {column: _shared_kind(kinds.get(place, set())) for place, column in enumerate(names, start=1)}
    return Sheet(name, columns, total, lambda: _records(workbook, name, description, list(columns.items())))


def _records(workbook: Workbook, name: str, description: Description, columns: Sequence[tuple[str, Kind]]) -> Iterator[Record]:
    """Where a column holds values of several kinds, all of them as text, spelt as the description says the file spells them."""
    fits = [_fitting(column, kind, description) for column, kind in columns]
    with _reading():
        for number, cells in _rows(workbook, name):
            if number > description.header:
                beyond = next((column for column in cells if column > len(columns)), None)
                fault = None if beyond is None else _without_name(beyond, number)
                yield Record(number, [] if fault else [fit(cells.get(place)) for place, fit in enumerate(fits, start=1)], fault)


def _rows(workbook: Workbook, name: str) -> Iterator[tuple[int, dict[int, Any]]]:
    """Rows that hold anything, with their values by column from 1."""
    for number, cells in groupby(read_cells(workbook, name), key=lambda cell: cell.row):
        values = {cell.column: value for cell in cells if (value := _value(workbook, cell)) is not None}
        if values:
            yield number, values


def _header(cells: dict[int, Any]) -> list[str]:
    width = max(cells)
    if width > COLUMNS:
        raise ValueError("columns")
    return ["" if isinstance(value := cells.get(column, ""), Broken) else str(value) for column in range(1, width + 1)]


def _value(workbook: Workbook, cell: Cell) -> Any:
    """What the cell holds; `None` if it only looks like something."""
    if cell.type == "e":
        return _broken(cell, Text(f"Fehlerwert {quoted(cell.value)}", f"error value {quoted(cell.value)}"))
    if not cell.has_value or (cell.value == "" and cell.has_formula and cell.type != "str"):
        return _broken(cell, Text("Formel ohne gespeichertes Ergebnis", "formula without a stored result")) if cell.has_formula else None
    if cell.type == "s":
        return workbook.texts[_index(workbook, cell)] or None
    if cell.type in ("inlineStr", "str"):
        return unescape(cell.value) or None
    if cell.type == "b":
        return cell.value in ("1", "true")
    if cell.type == "d":
        return _moment(datetime.fromisoformat(cell.value))
    return _number(workbook, cell) if cell.value else None


def _index(workbook: Workbook, cell: Cell) -> int:
    index = int(cell.value)
    if not 0 <= index < len(workbook.texts):
        raise WorkbookBroken("shared text")
    return index


def _number(workbook: Workbook, cell: Cell) -> Any:
    if cell.style in workbook.date_styles:
        return _day(workbook, cell)
    if WHOLE.fullmatch(cell.value):
        width = workbook.widths.get(cell.style)
        return int(cell.value) if width is None else f"{int(cell.value):0{width}}"  # as people see it: `01067`
    number = float(cell.value)
    if not math.isfinite(number):
        return _broken(cell, Text("keine endliche Zahl", "no finite number"))
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def _day(workbook: Workbook, cell: Cell) -> Any:
    """A day, or a moment in the clock time of whoever typed it. A time without a day is none of both."""
    serial = float(cell.value)
    begin = datetime(1904, 1, 1) if workbook.since_1904 else datetime(1899, 12, 31) if serial < FALSE_LEAP_DAY else datetime(1899, 12, 30)
    if not workbook.since_1904 and (serial < 1 or int(serial) == FALSE_LEAP_DAY):
        return _broken(cell, Text("kein Tag, den es gibt", "no day that exists"))
    try:
        return _moment(begin + timedelta(milliseconds=round(serial * 86_400_000)))
    except (OverflowError, ValueError):
        return _broken(cell, Text("kein Tag, den es gibt", "no day that exists"))


def _moment(moment: datetime) -> date:
    return moment.date() if moment == datetime(moment.year, moment.month, moment.day) and moment.tzinfo is None else moment


def _kind(value: Any) -> Kind:
    return next((kind for type_, kind in ORDER if isinstance(value, type_)), "text")


def _shared_kind(kinds: set[Kind]) -> Kind:
    if len(kinds) == 1:
        return next(iter(kinds))
    if kinds == {"integer", "number"}:
        return "number"
    return "datetime" if kinds == {"date", "datetime"} else "text"


def _fitting(column: str, kind: Kind, description: Description) -> Callable[[Any], Any]:
    rule = description.rule(column)
    reading = rule.reading if rule is not None else description.reading
    if kind == "text":
        return lambda value: _spelt(value, reading)
    if kind == "number":
        return lambda value: float(value) if isinstance(value, int) else value
    if kind == "datetime":
        return lambda value: value.isoformat() if isinstance(value, date) else value
    return lambda value: value


def _spelt(value: Any, reading: Reading) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value).replace(".", reading.decimal)
    if isinstance(value, date):
        return _spelt_day(value, reading.dates)
    return value


def _spelt_day(day: date, form: str | None) -> str:
    if form is None:
        return day.isoformat()
    moment = day if isinstance(day, datetime) else datetime(day.year, day.month, day.day)
    letters = {"YYYY": f"{day.year:04}", "YY": f"{day.year % 100:02}", "MM": f"{day.month:02}", "DD": f"{day.day:02}"}
    letters |= {"hh": f"{moment.hour:02}", "mm": f"{moment.minute:02}", "ss": f"{moment.second:02}"}
    return re.sub("|".join(letters), lambda found: letters[found[0]], form)


def _check_merged(workbook: Workbook, name: str, description: Description) -> None:
    """Of merged cells only the first holds the value that a person sees in all of them."""
    ends = {reference: place_of(reference.partition(":")[2] or reference) for reference in merged_ranges(workbook, name)}
    low = [reference for reference, (_, row) in ends.items() if row >= description.header]
    if low:
        raise refuse(Text(f"verbundene Zellen: {listed(low, 12)}", f"merged cells: {listed(low, 12)}"), SPLIT)


def _broken(cell: Cell, what: Text) -> Broken:
    at = f"{column_letters(cell.column)}{cell.row}"
    return Broken(Text(f"Zelle {at}: {what.de}", f"cell {at}: {what.en}"), AGAIN)


def _without_name(column: int, row: int) -> Broken:
    at = f"{column_letters(column)}{row}"
    what = Text(f"Zelle {at} steht in keiner benannten Spalte", f"cell {at} stands in no named column")
    return Broken(what, Text("der Spalte in der Kopfzeile einen Namen geben", "give the column a name in the header row"))


@contextmanager
def _reading() -> Iterator[None]:
    """Without the parser's own words, which may hold a value of the file."""
    try:
        yield
    except (WorkbookBroken, ValueError):
        raise refuse(Text("die Arbeitsmappe ist beschädigt", "the workbook is damaged"), AGAIN) from None


FORMAT: Final = Format("Excel", (".xlsx", ".xlsm"), (), recognises, prepare=prepare, tabular=True, sheet=read)
