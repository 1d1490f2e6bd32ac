"""From what a handler gives to an HTTP response; what caches may keep of it is decided here."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

from starlette.requests import Request
from starlette.responses import Response

from twin_api.encodings.answer import Answer
from twin_api.identity.subject import CITIZEN
from twin_api.store.twin import Twin


def cached_response(request: Request, twin: Twin, answer: Answer) -> Response:
    """The answer with its validator: a hash of its bytes, so nothing hidden can move it."""
    etag = f'"{blake2b(answer.body, digest_size=12).hexdigest()}"'
    visibility = "public" if twin.name == CITIZEN else "private"
    headers = {"ETag": etag, "Cache-Control": f"{visibility}, no-cache", "Vary": "Accept, Accept-Language", **answer.headers}
    if _matches(request.headers.getlist("if-none-match"), etag):
        return Response(status_code=304, headers=headers)
    described = {"Content-Type": answer.media_type, "X-Content-Type-Options": "nosniff"}
    return Response(answer.body, headers=headers | described)


def _matches(if_none_match: Sequence[str], etag: str) -> bool:
    """RFC 9110, 13.1.2: weak comparison; the header may stand on several lines."""
    known = [tag.strip() for line in if_none_match for tag in line.split(",")]
    return known == ["*"] or etag in (tag.removeprefix("W/") for tag in known)
