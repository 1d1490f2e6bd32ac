"""The versions of the policies that were applied, as `control` keeps them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

Connection = psycopg.Connection[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Version:
    """One apply; `changed` are the files that differ from the version before, the counts those of roles' collections."""

    number: int
    at: datetime
    who: str
    version: str
    files: dict[str, str]
    changed: tuple[str, ...]
    widened: int
    narrowed: int


def versions(connection: Connection) -> list[Version]:
    """All versions, the oldest first."""
    rows = connection.execute("SELECT id, at, who, version, files, diff FROM control.policy ORDER BY id").fetchall()
    found: list[Version] = []
    for id, at, who, version, files, diff in rows:
        before = found[-1].files if found else {}
        changed = tuple(sorted(name for name in {*before, *files} if before.get(name) != files.get(name)))
        entries = diff if isinstance(diff, list) else []
        widened = sum(bool(entry["widens"]) for entry in entries)
        found.append(Version(id, at, who, version, files, changed if found else (), widened, sum(_narrows(entry) for entry in entries)))
    return found


def _narrows(entry: dict[str, Any]) -> bool:
    return bool(entry["lost"]) or bool(entry["rows"] and entry["rows"]["lost"])
