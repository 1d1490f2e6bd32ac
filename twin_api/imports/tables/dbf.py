"""The attribute table of a Shapefile, looked at byte by byte: its reader makes 0 of `abc` and 1.0 of `1,5` without a word."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from twin_api.imports.format import Doubt

CHUNK: Final = 4_000
NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?|\*+")  # stars: not known
WHOLE: Final = re.compile(r"[+-]?\d+")
DAY: Final = re.compile(r"\d{8}")
LANGUAGE_DRIVER: Final = 29
EXACT_DIGITS: Final = 18


@dataclass(frozen=True, slots=True)
class Field:
    """`start` within a record; `type` is the letter of dBASE."""

    name: str
    type: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Table:
    """The header of a dBASE file. Raises `ValueError` if it is none."""

    path: Path
    fields: tuple[Field, ...]
    record_bytes: int
    header_bytes: int
    announced: int
    says_encoding: bool

    def records(self) -> Iterator[bytes]:
        """The whole ones, those marked as deleted included."""
        with self.path.open("rb") as file:
            file.seek(self.header_bytes)
            while chunk := file.read(self.record_bytes * CHUNK):
                whole = len(chunk) // self.record_bytes
                yield from (chunk[at * self.record_bytes : (at + 1) * self.record_bytes] for at in range(whole))


def open_table(path: Path) -> Table:
    with path.open("rb") as file:
        head = file.read(32)
        header_bytes, record_bytes = int.from_bytes(head[8:10], "little"), int.from_bytes(head[10:12], "little")
        descriptors = file.read(max(0, header_bytes - 32))
    if len(head) < 32 or not record_bytes:
        raise ValueError(path)
    fields, start = [], 1
    for at in range(0, len(descriptors) - 31, 32):
        descriptor = descriptors[at : at + 32]
        if descriptor[0] == 0x0D:
            break
        length = descriptor[16] + (256 * descriptor[17] if descriptor[11:12] == b"C" else 0)
        name = descriptor[:11].split(b"\0")[0].decode("latin-1").strip()
        fields.append(Field(name, chr(descriptor[11]), start, start + length))
        start += length
    return Table(path, tuple(fields), record_bytes, header_bytes, int.from_bytes(head[4:8], "little"), head[LANGUAGE_DRIVER] != 0)


def is_ascii(table: Table) -> bool:
    """Whether its texts are the same in every encoding. One pass."""
    spans = [(field.start, field.end) for field in table.fields if field.type == "C"]
    return all(record[start:end].isascii() for record in table.records() for start, end in spans)


def count(table: Table) -> int:
    """Records that the table says it has, without those marked as deleted. One pass."""
    return table.announced - sum(record[:1] == b"*" for record in table.records())


def doubts(table: Table, names: Sequence[str], columns: Container[str]) -> Iterator[Doubt]:
    """Values of these columns that are not of their field's type, by the number of their record from 0. One pass.

    `names` are the columns of all fields in their order: how a name is encoded is for its reader to know.
    """
    looked_at = [
        (name, field, SOUND[field.type]) for name, field in zip(names, table.fields, strict=True) if name in columns and field.type in SOUND
    ]
    for number, record in enumerate(table.records() if looked_at else ()):
        if record[:1] == b"*":
            continue
        for name, field, is_sound in looked_at:
            text = record[field.start : field.end].decode("latin-1").strip(" \0")
            if text and not is_sound(text, field.end - field.start):
                yield number, name, text


def _is_number(text: str, width: int) -> bool:
    """In a field of more than 18 digits, whole numbers are read as fractions and lose their last digits."""
    if not NUMBER.fullmatch(text):
        return False
    return width <= EXACT_DIGITS or not WHOLE.fullmatch(text) or int(float(text)) == int(text)


def _is_day(text: str, width: int) -> bool:
    if not text.strip("0"):
        return True  # not known
    try:
        return DAY.fullmatch(text) is not None and bool(date(int(text[:4]), int(text[4:6]), int(text[6:])))
    except ValueError:
        return False


SOUND: Final[Mapping[str, Callable[[str, int], bool]]] = {
    "N": _is_number,
    "F": _is_number,
    "D": _is_day,
    "L": lambda text, width: text in tuple("TtFfYyNn?"),
}
