"""The images are built and compose.yaml brings a town up from nothing. Wants podman, podman-compose and the base image of the Dockerfile."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.cli.test_demo import _free_port

PROJECT = Path(__file__).parents[2]
BASE = "docker.io/library/debian:bookworm-slim"
LIBRARIES = "/opt/twin/lib/python3.11/site-packages/twin_api"


def _is_possible() -> bool:
    if not (shutil.which("podman") and shutil.which("podman-compose")):
        return False
    return subprocess.run(["podman", "image", "exists", BASE], check=False).returncode == 0


pytestmark = [pytest.mark.acceptance, pytest.mark.skipif(not _is_possible(), reason="no podman, podman-compose or base image here")]


class Compose:
    def __init__(self, folder: Path) -> None:
        self.project = f"twin{os.getpid()}"
        self.ports = {"api": _free_port(), "citizen": _free_port()}
        self._told = {
            **os.environ, "TWIN_TOWN": str(folder), "TWIN_PORT": str(self.ports["api"]), "TWIN_CITIZEN_PORT": str(self.ports["citizen"]),
        }  # fmt: skip

    def __call__(self, *words: str) -> None:
        ended = subprocess.run(["podman-compose", "-p", self.project, *words], cwd=PROJECT, env=self._told, capture_output=True, text=True)
        assert ended.returncode == 0, ended.stderr

    def podman(self, verb: str, service: str, *words: str) -> subprocess.CompletedProcess[str]:
        command = ["podman", *verb.split(), f"{self.project}_{service}_1", *words]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def wait_until_well(self, service: str) -> None:
        """As an engine does by itself; podman asks only where systemd runs."""
        end = time.monotonic() + 240
        while self.podman("healthcheck run", service).returncode != 0:
            assert time.monotonic() < end, self.podman("logs", service)
            time.sleep(1)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Compose]:
    for target in ("store", "full", "citizen"):
        build = ["podman", "build", "--format", "docker", "--isolation", "chroot", "--network", "host", "--layers"]
        built = subprocess.run([*build, "--target", target, "-t", f"twin-api-{target}", "."], cwd=PROJECT, capture_output=True, text=True)
        assert built.returncode == 0, built.stderr[-2000:]
    folder = tmp_path_factory.mktemp("town") / "mytown"
    subprocess.run([sys.executable, "-m", "twin_api.cli", "init", str(folder)], cwd=PROJECT, check=True, capture_output=True)
    folder.parent.chmod(0o755)
    folder.parent.parent.chmod(0o755)
    compose = Compose(folder)
    try:
        compose("up", "-d", "--no-build", "store")
        compose.wait_until_well("store")
        compose("up", "-d", "--no-build", "--no-deps", "migrate")
        assert compose.podman("wait", "migrate").stdout.strip() == "0", compose.podman("logs", "migrate")
        compose("up", "-d", "--no-build", "--no-deps", "work", "api", "citizen")
        for service in ("api", "citizen"):
            compose.wait_until_well(service)
        yield compose
    finally:
        compose("down", "-v")


def test_both_servers_answer_and_the_citizens_one_knows_no_other_role(town: Compose) -> None:
    for service, council in (("api", 401), ("citizen", 404)):
        with httpx.Client(base_url=f"http://127.0.0.1:{town.ports[service]}", timeout=30) as client:
            assert [each["id"] for each in client.get("/citizen/collections").json()["collections"]] == ["baeume"]
            assert client.get("/council").status_code == council


def test_the_citizens_container_holds_one_secret_and_none_of_what_makes_twins(town: Compose) -> None:
    assert town.podman("exec", "citizen", "ls", "-A", "/run/twin/citizen").stdout.split() == [".handed", "citizen"]
    rooms = set(town.podman("exec", "citizen", "ls", LIBRARIES).stdout.split())
    assert rooms & {"cli", "imports", "migrations", "publish", "sample", "work"} == set()
    assert {"door", "store"} <= rooms
    assert town.podman("exec", "citizen", "find", "/", "-xdev", "-name", "town.yaml").stdout == ""


def test_with_the_citizens_secret_nobody_else_can_log_in(town: Compose) -> None:
    program = (
        "import psycopg, pathlib; word = pathlib.Path('/run/twin/citizen/citizen').read_text().strip()\n"
        "for who in ('twin_citizen', 'twin_council', 'twin_owner', 'postgres'):\n"
        "    try: psycopg.connect(f'host=store dbname=twin user={who}', password=word).close(); print(who)\n"
        "    except psycopg.OperationalError: pass"
    )
    assert town.podman("exec", "citizen", "python", "-c", program).stdout.split() == ["twin_citizen"]


def test_containers_run_as_nobody_special_on_a_file_system_that_nobody_can_write(town: Compose) -> None:
    for service in ("store", "work", "api", "citizen"):
        assert town.podman("exec", service, "id", "-u").stdout.strip() == "10001"
        assert town.podman("exec", service, "touch", "/opt/twin-was-here").returncode != 0
        assert "CapEff:\t0000000000000000" in town.podman("exec", service, "grep", "CapEff", "/proc/1/status").stdout


def test_a_policy_change_reaches_the_running_servers(town: Compose) -> None:
    command = ["--profile", "command", "run", "--rm", "--no-deps", "command", "policy", "apply"]
    town(*command)
    assert httpx.get(f"http://127.0.0.1:{town.ports['citizen']}/citizen/collections/baeume/items", timeout=30).json()["numberMatched"] == 0
