"""What caches may keep, and when an answer is the same as before."""

from __future__ import annotations

import httpx
import pytest

from tests.door.clients import client_as, client_of
from tests.towns import Town

PAGES = ["", "?f=html", "/collections", "/collections/baeume", "/collections/baeume/items", "/collections/baeume/items?f=html", "/api"]
ROLES = ["citizen", "council", "administration", "administration/bauamt"]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("page", PAGES)
def test_only_citizens_answers_are_public_and_all_are_checked_again(town: Town, role: str, page: str) -> None:
    answer = client_as(town, role).get(f"/{role}{page}")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == ("public, no-cache" if role == "citizen" else "private, no-cache")
    assert answer.headers["vary"] == "Accept, Accept-Language, Accept-Encoding"
    assert "set-cookie" not in answer.headers


def test_problems_are_never_stored(town: Town) -> None:
    for path in ("/nix", "/council", "/citizen?x=1", "/citizen/collections/nix"):
        assert client_of(town).get(path).headers["cache-control"] == "no-store"


@pytest.mark.parametrize("page", PAGES)
def test_a_known_etag_gives_304_without_body(town: Town, page: str) -> None:
    client = client_of(town)
    first = client.get(f"/citizen{page}")
    again = client.get(f"/citizen{page}", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    for name in ("etag", "cache-control", "vary"):
        assert again.headers[name] == first.headers[name]


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ("{0}", 304),
        ("W/{0}", 304),
        ('"a", {0}', 304),
        ('"a",W/{0} , "b"', 304),
        ("*", 304),
        ('"a"', 200),
        ("", 200),
        ("garbage", 200),
        ('"a", *', 200),
    ],
)
def test_if_none_match_compares_weakly_over_a_list(town: Town, form: str, status: int) -> None:
    client = client_of(town)
    etag = client.get("/citizen/collections").headers["etag"]
    assert client.get("/citizen/collections", headers={"If-None-Match": form.format(etag)}).status_code == status


def test_if_none_match_may_stand_on_several_lines(town: Town) -> None:
    client = client_of(town)
    etag = client.get("/citizen").headers["etag"]
    assert client.get("/citizen", headers=[("If-None-Match", '"a"'), ("If-None-Match", etag)]).status_code == 304


def test_the_etag_is_that_of_the_body(town: Town) -> None:
    client = client_of(town)
    one, same, other = (client.get(f"/citizen/collections/baeume/items?limit={n}") for n in (1, 1, 2))
    assert one.content == same.content
    assert one.headers["etag"] == same.headers["etag"] != other.headers["etag"]


@pytest.mark.parametrize("coding", ["identity", "gzip", "zstd"])
@pytest.mark.parametrize("path", [*(f"/citizen{page}" for page in PAGES), "/nix", "/council", "/citizen?x=1", "/", "/healthz", "/readyz"])
def test_head_is_get_without_the_body(town: Town, path: str, coding: str) -> None:
    client, headers = client_of(town), {"Accept-Encoding": coding}
    got, head = client.get(path, headers=headers), client.head(path, headers=headers)
    assert head.content == b""
    assert (head.status_code, _lasting(head)) == (got.status_code, _lasting(got))


def _lasting(answer: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name not in ("date", "x-request-id")}


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        (None, "de"),
        ("en", "en"),
        ("en-GB,en;q=0.9", "en"),
        ("fr, en;q=0.5", "en"),
        ("de;q=0.5, en;q=0.9", "en"),
        ("en;q=0.1, de", "de"),
        ("en;q=0", "de"),
        ("enm", "de"),
        ("fr", "de"),
        ("*", "de"),
        (";;,=q;", "de"),
        ("en;q=nan", "de"),
    ],
)
@pytest.mark.parametrize("form", ["json", "html"])
def test_the_language_is_the_one_most_wanted(town: Town, accepted: str | None, language: str, form: str) -> None:
    headers = {"Accept-Language": accepted} if accepted else {}
    answer = client_of(town).get("/citizen", params={"f": form}, headers=headers)
    assert answer.headers["content-language"] == language
    assert ("Bürgerzwilling" if language == "de" else "Citizen twin") in answer.text


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("*/*", "application/geo+json"),
        ("application/json", "application/geo+json"),
        ("application/geo+json;q=0.5, text/html", "text/html; charset=utf-8"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html; charset=utf-8"),
        ("text/*;q=0.3, application/*;q=0.2", "text/html; charset=utf-8"),
        ("*/*;q=0.1, text/html;q=0", "application/geo+json"),
        ("image/png", None),
        ("text/html;q=0", None),
        ("garbage", None),
    ],
)
def test_the_media_type_is_the_one_most_wanted(town: Town, accept: str, media_type: str | None) -> None:
    answer = client_of(town).get("/citizen/collections/baeume/items", headers={"Accept": accept})
    assert (answer.status_code, answer.headers["content-type"]) == ((200, media_type) if media_type else (406, "application/problem+json"))


def test_the_parameter_f_wins_over_accept(town: Town) -> None:
    assert "html" in client_of(town).get("/citizen?f=html", headers={"Accept": "application/json"}).headers["content-type"]
