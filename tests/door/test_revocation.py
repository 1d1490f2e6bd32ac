"""A revocation holds in every process within two seconds."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.towns import Town
from twin_api.store.control import revoke_tokens

PROJECT = Path(__file__).parent.parent.parent


@contextmanager
def a_process(town: Town) -> Iterator[str]:
    """A server process of its own, as `twin serve` starts it; its address."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    told = {"TWIN_SERVER": town.server.address, "TWIN_SECRETS": str(town.secrets.folder), "TWIN_ROLES": "all"}
    command = [sys.executable, "-m", "uvicorn", "twin_api.main:create_served_app", "--factory", "--port", str(port), "--log-level", "error"]
    process = subprocess.Popen(command, env=os.environ | told, cwd=PROJECT)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(address: str) -> None:
    for _ in range(200):
        try:
            httpx.get(f"{address}/healthz")
            return
        except httpx.ConnectError:
            time.sleep(0.05)
    raise AssertionError("the server did not start")


@pytest.mark.slow
def test_a_revoked_token_is_refused_everywhere_within_two_seconds(town: Town) -> None:
    token = town.token("council", name="to be revoked")
    with a_process(town) as one, a_process(town) as two, httpx.Client(headers={"Authorization": f"Bearer {token}"}) as client:
        for address in (one, two):
            _wait_for(address)
            assert client.get(f"{address}/council").status_code == 200
        with town.login("owner") as connection:
            revoke_tokens(connection, "to be revoked")
        revoked_at = time.monotonic()
        refused_after: dict[str, float] = {}
        while len(refused_after) < 2 and time.monotonic() - revoked_at < 5:
            for address in (one, two):
                if client.get(f"{address}/council").status_code == 401:
                    refused_after.setdefault(address, time.monotonic() - revoked_at)
            time.sleep(0.02)
        assert max(refused_after.values()) < 2
        time.sleep(1.1)
        assert [client.get(f"{address}/citizen").status_code for address in (one, two)] == [401, 401]
