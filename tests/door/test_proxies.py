"""Who asks, seen through proxies: what ours say counts, and nothing that anybody else writes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.door.clients import client_of
from tests.towns import Town
from twin_api.door.proxy import Proxies, network_of

OURS = "127.0.0.1, 10.0.0.0/8, ::1, 2001:db8:1::/48"
LOCAL = ("127.0.0.1", 40000)


def seen(
    headers: list[tuple[str, str]], *, peer: tuple[str, int] | None = LOCAL, named: str = "x-forwarded"
) -> tuple[dict[str, Any], str | None]:
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
    scope = {"type": "http", "scheme": "http", "client": peer, "headers": [(b"host", b"inside"), *raw]}
    return Proxies(OURS, named).look_through(scope)  # type: ignore[arg-type, return-value]


@pytest.mark.parametrize(
    ("lines", "client"),
    [
        ([], None),  # this machine itself
        (["203.0.113.7"], "203.0.113.7"),
        (["203.0.113.7, 10.1.2.3"], "203.0.113.7"),
        (["198.51.100.1, 203.0.113.7, 10.1.2.3"], "203.0.113.7"),  # the first was written by the client
        (["198.51.100.1", "203.0.113.7"], "203.0.113.7"),  # on two lines
        (["10.9.9.9, 203.0.113.7"], "203.0.113.7"),
        (["10.1.1.1, 10.2.2.2"], "10.1.1.1"),  # everybody is ours: the farthest asks
        (["203.0.113.7:4711"], "203.0.113.7"),
        (["[2001:db8:ffff:1234::1]:4711"], "2001:db8:ffff:1200::/56"),
        (["2001:db8:ffff:12aa:1::1"], "2001:db8:ffff:1200::/56"),
        (["::ffff:203.0.113.7"], "203.0.113.7"),
        (["::ffff:10.1.2.3, 10.1.1.1"], "10.1.2.3"),
        (["203.0.113.7, unknown"], "nameless"),
        (["203.0.113.7, "], "nameless"),
        (["\xff<script>"], "nameless"),
        (["999.1.1.1"], "nameless"),
        (["1" * 5000], "nameless"),
    ],
)
def test_the_client_is_the_nearest_hop_that_is_no_proxy_of_ours(lines: list[str], client: str | None) -> None:
    assert seen([("X-Forwarded-For", line) for line in lines])[1] == client


@pytest.mark.parametrize("named", ["x-forwarded", "forwarded"])
def test_what_anybody_else_says_of_itself_does_not_count(named: str) -> None:
    lies = [
        ("X-Forwarded-For", "1.1.1.1"),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Host", "evil.example"),
        ("Forwarded", "for=1.1.1.1;host=evil.example"),
    ]
    scope, client = seen(lies, peer=("203.0.113.9", 1), named=named)
    assert client == "203.0.113.9"
    assert (scope["scheme"], dict(scope["headers"])[b"host"]) == ("http", b"inside")


@pytest.mark.parametrize(
    ("lines", "client", "scheme", "host"),
    [
        (["for=203.0.113.7;proto=https;host=town.example"], "203.0.113.7", "https", b"town.example"),
        (['for=1.1.1.1, for="[2001:db8:ffff::1]:80"; proto=HTTPS'], "2001:db8:ffff::/56", "https", b"inside"),
        (['For="203.0.113.7:80";By=10.1.1.1'], "203.0.113.7", "http", b"inside"),
        (['for="1.1.1.1', "for=203.0.113.7"], "203.0.113.7", "http", b"inside"),  # a quotation that never ends is the client's
        (["for=203.0.113.7", "proto=https"], "nameless", "https", b"inside"),
        (["for=_hidden"], "nameless", "http", b"inside"),
        ([], None, "http", b"inside"),
    ],
)
def test_the_standard_header_is_read_where_our_proxies_write_it(lines: list[str], client: str | None, scheme: str, host: bytes) -> None:
    scope, found = seen([("Forwarded", line) for line in lines], named="forwarded")
    assert (found, scope["scheme"], dict(scope["headers"])[b"host"]) == (client, scheme, host)


def test_a_header_that_our_proxies_do_not_write_is_the_clients_and_does_not_count() -> None:
    both = [("X-Forwarded-For", "203.0.113.7"), ("Forwarded", "for=1.1.1.1;host=evil.example")]
    scope, client = seen(both)
    assert (client, dict(scope["headers"])[b"host"]) == ("203.0.113.7", b"inside")
    assert seen(both, named="forwarded")[1] == "1.1.1.1"


@pytest.mark.parametrize(
    ("scheme", "host", "found"),
    [
        ("https", "town.example", ("https", b"town.example")),
        ("http, https", "a.example, town.example:8443", ("https", b"town.example:8443")),
        ("javascript", 'x"><script>', ("http", b"inside")),
        ("", "a b", ("http", b"inside")),
        ("HTTPS", "[2001:db8::1]:8443", ("https", b"[2001:db8::1]:8443")),
    ],
)
def test_scheme_and_host_are_taken_where_they_are_well_formed(scheme: str, host: str, found: tuple[str, bytes]) -> None:
    scope, _ = seen([("X-Forwarded-For", "203.0.113.7"), ("X-Forwarded-Proto", scheme), ("X-Forwarded-Host", host)])
    assert (scope["scheme"], dict(scope["headers"])[b"host"]) == found


def test_a_socket_without_an_address_is_a_proxy_of_this_machine() -> None:
    assert seen([("X-Forwarded-For", "203.0.113.7")], peer=None)[1] == "203.0.113.7"


def test_networks_of_our_proxies_may_be_none() -> None:
    scope = {"client": LOCAL, "headers": [(b"x-forwarded-for", b"1.1.1.1")], "scheme": "http"}
    assert Proxies("", "x-forwarded").look_through(scope)[1] == "127.0.0.1"


def test_a_wrong_network_is_said_when_the_server_starts() -> None:
    with pytest.raises(ValueError, match="nginx"):
        Proxies("127.0.0.1,nginx", "x-forwarded")


def test_an_address_of_a_zone_has_its_network() -> None:
    assert network_of("fe80::1%eth0") == "fe80::/56"


def test_links_lead_where_the_proxy_was_asked(town: Town) -> None:
    headers = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "zwilling.example"}
    links = client_of(town).get("/citizen/collections", headers=headers).json()["links"]
    assert all(link["href"].startswith("https://zwilling.example/citizen") for link in links)
