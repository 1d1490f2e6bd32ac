"""From what a handler gives to an HTTP response; what caches may keep of it is decided here."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from typing import BinaryIO, Final

from blake3 import blake3
from starlette.responses import Response, StreamingResponse
from starlette.types import Scope

from twin_api.door.coding import choose_coding, packed
from twin_api.door.head import HEAD, Head, told
from twin_api.encodings.answer import Answer
from twin_api.identity.subject import CITIZEN
from twin_api.store.twin import Twin

PIECE: Final = 256 * 1024  # bytes
VARY: Final = "Accept, Accept-Language, Accept-Encoding"
_DIGEST: Final = 12  # bytes
_PUBLIC: Final = (b"cache-control", b"public, no-cache")
_PRIVATE: Final = (b"cache-control", b"private, no-cache")


class Plain(Response):
    """A response whose headers are bytes already: to make them from a mapping each time costs more than all else that is done here."""

    def __init__(self, status: int, raw_headers: list[tuple[bytes, bytes]], body: bytes = b"") -> None:
        self.status_code, self.raw_headers, self.body, self.background = status, raw_headers, body, None


async def cached_response(scope: Scope, twin: Twin, answer: Answer) -> Response:
    """The answer with its validator: a hash of its bytes, so nothing hidden can move it, and the name of its coding.

    Each coding is a representation of its own with a strong tag of its own (RFC 9110, 8.8.3.3): a tag that came with gzip says nothing
    about the plain bytes, and only the tag of what would be sent now gives 304.
    """
    if answer.file is not None:
        return _download(answer, answer.file)
    head: Head = scope[HEAD]
    coding = choose_coding(told(head, b"accept-encoding") if b"accept-encoding" in head else None, answer)
    digest = blake3(answer.body).hexdigest(length=_DIGEST)
    etag = f'"{digest}"' if coding is None else f'"{digest}-{coding.name}"'
    headers = [(b"etag", etag.encode()), _PUBLIC if twin.name == CITIZEN else _PRIVATE, (b"vary", VARY.encode())]
    # on a 304 too: by it browsers are told whether they may style the page that they have kept
    headers.append((b"content-type", answer.media_type.encode()))
    headers += [(name.lower().encode(), value.encode("latin-1")) for name, value in answer.headers.items()]
    if b"if-none-match" in head and _matches(told(head, b"if-none-match"), etag):
        return Plain(304, headers)
    body = answer.body if coding is None else await packed(coding, answer.body)
    if coding is not None:
        headers.append((b"content-encoding", coding.name.encode()))
    headers.append((b"content-length", b"%d" % len(body)))
    return Plain(200, headers, body)


def _download(answer: Answer, file: BinaryIO) -> Response:
    """Sent from the file piece by piece, as fast as the client reads; nobody keeps it."""
    size = os.fstat(file.fileno()).st_size
    headers = {"Cache-Control": "no-store", "Vary": VARY, "Content-Length": str(size), **answer.headers}
    return StreamingResponse(_pieces(file), headers=headers, media_type=answer.media_type)


async def _pieces(file: BinaryIO) -> AsyncIterator[bytes]:
    with file:
        while piece := await asyncio.to_thread(file.read, PIECE):
            yield piece


def _matches(if_none_match: str, etag: str) -> bool:
    """RFC 9110, 13.1.2: weak comparison."""
    known = [tag.strip() for tag in if_none_match.split(",")]
    return known == ["*"] or etag in (tag.removeprefix("W/") for tag in known)
