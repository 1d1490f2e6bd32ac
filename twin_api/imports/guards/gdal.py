"""GDAL, let at one file with one driver: no network, no neighbouring file, nothing that a name could be taken for.

GDAL by itself lets 180 drivers look at every file, and some obey it: a text that says `gdal_streamed_alg` or `OGRVRTDataSource`
anywhere near its beginning makes GDAL open what it names, addresses included.
"""

from __future__ import annotations

import ctypes
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from threading import RLock
from typing import Any, Final

import pyogrio
import pyogrio._ogr

CONFIG: Final = {
    "CPL_VSIL_CURL_ALLOWED_FILENAME": "none",  # names that say `/vsicurl/` lead nowhere
    "GML_DOWNLOAD_SCHEMA": "NO",  # a GML file of a WFS would have its schema fetched
    "OGR_ARROW_MEM_LIMIT": str(256 * 1024 * 1024),  # of one batch, in bytes
}
OPENING: Final = RLock()
ODD: Final = re.compile(r"[^\w. -]+")
FAILURE: Final = 3  # CE_Failure
Driver = tuple[str, int]  # name and handle


class Failed(Exception):
    """GDAL's own words of what went wrong."""


@contextmanager
def only(drivers: Iterable[str]) -> Iterator[None]:
    """Within, GDAL knows these drivers and no other. Holds for the process, so open a file within and read it outside.

    Threads that open files wait for each other here.
    """
    allowed = frozenset(drivers)
    with OPENING:
        pyogrio.set_gdal_config_options(CONFIG)
        known = _drivers()
        _register([driver for driver in known if driver[0] in allowed])
        try:
            yield
        finally:
            _register(known)


def sealed(path: Path, folder: Path) -> Path:
    """The file under a harmless name: nothing lies beside it, nothing is left beside it."""
    link = harmless(path, folder)
    link.symlink_to(path.resolve())
    return link


def harmless(path: Path, folder: Path) -> Path:
    """Where the file, or a copy, may lie: alone in a new folder below `folder`, under a name that is nothing but a name."""
    stem = ODD.sub("_", path.stem)[:100].strip(" .-") or "source"
    return Path(tempfile.mkdtemp(dir=folder)) / f"{stem}{ODD.sub('_', path.suffix).lower()}"


def forget_failures() -> None:
    _library().CPLErrorReset()


def last_failure() -> Failed | None:
    """What GDAL met since, in this thread: some drivers stop there as if the file ended."""
    if _library().CPLGetLastErrorType() < FAILURE:
        return None
    return Failed(_library().CPLGetLastErrorMsg().decode(errors="replace"))


@cache
def _library() -> Any:
    """GDAL's C functions, found through the extension that is linked to it."""
    library = ctypes.CDLL(pyogrio._ogr.__file__)
    library.GDALGetDriver.restype, library.GDALGetDriver.argtypes = ctypes.c_void_p, [ctypes.c_int]
    library.GDALGetDriverShortName.restype, library.GDALGetDriverShortName.argtypes = ctypes.c_char_p, [ctypes.c_void_p]
    library.GDALRegisterDriver.argtypes = library.GDALDeregisterDriver.argtypes = [ctypes.c_void_p]
    library.GDALDeregisterDriver.restype = None
    library.CPLGetLastErrorMsg.restype = ctypes.c_char_p
    return library


@cache
def _drivers() -> Sequence[Driver]:
    """All of them in GDAL's order, which decides who is asked first."""
    handles = [_library().GDALGetDriver(number) for number in range(_library().GDALGetDriverCount())]
    return [(_library().GDALGetDriverShortName(handle).decode(), handle) for handle in handles]


def _register(drivers: Iterable[Driver]) -> None:
    for _, handle in _drivers():
        _library().GDALDeregisterDriver(handle)
    for _, handle in drivers:
        _library().GDALRegisterDriver(handle)
