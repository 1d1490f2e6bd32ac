"""What a building block brings: its routes, its conformance classes, and the links it adds to other pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from twin_api.encodings.answer import Answer
from twin_api.encodings.link import Link
from twin_api.store.collection import Collection
from twin_api.store.twin import Twin

Handler = Callable[[Request, Twin], Awaitable[Answer]]
NoLinks: Callable[..., Sequence[Link]] = lambda *_: ()  # noqa: E731  # a default, not a function of its own


@dataclass(frozen=True, slots=True)
class Route:
    """One address below a role's path, such as `/collections/{collection}/items`; the handler's name is the operation id.

    `operations` gives its OpenAPI operations by path, spelled out for the collections that the role sees.
    """

    path: str
    handler: Handler
    operations: Callable[[Sequence[Collection]], Mapping[str, Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class Block:
    """One building block. `landing_links` and `collection_links` take the twin's base address (and the collection)."""

    name: str
    routes: tuple[Route, ...]
    conformance: tuple[str, ...] = ()
    landing_links: Callable[[str], Sequence[Link]] = NoLinks
    collection_links: Callable[[str, Collection], Sequence[Link]] = NoLinks
