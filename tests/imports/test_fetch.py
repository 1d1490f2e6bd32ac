"""Fetching by address: what is on the list arrives whole, everything else is refused before or while it comes."""

from __future__ import annotations

import gzip
import hashlib
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.imports.certificates import Certificates
from tests.imports.servers import LOOPBACK, Answer, Asked, Server, answering, talking
from twin_api.imports.fetching.fetch import Answer as Fetched
from twin_api.imports.fetching.fetch import Fetcher
from twin_api.imports.fetching.pinned import Budget, Resolve
from twin_api.imports.fetching.reach import Reach, Url
from twin_api.imports.finding import FileRefused

BODY = b"nr;art\n1;Linde\n" * 1000
LONG_S = 20.0  # by then a test has failed


def ok(body: bytes = BODY, **headers: str) -> Callable[[Asked], Answer]:
    return lambda asked: (200, {name.replace("_", "-"): value for name, value in headers.items()}, body)


def fetch(
    server: Server, folder: Path, path: str = "/x.csv?key=CANARY", *, budget: Budget | None = None, reach: Reach | None = None,
    resolve: Resolve | None = None, host: str = "127.0.0.1", headers: dict[str, str] | None = None,
) -> Fetched:  # fmt: skip
    reach = reach or Reach.of(server.hosts, LOOPBACK)
    with Fetcher(reach, folder, budget or Budget.of(LONG_S), *([resolve] if resolve else [])) as fetcher:
        return fetcher.get(Url.of(server.url(path, host)), "answer", headers)


def refusal(*arguments: object, **more: object) -> str:
    with pytest.raises(FileRefused) as caught:
        fetch(*arguments, **more)  # type: ignore[arg-type]
    assert "CANARY" not in str(caught.value)
    return caught.value.findings[0].text().say("en")


def test_a_file_arrives_whole_with_its_checksum(tmp_path: Path) -> None:
    with answering(ok(ETag='"7"')) as server:
        answer = fetch(server, tmp_path)
    assert answer.path.read_bytes() == BODY
    assert answer.path.stat().st_mode & 0o777 == 0o600
    assert (answer.sha256, answer.size, answer.headers["etag"]) == (hashlib.sha256(BODY).hexdigest(), len(BODY), '"7"')
    assert server.asked[0].query == {"key": "CANARY"}


def test_nothing_of_this_machine_goes_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    with answering(ok(Set_Cookie="a=b")) as server:
        reach = Reach.of(server.hosts, LOOPBACK)
        with Fetcher(reach, tmp_path, Budget.of(LONG_S)) as fetcher:
            fetcher.get(Url.of(server.url()), "one")
            fetcher.get(Url.of(server.url()), "two")
    assert [set(asked.headers) for asked in server.asked] == [{"host", "accept", "accept-encoding", "user-agent"}] * 2


def test_what_has_not_changed_is_not_sent_again(tmp_path: Path) -> None:
    def answer(asked: Asked) -> Answer:
        return (304, {}, b"") if asked.headers.get("if-none-match") == '"7"' else (200, {"ETag": '"7"'}, BODY)

    with answering(answer) as server:
        assert fetch(server, tmp_path, headers={"if-none-match": '"7"'}).unchanged
        assert fetch(server, tmp_path, headers={"if-none-match": '"6"'}).path.read_bytes() == BODY


def test_a_304_that_nobody_asked_for_is_refused(tmp_path: Path) -> None:
    with answering(lambda asked: (304, {}, b"")) as server:
        assert "answers with 304" in refusal(server, tmp_path)


@pytest.mark.parametrize("pieces", [1, 3])
def test_a_packed_answer_is_unpacked(tmp_path: Path, pieces: int) -> None:
    packed = b"".join(gzip.compress(BODY) for _ in range(pieces))
    with answering(ok(packed, Content_Encoding="gzip")) as server:
        answer = fetch(server, tmp_path)
    assert answer.path.read_bytes() == BODY * pieces


BROKEN = {
    "cut off": (gzip.compress(BODY)[:-20], "gzip", "the packed answer is damaged"),
    "no gzip": (BODY, "gzip", "the packed answer is damaged"),
    "another packing": (BODY, "br", "packed in another way"),
    "two packings": (gzip.compress(gzip.compress(BODY)), "gzip, gzip", "packed in another way"),
    "bomb": (gzip.compress(bytes(1 << 26)), "gzip", "grows too large"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_badly_packed_answer_is_refused(tmp_path: Path, case: str) -> None:
    body, encoding, expected = BROKEN[case]
    with answering(ok(body, Content_Encoding=encoding)) as server:
        assert expected in refusal(server, tmp_path)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 1 << 25


@pytest.mark.parametrize("announced", [True, False])
def test_an_answer_that_is_too_large_is_cut_off(tmp_path: Path, announced: bool) -> None:
    def talk(connection: socket.socket) -> None:
        length = b"Content-Length: 99999999\r\n" if announced else b""
        connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n" + length + b"\r\n")
        while True:
            connection.sendall(bytes(1 << 16))

    with talking(talk) as server:
        assert "the answer is too large" in refusal(server, tmp_path, budget=Budget.of(LONG_S, 1 << 20))
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= (0 if announced else 1 << 20)


def drip(start: bytes) -> Callable[[socket.socket], None]:
    def talk(connection: socket.socket) -> None:
        connection.sendall(start)
        for _ in range(200):
            connection.sendall(b"x")
            time.sleep(0.05)

    return talk


@pytest.mark.parametrize(
    "start", [b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", b"HTTP/1.1 200 OK\r\nX-Long: "], ids=["body", "headers"]
)
def test_a_byte_now_and_then_buys_no_time(tmp_path: Path, start: bytes) -> None:
    with talking(drip(start)) as server:
        begun = time.monotonic()
        assert "takes too long" in refusal(server, tmp_path, budget=Budget.of(0.5))
        assert time.monotonic() - begun < LONG_S / 2


ODD = {
    "less than announced": (b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\nshort", "breaks off"),
    "no HTTP": (b"SSH-2.0-OpenSSH_9.2\r\n", "breaks off"),
    "endless headers": (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000, "breaks off"),
    "two lengths": (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", "breaks off"),
    "broken chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "breaks off"),
    "a length of many digits": (b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n", "breaks off"),
    "nothing": (b"", "breaks off"),
    "a part of it": (b"HTTP/1.1 206 Partial Content\r\nContent-Length: 2\r\n\r\nab", "answers with 206"),
    "another protocol": (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", "breaks off"),
}


@pytest.mark.parametrize("case", ODD)
def test_an_answer_that_is_none_is_refused(tmp_path: Path, case: str) -> None:
    said, expected = ODD[case]
    with talking(lambda connection: connection.sendall(said)) as server:
        assert expected in refusal(server, tmp_path)


@pytest.mark.parametrize("status", [401, 403, 404, 410, 429, 500, 503])
def test_a_status_that_is_not_200_is_named(tmp_path: Path, status: int) -> None:
    with answering(lambda asked: (status, {}, b"CANARY")) as server:
        assert f"answers with {status}" in refusal(server, tmp_path)


def test_nobody_there_is_a_finding_and_no_crash(tmp_path: Path) -> None:
    with answering(ok()) as server:
        pass
    assert "cannot be reached" in refusal(server, tmp_path)


REDIRECTS = {
    "metadata": "http://169.254.169.254/latest/meta-data",
    "another host": "http://localhost:{port}/y",
    "another port": "http://127.0.0.1:1/y",
    "a file": "file:///etc/passwd",
    "no address": "http://[",
    "credentials": "http://a:b@127.0.0.1:{port}/y",
    "nowhere": "",
}


@pytest.mark.parametrize("case", REDIRECTS)
def test_a_redirect_elsewhere_is_not_followed(tmp_path: Path, case: str) -> None:
    with answering(lambda asked: (302, {"Location": REDIRECTS[case].format(port=server.port)}, b"")) as server:
        refusal(server, tmp_path)
    assert {asked.path for asked in server.asked} == {"/x.csv"}


def test_a_redirect_within_the_host_is_followed_a_few_times(tmp_path: Path) -> None:
    def answer(asked: Asked) -> Answer:
        step = int(asked.path.strip("/") or 0)
        return (200, {}, b"end") if step == 5 else (307, {"Location": f"/{step + 1}"}, b"")

    with answering(answer) as server:
        assert fetch(server, tmp_path, "/0").size == 3
        assert "redirects in circles" in refusal(server, tmp_path, "/6")


def test_a_host_that_is_not_on_the_list_is_never_asked(tmp_path: Path) -> None:
    with answering(ok()) as server:
        assert "is not on the list" in refusal(server, tmp_path, reach=Reach.of("daten.example.de", LOOPBACK))
    assert server.asked == []


def test_an_address_in_a_private_network_is_never_connected_to(tmp_path: Path) -> None:
    with answering(ok()) as server:
        reach = Reach.of(f"http://daten.example.de:{server.port}", "")
        for leads_to in (["127.0.0.1"], ["93.184.216.34", "127.0.0.1"], ["::ffff:127.0.0.1"], ["::1"], []):
            refusal(server, tmp_path, reach=reach, host="daten.example.de", resolve=lambda host, port, to=leads_to: to)  # type: ignore[misc]
    assert server.asked == []


def test_a_name_that_leads_elsewhere_the_second_time_is_asked_for_once_only(tmp_path: Path) -> None:
    """DNS rebinding: the address that was checked is the address that is connected to."""
    asked: list[str] = []

    def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["169.254.169.254"]

    with answering(ok()) as server:
        reach = Reach.of(f"http://daten.example.de:{server.port}", LOOPBACK)
        with Fetcher(reach, tmp_path, Budget.of(LONG_S), rebinding) as fetcher:
            for name in ("one", "two"):
                assert fetcher.get(Url.of(server.url("/", "daten.example.de")), name).size == len(BODY)
    assert asked == ["daten.example.de"]
    assert [request.headers["host"] for request in server.asked] == [f"daten.example.de:{server.port}"] * 2


def test_a_new_connection_is_checked_anew(tmp_path: Path) -> None:
    leads_to = iter((["127.0.0.1"], ["169.254.169.254"]))
    with answering(ok(Connection="close")) as server:
        reach = Reach.of(f"http://daten.example.de:{server.port}", LOOPBACK)
        with Fetcher(reach, tmp_path, Budget.of(LONG_S), lambda host, port: next(leads_to)) as fetcher:
            fetcher.get(Url.of(server.url("/", "daten.example.de")), "one")
            with pytest.raises(FileRefused, match="leads into a network"):
                fetcher.get(Url.of(server.url("/", "daten.example.de")), "two")


def test_the_next_address_of_a_name_is_tried_where_the_first_is_dead(tmp_path: Path) -> None:
    with answering(ok()) as server:
        reach = Reach.of(f"http://daten.example.de:{server.port}", LOOPBACK)
        answer = fetch(server, tmp_path, reach=reach, host="daten.example.de", resolve=lambda host, port: ["127.0.0.9", "127.0.0.1"])
    assert answer.size == len(BODY)


def to_this_machine(host: str, port: int) -> list[str]:
    return ["127.0.0.1"]


def test_the_certificate_must_be_of_the_name_and_of_a_known_authority(tmp_path: Path, certificates: Certificates) -> None:
    with answering(ok(), certificates.server("daten.example.de")) as server:
        hosts = f"daten.example.de:{server.port}, andere.example.de:{server.port}"
        known = Reach.of(hosts, LOOPBACK, certificates.authority)
        assert fetch(server, tmp_path, reach=known, host="daten.example.de", resolve=to_this_machine).size == len(BODY)
        for reach, host in ((known, "andere.example.de"), (Reach.of(hosts, LOOPBACK), "daten.example.de")):
            assert "has no valid certificate" in refusal(server, tmp_path, reach=reach, host=host, resolve=to_this_machine)
    assert len(server.asked) == 1


def test_without_encryption_only_where_the_list_says_so(tmp_path: Path) -> None:
    with answering(ok()) as server:
        assert "is not on the list" in refusal(server, tmp_path, reach=Reach.of(f"127.0.0.1:{server.port}", LOOPBACK))
    assert server.asked == []
