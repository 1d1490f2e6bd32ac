"""Every refusal is one of a closed list, and no address whatever breaks the server."""

from __future__ import annotations

import socket
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.door.clients import client_as, client_of
from tests.door.closed import KNOWN, find_faults
from tests.towns import Town
from twin_api.encodings.media import HTML
from twin_api.main import BLOCKS
from twin_api.problems import MEDIA_TYPE, PROBLEMS, SCHEME, DatabaseAway, Problem, RoleMissing, TooBusy

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


def ask_raw(address: str, target: bytes, *headers: bytes, host: bytes | None = b"twin.example") -> tuple[int, dict[str, str], bytes]:
    """The answer to a request line that no client library would send."""
    place = urlsplit(address)
    assert place.hostname
    with socket.create_connection((place.hostname, place.port or 80), timeout=20) as connection:
        named = [] if host is None else [b"Host: " + host]
        lines = [b"GET %b HTTP/1.1" % target, *named, b"Connection: close", *headers]
        connection.sendall(b"\r\n".join(lines) + b"\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *fields = head.decode("latin-1").split("\r\n")
    return int(status.split()[1]), {k.lower(): v.strip() for k, _, v in (field.partition(":") for field in fields)}, body


def address(town: Town) -> str:
    return str(client_of(town).base_url).rstrip("/")


def check_closed(status: int, headers: dict[str, str], body: bytes) -> None:
    """A refusal is one of the list."""
    if status >= 400:
        assert list(find_faults(status, headers, body)) == []


@pytest.fixture(scope="module")
def bearer(town: Town) -> bytes:
    return f"Authorization: Bearer {town.token('council', 'administration', 'administration/bauhof')}".encode()


@pytest.mark.parametrize("target", [*HOSTILE, *OVERLONG], ids=lambda target: target[:40])
def test_no_hostile_address_breaks_the_server(town: Town, bearer: bytes, target: str) -> None:
    for headers in ((b"Accept-Language: en",), (bearer,), (b"Accept: text/html",)):
        check_closed(*ask_raw(address(town), target.encode(), *headers))


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.sampled_from(WORDS) | st.text(st.characters(exclude_categories=["Cs"]), max_size=3).map(quote), max_size=8), st.booleans()
)
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


HOSTS = [
    [],
    [b"a", b"b"],
    [b"a", b"a"],
    [b""],
    [b'x"><script>alert(1)</script>'],
    [b"a b"],
    [b"a/b"],
    [b"good@evil"],
    [b"\xff"],
    [b"a>; rel=x"],
    [b"a:x"],
]


@pytest.mark.parametrize("hosts", HOSTS, ids=range(len(HOSTS)))
def test_a_request_names_one_host_or_is_none(town: Town, hosts: list[bytes]) -> None:
    """RFC 9112, 3.2: what it names would stand in every link of the answer."""
    for target in (b"/citizen", b"/council", ITEMS.encode()):
        status, headers, body = ask_raw(address(town), target, *(b"Host: " + host for host in hosts), host=None)
        assert (status, headers["content-type"]) == (400, MEDIA_TYPE)
        assert b"request-malformed" in body


@pytest.mark.parametrize("host", [b"twin.example", b"TWIN_1:8000", b"[::1]:80", b"127.0.0.1"])
def test_a_host_may_be_a_name_or_an_address(town: Town, host: bytes) -> None:
    status, _, body = ask_raw(address(town), b"/citizen?f=json", host=host)
    assert (status, b'"http://' + host + b"/citizen" in body) == (200, True)


@pytest.mark.parametrize("name", ["Höhe", "<script>", "a" * 5000, "a\nb", 'a"b', "☃", "`"])
def test_an_unknown_name_comes_back_as_data_only(town: Town, name: str) -> None:
    for path in ("/citizen", ITEMS):
        refused = client_of(town).get(f"{path}?{quote(name)}=1")
        assert (refused.status_code, refused.headers["content-type"]) == (400, MEDIA_TYPE)
        assert refused.json()["parameter"] == name[:100]


def test_statuses_that_ask_for_patience_say_how_long() -> None:
    assert [TooBusy().headers["Retry-After"], DatabaseAway().headers["Retry-After"]] == ["1", "5"]


def test_every_problem_is_listed_with_a_type_of_its_own() -> None:
    assert len(KNOWN) == len(PROBLEMS)
    assert RoleMissing(("council",)).body("en") == (
        b'{"type":"urn:twin-api:problem:role-missing","title":"the token does not hold the role of this twin",'
        b'"status":403,"roles":["council"],"detail":"use one of the twins in `roles`"}'
    )


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.type)
def test_every_problem_says_what_it_is_and_what_to_do_in_both_languages(problem: type[Problem]) -> None:
    for text in (problem.title, problem.advice):
        assert text.de
        assert text.en
        assert text.de != text.en


PAGES = ["/", *("/citizen" + route.path.removesuffix("/") for block in BLOCKS for route in block.routes)]


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("query", ["nonsense=1", "f=json&f=json", "F=json", "=1", "api_key=x"])
def test_every_page_refuses_what_it_does_not_know_or_is_told_twice(town: Town, path: str, query: str) -> None:
    items = client_of(town).get(ITEMS, params={"limit": "1"}).json()
    address = path.replace("{collection}", "baeume").replace("{id}", items["features"][0]["id"])
    assert client_of(town).get(address, follow_redirects=True).status_code == 200
    refused = client_of(town).get(f"{address}?{query}")
    assert (refused.status_code, refused.json()["type"]) == (400, SCHEME + "invalid-parameter")
    assert refused.json()["parameter"] == query.partition("=")[0]


@pytest.mark.parametrize("role", ["citizen", "council", "administration/bauhof"])
def test_every_problem_stands_in_the_document_of_every_role(town: Town, role: str) -> None:
    document = client_as(town, role).get(f"/{role}/api").json()
    assert set(document["components"]["schemas"]["problem"]["properties"]["type"]["enum"]) == KNOWN.keys()
    for methods in document["paths"].values():
        told = methods["get"]["responses"]
        statuses = {str(problem.status) for problem in PROBLEMS}
        assert {"400", "404"} <= told.keys()
        assert {status for status in told if status >= "400"} <= statuses | {"4XX", "5XX"}
        assert all(status in told or f"{status[0]}XX" in told for status in statuses)
        for status in (status for status in told if status >= "400"):
            assert MEDIA_TYPE in document["components"]["responses"][told[status]["$ref"].rpartition("/")[2]]["content"]


REFUSED = {
    "/nix": "Unter dieser Adresse ist nichts",
    "/citizen/collections/nix": "Unter dieser Adresse ist nichts",
    "/council": "Dieser Zwilling verlangt ein Token",
    "/citizen?lmit=1": "Ein Parameter ist nicht verständlich",
    "/citizen/" + "a" * 8200: "Die Adresse ist länger als 8 KiB",
}


@pytest.mark.parametrize("path", REFUSED, ids=lambda path: path[:20])
@pytest.mark.parametrize(("accepted", "language"), [("", "de"), ("de", "de"), ("en-GB, de;q=0.5", "en"), ("fr", "de"), ("\xff;q=", "de")])
def test_a_problem_is_told_in_the_language_most_wanted(town: Town, path: str, accepted: str, language: str) -> None:
    refused = client_of(town).get(path, headers={b"Accept-Language": accepted.encode("latin-1")})
    assert refused.headers["content-language"] == language
    assert (refused.json()["title"] == REFUSED[path]) == (language == "de")


BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "query", "is_page"),
    [
        (BROWSER, "", True),
        (BROWSER, "?f=json", False),
        ("*/*", "", False),
        ("*/*", "?f=html", True),
        ("application/json, text/html;q=0.9", "", False),
        ("application/geo+json;q=0.1, text/html;q=0.2", "", True),
        ("application/problem+json", "", False),
        ("image/png", "", False),
        ("text/html;q=0", "", False),
    ],
)
def test_a_page_is_for_those_who_want_one_more_than_json(town: Town, accept: str, query: str, is_page: bool) -> None:
    refused = client_of(town).get(f"/nix{query}", headers={"Accept": accept})
    assert (refused.status_code, refused.headers["content-type"]) == (404, HTML.type if is_page else MEDIA_TYPE)


def test_a_page_shows_the_words_of_the_client_as_text(town: Town) -> None:
    page = client_of(town).get("/citizen", params={"`<b>`": "1", "f": "html"}).text
    assert "&lt;b&gt;" in page
    assert "<b>" not in page
