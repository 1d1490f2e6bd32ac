"""In the process that opens files: hand out single features as they stand there, for the file of those that were not imported."""

from __future__ import annotations

from typing import Any, BinaryIO

import shapely

from twin_api.imports.inside.reading import open_nth
from twin_api.imports.job import Job, tell
from twin_api.imports.source import Batch, Source
from twin_api.imports.tables.returned import SHAPE


def quote(job: Job, out: BinaryIO) -> None:
    """Every feature asked for, as texts by column, in the order of the files."""
    before = 0
    for number in range(len(job.files)):
        before += _quote_file(job, open_nth(job, number), before, out)
    tell(out, {"kind": "end", "read": before})


def _quote_file(job: Job, source: Source, before: int, out: BinaryIO) -> int:
    assert job.quote is not None  # noqa: S101 - said to the type checker
    names = [name for name, kind in source.columns.items() if kind != "other"]
    read = 0
    tell(out, {"kind": "reading"})
    for batch in source.batches(names):
        wanted = [row for row in range(len(batch.fids)) if before + batch.first + row in job.quote]
        quoted = [[before + batch.first + row, _as_texts(source, batch, row)] for row in wanted]
        tell(out, {"kind": "quoted", "features": quoted})
        read += len(batch.fids)
    return read


def _as_texts(source: Source, batch: Batch, row: int) -> dict[str, str]:
    values = {name: as_text(column[row]) for name, column in batch.columns.items()}
    if source.has_geometry and not source.format.tabular:  # a table has its places in columns
        values[SHAPE] = _wkt(batch.wkb[row])
    return values


def as_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    return str(value).lower() if isinstance(value, bool) else str(value)


def _wkt(wkb: bytes | None) -> str:
    shape = shapely.from_wkb(wkb, on_invalid="ignore") if wkb else None
    return "" if shape is None else str(shapely.to_wkt(shape, rounding_precision=-1))
