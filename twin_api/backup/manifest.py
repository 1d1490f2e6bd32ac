"""What a backup says of itself: whose it is, of when, and what everything in it has to come to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Final, TypeVar

import orjson
from pydantic import TypeAdapter, ValidationError

from twin_api.backup.archive import Entry
from twin_api.backup.sealed import Damaged

T = TypeVar("T")
FORM: Final = 1  # of the archive; a program reads the forms up to its own
ABOUT, MANIFEST, DEFINITIONS, PEPPER = "about.json", "manifest.json", "store.dump", "secrets/pepper"


class FormUnknown(Exception):
    """The backup was made by a newer version of the program."""


@dataclass(frozen=True, slots=True)
class About:
    """What has to be known before anything else is read."""

    form: int
    program: str
    database: str
    at: datetime
    revision: str
    postgres: str


@dataclass(frozen=True, slots=True)
class TableKept:
    """A table's rows as `COPY` writes them; `member` is where they lie in the archive."""

    schema: str
    name: str
    columns: tuple[str, ...]

    @property
    def member(self) -> str:
        return f"rows/{self.schema}.{self.name}"


@dataclass(frozen=True, slots=True)
class FigureKept:
    """When figures were last taken; their rows are kept because they move at their own time only."""

    relation: str
    synced_at: datetime
    was_empty: bool


@dataclass(frozen=True, slots=True)
class Manifest:
    about: About
    policy_version: str | None
    tables: Sequence[TableKept]
    figures: Sequence[FigureKept]
    sequences: Mapping[str, int]
    entries: Mapping[str, Entry] = field(default_factory=dict)

    def rows(self, schema: str = "store") -> int:
        return sum(self.entries[table.member].lines for table in self.tables if table.schema == schema)


def write_json(what: About | Manifest) -> bytes:
    return orjson.dumps(asdict(what), option=orjson.OPT_INDENT_2)


def read_about(content: bytes) -> About:
    """Raises `FormUnknown`, `Damaged`."""
    told = _read(TypeAdapter(dict[str, Any]), content)
    if not isinstance(told.get("form"), int) or not 1 <= told["form"] <= FORM:
        raise FormUnknown()
    return _read(TypeAdapter(About), content)


def read_manifest(content: bytes) -> Manifest:
    return _read(TypeAdapter(Manifest), content)


def _read(adapter: TypeAdapter[T], content: bytes) -> T:
    try:
        return adapter.validate_json(content)
    except ValidationError:
        raise Damaged() from None
