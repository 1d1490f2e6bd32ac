"""Archives that swell, climb out of their folder, contain themselves or lie about what is in them."""

from __future__ import annotations

import gzip
import io
import stat
import struct
import zipfile
from collections.abc import Callable

from tests.imports.hostile.case import Case, harmless, written

MIB = 1024 * 1024
PLAIN = harmless().encode()
LOCAL, CENTRAL, END = b"PK\3\4", b"PK\1\2", b"PK\5\6"
LARGE, NAME, DAMAGED, TWICE, NESTED = "too large unpacked", "no ordinary name", "is damaged", "is there twice", "holds another archive"


def _zip(*entries: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return target.getvalue()


def _entry(name: str, mode: int = stat.S_IFREG | 0o644) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    return info


def _named(name: str) -> bytes:
    """Written under a harmless name of the same length, which is then replaced: Python would mend it."""
    stand_in = ("x" * len(name.encode())).encode()
    return _zip((stand_in.decode(), PLAIN)).replace(stand_in, name.encode())


def _patched(content: bytes, *changes: tuple[bytes, int, bytes]) -> bytes:
    """With other bytes at a place behind a signature, wherever it occurs."""
    octets = bytearray(content)
    for signature, offset, value in changes:
        at = octets.find(signature)
        while at >= 0:
            octets[at + offset : at + offset + len(value)] = value
            at = octets.find(signature, at + 4)
    return bytes(octets)


def _overlapping() -> bytes:
    """A hundred entries of the directory, one and the same data."""
    single = _zip(("thing.geojson", b"\0" * MIB))
    start = single.index(CENTRAL)
    directory = b"".join(
        single[start : single.index(END)].replace(b"thing.geojson", f"thing{n:03}.json".encode()[:13].ljust(13, b"x")) for n in range(100)
    )
    end = struct.pack("<4sHHHHIIH", END, 0, 0, 100, 100, len(directory), start, 0)
    return single[:start] + directory + end


def _of(name: str, content: bytes | Callable[[], bytes], expected: str | int) -> Case:
    return Case(f"zip: {name}", written("thing.zip", content if isinstance(content, bytes) else content()), expected)


def _gz(name: str, content: bytes, expected: str | int) -> Case:
    return Case(f"gz: {name}", written("thing.geojson.gz", content), expected)


GOOD = _zip(("thing.geojson", PLAIN))
GZ = gzip.compress(PLAIN)
CASES = [
    _of("nothing wrong", GOOD, 1),
    _of("two hundred megabytes of nothing", _zip(("thing.geojson", b"\0" * 200 * MIB)), LARGE),
    _of("twenty files that swell together", _zip(*((f"{n}.json", b"\0" * 10 * MIB) for n in range(20))), LARGE),
    _of("a size that lies", _patched(_zip(("thing.geojson", b"\0" * 50 * MIB)), (CENTRAL, 24, struct.pack("<I", 10)), (LOCAL, 22, struct.pack("<I", 10))), DAMAGED),
    _of("an archive in an archive", _zip(("thing.zip", GOOD)), NESTED),
    _of("an archive in an archive under another name", _zip(("thing.geojson", GOOD)), NESTED),
    _of("a packed file in an archive", _zip(("thing.geojson", GZ)), NESTED),
    _of("entries that are each other", _overlapping, "overlaps"),
    _of("ten thousand entries", _zip(*((f"{n}.json", b"{}") for n in range(10_000))), "entries"),
    _of("a directory of a gigabyte", _patched(GOOD, (END, 12, struct.pack("<I", 2**30))), DAMAGED),
    _of("a path upwards", _zip(("../thing.geojson", PLAIN)), NAME),
    _of("a path upwards from within", _zip(("a/../../thing.geojson", PLAIN)), NAME),
    _of("an absolute path", _named("/var/thing.geojson"), NAME),
    _of("a drive", _zip(("C:/thing.geojson", PLAIN)), NAME),
    _of("backslashes", _named("..\\thing.geojson"), NAME),
    _of("a name that ends in the middle", _named("thing.geojson\0.txt"), NAME),
    _of("a name that speaks to a terminal", _zip(("\x1b[2Jthing.geojson", PLAIN)), NAME),
    _of("a name without end", _zip(("x" * 60_000 + ".geojson", PLAIN)), NAME),
    _of("a link", _zip((_entry("thing.geojson", stat.S_IFLNK | 0o777), b"/etc/passwd")), "is a link"),
    _of("a device", _zip((_entry("thing.geojson", stat.S_IFBLK | 0o777), b"")), "is a link"),
    _of("two names that differ in capitals", _zip(("thing.geojson", PLAIN), ("Thing.geojson", PLAIN)), TWICE),
    _of("two names that look alike", _zip(("b\u00e4ume.geojson", PLAIN), ("ba\u0308ume.geojson", PLAIN)), TWICE),
    _of("a file that is a folder", _zip(("a", PLAIN), ("a/thing.geojson", PLAIN)), TWICE),
    _of("another name in the directory", GOOD.replace(b"thing.geojson", b"other.geojson", 1), DAMAGED),
    _of("a wrong checksum", _patched(GOOD, (CENTRAL, 16, b"\0\0\0\0"), (LOCAL, 14, b"\0\0\0\0")), DAMAGED),
    _of("an encrypted entry", _patched(GOOD, (CENTRAL, 8, b"\1\0"), (LOCAL, 6, b"\1\0")), "is encrypted"),
    _of("an entry packed with LZMA", _zip(("thing.geojson", PLAIN), method=zipfile.ZIP_LZMA), "unusual way"),
    _of("an unknown way of packing", _patched(GOOD, (CENTRAL, 10, b"\x63\0"), (LOCAL, 8, b"\x63\0")), "unusual way"),
    _of("half of it", GOOD[: len(GOOD) // 2], DAMAGED),
    _of("nothing", b"", DAMAGED),
    _of("no entries", _zip(), "is empty"),
    _of("a virtual file inside", _zip(("thing.vrt", b"<OGRVRTDataSource/>")), "no known format"),
    _gz("nothing wrong", GZ, 1),
    _gz("two hundred megabytes of nothing", gzip.compress(b"\0" * 200 * MIB), LARGE),
    _gz("many in one", gzip.compress(b" " * 10 * MIB) * 30, LARGE),
    _gz("packed twice", gzip.compress(GZ), NESTED),
    _gz("half of it", GZ[: len(GZ) // 2], DAMAGED),
    _gz("rubbish behind it", GZ + b"rubbish", DAMAGED),
    _gz("a wrong checksum", GZ[:-8] + b"\0" * 4 + GZ[-4:], DAMAGED),
]  # fmt: skip
