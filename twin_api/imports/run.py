"""One import from beginning to end: read, check, stage and merge in a single transaction that leaves all or nothing."""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from twin_api.imports.check import Check
from twin_api.imports.description import Description
from twin_api.imports.finding import Findings, refuse
from twin_api.imports.formats import open_file
from twin_api.imports.mapping import ColumnMap, map_columns
from twin_api.imports.merge import Counts, compare, lock
from twin_api.imports.source import Source
from twin_api.imports.staging import staging
from twin_api.layers.table import GEOMETRY
from twin_api.policy.documents import Extent, Layer
from twin_api.texts import Text

Progress = Callable[[int, int | None], None]  # features done, features in all if the file says so
Audit = Callable[[psycopg.Connection, str, dict[str, Any]], None]
Around = Callable[[psycopg.Connection, Layer, int], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """One file or several of one form, read one after the other as if they were one."""

    files: Sequence[Path]
    description: Description = field(default_factory=Description)
    replace: bool = False
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class ImportOutcome:
    """What happened, or would have in a dry run. `mapped` leads from attributes to columns."""

    layer: str
    read: int
    inserted: int
    updated: int
    unchanged: int
    deleted: int
    mapped: Mapping[str, str]
    ignored_columns: tuple[str, ...]
    dry_run: bool
    staging_s: float
    total_s: float


def run_import(
    request: ImportRequest,
    layer: Layer,
    connect: Callable[[], psycopg.Connection],
    on_progress: Progress = lambda done, total: None,
    *,
    extent: Extent | None = None,
    audit: Audit | None = None,
    around: Around = lambda connection, layer, staged: nullcontext(),
) -> ImportOutcome:
    """Import a file into a layer, or raise `FileRefused` with all findings and leave everything as it was.

    `connect` opens a connection of the database's owner. `extent` is where the town lies, if it says so. `around` is entered with
    the number of rows about to change, before the first does, and left before the commit; not at all if nothing changes.
    """
    begun = time.monotonic()
    source, mapping, check, findings = _prepare(request, layer, extent)
    columns = [*mapping.columns, *([GEOMETRY] if layer.geometry is not None else [])]
    with connect() as connection, connection.transaction(force_rollback=request.dry_run):
        lock(connection, layer)
        with staging(connection, layer.name, columns) as stage:
            read = 0
            on_progress(0, source.total)
            for batch in source.batches(list(dict.fromkeys(mapping.columns.values()))):
                rows = check.rows(batch)
                read += len(batch.fids)
                if check.is_clean:
                    stage.add(rows)
                on_progress(read, source.total)
            check.finish(read, source.total)
            findings.raise_any()
        staged = time.monotonic()
        merge = compare(connection, layer, columns, stage.staged, request.replace)
        with around(connection, layer, merge.touched) if merge.touched else nullcontext():
            counts = merge.write(connection)
        if audit is not None:
            audit(connection, "layer.import", _line(request, layer, read, counts))
    end = time.monotonic()
    return ImportOutcome(
        layer.name, read, counts.inserted, counts.updated, counts.unchanged, counts.deleted, mapping.columns, mapping.ignored,
        request.dry_run, staged - begun, end - begun,
    )  # fmt: skip


def _prepare(request: ImportRequest, layer: Layer, extent: Extent | None) -> tuple[Source, ColumnMap, Check, Findings]:
    """Everything that can be refused before a row is read and before a connection is opened."""
    if not layer.key and not request.replace:
        raise refuse(
            Text(f"der Layer `{layer.name}` hat keinen Schlüssel, seine Zeilen lassen sich nicht wiedererkennen",
                 f"the layer `{layer.name}` has no key, its rows cannot be recognised"),
            Text("mit `--replace` den ganzen Bestand ersetzen", "replace everything with `--replace`"),
        )  # fmt: skip
    source = open_file(request.files[0], request.description, Path(tempfile.gettempdir()))
    findings = Findings()
    wanted = {column: rule.attribute for column, rule in request.description.columns.items()}
    mapping = map_columns(layer, source.columns, wanted, findings)
    check = Check(layer, source, mapping, findings, request.description, extent)
    findings.raise_any()
    return source, mapping, check, findings


def _line(request: ImportRequest, layer: Layer, read: int, counts: Counts) -> dict[str, Any]:
    """For the audit log: the file by name and content, never its values."""
    with request.files[0].open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    what = {"layer": layer.name, "file": request.files[0].name, "sha256": digest, "replace": request.replace, "read": read}
    return what | {"inserted": counts.inserted, "updated": counts.updated, "unchanged": counts.unchanged, "deleted": counts.deleted}
