"""A file that lies at an address."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from twin_api.imports.fetching.fetch import Fetcher
from twin_api.imports.fetching.services.asked import Asked, Gathered

VALIDATORS: Final = {"etag": "if-none-match", "last-modified": "if-modified-since"}
TYPES: Final = {
    "application/geo+json": ".geojson", "application/vnd.geo+json": ".geojson", "application/json": ".geojson",
    "application/geo+json-seq": ".geojsonl", "application/gml+xml": ".gml", "text/xml": ".gml", "application/xml": ".gml",
    "application/geopackage+sqlite3": ".gpkg", "application/x-sqlite3": ".gpkg", "text/csv": ".csv", "application/zip": ".zip",
    "application/flatgeobuf": ".fgb", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
}  # fmt: skip


def gather(asked: Asked, fetcher: Fetcher, folder: Path) -> Gathered:
    """The file, called by what the server says that it is; nothing if it has not changed."""
    conditions = {VALIDATORS[name]: value for name, value in asked.known.items() if name in VALIDATORS}
    answer = fetcher.get(asked.url, "answer", conditions)
    if answer.unchanged:
        return Gathered((), "", asked.known)
    file = answer.path.rename(folder / f"data{_suffix(asked, answer.headers)}")
    return Gathered((file,), answer.sha256, {name: answer.headers[name] for name in VALIDATORS if name in answer.headers})


def _suffix(asked: Asked, said: Mapping[str, str]) -> str:
    """The first readable one among: the name it is offered under, the address, the type of media."""
    offered = re.search(r'filename="?([^";]+)', said.get("content-disposition", ""))
    names = [offered[1] if offered else "", asked.url.path, TYPES.get(said.get("content-type", "").partition(";")[0].strip().lower(), "")]
    by_length = sorted(asked.suffixes, key=len, reverse=True)
    found = (suffix for name in names for suffix in by_length if name.lower().endswith(suffix))
    return next(found, "")
