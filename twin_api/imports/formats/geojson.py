"""GeoJSON (RFC 7946): one JSON object, its features in an array."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from twin_api.imports.description import Description
from twin_api.imports.format import Format

CHUNK: Final = 1024 * 1024
FEATURES: Final = re.compile(rb'"features"\s*:\s*$')
ESCAPES: Final = re.compile(rb"\\.", re.DOTALL)


def recognises(head: bytes) -> bool:
    return head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{")


def dates_as_written(description: Description) -> Mapping[str, str]:
    """Else GDAL makes 2 March of 30 February."""
    return {"DATE_AS_STRING": "YES"}


def count(path: Path) -> int | None:
    """How many objects the array `features` holds; `None` if the file has no such array.

    The reader passes over members that are no features; the number of rows shows it. Bounded memory, about 100 MB/s.
    """
    scan = Scan()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            scan.feed(chunk)
    return scan.objects if scan.found else None


class Scan:
    """Brackets counted outside of strings, chunk by chunk."""

    def __init__(self) -> None:
        self.objects = 0
        self.found = False
        self._inside = False  # the array `features` is open
        self._depth = 0
        self._in_string = 0
        self._before = b""
        self._cut = b""

    def feed(self, chunk: bytes) -> None:
        chunk = self._cut + chunk
        odd = (len(chunk) - len(chunk.rstrip(b"\\"))) % 2
        self._cut, chunk = (chunk[-1:], chunk[:-1]) if odd else (b"", chunk)
        plain = ESCAPES.sub(b"  ", chunk) if b"\\" in chunk else chunk
        octets = np.frombuffer(plain, dtype=np.uint8)
        quoted = (np.cumsum(octets == ord('"')) + self._in_string) % 2 == 1
        opens = ((octets == ord("{")) | (octets == ord("["))) & ~quoted
        closes = ((octets == ord("}")) | (octets == ord("]"))) & ~quoted
        depth = np.cumsum(opens.astype(np.int8) - closes.astype(np.int8), dtype=np.int64) + self._depth
        self._walk(plain, octets, depth, opens, closes)
        self._depth, self._in_string = (int(depth[-1]), int(quoted[-1])) if len(octets) else (self._depth, self._in_string)
        self._before = (self._before + plain)[-64:]

    def _walk(self, plain: bytes, octets: Any, depth: Any, opens: Any, closes: Any) -> None:
        """Through the places where an array directly under the root opens or closes; there are few."""
        members = np.flatnonzero(opens & (depth == 3) & (octets == ord("{")))
        ends = np.flatnonzero((opens & (depth == 2)) | (closes & (depth == 1)))
        start = 0
        for at in ends.tolist():
            self.objects += int(np.count_nonzero((members >= start) & (members < at))) if self._inside else 0
            lead = (self._before + plain[max(0, at - 64) : at])[-64:] if at < 64 else plain[at - 64 : at]
            self._inside = bool(opens[at]) and octets[at] == ord("[") and FEATURES.search(lead) is not None
            self.found = self.found or self._inside
            start = at
        self.objects += int(np.count_nonzero(members >= start)) if self._inside else 0


SUFFIXES: Final = (".geojson", ".json", ".ndjson", ".geojsonl", ".geojsons", ".jsonl")  # a single feature may stand in a file of lines
FORMAT = Format("GeoJSON", SUFFIXES, ("GeoJSON", "GeoJSONSeq"), recognises, dates_as_written, count=count)
