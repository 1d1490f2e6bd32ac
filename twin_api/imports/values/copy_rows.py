"""Checked values as rows of PostgreSQL's binary COPY (protocol chapter "Binary Format"), column by column.

Dates count from 2000-01-01, moments in microseconds from 2000-01-01T00:00Z; a geometry goes as the EWKB it is.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

HEADER: Final = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
TRAILER: Final = struct.pack(">h", -1)
NULL: Final = struct.pack(">i", -1)
DAY_ZERO: Final = date(2000, 1, 1)
MOMENT_ZERO: Final = datetime(2000, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)

_length = struct.Struct(">i").pack
_int4 = struct.Struct(">ii").pack
_int8 = struct.Struct(">iq").pack
_float8 = struct.Struct(">id").pack
_bool = {True: struct.pack(">i?", 1, True), False: struct.pack(">i?", 1, False)}


def _octets(value: bytes) -> bytes:
    return _length(len(value)) + value


FIELDS: Final[Mapping[str, Callable[[Any], bytes]]] = {  # by attribute type
    "text": lambda value: _octets(value.encode()),
    "integer": lambda value: _int8(8, value),
    "number": lambda value: _float8(8, value),
    "boolean": lambda value: _bool[value],
    "date": lambda value: _int4(4, (value - DAY_ZERO).days),
    "datetime": lambda value: _int8(8, (value - MOMENT_ZERO) // MICROSECOND),
    "geometry": _octets,
}


def encode_column(type_: str, values: Iterable[Any]) -> list[bytes]:
    """Each value with its length in front; `None` is NULL."""
    if type_ == "text":  # most columns are
        return [NULL if value is None else _length(len(octets := value.encode())) + octets for value in values]
    field = FIELDS[type_]
    return [NULL if value is None else field(value) for value in values]


def encode_rows(columns: Sequence[Sequence[bytes]]) -> bytes:
    """Encoded columns of one length, as rows one after the other."""
    count = struct.pack(">h", len(columns))
    return b"".join(count + b"".join(row) for row in zip(*columns, strict=True))
