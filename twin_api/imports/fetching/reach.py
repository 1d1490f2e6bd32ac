"""Where sources may be fetched from: hosts by name, and networks besides the public internet.

Must never take an address for anything but what it says: one spelling is understood, every other is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Final, Self, TypeAlias
from urllib.parse import urljoin

from twin_api.imports.finding import refuse
from twin_api.policy.finding import quoted
from twin_api.texts import Text

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network
PORTS: Final = {"https": 443, "http": 80}
_LABEL: Final = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_NAME: Final = rf"{_LABEL}(\.{_LABEL})*"
_PORT: Final = "(:(?P<port>[1-9][0-9]{0,4}))?"
_URL: Final = re.compile(rf"(?P<scheme>https?)://(?P<host>{_NAME}|\[[0-9a-f:]+\]){_PORT}(?P<target>[/?][!-\"$-\[\]-~]*)?")
_ENTRY: Final = re.compile(rf"(?P<scheme>https?://)?(?P<host>\*\.{_LABEL}(\.{_LABEL})+|{_NAME}|\[[0-9a-f:]+\]){_PORT}")
LONGEST: Final = 4096
# what the standard library thinks public and is not: forms that carry another address, relays, metadata of a cloud
NEVER: Final = tuple(map(ip_network, ("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32", "2001::/23", "2002::/16", "3fff::/20")))
UNICAST: Final = ip_network("2000::/3")  # the only part of IPv6 that is the public internet


@dataclass(frozen=True, slots=True)
class Url:
    """An address of the web in the one spelling we take. `target` is path and query, which may hold secrets: never shown."""

    scheme: str
    host: str
    port: int
    target: str

    @classmethod
    def of(cls, written: str) -> Self:
        """Raises `FileRefused` for whatever two readers might take differently."""
        match = _URL.fullmatch(written) if len(written) <= LONGEST else None
        if match is None or int(match["port"] or 1) > 65535:
            raise refuse(
                Text("das ist keine Webadresse in einfacher Form", "this is no web address in its plain form"),
                Text("in Kleinbuchstaben und ohne Zugangsdaten: `https://rechner.de/pfad`", "in small letters and without credentials: `https://host.de/path`"),
            )  # fmt: skip
        target = match["target"] or "/"
        return cls(
            match["scheme"], match["host"], int(match["port"] or PORTS[match["scheme"]]), target if target[0] == "/" else f"/{target}"
        )

    @property
    def authority(self) -> str:
        """As the header `Host` has it: without the port that goes without saying."""
        return self.host if self.port == PORTS[self.scheme] else f"{self.host}:{self.port}"

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.target}"

    def join(self, reference: str) -> Url:
        """Where a link of this page leads. Behind a proxy servers often think they are asked without encryption: that is mended."""
        try:
            url = Url.of(urljoin(str(self), reference))
        except ValueError:
            url = Url.of("")
        if url.host == self.host and (self.scheme, url.scheme) == ("https", "http"):
            return Url(self.scheme, self.host, self.port, url.target)
        return url


@dataclass(frozen=True, slots=True)
class Host:
    """One entry of the list. `name` may be `*.example.de`, which is every host below, and not `example.de` itself."""

    name: str
    port: int | None
    unencrypted: bool

    def admits(self, url: Url) -> bool:
        named = url.host.endswith(self.name[1:]) if self.name.startswith("*") else url.host == self.name
        return named and (self.unencrypted or url.scheme == "https") and url.port == (self.port or PORTS[url.scheme])


@dataclass(frozen=True, slots=True)
class Reach:
    """`authorities` is a file of certificates besides those of the system."""

    hosts: tuple[Host, ...] = ()
    networks: tuple[Network, ...] = ()
    authorities: Path | None = None

    @classmethod
    def of(cls, hosts: str, networks: str, authorities: Path | None = None) -> Self:
        """From the settings, lists separated by commas. Raises `FileRefused` if they cannot be understood."""
        return cls(tuple(map(_host, _entries(hosts))), tuple(map(_network, _entries(networks))), authorities)

    def check(self, url: Url) -> None:
        """Raises `FileRefused` unless the host is on the list."""
        if not any(host.admits(url) for host in self.hosts):
            shown = quoted(f"{url.scheme}://{url.authority}")
            raise refuse(
                Text(f"{shown} steht nicht auf der Liste der erlaubten Rechner", f"{shown} is not on the list of allowed hosts"),
                Text("in `TWIN_SOURCE_HOSTS` aufnehmen", "add it to `TWIN_SOURCE_HOSTS`"),
            )  # fmt: skip

    def check_address(self, host: str, written: str) -> Address:
        """The address a name leads to. Raises `FileRefused` if it is not public and its network not allowed."""
        address = _plain(written)
        if address is None or not (is_public(address) or any(address in network for network in self.networks)):
            raise refuse(
                Text(f"{quoted(host)} führt in ein Netz, aus dem nichts geholt wird: {quoted(written)}",
                     f"{quoted(host)} leads into a network that nothing is fetched from: {quoted(written)}"),
                Text("soll es sein, in `TWIN_SOURCE_NETWORKS` aufnehmen", "if it shall be, add it to `TWIN_SOURCE_NETWORKS`"),
            )  # fmt: skip
        return address


def is_public(address: Address) -> bool:
    """Whether this is an address of the public internet, and carries no other within it."""
    if isinstance(address, IPv6Address) and address not in UNICAST:
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved and not any(address in network for network in NEVER)


def _plain(written: str) -> Address | None:
    """An IPv4 address in the clothes of IPv6 is judged as what it is."""
    try:
        address = ip_address(written)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _entries(written: str) -> list[str]:
    return [entry.strip() for entry in written.split(",") if entry.strip()]


def _host(entry: str) -> Host:
    match = _ENTRY.fullmatch(entry)
    if match is None or int(match["port"] or 1) > 65535:
        what = Text(f"`TWIN_SOURCE_HOSTS`: {quoted(entry)} ist kein Rechner", f"`TWIN_SOURCE_HOSTS`: {quoted(entry)} is no host")
        raise refuse(what, Text("etwa `daten.kreis.de` oder `*.kreis.de`", "such as `data.county.de` or `*.county.de`"))
    return Host(match["host"], int(match["port"]) if match["port"] else None, match["scheme"] == "http://")


def _network(entry: str) -> Network:
    try:
        return ip_network(entry)
    except ValueError:
        what = Text(f"`TWIN_SOURCE_NETWORKS`: {quoted(entry)} ist kein Netz", f"`TWIN_SOURCE_NETWORKS`: {quoted(entry)} is no network")
        raise refuse(what, Text("etwa `10.20.0.0/16`", "such as `10.20.0.0/16`")) from None
