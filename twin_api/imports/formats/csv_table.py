"""CSV (RFC 4180) as offices write it: with semicolons, decimal commas, a byte order mark, or in an encoding that has to be said.

GDAL's driver pads short rows, guesses types and takes bytes for Latin-1, all in silence: so the rows are read by Python's own parser.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, TextIO

from twin_api.imports.description import Description
from twin_api.imports.finding import FileRefused, refuse
from twin_api.imports.format import Broken, Format, Record, Sheet
from twin_api.imports.tables.header import name_columns
from twin_api.policy.finding import quoted
from twin_api.texts import Text

SEPARATORS: Final = (";", ",", "\t", "|")
FIELD_CHARACTERS: Final = 64 * 1024 * 1024  # a state's border in WKT has some millions
QUOTED: Final = re.compile(r'"(?:[^"]|"")*"')
UNDECODED: Final = re.compile("[\udc80-\udcff]")
CONTROLS: Final = re.compile("[\x80-\x9f]")
UTF16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
NAME_ENCODING: Final = Text("die Kodierung angeben, etwa `windows-1252`", "name the encoding, for example `windows-1252`")


def recognises(head: bytes) -> bool:
    """Anything that can be text."""
    return bool(head) and (head.startswith(UTF16) or b"\0" not in head)


def read(name: str, path: Path, description: Description) -> Sheet:
    """One pass over the file before the first row is handed out: all of it is text, and every quotation mark is closed."""
    separator = _said(description.separator) or _separator(path, description)
    header, total = [], 0
    for number, _, cells in _rows(path, description, separator):
        if number == description.header:
            header = cells
        total += number > description.header and any(cells)
    columns = name_columns(header, description.header)
    return Sheet(name, dict.fromkeys(columns, "text"), total, lambda: _records(path, description, separator, len(columns)))


def _records(path: Path, description: Description, separator: str, width: int) -> Iterator[Record]:
    for number, line, cells in _rows(path, description, separator):
        if number > description.header and any(cells):
            fault = None if len(cells) == width else _fields(len(cells), width)
            yield Record(line, [] if fault else [cell or None for cell in cells], fault)


def _rows(path: Path, description: Description, separator: str) -> Iterator[tuple[int, int, list[str]]]:
    """Number from 1, the line it begins on, cells; spreadsheets end in rows of nothing but separators."""
    csv.field_size_limit(FIELD_CHARACTERS)
    with _open(path, description) as file:
        parser = csv.reader(_lines(file, description), delimiter=separator, strict=True)
        number, begun = 0, 1
        while True:
            try:
                cells = next(parser, None)
            except csv.Error:
                raise _unbalanced(begun, parser.line_num) from None
            if cells is None:
                return
            number += 1
            yield number, begun, cells
            begun = parser.line_num + 1


def _open(path: Path, description: Description) -> TextIO:
    """Undecodable bytes become lone surrogates, so that their line can be named."""
    encoding = description.encoding or "utf-8"
    try:
        name = codecs.lookup(encoding).name
        errors = "strict" if name.startswith(("utf-16", "utf-32")) else "surrogateescape"
        return path.open(encoding="utf-8-sig" if name == "utf-8" else name, newline="", errors=errors)
    except LookupError:
        what = Text(f"eine Kodierung {quoted(encoding)} gibt es nicht", f"there is no encoding {quoted(encoding)}")
        raise refuse(what, Text("`utf-8`, `iso-8859-1` oder `windows-1252`", "`utf-8`, `iso-8859-1` or `windows-1252`")) from None


def _lines(file: TextIO, description: Description) -> Iterator[str]:
    number = 0
    try:
        for number, line in enumerate(iter(lambda: file.readline(FIELD_CHARACTERS + 1), ""), start=1):
            if len(line) > FIELD_CHARACTERS:
                raise _too_long(number)
            if not line.isascii():
                _check_decoded(line, number, description)
            yield line
    except UnicodeError:
        raise _undecoded(number + 1, description) from None


def _too_long(number: int) -> FileRefused:
    limit = FIELD_CHARACTERS // (1024 * 1024)
    what = Text(f"Zeile {number} ist länger als {limit} MiB", f"line {number} is longer than {limit} MiB")
    return refuse(what, Text("eine Zeile je Objekt", "one line for each feature"))


def _check_decoded(line: str, number: int, description: Description) -> None:
    """The controls of ISO 8859-1 are the dashes, quotes and the euro sign of Windows-1252."""
    if UNDECODED.search(line):
        raise _undecoded(number, description)
    if CONTROLS.search(line) and description.encoding is not None:
        what = Text(
            f"Zeile {number}: Zeichen, die es in {quoted(description.encoding)} nicht gibt",
            f"line {number}: characters that {quoted(description.encoding)} does not have",
        )
        raise refuse(what, Text("gemeint ist wohl die Kodierung `windows-1252`", "the encoding meant is probably `windows-1252`"))


def _undecoded(line: int, description: Description) -> FileRefused:
    encoding = description.encoding or "UTF-8"
    return refuse(Text(f"Zeile {line} ist kein {encoding}", f"line {line} is no {encoding}"), NAME_ENCODING)


def _said(separator: str | None) -> str | None:
    if separator is None or len(separator) == 1:
        return separator
    if separator.lower() in ("tab", "\\t"):
        return "\t"
    what = Text(
        f"das Trennzeichen {quoted(separator)} ist kein einzelnes Zeichen", f"the separator {quoted(separator)} is no single character"
    )
    raise refuse(what, Text("`;`, `,`, `|` oder `tab`", "`;`, `,`, `|` or `tab`"))


def _separator(path: Path, description: Description) -> str:
    """The only separator in the header line, outside of quotation marks; of several, nobody knows which is meant."""
    header = QUOTED.sub("", _line(path, description))
    found = [separator for separator in SEPARATORS if separator in header]
    if len(found) > 1:
        signs = ", ".join(quoted("Tab" if sign == "\t" else sign) for sign in found)
        raise refuse(
            Text(f"in der Kopfzeile kommen mehrere Trennzeichen vor: {signs}", f"the header line holds several separators: {signs}"),
            Text("das Trennzeichen angeben", "say which one separates"),
        )
    return found[0] if found else SEPARATORS[0]


def _line(path: Path, description: Description) -> str:
    with _open(path, description) as file:
        for number, line in enumerate(_lines(file, description), start=1):
            if number == description.header:
                return line
    return ""


def _unbalanced(begun: int, line: int) -> FileRefused:
    """The parser cannot go on behind it: a quotation mark may have swallowed any number of rows."""
    to = "" if line <= begun else f"–{line}"
    return refuse(
        Text(f"Zeile {begun}{to}: Anführungszeichen sind nicht paarig gesetzt",
             f"line {begun}{to}: quotation marks are not in pairs"),
        Text('im Text verdoppeln: `"Gasthaus ""Krone"""`', 'double them within a text: `"Gasthaus ""Krone"""`'),
    )  # fmt: skip


def _fields(found: int, wanted: int) -> Broken:
    what = Text(f"die Zeile hat {found} Felder, die Kopfzeile {wanted}", f"the row has {found} fields, the header {wanted}")
    remedy = Text("Text mit Trennzeichen in Anführungszeichen setzen", "put a text that holds a separator into quotation marks")
    return Broken(what, remedy)


FORMAT: Final = Format("CSV", (".csv", ".txt", ".tsv"), (), recognises, tabular=True, sheet=read)
