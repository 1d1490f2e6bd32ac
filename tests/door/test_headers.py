"""What browsers are told about every answer, whoever gives it."""

from __future__ import annotations

import asyncio
import re
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256

import httpx
import pytest

from tests.door.clients import client_as, client_of
from tests.towns import Serving, Town
from twin_api.main import create_preview

EVERY = ["/", "/healthz", "/readyz", "/nix", "/council", "/administration/bauhof", "/citizen", "/citizen?f=html", "/citizen?x=1",
         "/citizen/collections/nix", "/citizen/collections/baeume/items?limit=x", "/%0A", "/citizen/" + "a" * 9000]  # fmt: skip
PAGES = ["", "/collections", "/collections/baeume", "/collections/baeume/items", "/api", "/conformance"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST"])
@pytest.mark.parametrize("path", EVERY)
def test_every_answer_says_what_browsers_may_do_with_it(town: Town, path: str, method: str) -> None:
    answer = client_of(town).request(method, path)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["permissions-policy"] == "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
    assert answer.headers["cross-origin-resource-policy"] == ("cross-origin" if path.startswith("/citizen") else "same-origin")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert "server" not in answer.headers or answer.headers["server"] == "uvicorn"  # the tests' own server; `twin serve` says nothing


@pytest.mark.parametrize("path", EVERY)
def test_no_header_stands_twice_and_every_answer_speaks_of_caches(town: Town, path: str) -> None:
    names = [name.lower() for name, _ in client_of(town).get(path).headers.raw]
    assert len(names) == len(set(names))
    assert b"cache-control" in names


@pytest.mark.parametrize("role", ["citizen", "council", "administration/bauhof"])
@pytest.mark.parametrize("page", PAGES)
def test_a_page_needs_nothing_that_its_policy_forbids(town: Town, role: str, page: str) -> None:
    answer = client_as(town, role).get(f"/{role}{page}?f=html")
    styles = re.findall(r"<style>(.*?)</style>", answer.text, re.DOTALL)
    hashes = [f"'sha256-{b64encode(sha256(style.encode()).digest()).decode()}'" for style in styles]
    assert answer.headers["content-security-policy"] == (
        f"default-src 'none'; style-src {hashes[0]}; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    assert len(styles) == 1
    assert (
        re.findall(
            r"<(script|form|img|iframe|object|embed|base)\b|\s(?:on\w+|style|src)=|<link (?!rel=\"icon\" href=\"data:,\")", answer.text
        )
        == []
    )


def test_the_page_of_a_problem_has_the_policy_of_pages(town: Town) -> None:
    refused, page = (client_of(town).get(f"/citizen{path}?f=html") for path in ("/nix", "/collections"))
    assert (refused.status_code, refused.headers["content-security-policy"]) == (404, page.headers["content-security-policy"])
    styles = [re.findall(r"<style>(.*?)</style>", answer.text, re.DOTALL) for answer in (refused, page)]
    assert styles[0] == styles[1] != []


def test_data_may_load_nothing(town: Town) -> None:
    for path in ("/citizen", "/nix", "/citizen/collections/baeume/items"):
        assert client_of(town).get(path).headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"


@pytest.fixture(scope="module")
def https(town: Town) -> Iterator[httpx.Client]:
    serving = Serving(town.settings(base_url="https://twin.example"))
    with httpx.Client(base_url=serving.address) as client:
        yield client
    serving.stop()


@pytest.mark.parametrize("path", EVERY)
def test_https_is_asked_for_only_where_it_is_known(town: Town, https: httpx.Client, path: str) -> None:
    assert https.get(path).headers["strict-transport-security"] == "max-age=31536000"
    assert "strict-transport-security" not in client_of(town).get(path).headers
    forwarded = client_of(town).get(path, headers={"X-Forwarded-Proto": "https"})  # the tests' server listens to this machine as a proxy
    assert forwarded.headers["strict-transport-security"] == "max-age=31536000"


def test_no_page_of_another_origin_reads_a_preview(town: Town) -> None:
    """It shows what nobody has released yet, and any page in the browser of whoever looks at it can call this machine."""

    async def ask() -> list[httpx.Response]:
        transport = httpx.ASGITransport(create_preview(town.server, "citizen", "citizen", town.settings()))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return [await client.get("/citizen/nix", headers={"Origin": "https://evil.example"}), await client.options("/citizen")]

    for answer in asyncio.run(ask()):
        assert [name for name in answer.headers if name.startswith("access-control")] == []
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
