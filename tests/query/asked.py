"""What the tests of queries share: the answer to a request for items, and a walk through all its pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx

from tests.door.clients import client_as
from tests.towns import Town

Json = dict[str, Any]


def ask(town: Town, role: str = "citizen", collection: str = "baeume", **asked: Any) -> httpx.Response:
    return client_as(town, role).get(f"/{role}/collections/{collection}/items", params=asked)


def found(town: Town, role: str = "citizen", collection: str = "baeume", **asked: Any) -> list[Json]:
    """The features of one page large enough for all; `numberMatched` must be their number."""
    answer = ask(town, role, collection, **{"limit": 1000, **asked})
    assert answer.status_code == 200, answer.text
    page = answer.json()
    assert page["numberMatched"] == page["numberReturned"] == len(page["features"])
    return list(page["features"])


def ids(features: list[Json]) -> list[str]:
    return [feature["id"] for feature in features]


def walk(client: httpx.Client, address: str, between: Callable[[], None] = lambda: None) -> list[Json]:
    """All features from the first page on, by the `next` links as they are printed."""
    features: list[Json] = []
    following: str | None = address
    while following:
        answer = client.get(following)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        features += page["features"]
        following = next((link["href"] for link in page["links"] if link["rel"] == "next"), None)
        assert following is None or len(page["features"]) > 0
        between()
    return features
