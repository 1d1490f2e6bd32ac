"""The demo as a person starts it: everything from nothing, tokens that work, a second start that is quick."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from twin_api.store.embedded import Cluster
from twin_api.store.secrets import Secrets

pytestmark = pytest.mark.slow
TOKEN = re.compile(r"(http://\S+)\s+(dtw_\w+)")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@contextmanager
def _demo(home: Path, *arguments: str, said: list[str] | None = None) -> Iterator[tuple[subprocess.Popen[str], str, Mapping[str, str]]]:
    """A running demo: the process, its address, and its tokens by role."""
    port = _free_port()
    told = {**os.environ, "TWIN_HOME": str(home), "PORT": str(port), "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen([sys.executable, "-m", "twin_api.cli", "demo", *arguments], env=told, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    lines = [] if said is None else said
    try:
        for line in process.stdout:
            lines.append(line)
            if "Strg-C" in line or "Ctrl-C" in line:
                break
        address = f"http://127.0.0.1:{port}"
        tokens = {url.removeprefix(f"{address}/"): token for url, token in TOKEN.findall("".join(lines))}
        assert tokens, "".join(lines)
        yield process, address, tokens
    finally:
        process.send_signal(signal.SIGTERM)
        process.stdout.close()
        process.wait(40)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("demo")
    yield home
    Cluster(home, Secrets(home / "secrets")).remove()


def _collections(address: str, role: str, token: str | None) -> dict[str, int]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with httpx.Client(base_url=f"{address}/{role}/", headers=headers, timeout=30) as client:
        names = [c["id"] for c in client.get("collections").raise_for_status().json()["collections"]]
        return {name: client.get(f"collections/{name}/items?limit=1").raise_for_status().json()["numberMatched"] for name in names}


def test_the_demo_serves_the_sample_town_and_a_second_start_is_quick(home: Path) -> None:
    with _demo(home) as (_, address, first):
        twins = {role: _collections(address, role, token) for role, token in [("citizen", None), *first.items()]}
        assert all(twins["citizen"].keys() <= other.keys() for other in twins.values())
        assert twins["citizen"]["flurstuecke"] > 4_000
        assert "kanalschaechte" not in twins["citizen"]
        assert twins["council"]["kanalschaechte"] < twins["administration"]["kanalschaechte"]
    started = time.monotonic()
    with _demo(home) as (_, address, second):
        assert time.monotonic() - started < 30  # a limit of harm; some four seconds on an idle machine
        assert second.keys() == first.keys()
        for role in first:
            assert httpx.get(f"{address}/{role}", headers={"Authorization": f"Bearer {first[role]}"}).status_code == 401
            assert httpx.get(f"{address}/{role}", headers={"Authorization": f"Bearer {second[role]}"}).status_code == 200
        assert {role: _collections(address, role, token) for role, token in [("citizen", None), *second.items()]} == twins


@pytest.mark.long  # a second town from nothing
def test_the_demo_leads_around_once_in_a_folder_with_a_blank_in_its_name(tmp_path: Path) -> None:
    home, lines = tmp_path / "home with a blank", []
    try:
        with _demo(home, "--size", "5000", said=lines) as (_, address, tokens):
            assert _collections(address, "administration", tokens["administration"])["kanalschaechte"] > 150
        tour = "".join(lines)
        assert "Derselbe Schacht" in tour
        assert re.search(r"Bürger +404", tour)
        assert re.search(r"Bürger +unverändert: ETag", tour)
        assert re.search(r"Abwasser +neu: ETag", tour)
        assert "▲ strassen: geändert" in tour
        assert "Bürger 404, Rat 404, Bauhof 404, Abwasser 404, und so bleibt es" in tour
        assert "Alles ist wieder, wie es war." in tour
    finally:
        Cluster(home, Secrets(home / "secrets")).remove()


def _falls_silent(address: str) -> bool:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            httpx.get(f"{address}/healthz")
        except httpx.TransportError:
            return True
        time.sleep(0.05)
    return False


def test_a_demo_that_is_killed_starts_again_with_everything_as_before(home: Path) -> None:
    with _demo(home) as (process, address, _):
        before = _collections(address, "citizen", None)
        process.kill()
        process.wait(10)
        assert _falls_silent(address)  # its server ends with it
    with _demo(home) as (_, address, _):
        assert _collections(address, "citizen", None) == before


def test_ctrl_c_ends_the_demo_with_a_farewell(home: Path) -> None:
    port = _free_port()
    told = {**os.environ, "TWIN_HOME": str(home), "PORT": str(port), "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "twin_api.cli", "demo"], env=told, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout is not None
    for line in process.stdout:
        if "Strg-C" in line:
            break
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the whole group
    rest = process.stdout.read()
    assert "Auf Wiedersehen" in rest
    assert process.wait(40) == 0
    process.stdout.close()


def test_the_demo_does_not_fill_somebody_elses_database(tmp_path: Path) -> None:
    told = {**os.environ, "TWIN_HOME": str(tmp_path / "home"), "TWIN_DATABASE_URL": "postgresql://a:b@localhost/town"}
    ended = subprocess.run([sys.executable, "-m", "twin_api.cli", "demo"], env=told, capture_output=True, text=True)
    assert ended.returncode == 1
    assert "TWIN_DATABASE_URL" in ended.stderr


def test_a_taken_port_is_said_before_anything_is_done(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        told = {**os.environ, "TWIN_HOME": str(tmp_path / "home"), "PORT": str(taken.getsockname()[1])}
        ended = subprocess.run([sys.executable, "-m", "twin_api.cli", "demo"], env=told, capture_output=True, text=True)
    assert ended.returncode == 1
    assert "ist belegt" in ended.stderr
    assert not (tmp_path / "home" / "cluster").exists()
