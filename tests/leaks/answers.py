"""Proof 1: no canary in any answer of any route to any role, and what is answered is exactly what the role must see."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

import httpx
from blake3 import blake3
from fastapi import FastAPI
from starlette.routing import Mount, Route

from tests.door.closed import find_faults
from tests.leaks.canaries import Canaries, words_said
from tests.leaks.exact import check_collections, check_features, check_page
from tests.leaks.seen import Seen
from tests.leaks.walk import MADE_UP, NO_ID, Asked, Walk, raw_bytes, send
from tests.towns import Town
from twin_api.main import create_app


def find_leaks(town: Town, roles: list[str] | None = None, at_most: int | None = None) -> list[str]:
    """Findings over all routes and media types for these roles, or for all of them; the search ends with `at_most`."""
    return list(islice(_leaks(town, roles), at_most))


def _leaks(town: Town, roles: list[str] | None) -> Iterator[str]:
    seen = Seen(town)
    yield from _outside_the_blocks(town, seen)
    for role in roles or seen.roles:
        yield from _role_leaks(town, seen, role)


def _role_leaks(town: Town, seen: Seen, role: str) -> Iterator[str]:
    client = town.client(*(() if role == "citizen" else (role,)))
    canaries = Canaries(seen, role)
    document = client.get(f"/{role}/api?f=json").json()
    cursors: list[str] = []
    yield from (f"{role}: {what}" for what in check_collections(seen, role, client, document))
    for collection in seen.grants(role):
        yield from (f"{role}: {what}" for what in check_features(seen, role, collection, client, cursors))
    walk = Walk(seen, role, document, cursors[:3])
    for asked in walk.requests():
        response = send(client, role, asked)
        where = f"{role}: {asked.address[:120]} ({asked.accept or 'any'})"
        yield from (f"{where}: {what}" for what in canaries.find(raw_bytes(response), words_said(*asked.words)))
        yield from (f"{where}: {what}" for what in _check_manner(role, response))
        yield from (f"{where}: {what}" for what in check_page(seen, role, asked, response))
    yield from (f"{role}: {what}" for what in walk.unwalked)


def _check_manner(role: str, response: httpx.Response) -> Iterator[str]:
    """Caching as the door promises it, open to pages of other origins where everybody may see it, and errors from the closed list."""
    if (role == "citizen") != ("access-control-allow-origin" in response.headers):
        yield f"`Access-Control-Allow-Origin: {response.headers.get('access-control-allow-origin')}`"
    if "access-control-allow-credentials" in response.headers:
        yield "pages of other origins may send credentials"
    cache = response.headers.get("cache-control", "")
    if response.status_code >= 400:
        yield from find_faults(response.status_code, response.headers, response.content)
        if re.search(r"syntax for type|relation |column |SQLSTATE|LINE \d|Traceback|psycopg|ERROR:", response.text):
            yield "the text of a database error"
        return
    missing = {"Accept", "Accept-Language", "Accept-Encoding"} - {word.strip() for word in response.headers.get("vary", "").split(",")}
    if missing:
        yield f"`Vary` does not name {sorted(missing)}"
    if "content-disposition" in response.headers:  # a download
        if cache != "no-store" or "etag" in response.headers:
            yield f"`Cache-Control: {cache}` for a download"
        return
    wanted = ("public" if role == "citizen" else "private") + ", no-cache"
    if cache != wanted:
        yield f"`Cache-Control: {cache}` instead of `{wanted}`"
    coding = f"-{response.headers['content-encoding']}" if "content-encoding" in response.headers else ""
    if response.headers.get("etag") != f'"{blake3(response.content).hexdigest(length=12)}{coding}"':
        yield f"`ETag: {response.headers.get('etag')}` is not made of the answer's bytes alone"


def _outside_the_blocks(town: Town, seen: Seen) -> Iterator[str]:
    """Routes of the application besides the door: no canary of anybody, in any method; and nothing mounted that nobody walks."""
    client = town.client()
    canaries = Canaries(seen, "citizen")
    for path, known in _plain_routes(create_app(town.settings())):
        if not known:
            yield f"the route `{path}` is of a kind that tests/leaks/answers.py does not walk"
            continue
        for method in ("GET", "HEAD", "POST", "OPTIONS"):
            response = client.request(method, path)
            yield from (f"{method} {path}: {what}" for what in canaries.find(raw_bytes(response)))
    yield from _doors(town, seen)


def _plain_routes(app: FastAPI) -> Iterator[tuple[str, bool]]:
    for route in app.routes:
        if isinstance(route, Mount) and route.path == "":
            continue  # the door
        path = getattr(route, "path", repr(route))
        yield path, isinstance(route, Route) and "{" not in path


def _doors(town: Town, seen: Seen) -> Iterator[str]:
    """Each role's paths open to the token of that role and to no other; nobody learns what is behind a closed door."""
    asking = {"nobody": town.client(), **{role: town.client(role) for role in seen.roles}}
    row = next(row for rows in seen.rows.values() for row in rows)
    paths = ("/collections", f"/collections/{row.layer}/items/{row.id}", f"/collections/{MADE_UP}/items/{NO_ID}")
    for role in seen.roles:
        for other, client in asking.items():
            if role in ("citizen", other):
                continue
            wanted = 401 if other == "nobody" else 403
            for path in paths:
                response = send(client, role, Asked(path))
                if response.status_code != wanted:
                    yield f"{role}: {path} answers {response.status_code} to {other}, not {wanted}"
