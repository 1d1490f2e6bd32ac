"""Which coding an answer comes in, and that each coding is a representation of its own."""

from __future__ import annotations

import asyncio
import gzip
import threading
from contextlib import closing
from itertools import permutations

import httpx
import pytest
import zstandard

from tests.door.clients import client_of
from tests.towns import Town
from twin_api.door.coding import ASIDE, WORTH_IT, Coding, packed

LARGE, SMALL = "/citizen/api?f=json", "/citizen/collections/baeume/sortables?f=json"
CODINGS = ["identity", "gzip", "zstd"]


def ask(town: Town, path: str, accept_encoding: str | None, **headers: str) -> tuple[httpx.Response, bytes]:
    """The answer with its body as it came over the wire."""
    client = client_of(town)
    request = client.build_request("GET", path, headers=headers)
    del request.headers["accept-encoding"]
    if accept_encoding is not None:
        request.headers["accept-encoding"] = accept_encoding
    with closing(client.send(request, stream=True)) as answer:
        raw = b"".join(answer.iter_raw())
    return answer, raw


def unpack(coding: str | None, raw: bytes) -> bytes:
    match coding:
        case "gzip":
            return gzip.decompress(raw)
        case "zstd":
            return zstandard.ZstdDecompressor().decompress(raw)
        case _:
            assert coding is None
            return raw


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        (None, None),
        ("", None),
        ("gzip", "gzip"),
        ("x-gzip", "gzip"),
        ("GZip", "gzip"),
        ("zstd", "zstd"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip, deflate, br", "gzip"),
        ("gzip;q=1.0, zstd;q=0.5", "gzip"),
        ("gzip;q=0.5, zstd;q=0.5", "zstd"),
        ("gzip;q=0", None),
        ("gzip;q=0, zstd;q=0", None),
        ("zstd;q=0, *", "gzip"),
        ("gzip;q=0, *", None),
        ("*", "gzip"),
        ("*;q=0, zstd", "zstd"),
        ("identity, gzip;q=0.5", None),
        ("identity;q=0.5, gzip;q=0.9", "gzip"),
        ("identity;q=0.5, gzip;q=0.5", "gzip"),
        ("identity;q=0, gzip;q=0.1", "gzip"),
        ("deflate, br", None),
        ("gzip;q=nan", None),
        ("gzip;q=x, zstd", "zstd"),
        (";;,=q;", None),
        (",".join(["gzip"] * 200), None),
    ],
)
def test_the_coding_is_the_one_most_wanted(town: Town, accepted: str | None, coding: str | None) -> None:
    plain, body = ask(town, LARGE, "identity")
    answer, raw = ask(town, LARGE, accepted)
    assert (answer.status_code, answer.headers.get("content-encoding")) == (200, coding)
    assert unpack(coding, raw) == body
    assert len(body) >= WORTH_IT
    assert answer.headers["content-length"] == str(len(raw))
    assert answer.headers["content-type"] == plain.headers["content-type"]


@pytest.mark.parametrize("accepted", ["identity;q=0", "*;q=0", "br, *;q=0", "gzip;q=0, identity;q=0", "zstd;q=0, *;q=0"])
def test_who_takes_no_coding_at_all_is_told_what_is_offered(town: Town, accepted: str) -> None:
    for path in (LARGE, SMALL):
        answer, _ = ask(town, path, accepted)
        assert (answer.status_code, answer.headers["cache-control"]) == (406, "no-store")


def test_a_small_answer_stays_as_it_is_unless_plain_bytes_are_refused(town: Town) -> None:
    answer, raw = ask(town, SMALL, "gzip, zstd")
    assert "content-encoding" not in answer.headers
    assert len(raw) < WORTH_IT
    packed, packed_raw = ask(town, SMALL, "gzip, identity;q=0")
    assert unpack(packed.headers["content-encoding"], packed_raw) == raw


def test_accept_encoding_may_stand_on_several_lines(town: Town) -> None:
    answer = client_of(town).get(LARGE, headers=[("Accept-Encoding", "gzip;q=0.1"), ("Accept-Encoding", "zstd")])
    assert answer.headers["content-encoding"] == "zstd"


@pytest.mark.parametrize(("held", "wanted"), list(permutations(CODINGS, 2)))
def test_the_tag_of_one_coding_does_not_answer_for_another(town: Town, held: str, wanted: str) -> None:
    tag = ask(town, LARGE, held)[0].headers["etag"]
    other, _ = ask(town, LARGE, wanted, **{"If-None-Match": tag})
    assert other.status_code == 200
    assert other.headers["etag"] != tag
    assert not tag.startswith("W/")


@pytest.mark.parametrize("coding", CODINGS)
def test_the_tag_of_the_same_coding_gives_304_with_the_same_headers(town: Town, coding: str) -> None:
    first, _ = ask(town, LARGE, coding)
    again, raw = ask(town, LARGE, coding, **{"If-None-Match": f'"other", W/{first.headers["etag"]}'})
    assert (again.status_code, raw) == (304, b"")
    assert {name: again.headers[name] for name in ("etag", "vary", "cache-control")} == {
        name: first.headers[name] for name in ("etag", "vary", "cache-control")
    }


@pytest.mark.parametrize("coding", CODINGS[1:])
def test_equal_answers_are_packed_into_equal_bytes(town: Town, coding: str) -> None:
    assert ask(town, LARGE, coding)[1] == ask(town, LARGE, coding)[1]


def test_a_large_answer_is_packed_beside_the_event_loop() -> None:
    threads: list[int] = []
    watching = Coding("gzip", lambda body: threads.append(threading.get_ident()) or gzip.compress(body, 1))  # type: ignore[func-returns-value]
    asyncio.run(packed(watching, b"x" * (ASIDE - 1)))
    asyncio.run(packed(watching, b"x" * ASIDE))
    assert threads[0] == threading.get_ident() != threads[1]
