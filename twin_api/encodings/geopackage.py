"""GeoPackage: a whole collection as a file to take away, written by a process of its own.

Must never give that process anything but features that are shown: no connection, no secret, no environment.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any, BinaryIO, Final
from weakref import WeakSet

import orjson

from twin_api.encodings import geopackage_file
from twin_api.problems import InvalidParameter, TooBusy
from twin_api.store.collection import Description, Property
from twin_api.texts import Text

MOST: Final = 100_000  # items in a file
AT_ONCE: Final = 2  # files in work in one process
ON_DISK: Final = 8 * geopackage_file.LARGEST  # bytes of all files that are in work or still being read, in one process
_PATH: Final = Path(geopackage_file.__file__)
_TYPES: Final = {"text": "TEXT", "integer": "INTEGER", "number": "DOUBLE", "boolean": "BOOLEAN", "date": "DATE", "datetime": "DATETIME"}
_TOO_LARGE: Final = Text(
    f"`f=gpkg` fasst höchstens {MOST} Objekte und {geopackage_file.LARGEST // 1024**2} MiB: mit `bbox` oder Merkmalen eingrenzen",
    f"`f=gpkg` holds at most {MOST} items and {geopackage_file.LARGEST // 1024**2} MiB: narrow with `bbox` or properties",
)
_building = BoundedSemaphore(AT_ONCE)
_lent: WeakSet[BinaryIO] = WeakSet()  # what clients read, each at its own pace; a file without a name takes its place until it is closed


def too_large() -> InvalidParameter:
    return InvalidParameter("f", _TOO_LARGE)


def head(name: str, title: str, told: Description, srid: int, properties: Sequence[Property], *, has_heights: bool) -> bytes:
    """What is written, for the process that writes it. `srid` is the EPSG number of the coordinates, which stand east first."""
    geometry = None
    if told.geometry_type:
        geometry = {"type": told.geometry_type.removesuffix("Z").upper(), "srid": srid, "z": int(has_heights)}
    described: dict[str, Any] = {
        "table": f"c_{name}" if name.startswith(("gpkg_", "sqlite_", "rtree_")) else name,
        "title": title,
        "geometry": geometry,
        "crs": [[f"EPSG:{code}", code, "EPSG", code, _definitions().get(str(code), "undefined"), None] for code in sorted({4326, srid})],
        "columns": [(p.name, _TYPES[p.type]) for p in properties],
    }
    return orjson.dumps(described) + b"\n"


async def build(head: bytes, features: AsyncIterator[bytes]) -> BinaryIO:
    """The file, open and already without a name. Raises `TooBusy`, and `InvalidParameter` where it becomes too large.

    INVARIANT: between taking a place and giving it back nothing waits outside of `try`: a request may be ended wherever it waits.
    """
    if _octets_lent() > ON_DISK - AT_ONCE * geopackage_file.LARGEST or not _building.acquire(blocking=False):
        raise TooBusy()
    folder = Path(tempfile.mkdtemp(prefix="twin-gpkg-"))
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-I", str(_PATH), str(folder / "file.gpkg"), stdin=PIPE, stdout=DEVNULL, stderr=DEVNULL, cwd=folder,
            env={"PATH": os.defpath, "LANG": "C.UTF-8", "TMPDIR": str(folder)},
        )  # fmt: skip
        try:
            await _feed(process, head, features)
            code = await process.wait()
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        if code:
            raise too_large() if code in (geopackage_file.TOO_LARGE, -9, -24, -25) else GeoPackageFailed(code)
        file = (folder / "file.gpkg").open("rb")
        _lent.add(file)
        return file
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        _building.release()


def _octets_lent() -> int:
    return sum(os.fstat(file.fileno()).st_size for file in _lent if not file.closed)


class GeoPackageFailed(Exception):
    """The process that writes ended with this exit code, which is none of those that it is meant to end with."""


async def _feed(process: Process, head: bytes, features: AsyncIterator[bytes]) -> None:
    assert process.stdin is not None  # noqa: S101  # said to the type checker
    with suppress(BrokenPipeError, ConnectionResetError):  # why it ended, its exit code says
        process.stdin.write(head)
        async for lines in features:
            process.stdin.write(lines + b"\n" if lines else b"")
            await process.stdin.drain()
        process.stdin.close()
        await process.stdin.wait_closed()


@lru_cache(maxsize=1)
def _definitions() -> dict[str, str]:
    """Well-Known Text of the usual CRS; readers know the others by their number."""
    return dict(orjson.loads((_PATH.parent / "crs.json").read_bytes()))
