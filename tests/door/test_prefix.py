"""An application that stands below a path of another one, or behind a proxy that says so, keeps to it in every address."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext

import httpx
import pytest
from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.towns import Town
from twin_api.door.front import Front
from twin_api.door.place import path_in
from twin_api.main import create_app

BELOW = "/zwilling"


def ask(app: ASGIApp, path: str) -> httpx.Response:
    async def answer() -> httpx.Response:
        where = httpx.ASGITransport(app, root_path=BELOW)
        here = app.router.lifespan_context(app) if isinstance(app, FastAPI) else nullcontext()
        async with httpx.AsyncClient(transport=where, base_url="http://twin.example") as client, here:
            return await client.get(f"{BELOW}{path}", headers={"Accept": "text/html"})

    return asyncio.run(answer())


@pytest.fixture
def app(town: Town) -> FastAPI:
    return create_app(town.settings())


@pytest.mark.parametrize("path", ["/nix", "/?nix=1", "/healthz%0A", "/citizen/nix", "/council/collections", "/citizen/collections?nix=1"])
def test_the_way_home_from_a_problem_stays_below(app: FastAPI, path: str) -> None:
    refused = ask(app, path)
    assert refused.status_code >= 400
    assert f'href="{BELOW}/"' in refused.text


def test_so_does_the_way_home_from_what_nobody_expected() -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError

    for base_url, home in (("", BELOW), ("https://twin.example/dort/", "https://twin.example/dort")):
        refused = ask(Front(broken, (), "de", base_url=base_url), "/citizen")
        assert refused.status_code == 500
        assert f'href="{home}/"' in refused.text


def test_only_a_whole_step_of_the_path_is_the_prefix() -> None:
    found = {path: path_in({"path": path, "root_path": "/geo"}) for path in ("/geo/citizen", "/geo", "/geo/", "/geocitizen", "/citizen")}
    assert found == {"/geo/citizen": "/citizen", "/geo": "", "/geo/": "/", "/geocitizen": "/geocitizen", "/citizen": "/citizen"}


def test_the_addresses_of_the_house_itself_are_found_below(app: FastAPI) -> None:
    assert ask(app, "/").headers["location"] == f"{BELOW}/citizen"
    assert ask(app, "/healthz").text == "ok\n"
    assert ask(app, "/readyz").text in ("ready\n", "not ready\n")
