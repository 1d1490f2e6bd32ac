"""Every refusal is one of a closed list, and no address whatever breaks the server."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.door.clients import client_of
from tests.towns import Town
from twin_api.problems import MEDIA_TYPE, PROBLEMS, DatabaseAway, RoleMissing, TooBusy

TYPES = {f"urn:twin-api:problem:{problem.type}": (problem.status, problem.title) for problem in PROBLEMS}
ITEMS = "/citizen/collections/baeume/items"

HOSTILE = (Path(__file__).parent / "hostile.txt").read_text().splitlines()
OVERLONG = [
    "/citizen/" + "a/" * 2000,
    "/citizen/" + "%41" * 2000,
    "/citizen/collections/" + "x" * 8000,
    "/" + "a" * 9000,
    "/citizen/" + "a" * 60_000,
    "/citizen?" + "a=1&" * 1500,
]
WORDS = [
    "citizen",
    "council",
    "administration",
    "bauhof",
    "collections",
    "baeume",
    "items",
    "..",
    ".",
    "%00",
    "%2f",
    "?",
    "&",
    "=",
    ";",
    "%",
]
HEADERS = [
    b"Accept: " + b"a" * 9000,
    b"Accept: \xff",
    b"Accept-Language: \xff,;q=",
    b"If-None-Match: \xff",
    b'Host: \xff"<x>',
    b"Host: ",
    b"Range: bytes=0-1",
    b"Content-Length: 5\r\n\r\nhello",
    b"Expect: 100-continue",
]


def ask_raw(address: str, target: bytes, *headers: bytes) -> tuple[int, dict[str, str], bytes]:
    """The answer to a request line that no client library would send."""
    place = urlsplit(address)
    assert place.hostname
    with socket.create_connection((place.hostname, place.port or 80), timeout=20) as connection:
        lines = [b"GET %b HTTP/1.1" % target, b"Host: twin.example", b"Connection: close", *headers]
        connection.sendall(b"\r\n".join(lines) + b"\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *fields = head.decode("latin-1").split("\r\n")
    return int(status.split()[1]), {k.lower(): v.strip() for k, _, v in (field.partition(":") for field in fields)}, body


def address(town: Town) -> str:
    return str(client_of(town).base_url).rstrip("/")


def check_closed(status: int, headers: dict[str, str], body: bytes) -> None:
    """A refusal has the media type, a type of the list and nothing beyond its members; the protocol's own 400 is the server's."""
    assert status < 500, body
    if status >= 400 and not (status == 400 and headers["content-type"].startswith("text/plain")):
        assert headers["content-type"] == MEDIA_TYPE
        told: dict[str, Any] = json.loads(body)
        assert TYPES[told["type"]] == (status, told["title"])
        assert told["status"] == status
        assert told.keys() <= {"type", "title", "status", "detail", "parameter", "roles"}


@pytest.fixture(scope="module")
def bearer(town: Town) -> bytes:
    return f"Authorization: Bearer {town.token('council', 'administration', 'administration/bauhof')}".encode()


@pytest.mark.parametrize("target", [*HOSTILE, *OVERLONG], ids=lambda target: target[:40])
def test_no_hostile_address_breaks_the_server(town: Town, bearer: bytes, target: str) -> None:
    for headers in ((), (bearer,), (b"Accept: text/html",)):
        check_closed(*ask_raw(address(town), target.encode(), *headers))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(WORDS) | st.text(max_size=3).map(quote), max_size=8), st.booleans())
def test_no_random_address_breaks_the_server(town: Town, bearer: bytes, words: list[str], known: bool) -> None:
    target = "/" + "/".join(words).replace("/?/", "?")
    check_closed(*ask_raw(address(town), target.encode(), *([bearer] if known else [])))


@pytest.mark.parametrize("header", HEADERS, ids=range(len(HEADERS)))
def test_no_header_breaks_the_server(town: Town, header: bytes) -> None:
    for target in (b"/citizen", b"/citizen?f=html", ITEMS.encode(), b"/citizen/api"):
        check_closed(*ask_raw(address(town), target, header))


def test_an_upgrade_to_websocket_is_not_made(town: Town) -> None:
    asked = (b"Connection: Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Version: 13", b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==")
    status, _, _ = ask_raw(address(town), b"/citizen", *asked)
    assert status != 101
    assert status < 500


def test_a_host_of_the_clients_making_stays_text(town: Town) -> None:
    for form in (b"html", b"json"):
        _, _, body = ask_raw(address(town), b"/citizen?f=" + form, b'Host: x"><script>alert(1)</script>')
        assert b"<script" not in body or form == b"json"


@pytest.mark.parametrize("name", ["Höhe", "<script>", "a" * 5000, "a\nb", 'a"b', "☃", "`"])
def test_an_unknown_name_comes_back_as_data_only(town: Town, name: str) -> None:
    for path in ("/citizen", ITEMS):
        refused = client_of(town).get(f"{path}?{quote(name)}=1")
        assert (refused.status_code, refused.headers["content-type"]) == (400, MEDIA_TYPE)
        assert refused.json()["parameter"] == name[:100]


def test_statuses_that_ask_for_patience_say_how_long() -> None:
    assert [TooBusy().headers["Retry-After"], DatabaseAway().headers["Retry-After"]] == ["1", "5"]


def test_every_problem_is_listed_with_a_type_of_its_own() -> None:
    assert len(TYPES) == len(PROBLEMS)
    assert RoleMissing(("council",)).body() == (
        b'{"type":"urn:twin-api:problem:role-missing","title":"the token does not hold the role of this twin",'
        b'"status":403,"roles":["council"],"detail":"use one of the twins in `roles`"}'
    )
