"""Behind a cache that keeps everything it may, and knows of nobody's credentials, no role gets a byte of another one.

Every order of three clients × every address of three twins × media types × codings × languages: each answer must be, status, headers and bytes,
what the server itself gives to that client.
"""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import permutations, product
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from tests.deploy.programs import free_ports, nginx, program
from tests.towns import Serving, Town

pytestmark = pytest.mark.slow
ROLES: Final = ("citizen", "council", "administration")
FORMS: Final = tuple(product(("application/json", "text/html"), ("identity", "gzip", "zstd"), ("de", "en")))
OF_THE_WAY: Final = {"date", "server", "connection", "x-kept", "x-request-id"}  # headers that the way puts on, not the answer

Form = tuple[str, str, str]


class Got(NamedTuple):
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


class Line:
    """A connection to one port of this machine; `kept` counts the answers that came out of the cache there."""

    def __init__(self, port: int, tokens: dict[str, str]) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self._tokens = tokens
        self.kept = 0

    def get(self, address: str, form: Form, role: str, **further: str) -> Got:
        accept, coding, language = form
        headers = {"Accept": accept, "Accept-Encoding": coding, "Accept-Language": language, **further}
        if role != "citizen":
            headers["Authorization"] = f"Bearer {self._tokens[role]}"
        self._connection.request("GET", address, headers=headers)
        answer = self._connection.getresponse()
        told = tuple(sorted((name.lower(), value) for name, value in answer.getheaders() if name.lower() not in OF_THE_WAY))
        self.kept += answer.getheader("X-Kept") == "HIT"
        return Got(answer.status, told, answer.read())

    def close(self) -> None:
        self._connection.close()


def _eager(zone: int, port: int, folder: Path, server: str, judged: str) -> str:
    return f"""
    proxy_cache_path {folder}/{zone} keys_zone=zone{zone}:10m;
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass {server};
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_cache zone{zone};
            proxy_cache_key $request_uri;
            proxy_cache_valid any 10m;
            {judged}
            add_header X-Kept $upstream_cache_status always;
        }}
    }}"""


# keeps all that says `public`, although it also says to ask each time
IGNORES_NO_CACHE: Final = "proxy_ignore_headers Cache-Control Expires; proxy_no_cache $private;"
MAP: Final = 'map $upstream_http_cache_control $private { default 1; "~^public(,|$)" 0; }'


@pytest.fixture(scope="module")
def tokens(town: Town) -> dict[str, str]:
    return {role: town.token(role) for role in ROLES[1:]}


@pytest.fixture(scope="module")
def server(town: Town) -> Iterator[str]:
    """One server for all roles: what keeps them apart is in the answers alone."""
    serving = Serving(town.settings(base_url="https://twin.example", rate=0))
    yield serving.address
    serving.stop()


@pytest.fixture(scope="module")
def addresses(town: Town) -> list[str]:
    """Every address of the three twins, those of the others' collections and items, and some of nothing."""
    pages = ["", "/conformance", "/collections", "/api", "?x=1", "/nix"]
    for role in ROLES:
        client = town.client_for(role)
        names = [c["id"] for c in client.get("collections").json()["collections"]]
        pages += [page for name in names for page in (f"/collections/{name}", f"/collections/{name}/items")]
        items = [item for name in names for item in client.get(f"collections/{name}/items?limit=2").json()["features"][:1]]
        pages += [f"/collections/{name}/items/{item['id']}" for name, item in zip(names, items, strict=False)]
    return [f"/{role}{page}" for role in ROLES for page in dict.fromkeys(pages)]


@pytest.fixture(scope="module")
def right(server: str, tokens: dict[str, str], addresses: list[str]) -> dict[tuple[str, str, Form], Got]:
    """What the server itself gives, by client, address and form."""
    with _line(int(server.rpartition(":")[2]), tokens) as line:
        return {(role, address, form): line.get(address, form, role) for role in ROLES for address in addresses for form in FORMS}


@contextmanager
def _line(port: int, tokens: dict[str, str]) -> Iterator[Line]:
    line = Line(port, tokens)
    try:
        yield line
    finally:
        line.close()


@pytest.fixture(scope="module")
def lines(server: str, tokens: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Line]]:
    """A cache of its own for each order, and at the end one that heeds `Cache-Control`."""
    program("nginx")
    folder, orders = tmp_path_factory.mktemp("eager"), len(list(permutations(ROLES)))
    ports = free_ports(orders + 1)
    text = [MAP, *(_eager(n, port, folder, server, IGNORES_NO_CACHE if n < orders else "") for n, port in enumerate(ports))]
    with nginx(folder, "\n".join(text), ports), ExitStack() as stack:
        yield [stack.enter_context(_line(port, tokens)) for port in ports]


def test_a_token_changes_no_byte_of_the_citizen_twin(addresses: list[str], right: dict[tuple[str, str, Form], Got]) -> None:
    public = [address for address in addresses if address.startswith("/citizen")]
    for address, form, role in product(public, FORMS, ROLES[1:]):
        assert right[role, address, form] == right["citizen", address, form]


@pytest.mark.parametrize("order", range(6))
def test_no_order_of_roles_shows_anybody_what_is_anothers(
    order: int, lines: list[Line], addresses: list[str], right: dict[tuple[str, str, Form], Got]
) -> None:
    line = lines[order]
    for address, form in product(addresses, FORMS):
        for role in list(permutations(ROLES))[order]:
            assert line.get(address, form, role) == right[role, address, form], (address, form, role)
    public = [address for address in addresses if right["citizen", address, FORMS[0]].status == 200]
    assert line.kept == 2 * len(public) * len(FORMS)  # of three who ask for something public, the second and the third


def test_a_cache_answers_conditional_requests_as_the_server_does(
    lines: list[Line], addresses: list[str], right: dict[tuple[str, str, Form], Got]
) -> None:
    """The tag of one form gives 304 for that form alone, whether the cache or the server judges it."""
    for address in addresses:
        for form, held in product(FORMS, FORMS):
            if right["citizen", address, form].status == 200:
                tag = dict(right["citizen", address, held].headers)["etag"]
                same = right["citizen", address, held].body == right["citizen", address, form].body
                got = lines[0].get(address, form, "citizen", **{"If-None-Match": tag})
                assert (got.status, got.body) == ((304, b"") if same else (200, right["citizen", address, form].body))


def test_a_cache_that_heeds_what_it_is_told_keeps_nothing(
    lines: list[Line], addresses: list[str], right: dict[tuple[str, str, Form], Got]
) -> None:
    line = lines[-1]
    for address, role in product(addresses, (*ROLES, *ROLES)):
        assert line.get(address, FORMS[0], role) == right[role, address, FORMS[0]]
    assert line.kept == 0
