"""The Arrow C stream that GDAL hands out, read into Python values without an Arrow library.

Layouts: Arrow C data interface (`ArrowSchema`, `ArrowArray`) and C stream interface (`ArrowArrayStream`).
Everything is copied out of a record batch before it is released; dictionaries (coded domains of a GeoPackage) yield their codes.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from itertools import pairwise
from typing import Any, Final

import numpy as np


class Schema(ctypes.Structure):
    pass


class Array(ctypes.Structure):
    pass


class Stream(ctypes.Structure):
    pass


Schema._fields_ = [
    ("format", ctypes.c_char_p), ("name", ctypes.c_char_p), ("metadata", ctypes.c_void_p), ("flags", ctypes.c_int64),
    ("n_children", ctypes.c_int64), ("children", ctypes.POINTER(ctypes.POINTER(Schema))), ("dictionary", ctypes.c_void_p),
    ("release", ctypes.CFUNCTYPE(None, ctypes.POINTER(Schema))), ("private_data", ctypes.c_void_p),
]  # fmt: skip
Array._fields_ = [
    ("length", ctypes.c_int64), ("null_count", ctypes.c_int64), ("offset", ctypes.c_int64), ("n_buffers", ctypes.c_int64),
    ("n_children", ctypes.c_int64), ("buffers", ctypes.POINTER(ctypes.c_void_p)),
    ("children", ctypes.POINTER(ctypes.POINTER(Array))), ("dictionary", ctypes.c_void_p),
    ("release", ctypes.CFUNCTYPE(None, ctypes.POINTER(Array))), ("private_data", ctypes.c_void_p),
]  # fmt: skip
Stream._fields_ = [
    ("get_schema", ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(Stream), ctypes.POINTER(Schema))),
    ("get_next", ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(Stream), ctypes.POINTER(Array))),
    ("get_last_error", ctypes.CFUNCTYPE(ctypes.c_char_p, ctypes.POINTER(Stream))),
    ("release", ctypes.CFUNCTYPE(None, ctypes.POINTER(Stream))), ("private_data", ctypes.c_void_p),
]  # fmt: skip

Values = list[Any]
NUMBERS: Final = {
    "c": "int8", "C": "uint8", "s": "int16", "S": "uint16", "i": "int32", "I": "uint32", "l": "int64", "L": "uint64",
    "f": "float32", "g": "float64",
}  # fmt: skip
EPOCH: Final = date(1970, 1, 1)


class StreamBroken(Exception):
    """The source could not be read to its end; the text is the reader's own."""


def read_stream(source: Any) -> Iterator[Mapping[str, Values]]:
    """Each record batch as a list of values per column, `None` for NULL; columns of other types are left out.

    `source` has `__arrow_c_stream__` and must stay open until the iteration ends.
    """
    capsule = source.__arrow_c_stream__()
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    stream = ctypes.cast(pointer(capsule, b"arrow_array_stream"), ctypes.POINTER(Stream))
    schema = Schema()
    _call(stream, stream.contents.get_schema(stream, ctypes.byref(schema)))
    try:
        yield from _batches(stream, schema)
    finally:
        schema.release(ctypes.byref(schema))


def _batches(stream: Any, schema: Schema) -> Iterator[Mapping[str, Values]]:
    while True:
        array = Array()
        _call(stream, stream.contents.get_next(stream, ctypes.byref(array)))
        if not array.release:
            return
        try:
            batch = _columns(schema, array)
        finally:
            array.release(ctypes.byref(array))
        yield batch


def _call(stream: Any, code: int) -> None:
    if code:
        said = stream.contents.get_last_error(stream) or b"unknown error"
        raise StreamBroken(said.decode(errors="replace"))


def _columns(schema: Schema, array: Array) -> dict[str, Values]:
    columns = {}
    for number in range(schema.n_children):
        kind, column = schema.children[number].contents, array.children[number].contents
        read = reader(kind.format.decode())
        if read is not None:
            values = read(column)
            columns[kind.name.decode()] = _with_nulls(column, values)
    return columns


def reader(format_: str) -> Callable[[Any], Values] | None:
    """How to read an array of this format; `None` for lists, times and the like."""
    if format_ in NUMBERS:
        return lambda array: list(_buffer(array, 1, NUMBERS[format_], array.length, array.offset).tolist())
    return {
        "b": _booleans,
        "tdD": lambda array: [_day(number) for number in _buffer(array, 1, "int32", array.length, array.offset).tolist()],
        "u": lambda array: _texts(array, "int32"),
        "U": lambda array: _texts(array, "int64"),
        "z": lambda array: _slices(array, "int32"),
        "Z": lambda array: _slices(array, "int64"),
    }.get(format_)


def _buffer(array: Any, number: int, dtype: str, count: int, start: int = 0) -> Any:
    """A copy of `count` values of a buffer."""
    item = np.dtype(dtype).itemsize
    address = array.buffers[number]
    return np.frombuffer(ctypes.string_at(address + start * item, count * item) if address and count else b"", dtype=dtype)


def _bits(array: Any, number: int) -> Any:
    octets = _buffer(array, number, "uint8", (array.offset + array.length + 7) // 8)
    return np.unpackbits(octets, bitorder="little")[array.offset : array.offset + array.length].astype(bool)


def _booleans(array: Any) -> Values:
    return list(_bits(array, 1).tolist())


def _slices(array: Any, dtype: str) -> list[bytes]:
    data, ends = _data(array, dtype)
    return [data[left:right] for left, right in pairwise(ends)]


def _texts(array: Any, dtype: str) -> list[str]:
    """Bytes that are no UTF-8 come out as lone surrogates, for the check to find."""
    data, ends = _data(array, dtype)
    if data.isascii():
        text = data.decode()
        return [text[left:right] for left, right in pairwise(ends)]
    return [data[left:right].decode("utf-8", "surrogateescape") for left, right in pairwise(ends)]


def _data(array: Any, dtype: str) -> tuple[bytes, list[int]]:
    """All values one after the other, and where they begin and end."""
    if not array.length:
        return b"", [0]
    ends = _buffer(array, 1, dtype, array.length + 1, array.offset)
    start, length = int(ends[0]), int(ends[-1] - ends[0])
    address = array.buffers[2]
    return ctypes.string_at(address + start, length) if address and length else b"", (ends - start).tolist()


def _day(number: int) -> date | int:
    """Beyond the years 1 to 9999 only its number from 1970-01-01, for the check to find."""
    try:
        return EPOCH + timedelta(days=number)
    except OverflowError:
        return number


def _with_nulls(array: Any, values: Values) -> Values:
    if array.null_count == 0 or not array.buffers[0]:
        return values
    return [value if known else None for value, known in zip(values, _bits(array, 0).tolist(), strict=True)]
