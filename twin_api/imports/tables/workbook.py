"""The parts of an Office Open XML workbook (ECMA-376, both dialects), unpacked in a folder: sheets, shared texts, formats, cells.

Read with the standard library's expat, one element at a time; a document type is refused, so no entity is ever expanded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final
from xml.parsers.expat import ExpatError, ParserCreate

CHUNK: Final = 256 * 1024
ESCAPED: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")
REFERENCE: Final = re.compile(r"([A-Z]{1,3})(\d+)")
DATE_FORMATS: Final = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})
NO_LETTERS_OF_TIME: Final = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|_.|\*.|General', re.IGNORECASE)
DIGITS: Final = re.compile("0{2,20}")
TIME_LETTERS: Final = re.compile("[ymdhs]", re.IGNORECASE)
Attributes = Mapping[str, str]


class WorkbookBroken(Exception):
    """The workbook is no workbook, or a part of it cannot be read."""


@dataclass(slots=True)
class Cell:
    """As it is written: `type` is `s`, `inlineStr`, `str`, `b`, `e`, `d` or `n`; `style` the number of its format."""

    column: int = 0
    row: int = 0
    type: str = "n"
    style: int = 0
    value: str = ""
    has_value: bool = False
    has_formula: bool = False


@dataclass(frozen=True, slots=True)
class Workbook:
    """`sheets` leads from their names to their parts, in their order; `date_styles` are the formats that make a date of a number.

    `widths` leads from formats such as `00000`, which show a postal code with the zero it begins with, to their number of digits.
    """

    folder: Path
    sheets: Mapping[str, Path]
    texts: tuple[str, ...]
    date_styles: frozenset[int]
    widths: Mapping[int, int]
    since_1904: bool


def open_workbook(folder: Path) -> Workbook:
    """Everything but the sheets themselves. Memory: that of the texts that cells share."""
    names: dict[str, str] = {}
    since_1904 = False
    targets = _targets(folder)
    for name, attributes in _elements(folder / "xl" / "workbook.xml"):
        if name == "sheet":
            names[attributes.get("name", "")] = next((value for key, value in attributes.items() if key.endswith(":id")), "")
        elif name == "workbookPr":
            since_1904 = attributes.get("date1904") in ("1", "true")
    sheets = {name: targets[relation] for name, relation in names.items() if relation in targets}
    texts, (dates, widths) = _texts(folder / "xl" / "sharedStrings.xml"), _styles(folder / "xl" / "styles.xml")
    return Workbook(folder, sheets, texts, dates, widths, since_1904)


def read_cells(workbook: Workbook, sheet: str) -> Iterator[Cell]:
    """The cells of a sheet that hold something, row by row."""
    return _Cells().read(workbook.sheets[sheet])


def merged_ranges(workbook: Workbook, sheet: str) -> list[str]:
    """Such as `B4:B6`."""
    return [attributes.get("ref", "") for name, attributes in _elements(workbook.sheets[sheet]) if name == "mergeCell"]


def column_letters(column: int) -> str:
    """1 is A, 27 is AA."""
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def place_of(reference: str) -> tuple[int, int]:
    """Column and row of `C17`, from 1; zeros for what is no reference."""
    found = REFERENCE.fullmatch(reference)
    if not found:
        return 0, 0
    column = 0
    for letter in found[1]:
        column = column * 26 + ord(letter) - 64
    return column, int(found[2])


def parse(
    path: Path,
    start: Callable[[str, Attributes], None],
    end: Callable[[str], None] = lambda name: None,
    text: Callable[[str], None] | None = None,
) -> Iterator[None]:
    """Feed a part to these functions, pausing after each chunk. Names come without their namespace."""
    parser = ParserCreate(namespace_separator=":")
    parser.buffer_text = True

    def refuse_document_type(*_: object) -> None:
        raise WorkbookBroken("document type")

    parser.StartDoctypeDeclHandler = refuse_document_type
    parser.StartElementHandler = lambda name, attributes: start(name.rpartition(":")[2], attributes)
    parser.EndElementHandler = lambda name: end(name.rpartition(":")[2])
    if text is not None:
        parser.CharacterDataHandler = text
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                parser.Parse(chunk, False)
                yield
        parser.Parse(b"", True)
        yield
    except (ExpatError, OSError, ValueError, LookupError) as error:
        raise WorkbookBroken(str(error)) from None


def _elements(path: Path) -> Iterator[tuple[str, Attributes]]:
    met: list[tuple[str, Attributes]] = []
    for _ in parse(path, lambda name, attributes: met.append((name, attributes))):
        yield from met
        met.clear()


def _targets(folder: Path) -> dict[str, Path]:
    """Relation -> part; only parts that lie in the workbook."""
    targets = {}
    for name, attributes in _elements(folder / "xl" / "_rels" / "workbook.xml.rels"):
        target = attributes.get("Target", "")
        if name == "Relationship" and attributes.get("TargetMode") != "External" and ".." not in PurePosixPath(target).parts:
            path = folder / target.lstrip("/") if target.startswith("/") else folder / "xl" / target
            with suppress(OSError, ValueError):
                targets.update({attributes.get("Id", ""): path} if path.is_file() else {})
    return targets


def _texts(path: Path) -> tuple[str, ...]:
    """Runs of one text joined, readings aids of East Asian scripts left out."""
    if not path.is_file():
        return ()
    texts: list[str] = []
    now: list[str] = []
    state = {"in_text": False, "aid": False}

    def start(name: str, attributes: Attributes) -> None:
        state["in_text"] = name == "t"
        state["aid"] = state["aid"] or name == "rPh"

    def end(name: str) -> None:
        state["in_text"] = False
        state["aid"] = state["aid"] and name != "rPh"
        if name == "si":
            texts.append(unescape("".join(now)))
            now.clear()

    for _ in parse(path, start, end, lambda text: now.append(text) if state["in_text"] and not state["aid"] else None):
        pass
    return tuple(texts)


def unescape(text: str) -> str:
    """Characters that XML cannot hold stand as `_x000B_`."""
    return ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text


def _styles(path: Path) -> tuple[frozenset[int], Mapping[int, int]]:
    """Those of dates, and the width of those of nothing but digits."""
    if not path.is_file():
        return frozenset(), {}
    own: dict[int, str] = {}
    styles: list[int] = []
    inside = ""
    for name, attributes in _elements(path):
        if name in ("cellXfs", "cellStyleXfs", "cellStyles", "dxfs"):
            inside = name
        elif name == "numFmt" and inside == "":
            own[int(attributes.get("numFmtId", "0"))] = attributes.get("formatCode", "")
        elif name == "xf" and inside == "cellXfs":
            styles.append(int(attributes.get("numFmtId", "0")))
    dates = {number for number, code in own.items() if TIME_LETTERS.search(NO_LETTERS_OF_TIME.sub("", code))}
    dates |= DATE_FORMATS - own.keys()
    digits = {number: len(code) for number, code in own.items() if DIGITS.fullmatch(code)}
    widths = {at: digits[number] for at, number in enumerate(styles) if number in digits}
    return frozenset(at for at, number in enumerate(styles) if number in dates), widths


@dataclass(slots=True)
class _Cells:
    """Collects the cells of one chunk after the other."""

    done: list[Cell] = field(default_factory=list)
    now: Cell | None = None
    row: int = 0
    column: int = 0
    text: list[str] = field(default_factory=list)
    inside: str = ""

    def read(self, path: Path) -> Iterator[Cell]:
        for _ in parse(path, self._start, self._end, self._text):
            yield from self.done
            self.done.clear()

    def _start(self, name: str, attributes: Attributes) -> None:
        if name == "row":
            self.row, self.column = int(attributes.get("r", self.row + 1)), 0
        elif name == "c":
            column, _ = place_of(attributes.get("r", ""))
            self.column = column or self.column + 1
            self.now = Cell(self.column, self.row, attributes.get("t", "n"), int(attributes.get("s", "0")))
        elif self.now is not None:
            self.inside = name
            self.now.has_value = self.now.has_value or name in ("v", "is")
            self.now.has_formula = self.now.has_formula or name == "f"

    def _text(self, text: str) -> None:
        if self.inside in ("v", "t"):
            self.text.append(text)

    def _end(self, name: str) -> None:
        self.inside = ""
        if name == "c" and self.now is not None:
            self.now.value = "".join(self.text)
            if self.now.has_value or self.now.has_formula:
                self.done.append(self.now)
            self.now = None
            self.text.clear()
