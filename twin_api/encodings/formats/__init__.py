"""Formats of a page of items besides GeoJSON and HTML, which have links in them; these have theirs in the header `Link` (RFC 8288)."""

from __future__ import annotations

from typing import Final

from twin_api.encodings.formats import csv_table, geojson_seq
from twin_api.encodings.formats.form import Format

FORMATS: Final[tuple[Format, ...]] = (geojson_seq.FORMAT, csv_table.FORMAT)
