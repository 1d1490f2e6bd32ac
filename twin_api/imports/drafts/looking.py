"""All rows of a file looked through, once for everything and a second time for pairs of columns where no single one is a key."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from twin_api.imports.drafts.columns import Column
from twin_api.imports.drafts.forms import is_null_word
from twin_api.imports.drafts.geometries import Geometries
from twin_api.imports.drafts.keys import Columns, Uniqueness, pairs, singles
from twin_api.imports.drafts.opening import Opened
from twin_api.imports.drafts.suspects import suspicions
from twin_api.imports.source import Source

KEY_KINDS: Final = ("text", "integer", "date", "datetime")


@dataclass(frozen=True, slots=True)
class Seen:
    """`keys` are unique and filled, the likeliest first; whether one is fit to be a key is not said."""

    columns: list[Column]
    geometries: Geometries
    keys: list[Columns]
    broken_rows: int
    wrong: Mapping[str, int]  # per column, values that are not of its kind


def look_through(opened: Opened, *, listing: bool, on_batch: Callable[[], None]) -> Seen:
    """`listing` allows to keep a few values of texts whose header is not suspect. Memory: some bytes per feature, for the keys."""
    source, names = opened.source, opened.columns
    suspect = {name for name in names if suspicions(name)}
    columns = [_column(source, name, listing=listing and name not in suspect) for name in names]
    wanted = [name for name in names if source.columns[name] in KEY_KINDS and name not in suspect]
    geometries, unique, broken_rows = Geometries(), Uniqueness(singles(wanted), _is_missing), 0
    for batch in source.batches(names):
        on_batch()
        broken_rows += len(batch.faults)
        unique.look(batch.columns)
        for column in columns:
            column.look(batch.columns[column.header])
        if source.has_geometry:
            geometries.look(batch.wkb)
    keys = unique.found() or _pairs(source, wanted, on_batch)
    return Seen(columns, geometries, keys, broken_rows, Counter(name for _, name, _ in source.doubts(names)))


def _column(source: Source, name: str, *, listing: bool) -> Column:
    return Column(name, source.columns[name], listing=listing, moments_in_utc=source.format.moments_in_utc)


def _pairs(source: Source, wanted: Sequence[str], on_batch: Callable[[], None]) -> list[Columns]:
    candidates = pairs(wanted)
    unique = Uniqueness(candidates, _is_missing)
    names = list(dict.fromkeys(name for pair in candidates for name in pair))
    for batch in source.batches(names) if candidates else ():
        on_batch()
        unique.look(batch.columns)
    return unique.found()


def _is_missing(value: object) -> bool:
    return value is None or (isinstance(value, str) and is_null_word(value))
