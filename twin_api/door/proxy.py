"""Who asks, seen through the proxies in front of us.

Must never believe a word about the client that a proxy of ours has not said.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final, Literal

from starlette.types import ASGIApp, Receive, Scope, Send

from twin_api.door.head import Head, told
from twin_api.problems import RequestMalformed

Named = Literal["x-forwarded", "forwarded"]

CLIENT: Final = "twin_api.client"  # in the scope; None or absent: this machine itself, which nobody limits

_HOST: Final = re.compile(r"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?", re.ASCII)
_PAIR: Final = re.compile(r'\s*(for|proto|host|by)\s*=\s*("[^"]*"|[^";,\s]+)\s*', re.I | re.ASCII)
_SCHEMES: Final = ("http", "https")
_PREFIX_V6: Final = 56  # what a household gets; a client that hops through its own network stays one client
_REMEMBERED: Final = 4096

Hops = tuple[Sequence[str], str, str]  # addresses, nearest proxy's word last; scheme; host


def check_host(head: Head, http_version: str) -> None:
    """RFC 9112, 3.2: a request names exactly one host, in a form that a host can have. It stands in every link of the answer."""
    if b"host" not in head and http_version == "1.0":
        return
    if not _HOST.fullmatch(told(head, b"host")):  # two of them are none
        raise RequestMalformed()


class BehindProxies:
    """An ASGI application around all others: they see the request as the client sent it, and who the client is under `CLIENT`."""

    def __init__(self, app: ASGIApp, proxies: Proxies) -> None:
        self._app = app
        self._proxies = proxies

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] == "http":
            scope, client = self._proxies.look_through(scope)
            scope[CLIENT] = client
        return self._app(scope, receive, send)


class Proxies:
    """The networks whose word about a client counts. `named` says which headers they write: a proxy hands on what it does not write."""

    def __init__(self, networks: str, named: Named) -> None:
        self._networks = [ip_network(word.strip(), strict=False) for word in networks.split(",") if word.strip()]
        self._read = _forwarded if named == "forwarded" else _x_forwarded
        self._is_ours = lru_cache(_REMEMBERED)(self._looked_up)

    def look_through(self, scope: Scope) -> tuple[Scope, str | None]:
        """The request as the client sent it, and a name for the client, None for this machine itself."""
        peer = scope.get("client")
        if peer is not None and not self._is_ours(peer[0]):
            return scope, network_of(peer[0])
        hops, scheme, host = self._read(scope["headers"])
        seen = {**scope, **_told(scope, scheme, host)} if scheme or host else scope
        return seen, self._client(hops) if hops else None

    def _client(self, hops: Sequence[str]) -> str:
        """The nearest hop that is no proxy of ours; what stands before it was written by whoever that is."""
        for hop in reversed(hops):
            if not self._is_ours(hop):
                return network_of(hop)
        return network_of(hops[0])

    def _looked_up(self, text: str) -> bool:
        address = _address(text)
        return address is not None and any(address in network for network in self._networks)


@lru_cache(_REMEMBERED)
def network_of(text: str) -> str:
    """A name for the client at an address: an IPv4 address itself, of an IPv6 address its network."""
    address = _address(text)
    if address is None:
        return "nameless"
    if isinstance(address, IPv6Address):
        return str(IPv6Network((address, _PREFIX_V6), strict=False))
    return str(address)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """An address with or without port, brackets and zone (RFC 7239, 6); None for anything else."""
    bare = text.strip().strip('"')
    if bare.startswith("["):
        bare = bare[1:].partition("]")[0]
    elif bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        address = ip_address(bare.partition("%")[0])
    except ValueError:
        return None
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address


def _x_forwarded(headers: Sequence[tuple[bytes, bytes]]) -> Hops:
    hops: list[str] = []
    scheme = host = ""
    for name, value in headers:
        if not name.startswith(b"x-forwarded-"):
            continue
        words = [word.strip() for word in value.decode("latin-1").split(",")]
        if name == b"x-forwarded-for":
            hops += words
        elif name == b"x-forwarded-proto":
            scheme = words[-1]
        elif name == b"x-forwarded-host":
            host = words[-1]
    return hops, scheme, host


def _forwarded(headers: Sequence[tuple[bytes, bytes]]) -> Hops:
    """RFC 7239: one element per proxy, the nearest one's last; an element without `for` hides who asked it."""
    lines = [value.decode("latin-1") for name, value in headers if name == b"forwarded"]
    elements = [dict(_pairs(element)) for line in lines for element in line.split(",")]
    last = elements[-1] if elements else {}
    return [element.get("for", "hidden") for element in elements], last.get("proto", ""), last.get("host", "")


def _pairs(element: str) -> list[tuple[str, str]]:
    return [(name.lower(), value.strip('"')) for name, value in _PAIR.findall(element)]


def _told(scope: Scope, scheme: str, host: str) -> Scope:
    """What of scheme and host is well-formed."""
    told: Scope = {"scheme": scheme.lower()} if scheme.lower() in _SCHEMES else {}
    if _HOST.fullmatch(host):
        others = [(name, value) for name, value in scope["headers"] if name != b"host"]
        told["headers"] = [(b"host", host.encode()), *others]
    return told
