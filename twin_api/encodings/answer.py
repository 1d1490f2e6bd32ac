"""What a handler gives back: bytes of a media type. Status, caching and everything else about HTTP is the door's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import BinaryIO


@dataclass(frozen=True, slots=True)
class Answer:
    body: bytes
    media_type: str
    headers: Mapping[str, str] = field(default_factory=dict)
    file: BinaryIO | None = None  # a download, sent instead of the body and closed then
    audited: str | None = None  # the collection, where whoever reads it is to be noted
