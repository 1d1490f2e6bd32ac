"""Which pages of the web may read which twin in a browser (CORS), and what a question beforehand is answered."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from pydantic import ValidationError

from tests.door.clients import client_of
from tests.towns import Serving, Town
from twin_api.settings import Settings

COUNCIL_PAGE = "https://rat.example"
ORIGINS = [
    COUNCIL_PAGE,
    "https://rat.example:8443",
    "http://rat.example",
    "https://RAT.example",
    "https://rat.example.evil.example",
    "https://evil.example",
    "null",
    "",
    "*",
    "https://rat.example https://evil.example",
    "https://rat.example/",
    "http://127.0.0.1:8000",
]
PATHS = ["", "/collections", "/collections/baeume", "/collections/nix", "/collections/kanalschaechte", "/nix", "?x=1", "/api"]
ABSENT = [
    "/collections/nix",
    "/collections/kanalschaechte",
    "/collections/baeume/items/1",
    "/nix/collections",
    "/bauhof/collections",
    "/%00",
]


@pytest.fixture(scope="module")
def shared(town: Town) -> Iterator[httpx.Client]:
    """A server that lets the pages of one origin read the council twins."""
    serving = Serving(town.settings(council_origins=COUNCIL_PAGE))
    with httpx.Client(base_url=serving.address, headers={"Authorization": f"Bearer {town.token('council', 'administration')}"}) as client:
        yield client
    serving.stop()


def cors(answer: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name.startswith("access-control")}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("origin", ORIGINS)
def test_every_page_may_read_the_citizen_twin_and_none_with_credentials(shared: httpx.Client, path: str, origin: str) -> None:
    answer = shared.get(f"/citizen{path}", headers={"Origin": origin})
    assert cors(answer) == {
        "access-control-allow-origin": "*",
        "access-control-expose-headers": "Content-Crs, ETag, Link, RateLimit, RateLimit-Policy, Retry-After, WWW-Authenticate, X-Request-Id",
    }
    assert "origin" not in answer.headers.get("vary", "").lower()


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("origin", ORIGINS)
def test_only_the_pages_of_a_named_origin_may_read_the_council_twin(shared: httpx.Client, path: str, origin: str) -> None:
    answer = shared.get(f"/council{path}", headers={"Origin": origin})
    assert answer.headers.get("access-control-allow-origin") == (COUNCIL_PAGE if origin == COUNCIL_PAGE else None)
    assert bool(cors(answer)) is (origin == COUNCIL_PAGE)
    assert "access-control-allow-credentials" not in answer.headers
    assert "Origin" in answer.headers["vary"]


def test_two_origins_at_once_are_none(shared: httpx.Client) -> None:
    assert cors(shared.get("/council", headers=[("Origin", COUNCIL_PAGE), ("Origin", COUNCIL_PAGE)])) == {}


@pytest.mark.parametrize("path", ["/administration", "/administration/bauhof", "/administration/nix", "/", "/healthz", "/nix"])
@pytest.mark.parametrize("origin", ORIGINS)
def test_no_page_may_read_anything_else(shared: httpx.Client, path: str, origin: str) -> None:
    for answer in (
        shared.get(path, headers={"Origin": origin}),
        shared.options(path, headers={"Origin": origin, "Access-Control-Request-Method": "GET"}),
    ):
        assert cors(answer) == {}


@pytest.mark.parametrize("origin", ORIGINS)
def test_without_the_setting_no_page_may_read_the_council_twin(town: Town, origin: str) -> None:
    assert cors(client_of(town, "council").get("/council", headers={"Origin": origin})) == {}


@pytest.mark.parametrize("credentials", [None, "Bearer nonsense", "valid"])
@pytest.mark.parametrize("family", ["citizen", "council", "administration"])
def test_options_tell_nothing_about_what_is_there(shared: httpx.Client, family: str, credentials: str | None) -> None:
    headers = {"Origin": COUNCIL_PAGE, "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}
    authorization = shared.headers["authorization"] if credentials == "valid" else credentials
    with httpx.Client(base_url=shared.base_url, headers={"Authorization": authorization} if authorization else {}) as client:
        there = client.options(f"/{family}", headers=headers)
        assert (there.status_code, there.content, there.headers["allow"]) == (204, b"", "GET, HEAD, OPTIONS")
        for path in (*PATHS, *ABSENT):
            assert _bytes(client.options(f"/{family}{path}", headers=headers)) == _bytes(there)


def test_a_preflight_is_answered_by_family(shared: httpx.Client) -> None:
    asked = {"Origin": COUNCIL_PAGE, "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "if-none-match"}
    citizen, council = (shared.options(f"/{family}/collections", headers=asked) for family in ("citizen", "council"))
    assert citizen.headers["access-control-allow-methods"] == council.headers["access-control-allow-methods"] == "GET, HEAD"
    assert citizen.headers["access-control-allow-headers"] == "Accept, Accept-Crs, Accept-Language, If-None-Match"
    assert council.headers["access-control-allow-headers"] == "Accept, Accept-Crs, Accept-Language, If-None-Match, Authorization"
    assert cors(shared.options("/council", headers=asked | {"Origin": "null"})) == {}


@pytest.mark.parametrize("wrong", ["*", "null", "rat.example", "http://rat.example", "https://rat.example/", "https://Rat.example",
                                   "https://rat.example:443", "https://*.example", "https://a.example,https://b.example/x"])  # fmt: skip
def test_a_setting_that_is_no_origin_is_refused(wrong: str) -> None:
    with pytest.raises(ValidationError, match=r"is no origin: write `https://rat\.example`"):
        Settings(council_origins=wrong)


def test_several_origins_may_be_named() -> None:
    told = Settings(council_origins=" https://rat.example, http://localhost:5173 ,https://a.b.example:8443,")
    assert told.council_origins_listed == {"https://rat.example", "http://localhost:5173", "https://a.b.example:8443"}


def _bytes(answer: httpx.Response) -> bytes:
    told = [b"%b: %b" % line for line in answer.headers.raw if line[0].lower() not in (b"date", b"x-request-id")]
    return b"\n".join([b"%d" % answer.status_code, *told, answer.content])
