"""What is asked of the process that looks through a file for a draft, and what it answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from twin_api.policy.documents import Town
from twin_api.policy.town import UNREVIEWED


@dataclass(frozen=True, slots=True)
class Wish:
    """What the person says who asks for a draft. `listing`: everybody may see this class, so a few values may be written down."""

    layer: str | None = None
    source_layer: str | None = None
    class_: str = UNREVIEWED
    owner: str | None = None
    listing: bool = False


@dataclass(frozen=True, slots=True)
class Draft:
    """The layer's file, and a source file where the data need one."""

    layer: str
    text: str
    source: str | None


@dataclass(frozen=True, slots=True)
class DraftJob:
    """One file, its path absolute. `home` is the folder from which source files name their data, `folder` for what has to be unpacked."""

    files: Sequence[Path]
    wish: Wish
    town: Town
    day: date
    home: Path | None
    folder: Path
