"""GeoJSON as a text sequence: one feature per line (newline-delimited), or after a record separator (RFC 8142)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

import orjson

from twin_api.imports.description import Description
from twin_api.imports.finding import Finding, Findings
from twin_api.imports.format import Format
from twin_api.imports.formats.geojson import count, dates_as_written, too_large
from twin_api.imports.guards.gdal import harmless
from twin_api.imports.guards.json import MEMBER_BYTES
from twin_api.texts import Text

SEPARATOR: Final = b"\x1e"
NO_FEATURE: Final = Text("hier steht kein GeoJSON-Objekt vom Typ `Feature`", "this is no GeoJSON object of type `Feature`")
REMEDY: Final = Text("je Zeile ein vollständiges Feature ausgeben", "write one whole feature per line")


def recognises(head: bytes) -> bool:
    """The first line is a whole feature and there are more, or the file begins with a record separator."""
    head = head.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n")
    first, _, more = head.partition(b"\n")
    return head.startswith(SEPARATOR) or (bool(more.strip()) and _is_feature(first))


def prepare(path: Path, description: Description, folder: Path) -> Path:
    """The same features as one collection: the reader of lines makes 1 March of 30 February, and has no option against it.

    Every line must be a feature: the reader would leave out the others without a word.
    """
    findings, before = Findings(), b"\n"
    collection = harmless(path.with_suffix(".geojson"), folder)
    with path.open("rb") as file, collection.open("xb") as out:
        out.write(b'{"type":"FeatureCollection","features":[')
        for number, line in enumerate(_lines(file), start=1):
            record = line.removeprefix(b"\xef\xbb\xbf").strip(b" \t\r\n" + SEPARATOR)
            if record and _is_feature(record):
                out.write(before + record)
                before = b",\n"
            elif record:
                findings.add(Finding(Text(f"Zeile {number}: {NO_FEATURE.de}", f"line {number}: {NO_FEATURE.en}"), REMEDY))
        out.write(b"\n]}\n")
    findings.raise_any()
    return collection


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    """Line by line, none longer than a feature may be."""
    while line := file.readline(MEMBER_BYTES + 1):
        if len(line) > MEMBER_BYTES:
            raise too_large()
        yield line


def _is_feature(record: bytes) -> bool:
    try:
        member = orjson.loads(record)
    except orjson.JSONDecodeError:
        return False
    return isinstance(member, dict) and member.get("type") == "Feature"


SUFFIXES: Final = (".geojsonl", ".geojsons", ".ndjson", ".jsonl", ".geojson", ".json")
FORMAT = Format("GeoJSON lines", SUFFIXES, ("GeoJSON",), recognises, dates_as_written, prepare, count=count, sparse=True)
