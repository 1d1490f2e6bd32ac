"""What a building block brings: its routes, its conformance classes, and the links it adds to other pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from twin_api.encodings.answer import Answer
from twin_api.encodings.link import Link
from twin_api.encodings.media import Media, choose
from twin_api.query.ask import Asked, once, unknown
from twin_api.store.collection import Collection
from twin_api.store.twin import Twin
from twin_api.texts import Language

Handler = Callable[["Question", Twin], Awaitable[Answer]]
NoLinks: Callable[..., Sequence[Link]] = lambda *_: ()  # noqa: E731  # a default, not a function of its own


@dataclass(slots=True)
class Question:
    """What a client asks of a block. `path` has the variable parts of the address, `asked` the query string's parameters in order.

    `base` is the address of the twin and `blocks` are all of the house's, for links.
    """

    path: Mapping[str, str]
    asked: Asked
    accept: str
    base: str
    lang: Language
    blocks: Sequence[Block]

    def parameter(self, name: str) -> str | None:
        return next((text for given, text in self.asked if given == name), None)

    def media(self, offered: Sequence[Media]) -> Media:
        """The media type to answer in; raises `InvalidParameter` for an unknown `f`, `NotAcceptable`."""
        return choose(offered, self.parameter("f"), self.accept)

    def media_of_page(self, offered: Sequence[Media], known: Sequence[str] = ("f",)) -> Media:
        """The same; raises `InvalidParameter` for a parameter that is not in `known`."""
        for name in once(self.asked):
            if name not in known:
                raise unknown(name, known)
        return self.media(offered)


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
