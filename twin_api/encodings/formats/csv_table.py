"""CSV (RFC 4180): a heading, then an item a line: id, properties, and the geometry as WKT in the CRS of the answer.

INVARIANT: no cell begins as a formula. A spreadsheet computes what begins with `=`, `+`, `-` or `@`, and somebody else may have written
the text; such a one stands after an apostrophe. Numbers and times cannot be formulas. German spreadsheets part cells at semicolons and
then know no quotes within a cell, so what follows a semicolon, a tabulator or a line's end in a text begins a cell there.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from io import StringIO
from typing import Any, Final

import orjson

from twin_api.encodings.formats.form import Format
from twin_api.encodings.media import CSV
from twin_api.store.collection import Property

_SIGN: Final = r'"*[=+\-@＝＋－＠]'
_BEGINS: Final = re.compile(rf"{_SIGN}|[\t\r\n]")
_PARTS: Final = re.compile(rf"[;\t\r\n](?={_SIGN})")


def write(features: bytes, properties: Sequence[Property]) -> bytes:
    table = StringIO(newline="")
    writer = csv.writer(table)
    writer.writerow(["id", *(p.name for p in properties), "geometry"])
    for line in features.splitlines() if features else ():
        feature = orjson.loads(line)
        values = [_cell(feature["properties"][p.name]) for p in properties]
        writer.writerow([feature["id"], *values, wkt(feature["geometry"]) if feature["geometry"] else ""])
    return table.getvalue().encode()


def wkt(geometry: Any) -> str:
    """A GeoJSON geometry as Well-Known Text (OGC 06-103r4), its numbers as they stand."""
    kind, coordinates = geometry["type"], geometry["coordinates"]
    if not coordinates:
        return f"{kind.upper()} EMPTY"
    heights = " Z" if len(_first(coordinates)) > 2 else ""
    told = [[point] for point in coordinates] if kind == "MultiPoint" else [coordinates] if kind == "Point" else coordinates
    return f"{kind.upper()}{heights} {_nested(told)}"


def _nested(coordinates: list[Any]) -> str:
    return f"({', '.join(_nested(inner) if isinstance(inner[0], list) else ' '.join(map(repr, inner)) for inner in coordinates)})"


def _first(coordinates: Any) -> list[float]:
    return coordinates if not isinstance(coordinates[0], list) else _first(coordinates[0])


def _cell(value: Any) -> Any:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return ("'" if _BEGINS.match(value) else "") + _PARTS.sub(r"\g<0>'", value)
        case _:
            return value


FORMAT: Final = Format(CSV, write)
