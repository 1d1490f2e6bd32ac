"""Checked values as rows of PostgreSQL's binary COPY (protocol chapter "Binary Format"), column by column.

Dates count from 2000-01-01, moments in microseconds from 2000-01-01T00:00Z; a geometry goes as the EWKB it is.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import chain, repeat
from typing import Any, Final

import numpy as np

HEADER: Final = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
TRAILER: Final = struct.pack(">h", -1)
NULL: Final = struct.pack(">i", -1)
DAY_ZERO: Final = date(2000, 1, 1)
MOMENT_ZERO: Final = datetime(2000, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)

_length = struct.Struct(">i").pack
_int4 = struct.Struct(">ii").pack
_int8 = struct.Struct(">iq").pack
_bool = {True: struct.pack(">i?", 1, True), False: struct.pack(">i?", 1, False)}


FIELDS: Final[Mapping[str, Callable[[Any], bytes]]] = {  # by attribute type
    "boolean": lambda value: _bool[value],
    "date": lambda value: _int4(4, (value - DAY_ZERO).days),
    "datetime": lambda value: _int8(8, (value - MOMENT_ZERO) // MICROSECOND),
}
NUMBERS: Final = {"integer": ">i8", "number": ">f8"}
SIZE: Final = 12  # of one of them, with its length in front


def encode_column(type_: str, values: Sequence[Any]) -> list[bytes]:
    """Each value with its length in front; `None` is NULL."""
    if type_ in NUMBERS:
        return _numbers(NUMBERS[type_], values)
    if type_ == "geometry":
        return [NULL if value is None else _length(len(value)) + value for value in values]
    distinct = set(values)
    if type_ == "text" and 2 * len(distinct) > len(values):
        return [NULL if value is None else _length(len(octets := value.encode())) + octets for value in values]
    field = _text if type_ == "text" else FIELDS[type_]
    encoded = {value: NULL if value is None else field(value) for value in distinct}
    return [encoded[value] for value in values]


def _text(value: str) -> bytes:
    octets = value.encode()
    return _length(len(octets)) + octets


def _numbers(form: str, values: Sequence[Any]) -> list[bytes]:
    """All of a column at once, cut into its values."""
    cells = np.empty(len(values), dtype=[("length", ">i4"), ("value", form)])
    cells["length"] = SIZE - 4
    cells["value"] = [0 if value is None else value for value in values]
    octets = cells.tobytes()
    encoded = [octets[start : start + SIZE] for start in range(0, len(octets), SIZE)]
    return encoded if None not in values else [NULL if value is None else cell for value, cell in zip(values, encoded, strict=True)]


def encode_rows(columns: Sequence[Sequence[bytes]]) -> bytes:
    """Encoded columns of one length, as rows one after the other."""
    count = struct.pack(">h", len(columns))
    return b"".join(chain.from_iterable(zip(repeat(count, len(columns[0])), *columns, strict=True)))
