"""What the example for nginx keeps for a second, and what it never keeps."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.programs import Client, program, proxy
from tests.deploy.upstream import Upstream, upstream
from tests.imports.certificates import found

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Client, Upstream, Upstream]]:
    program("nginx")
    folder: Path = tmp_path_factory.mktemp("cached")
    # five seconds, so that a slow machine does not see the end of one
    with (
        upstream("citizen") as citizen,
        upstream("others") as others,
        proxy("nginx", folder / "nginx", found(folder), citizen.port, others.port, **{"proxy_cache_valid 200 1s": "proxy_cache_valid 200 5s"}) as kept,
        kept.client() as client,
    ):  # fmt: skip
        yield client, citizen, others


def test_a_citizens_answer_is_kept_for_the_same_question_alone(asked: tuple[Client, Upstream, Upstream]) -> None:
    client, citizen, _ = asked
    for headers in ({}, {"Accept": "text/html"}, {"Accept-Language": "en"}, {"Accept-Encoding": "zstd"}):
        before = len(citizen.asked)
        first, second = client.get("/citizen/kept", headers=headers), client.get("/citizen/kept", headers=headers)
        assert first.content == second.content
        assert len(citizen.asked) - before == 1
    assert citizen.asked.count("/citizen/kept") == 4


@pytest.mark.parametrize(("path", "headers"), [
    ("/citizen/token", {"Authorization": "Bearer x"}),
    ("/citizen/missing", {}),
    ("/healthz", {}),
    ("/council", {"Authorization": "Bearer x"}),
    ("/administration/bauhof", {}),
])  # fmt: skip
def test_nothing_else_is_ever_kept(asked: tuple[Client, Upstream, Upstream], path: str, headers: dict[str, str]) -> None:
    client, citizen, others = asked
    before = len(citizen.asked) + len(others.asked)
    for _ in range(3):
        client.get(path, headers=headers)
    assert len(citizen.asked) + len(others.asked) - before == 3


def test_a_kept_answer_is_not_given_to_a_token(asked: tuple[Client, Upstream, Upstream]) -> None:
    client, citizen, _ = asked
    client.get("/citizen/both")
    assert "authorization" in client.get("/citizen/both", headers={"Authorization": "Bearer x"}).json()["headers"]
    assert "authorization" not in client.get("/citizen/both").json()["headers"]
    assert citizen.asked.count("/citizen/both") == 2


def test_after_its_second_an_answer_is_asked_for_anew(tmp_path: Path) -> None:
    """As the example stands: one second in whole seconds of the clock, so less than two."""
    with (
        upstream("citizen") as citizen,
        proxy("nginx", tmp_path / "nginx", found(tmp_path), citizen.port, citizen.port) as kept,
        kept.client() as client,
    ):
        client.get("/citizen/old")
        time.sleep(2)
        client.get("/citizen/old")
        assert len(citizen.asked) == 2
