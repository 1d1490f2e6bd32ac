"""What a format brings: its media type, and how a page of items stands in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from twin_api.encodings.media import Media
from twin_api.store.collection import Property


@dataclass(frozen=True, slots=True)
class Format:
    """`write` makes the body of a page from its features, one GeoJSON text a line, and the properties that they show."""

    media: Media
    write: Callable[[bytes, Sequence[Property]], bytes]
