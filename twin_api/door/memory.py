"""What a server process does with memory, decided once before it serves."""

from __future__ import annotations

import ctypes
import gc
from contextlib import suppress
from typing import Final

_KEPT: Final = 32 * 1_048_576  # bytes, the most that glibc allows for both
_M_TRIM_THRESHOLD: Final = -1  # malloc.h
_M_MMAP_THRESHOLD: Final = -3


def settle() -> None:
    """What is there by now stays: the search for garbage need not go through it again and again while somebody waits.

    And what a large page has freed is kept for the next one: to have the system hand out and clear it anew took a third of its time.
    """
    gc.collect()
    gc.freeze()
    with suppress(OSError, AttributeError):  # another library of C than glibc
        libc = ctypes.CDLL(None)
        libc.mallopt(_M_MMAP_THRESHOLD, _KEPT)
        libc.mallopt(_M_TRIM_THRESHOLD, _KEPT)
