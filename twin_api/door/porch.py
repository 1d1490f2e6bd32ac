"""The porch: what holds for every answer of the house, whoever gives it. Stands before the door and everything beside it.

Must never open a twin or ask who somebody is: what it answers itself depends on the family of a path alone.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from twin_api.door.headers import METHODS, Headers, Manner, Manners
from twin_api.door.place import family_in

_NEVER_STORED: Headers = ((b"cache-control", b"no-store"),)


class Porch:
    """An ASGI application around another. `manners` are asked for with whether the request came by https."""

    def __init__(self, app: ASGIApp, manners: Callable[[bool], Manners]) -> None:
        self._app = app
        self._by_safety = {secure: manners(secure) for secure in (False, True)}

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] != "http":
            return self._app(scope, receive, send)
        manner = self._manner(scope)
        shared = _shared_with(scope, manner) if manner.origins else ()

        def send_politely(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start":
                headers = message["headers"]
                message["headers"] = [*headers, *_fitting(headers, manner), *shared]
            return send(message)

        app = _options(scope, manner, shared) if scope["method"] == "OPTIONS" else self._app
        return app(scope, receive, send_politely)

    def _manner(self, scope: Scope) -> Manner:
        manners = self._by_safety[scope["scheme"] == "https"]
        return manners.families.get(family_in(scope), manners.house)


def _fitting(headers: Iterable[tuple[bytes, bytes]], manner: Manner) -> Headers:
    """INVARIANT: an answer that says nothing of caches is never stored by one."""
    chosen, silent = manner.data, True
    for name, value in headers:
        if name == b"content-type" and value.startswith(b"text/html"):
            chosen = manner.page
        elif name == b"cache-control":
            silent = False
    return chosen + _NEVER_STORED if silent else chosen


def _shared_with(scope: Scope, manner: Manner) -> Headers:
    """Exactly one origin, exactly as it stands in the setting; `null` never does."""
    asking = [value for name, value in scope["headers"] if name == b"origin"]
    if len(asking) != 1 or asking[0].decode("latin-1") not in manner.origins:
        return ()
    return ((b"access-control-allow-origin", asking[0]), *manner.shared)


def _options(scope: Scope, manner: Manner, shared: Headers) -> Response:
    """The same for every path of a family, so it tells nothing about what is there."""
    response = Response(status_code=204, headers={"Allow": METHODS})
    if not manner.origins or shared:
        response.raw_headers.extend(manner.preflight)
    return response
