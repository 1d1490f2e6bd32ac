"""What is asked of an import, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from twin_api.imports.description import Description
from twin_api.imports.job import USUAL, Limits
from twin_api.policy.documents import Extent
from twin_api.texts import Language


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """One file or several of one form, read one after the other as if they were one.

    With `rejects`, rows that are wrong are written to that file and the others imported. `source` is the name of a scheduled source.
    `extent` is where the town lies, if it says so; `grids` a folder of grids for transformations besides PROJ's own.
    `holder` and `licence` are the layer's unless said. Without `may_shrink`, `replace` deletes no more than half of a layer.
    Where a layer has a key, nothing is deleted while features are rejected.
    """

    files: Sequence[Path]
    description: Description = field(default_factory=Description)
    replace: bool = False
    dry_run: bool = False
    rejects: Path | None = None
    source: str | None = None
    extent: Extent | None = None
    grids: Path | None = None
    language: Language = "de"  # of the reasons among the rejects
    holder: str | None = None
    licence: str | None = None
    may_shrink: bool = False
    limits: Limits = USUAL


@dataclass(frozen=True, slots=True)
class ImportOutcome:
    """What happened, or would have in a dry run. `mapped` leads from attributes to columns."""

    layer: str
    read: int
    inserted: int
    updated: int
    unchanged: int
    deleted: int
    rejected: int
    mapped: Mapping[str, str]
    ignored_columns: tuple[str, ...]
    dry_run: bool
    staging_s: float
    total_s: float
