"""PBF files whose lengths lie, or that unpack to more than they hold."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

from tests.imports.hostile.case import Case, written

BROKEN = "damaged or incomplete"


def _varint(value: int) -> bytes:
    octets = bytearray()
    while value > 0x7F:
        octets.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*octets, value])


def _field(number: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _block(kind: bytes, blob: bytes, size: int | None = None) -> bytes:
    header = _field(1, kind) + _field(3, len(blob) if size is None else size)
    return struct.pack(">I", len(header)) + header + blob


def _packed(content: bytes, size: int | None = None) -> bytes:
    return _field(2, len(content) if size is None else size) + _field(3, zlib.compress(content, 9))


def _dense(*ids: int) -> bytes:
    """A block with these nodes, all in one place, without tags."""
    steps = b"".join(_varint((step << 1) ^ (step >> 63)) for step in _differences(ids))
    places = _varint(0) * len(ids)
    return _field(1, _field(1, b"")) + _field(2, _field(2, _field(1, steps) + _field(8, places) + _field(9, places)))


def _differences(ids: tuple[int, ...]) -> list[int]:
    return [later - earlier for earlier, later in zip((0, *ids), ids, strict=False)]


HEAD = _block(b"OSMHeader", _packed(_field(4, b"OsmSchema-V0.6") + _field(4, b"DenseNodes")))
NODES = _block(b"OSMData", _packed(_dense(1, 2, 3)))


def _of(name: str, content: bytes | Callable[[], bytes], expected: str | int) -> Case:
    return Case(
        f"osm: {name}",
        written("thing.osm.pbf", content if isinstance(content, bytes) else content()),
        expected,
        source_layer="points",
        key="osm_id",
    )


CASES = [
    _of("a block header of two gigabytes", HEAD + struct.pack(">I", 2**31 - 1) + b"\0" * 100, BROKEN),
    _of("a blob of two gigabytes", HEAD + _block(b"OSMData", b"\0" * 100, 2**31 - 1), BROKEN),
    _of("a blob longer than the file", HEAD + _block(b"OSMData", _packed(_dense(1)), 10_000), BROKEN),
    _of("a blob that unpacks beyond its limit", HEAD + _block(b"OSMData", _packed(b"\0" * 40_000_000)), BROKEN),
    _of("blobs that swell a thousandfold", HEAD + _block(b"OSMData", _packed(b"\0" * 30_000_000)) * 20, BROKEN),
    _of("a blob that unpacks to more than it says", HEAD + _block(b"OSMData", _packed(b"\0" * 30_000_000, 100)), "cannot be read"),
    _of("a blob that unpacks to less than it says", HEAD + _block(b"OSMData", _packed(_dense(1), 30_000_000)), BROKEN),
    _of("a blob that says less than nothing", HEAD + _block(b"OSMData", _field(2, 2**64 - 1) + _field(3, b"x")), BROKEN),
    _of("a number without end", HEAD + struct.pack(">I", 100) + b"\xff" * 100, BROKEN),
    _of("a file that ends within a length", HEAD + NODES + b"\0\0", BROKEN),
    _of("a blob of noise", HEAD + _block(b"OSMData", _field(2, 100) + _field(3, bytes(range(100)))), "cannot be read"),
    _of("a blob packed in an unknown way", HEAD + _block(b"OSMData", _field(2, 100) + _field(4, bytes(range(100)))), BROKEN),
    _of("strings that point nowhere", HEAD + _block(b"OSMData", _packed(_field(1, b"") + _field(2, _field(1, _field(1, 1) + _field(2, b"\xff\xff\xff\x7f") + _field(3, b"\1") + _field(8, 1) + _field(9, 1))))), "cannot be read"),
]  # fmt: skip
