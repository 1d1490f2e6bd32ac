"""Which addresses are understood at all, which hosts are on the list, and which networks are the public internet."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from twin_api.imports.fetching.reach import Reach, Url, is_public
from twin_api.imports.finding import FileRefused

SPELLINGS = [
    # credentials, and what looks like a host and is none
    "https://daten.example.de@127.0.0.1/", "https://a:b@daten.example.de/", "https://daten.example.de:443@127.0.0.1/",
    "https://127.0.0.1\\@daten.example.de/", "https://daten.example.de\\.evil.de/", "https://daten.example.de#@evil.de/",
    "https://daten.example.de#.evil.de/", "https://daten.example.de%2eevil.de/", "https://daten.example.de%00.evil.de/",
    "https://daten.example.de%0d%0aX:1@evil.de/", "https://daten.example.de /", " https://daten.example.de/", "https://daten.example.de\t/",
    "https://daten.example.de\n/", "https://daten.example.de/\r\nHost: evil.de", "https:// daten.example.de/", "https://daten.example.de./",
    "https://.daten.example.de/", "https://daten..example.de/", "https://-daten.example.de/", "https://daten_.example.de/",
    # other schemes and none
    "http:daten.example.de", "//daten.example.de/", "https:/daten.example.de/", "https:///daten.example.de/", "https:\\\\daten.example.de/",
    "HTTPS://daten.example.de/", "ftp://daten.example.de/", "file:///etc/passwd", "gopher://daten.example.de/", "/vsicurl/https://daten.example.de/",
    "jar:https://daten.example.de/", "dict://daten.example.de:11211/", "ldap://daten.example.de/", "", "daten.example.de",
    # letters that become others
    "https://DATEN.example.de/", "https://däten.example.de/", "https://daten。example.de/", "https://daten.examp\u217ce.de/",
    "https://①②⑦.⓪.⓪.①/", "https://daten\u00ad.example.de/", "https://daten.example\u2024de/",
    # ports
    "https://daten.example.de:0/", "https://daten.example.de:0443/", "https://daten.example.de:65536/", "https://daten.example.de:99999/",
    "https://daten.example.de:/", "https://daten.example.de:-1/", "https://daten.example.de:443:443/", "https://daten.example.de:4４3/",
    # hosts as numbers with zones and the like
    "https://[fe80::1%25eth0]/", "https://[::1", "https://[::ffff:127.0.0.1]/", "https://[v1.x]/",
    "https://daten.example.de/ä", "https://daten.example.de/ b", "https://daten.example.de/" + "x" * 5000,
]  # fmt: skip

OTHERS = [
    # plain enough to be understood, and on no list: by name, in every dress of an address, next door to the allowed host
    "https://localhost/", "https://127.0.0.1/", "https://2130706433/", "https://0x7f000001/", "https://0177.0.0.1/", "https://127.1/",
    "https://0/", "https://0.0.0.0/", "https://[::1]/", "https://[::]/", "https://[0:0:0:0:0:0:0:1]/", "https://[fd00:ec2::254]/",
    "https://169.254.169.254/", "https://169.254.169.254.nip.io/", "https://metadata.google.internal/", "https://100.100.100.200/",
    "https://example.de/", "https://daten.example.de.evil.de/", "https://evildaten.example.de/", "https://xdaten.example.de/",
    "https://daten.example.com/", "https://daten-example.de/", "https://a.daten.example.de/",
    "http://daten.example.de/", "https://daten.example.de:80/", "https://daten.example.de:8443/", "http://daten.example.de:443/",
    "https://kreis.de/", "https://xkreis.de/", "https://kreis.de.evil.de/", "https://geo.kreis.de:8443/", "http://geo.kreis.de/",
]  # fmt: skip

LISTED = ["https://daten.example.de/", "https://daten.example.de:443/x", "https://daten.example.de?a=b", "https://geo.kreis.de/wfs?x=%20",
          "https://a.b.kreis.de/", "http://alt.kreis.net/", "https://alt.kreis.net/", "https://port.kreis.net:8443/"]  # fmt: skip
REACH = Reach.of("daten.example.de, *.kreis.de, http://alt.kreis.net, port.kreis.net:8443", "")


@pytest.mark.parametrize("written", SPELLINGS)
def test_an_address_that_could_be_taken_in_two_ways_is_refused(written: str) -> None:
    with pytest.raises(FileRefused, match="plain form"):
        Url.of(written)


@pytest.mark.parametrize("written", OTHERS)
def test_what_is_not_on_the_list_is_refused(written: str) -> None:
    with pytest.raises(FileRefused, match="not on the list"):
        REACH.check(Url.of(written))


@pytest.mark.parametrize("written", LISTED)
def test_what_is_on_the_list_may_be_fetched(written: str) -> None:
    REACH.check(Url.of(written))


def test_without_a_list_nothing_may_be_fetched() -> None:
    with pytest.raises(FileRefused):
        Reach.of("", "").check(Url.of("https://daten.example.de/"))


NOT_PUBLIC = [
    "127.0.0.1", "127.255.255.254", str(ip_address(0)), "0.1.2.3", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.0.1", "169.254.169.254",
    "100.64.0.1", "100.100.100.200", "192.0.0.192", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "192.88.99.1", "224.0.0.1",
    "239.255.255.250", "240.0.0.1", "255.255.255.255", "168.63.129.16",
    "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:0:127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1", "100::1", "2001::1",
    "2001:10::1", "2001:20::1", "2001:db8::1", "2002:7f00:1::", "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1",
]  # fmt: skip


@pytest.mark.parametrize("written", NOT_PUBLIC)
def test_what_is_not_the_public_internet_is_known(written: str) -> None:
    assert not is_public(ip_address(written))
    with pytest.raises(FileRefused, match="leads into a network"):
        REACH.check_address("daten.example.de", written)


@pytest.mark.parametrize("written", ["8.8.8.8", "93.184.216.34", "172.32.0.1", "100.128.0.1", "2a00:1450:4001::1", "2003:e7::1"])
def test_the_public_internet_is_open(written: str) -> None:
    assert str(REACH.check_address("daten.example.de", written)) == written


def test_a_private_network_is_open_where_the_town_says_so() -> None:
    reach = Reach.of("intern.kreis.de", "10.20.0.0/16, fd12::/16")
    assert (
        str(reach.check_address("intern.kreis.de", "10.20.3.4"))
        == str(reach.check_address("intern.kreis.de", "::ffff:10.20.3.4"))
        == "10.20.3.4"
    )
    assert str(reach.check_address("intern.kreis.de", "fd12::1")) == "fd12::1"
    for other in ("10.21.0.1", "127.0.0.1", "fd13::1", "nonsense", "fe80::1%eth0"):
        with pytest.raises(FileRefused):
            reach.check_address("intern.kreis.de", other)


@pytest.mark.parametrize(
    "hosts", ["*", "*.de", "https://", "daten.example.de/pfad", "DATEN.example.de", "a b", "ftp://daten.example.de", "a.*.de"]
)
def test_a_list_that_cannot_be_understood_opens_nothing(hosts: str) -> None:
    with pytest.raises(FileRefused, match="TWIN_SOURCE_HOSTS"):
        Reach.of(hosts, "")


@pytest.mark.parametrize("networks", ["10.0.0.1/8", "10.0.0.0/33", "intern", "*"])
def test_a_network_that_is_none_opens_nothing(networks: str) -> None:
    with pytest.raises(FileRefused, match="TWIN_SOURCE_NETWORKS"):
        Reach.of("", networks)


def test_a_link_behind_a_proxy_stays_encrypted() -> None:
    here = Url.of("https://geo.kreis.de/ogc/items?f=json")
    assert str(here.join("http://geo.kreis.de/ogc/items?f=json&offset=10")) == "https://geo.kreis.de/ogc/items?f=json&offset=10"
    assert str(here.join("?offset=20")) == "https://geo.kreis.de/ogc/items?offset=20"
