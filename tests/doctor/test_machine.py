"""A whole machine of its own: cluster, policies, processes. All is well; then its server is opened, and its processes share a user."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import orjson
import psycopg
import pytest

from tests.approving import approve_all
from tests.cli.test_commands import PROJECT
from tests.conftest import POLICIES
from tests.doctor.examining import complaints
from twin_api.cli.doctor.check import examine
from twin_api.cli.doctor.checks import CHECKS
from twin_api.cli.doctor.patient import Patient
from twin_api.policy.load import load
from twin_api.publish.apply import apply_policies
from twin_api.publish.migrate import migrate
from twin_api.settings import Settings
from twin_api.store.embedded import Cluster
from twin_api.store.engine import Server
from twin_api.store.secrets import Secrets

pytestmark = pytest.mark.slow
GENEROUS_S = 60.0
EVERYWHERE = "0.0.0.0"  # noqa: S104  # what is to be found
TRUE_OF_A_NEW_TOWN = {"backups", "clock", "disk"}  # no backup yet; this machine's clock and disks are what they are


class Machine:
    """A home of its own with a cluster of its own, and in it the town of the tests, without a row."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(home=folder / ".twin", policies=folder / "policies", lang="en")
        self.cluster = Cluster(self.settings.home, Secrets(self.settings.secrets_folder))
        shutil.copytree(POLICIES, self.settings.policies)

    def settle(self) -> None:
        self.cluster.ensure_running()
        migrate(self.cluster.conninfo(self.settings.database), self.cluster.secrets)
        approve_all(self.settings.policies)
        with Server(self.cluster.server(self.settings.database), self.cluster.secrets).connect("owner") as owner:
            owner.autocommit = True
            apply_policies(owner, load(self.settings.policies), datetime.now(UTC).date(), self.cluster.secrets)

    def complaints(self, *names: str) -> dict[str, list[str]]:
        patient = Patient(self.settings)
        try:
            return {check.name: complaints(examine(check, patient)) for check in CHECKS if not names or check.name in names}
        finally:
            patient.close()

    def start(self, *words: str) -> subprocess.Popen[str]:
        told = {"TWIN_HOME": str(self.settings.home), "TWIN_POLICIES": str(self.settings.policies), "PYTHONPATH": PROJECT}
        command, environment = [sys.executable, "-m", "twin_api.cli", *words], {**told, "PATH": "/usr/bin:/bin", "TWIN_LANG": "en"}
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    @contextmanager
    def process(self, *words: str) -> Iterator[subprocess.Popen[str]]:
        started = self.start(*words)
        try:
            yield started
        finally:
            started.send_signal(signal.SIGTERM)
            started.communicate(timeout=GENEROUS_S)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    machine = Machine(tmp_path_factory.mktemp("machine"))
    machine.settle()
    yield machine
    machine.cluster.remove()


def test_a_new_town_is_sound_from_end_to_end(machine: Machine) -> None:
    started = machine.start("doctor", "--json")
    document = orjson.loads(started.communicate(timeout=GENEROUS_S)[0])
    told = {
        check["name"]: [finding["what"]["en"] for finding in check["findings"] if finding["severity"] != "note"]
        for check in document["checks"]
    }
    assert {name: lines for name, lines in told.items() if lines and name not in TRUE_OF_A_NEW_TOWN} == {}
    assert (started.returncode, document["sound"], document["faults"], len(told)) == (0, True, 0, len(CHECKS))
    assert told["backups"][0].startswith("there is no backup")


def test_a_line_that_lets_in_without_a_password_is_a_fault(machine: Machine) -> None:
    hba = machine.cluster.place / "pg_hba.conf"
    before = hba.read_text()
    hba.write_text(before + "local all postgres trust\nhost all all 10.0.0.0/8 md5\n")
    try:
        told = machine.complaints("server")["server"]
    finally:
        hba.write_text(before)
    assert any(line.startswith("fault: pg_hba.conf:4 (local all postgres) lets in without a password") for line in told)
    assert any(line.startswith("warning: pg_hba.conf:5 (host all all 10.0.0.0) takes `md5`") for line in told)


def test_a_database_that_everybody_may_enter_is_a_warning(machine: Machine) -> None:
    with psycopg.connect(machine.cluster.conninfo(), autocommit=True) as connection:
        connection.execute("GRANT CONNECT ON DATABASE postgres TO PUBLIC")
        assert machine.complaints("neighbours")["neighbours"] == ["warning: every login may enter other databases: `postgres`"]
        connection.execute("REVOKE CONNECT ON DATABASE postgres FROM PUBLIC")
    assert machine.complaints("neighbours")["neighbours"] == []


def test_processes_of_one_user_and_a_server_open_to_all_networks_are_told(machine: Machine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    assert machine.complaints("processes") == {"processes": []}
    with machine.process("serve", "--roles", "citizen", "--host", EVERYWHERE, "--port", str(port)) as server, machine.process("work"):
        deadline = time.monotonic() + GENEROUS_S
        while time.monotonic() < deadline:
            try:
                if httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200:
                    break
            except httpx.HTTPError:
                time.sleep(0.1)
        told = machine.complaints("processes", "network")
    user = pwd.getpwuid(os.geteuid()).pw_name
    assert f"warning: as the user `{user}` run: `citizen`, `owner`" in told["processes"]
    assert any("belongs to the same user" in line and "`citizen`" in line for line in told["processes"])
    assert f"warning: process {server.pid} listens on port {port} of all networks" in told["network"]


def test_a_cluster_that_rests_is_told_and_goes_on_resting(machine: Machine) -> None:
    machine.cluster.stop()
    told = machine.complaints()
    assert told["database"] == ["fault: the private cluster rests"]
    assert not machine.cluster.is_running()
    machine.settle()
    assert machine.complaints("database") == {"database": []}
