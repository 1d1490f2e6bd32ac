"""The examples for nginx and Caddy, run: who reaches which process, what a client may claim, what ends a slow one."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.deploy.programs import HOST, Proxy, free_ports, program, proxy
from tests.deploy.upstream import Upstream, upstream
from tests.imports.certificates import Certificates, found
from tests.towns import Serving, Town

pytestmark = pytest.mark.slow
QUICKER = {"nginx": {"client_header_timeout 10s": "client_header_timeout 1s"}, "caddy": {"read_header 10s": "read_header 1s"}}
FORGED = {
    "X-Forwarded-For": "203.0.113.9",
    "X-Forwarded-Proto": "http",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Port": "99",
    "X-Forwarded-Prefix": "/evil",
    "X-Real-IP": "203.0.113.9",
    "Forwarded": "for=203.0.113.9;host=evil.example;proto=http",
}


@pytest.fixture(scope="module", params=["nginx", "caddy"])
def name(request: pytest.FixtureRequest) -> str:
    program(request.param)
    return str(request.param)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return found(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def upstreams() -> Iterator[tuple[Upstream, Upstream]]:
    with upstream("citizen") as citizen, upstream("others") as others:
        yield citizen, others


@pytest.fixture(scope="module")
def told(
    name: str, certificates: Certificates, upstreams: tuple[Upstream, Upstream], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Proxy]:
    """The proxy before two servers that tell what reaches them; it is patient for one second only."""
    citizen, others = upstreams
    with proxy(name, tmp_path_factory.mktemp(name) / "told", certificates, citizen.port, others.port, **QUICKER[name]) as started:
        yield started


@pytest.fixture(scope="module")
def real(name: str, town: Town, certificates: Certificates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """The proxy before the real servers: one for citizens, one for everybody else."""
    address = f"https://{HOST}"
    citizen = Serving(town.settings(roles="citizen", base_url=address))
    others = Serving(town.settings(roles="council,administration,administration/bauhof", base_url=address))
    ports = [int(serving.address.rpartition(":")[2]) for serving in (citizen, others)]
    with proxy(name, tmp_path_factory.mktemp(name) / "real", certificates, ports[0], ports[1]) as started:
        yield started
    citizen.stop()
    others.stop()


@pytest.mark.parametrize(
    ("path", "process"),
    [
        ("/", "citizen"),
        ("/citizen", "citizen"),
        ("/citizen/collections?a=/council", "citizen"),
        ("/citizens", "citizen"),
        ("/councils", "citizen"),
        ("/nix/council", "citizen"),
        ("/council", "others"),
        ("/council/", "others"),
        ("/council/bauausschuss/collections", "others"),
        ("/administration", "others"),
        ("/administration/bauhof?f=html", "others"),
        ("/%63ouncil", "others"),
    ],
)
def test_a_path_reaches_the_process_of_its_role_unchanged(told: Proxy, path: str, process: str) -> None:
    with told.client() as client:
        answer = client.get(path).json()
    assert (answer["name"], answer["path"]) == (process, path)


@pytest.mark.parametrize("path", ["/metrics", "/metrics/x", "/readyz", "/%6detrics", "//metrics", "/./readyz", "/x/../metrics"])
def test_metrics_and_readiness_stay_inside(told: Proxy, upstreams: tuple[Upstream, Upstream], path: str) -> None:
    assert status_of(told, f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode()) == 404
    assert path not in upstreams[0].asked + upstreams[1].asked


def test_a_client_cannot_say_where_it_comes_from(told: Proxy) -> None:
    with told.client(**FORGED) as client:
        for path in ("/citizen/forged", "/council"):
            headers: dict[str, Any] = client.get(path).json()["headers"]
            way = {key: value for key, value in headers.items() if key.startswith(("x-", "forwarded"))}
            assert way == {"x-forwarded-for": ["127.0.0.1"], "x-forwarded-proto": ["https"], "x-forwarded-host": [HOST]}
            assert headers["host"] == [HOST]


def test_plain_http_leads_to_https(told: Proxy) -> None:
    answer = httpx.get(f"http://127.0.0.1:{told.http}/citizen/collections?limit=1", headers={"Host": HOST})
    assert answer.status_code in (301, 308)
    place = httpx.URL(answer.headers["location"])
    assert (place.scheme, place.host, place.raw_path) == ("https", HOST, b"/citizen/collections?limit=1")


def test_another_name_gets_no_certificate(told: Proxy) -> None:
    with pytest.raises(ssl.SSLError), socket.create_connection(("127.0.0.1", told.https), timeout=10) as plain:
        told.trust.wrap_socket(plain, server_hostname="evil.example")


def test_who_sends_a_header_slowly_is_sent_away(told: Proxy) -> None:
    with connected(told) as slow:
        slow.sendall(f"GET /citizen HTTP/1.1\r\nHost: {HOST}\r\nX-Slow: ".encode())
        begun = time.monotonic()
        while slow.recv(1000):
            pass
    assert time.monotonic() - begun < 8  # a second was allowed


def test_the_longest_question_has_its_link_to_the_next_page_in_the_header(real: Proxy) -> None:
    """Forms without links in them have theirs in the header, as long as the address that was asked for."""
    trees = ",".join(f"'Lärche {number}'" for number in range(230))
    asked = {"filter": f"NOT art IN ({trees})", "limit": "1", "f": "csv", "sortby": "art,gepflanzt,hoehe_m,anzahl"}
    with real.client() as client:
        answer = client.get("/citizen/collections/baeume/items", params=asked)
        assert answer.status_code == 200
        assert len(answer.headers["link"]) > 5000
        assert client.get(answer.links["next"]["url"].partition(HOST)[2]).status_code == 200


def test_what_is_too_large_is_refused(told: Proxy, upstreams: tuple[Upstream, Upstream]) -> None:
    with told.client() as client:
        # Caddy 2.6 says 502 where it has begun to send when the limit is reached
        assert client.post("/council/large", content=b"x" * (2 << 20)).status_code in (413, 501, 502)
    with connected(told) as connection, suppress(OSError):  # it may hang up before it has read everything
        connection.sendall(f"GET /citizen/{'a' * 40_000} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
        assert b" 200 " not in connection.recv(100)
    assert not any(len(path) > 20_000 for path in upstreams[0].asked)


def test_a_server_that_is_away_is_said_in_the_words_of_the_standard(name: str, certificates: Certificates, tmp_path: Path) -> None:
    nobody = free_ports(2)
    with proxy(name, tmp_path / "away", certificates, nobody[0], nobody[1]) as away, away.client() as client:
        for path in ("/citizen", "/council"):
            answer = client.get(path)
            assert answer.status_code in (502, 503)
            assert (answer.headers["content-type"], answer.headers["cache-control"]) == ("application/problem+json", "no-store")
            assert answer.json()["status"] == answer.status_code


@pytest.mark.parametrize("coding", ["identity", "gzip", "zstd"])
def test_every_role_is_answered_through_the_proxy(real: Proxy, town: Town, coding: str) -> None:
    tokens = {"council": town.token("council"), "administration/bauhof": town.token("administration/bauhof"), "citizen": ""}
    for role, token in tokens.items():
        with real.client(**{"Accept-Encoding": coding, **({"Authorization": f"Bearer {token}"} if token else {})}) as client:
            for path in ("", "/api", "/collections/baeume/items?f=html"):
                answer = client.get(f"/{role}{path}")
                assert answer.status_code == 200
                assert f"https://{HOST}/{role}" in answer.text
                assert answer.headers["strict-transport-security"] == "max-age=31536000"
                assert answer.headers["etag"].startswith('"')
                assert "server" not in answer.headers or answer.headers["server"] in ("nginx", "uvicorn")
                assert answer.headers.get("content-encoding", "identity") in ("identity", coding)
                assert client.get(f"/{role}{path}", headers={"If-None-Match": answer.headers["etag"]}).status_code == 304


def test_who_may_not_learns_no_more_through_the_proxy(real: Proxy) -> None:
    with real.client() as client:
        assert [client.get(path).status_code for path in ("/council", "/administration/bauhof", "/administration/nix")] == [401, 401, 401]
        assert client.get("/citizen", headers={"Authorization": "Bearer nonsense"}).status_code == 401


def status_of(told: Proxy, request: bytes) -> int:
    """The status of the answer to bytes that no client library would send."""
    with connected(told) as connection:
        connection.sendall(request)
        return int(connection.recv(100).split()[1])


def connected(told: Proxy) -> ssl.SSLSocket:
    plain = socket.create_connection(("127.0.0.1", told.https), timeout=20)
    return told.trust.wrap_socket(plain, server_hostname=HOST, suppress_ragged_eofs=True)
