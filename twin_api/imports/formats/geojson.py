"""GeoJSON (RFC 7946): one JSON object, its features in an array."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from twin_api.imports.description import Description
from twin_api.imports.finding import FileRefused, Findings, refuse
from twin_api.imports.format import Format
from twin_api.imports.guards.json import MEMBER_BYTES, MemberCheck, check_system
from twin_api.texts import Text

CHUNK: Final = 1024 * 1024
DEPTH: Final = 64
SYSTEM_BYTES: Final = 64 * 1024
ONCE: Final = re.compile(rb'"(features|crs)"\s*:\s*$')
ESCAPES: Final = re.compile(rb"\\.", re.DOTALL)
AGAIN: Final = Text("die Datei neu ausgeben lassen", "export the file again")


def recognises(head: bytes) -> bool:
    return head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{")


def dates_as_written(description: Description) -> Mapping[str, str]:
    """Else GDAL makes 2 March of 30 February."""
    return {"DATE_AS_STRING": "YES"}


def count(path: Path) -> int | None:
    """How many members the array `features` holds; `None` if the file has no such array.

    The reader passes over members that are no features; the number of rows shows it. Raises `FileRefused` for what it would
    change in silence. Bounded memory, about 100 MB/s.
    """
    findings = Findings()
    scan = Scan(MemberCheck(findings).look)
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            scan.feed(chunk)
    if not scan.found:
        _look_at_whole(path, findings)
    elif scan.system_at is not None:
        _look_at_system(path, scan.system_at)
    findings.raise_any()
    return scan.members if scan.found else None


def _look_at_whole(path: Path, findings: Findings) -> None:
    """A feature or a geometry alone, which its reader takes in at once."""
    if path.stat().st_size > MEMBER_BYTES:
        raise too_large()
    MemberCheck(findings).look(path.read_bytes())


def _look_at_system(path: Path, at: int) -> None:
    with path.open("rb") as file:
        file.seek(at)
        text = file.read(SYSTEM_BYTES).decode(errors="replace")
    try:
        system, _ = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        raise refuse(Text("`crs` ist kein JSON-Objekt", "`crs` is no JSON object"), AGAIN) from None
    check_system(system)


class Scan:
    """Brackets and commas counted outside of strings, chunk by chunk; `look` gets every object in the array `features`."""

    def __init__(self, look: Callable[[bytes], None] = lambda octets: None) -> None:
        self.objects = 0
        self.found = False
        self.system_at: int | None = None  # where the value of `crs` begins
        self._look = look
        self._inside = False  # the array `features` is open
        self._commas = 0
        self._names: set[bytes] = set()
        self._member: list[bytes] | None = None  # the pieces of one that has begun
        self._passed = 0  # bytes of chunks before
        self._depth = 0
        self._in_string = 0
        self._text = 0  # bytes of one that has not ended
        self._before = b""
        self._cut = b""

    @property
    def members(self) -> int:
        """Of the array, whatever they are: `[{}, 7]` has two."""
        return max(self.objects, self._commas + 1 if self._commas else 0)

    def feed(self, chunk: bytes) -> None:
        chunk = self._cut + chunk
        odd = (len(chunk) - len(chunk.rstrip(b"\\"))) % 2
        self._cut, chunk = (chunk[-1:], chunk[:-1]) if odd else (b"", chunk)
        if not chunk:
            return
        plain = ESCAPES.sub(b"  ", chunk) if b"\\" in chunk else chunk
        octets = np.frombuffer(plain, dtype=np.uint8)
        self._measure_text(plain)
        quoted = (np.cumsum(octets == ord('"')) + self._in_string) % 2 == 1
        opens = ((octets == ord("{")) | (octets == ord("["))) & ~quoted
        closes = ((octets == ord("}")) | (octets == ord("]"))) & ~quoted
        depth = np.cumsum(opens.astype(np.int8) - closes.astype(np.int8), dtype=np.int64) + self._depth
        if depth.max() > DEPTH:
            what = Text(f"die Datei ist tiefer als {DEPTH} verschachtelt", f"the file is nested deeper than {DEPTH}")
            raise refuse(what, AGAIN)
        commas = np.flatnonzero((octets == ord(",")) & ~quoted & (depth == 2))
        self._walk(chunk, plain, octets, depth, opens, closes, commas)
        self._depth, self._in_string = int(depth[-1]), int(quoted[-1])
        self._before = (self._before + plain)[-64:]
        self._passed += len(chunk)

    def _measure_text(self, plain: bytes) -> None:
        """Outside of the features, too, a reader holds a text as a whole."""
        self._text = self._text + len(plain) if self._in_string and b'"' not in plain else 0
        if self._text > MEMBER_BYTES:
            raise too_large()

    def _walk(self, chunk: bytes, plain: bytes, octets: Any, depth: Any, opens: Any, closes: Any, commas: Any) -> None:
        """Through the places where something directly under the root, or a member of the array, opens or closes."""
        places = np.flatnonzero((opens & ((depth == 2) | (depth == 3))) | (closes & ((depth == 1) | (depth == 2))))
        begun, start = 0, 0
        for at, level, opening in zip(places.tolist(), depth[places].tolist(), opens[places].tolist(), strict=True):
            if level + (not opening) == 2:
                self._commas += int(np.count_nonzero((commas >= start) & (commas < at))) if self._inside else 0
                self._inside, start = opening and self._opens_features(plain, at), at
            elif self._inside and opening and octets[at] == ord("{"):
                self._member, begun = [], at
                self.objects += 1
            elif self._member is not None and not opening:
                self._look(b"".join([*self._member, chunk[begun : at + 1]]))
                self._member = None
        self._commas += int(np.count_nonzero(commas >= start)) if self._inside else 0
        if self._member is not None:
            self._keep(chunk[begun:])

    def _opens_features(self, plain: bytes, at: int) -> bool:
        """Whether the array `features` begins here. A reader takes the last of two coordinate systems, and both of two arrays."""
        lead = (self._before + plain[:at])[-64:] if at < 64 else plain[at - 64 : at]
        name = ONCE.search(lead)
        if name is None:
            return False
        if name[1] in self._names:
            member = name[1].decode()
            raise refuse(Text(f"`{member}` kommt zweimal vor", f"`{member}` is there twice"), AGAIN)
        self._names.add(name[1])
        self.system_at = self._passed + at if name[1] == b"crs" else self.system_at
        is_array = plain[at : at + 1] == b"[" and name[1] == b"features"
        self.found = self.found or is_array
        return is_array

    def _keep(self, piece: bytes) -> None:
        """The beginning of a member that ends in another chunk."""
        pieces = self._member or []
        if sum(map(len, pieces)) + len(piece) > MEMBER_BYTES:
            raise too_large()
        self._member = [*pieces, piece]


def too_large() -> FileRefused:
    limit = MEMBER_BYTES // (1024 * 1024)
    return refuse(Text(f"ein Objekt ist größer als {limit} MiB", f"a feature is larger than {limit} MiB"), AGAIN)


SUFFIXES: Final = (".geojson", ".json", ".ndjson", ".geojsonl", ".geojsons", ".jsonl")  # a single feature may stand in a file of lines
FORMAT = Format("GeoJSON", SUFFIXES, ("GeoJSON",), recognises, dates_as_written, count=count, sparse=True)
