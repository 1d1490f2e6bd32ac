"""Proof 6: what others do meanwhile has no echo in a role's answers: not in a header, not in a byte, not in the ids of requests."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import httpx

from tests.leaks.canaries import Canaries
from tests.leaks.seen import Seen
from tests.leaks.walk import NO_ID, raw_bytes
from tests.towns import Town

_ITEMS: Final = "/collections/baeume/items"
_ASKED: Final = ("", "/collections", "/collections/baeume", "/api", "/conformance", f"{_ITEMS}?limit=3", f"{_ITEMS}?limit=3&f=html",
                 f"{_ITEMS}?limit=0", f"{_ITEMS}/{NO_ID}", "/nothing")  # fmt: skip
_PLAIN: Final = ("/", "/healthz", "/readyz", "/nothing")
_FOREIGN: Final = (f"{_ITEMS}?limit=50", f"{_ITEMS}?limit=50&f=html", "/collections?f=html")  # asked by others first


def find_echo(town: Town) -> list[str]:
    """What the citizens' answers tell of others who were busy in between: readers, writers of hidden cells, whoever makes tokens."""
    client, other = town.client(), town.client("administration")
    before = [_told(client, path) for path in _paths()]
    _be_busy(town, other)
    after = [_told(client, path) for path in _paths()]
    found = [f"{path} answers otherwise after others were busy" for path, a, b in zip(_paths(), before, after, strict=True) if a != b]
    canaries = Canaries(Seen(town), "citizen")
    for path in _FOREIGN:
        answer = client.get(f"/citizen{path}")
        found += [f"{path}, which others have asked for before: {what}" for what in canaries.find(raw_bytes(answer))]
    return found + _ids_that_tell(client)


def _paths() -> list[str]:
    return [*_PLAIN, *(f"/citizen{path}" for path in _ASKED)]


def _told(client: httpx.Client, path: str) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    answer = client.get(path)
    headers = [(name, value) for name, value in answer.headers.raw if name.lower() not in (b"date", b"x-request-id")]
    return answer.status_code, headers, answer.content


def _be_busy(town: Town, other: httpx.Client) -> None:
    for path in (*_ASKED, *_FOREIGN):
        other.get(f"/administration{path}")
    town.write("UPDATE store.baeume SET vermerk = 'CANARY-echo-1' WHERE baum_nr = 'CANARY-baum-1'")
    town.write("INSERT INTO store.baeume (baum_nr, status) VALUES ('CANARY-echo-2', 'geplant')")
    town.write("DELETE FROM store.baeume WHERE baum_nr = 'CANARY-echo-2'")
    town.token("council")


def _ids_that_tell(client: httpx.Client) -> list[str]:
    """Ids of requests are random: among twenty pairs that follow each other some go up and some go down, by leaps."""
    ids = [int(client.get("/citizen/conformance").headers["x-request-id"], 16) for _ in range(21)]
    steps = [b - a for a, b in pairwise(ids)]
    if min(map(abs, steps)) < 2**64 or min(steps) > 0 or max(steps) < 0:
        return ["ids of requests follow each other"]
    return []
