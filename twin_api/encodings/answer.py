"""What a handler gives back: bytes of a media type. Status, caching and everything else about HTTP is the door's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Answer:
    body: bytes
    media_type: str
    headers: Mapping[str, str] = field(default_factory=dict)
    audited: str | None = None  # the collection, where whoever reads it is to be noted
