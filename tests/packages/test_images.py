"""What the images are made of, as far as it can be told without building them; `tests/acceptance/test_images.py` builds and runs them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from twin_api.store.cluster_conf import CONF

PROJECT = Path(__file__).parents[2]
DOCKERFILE = (PROJECT / "Dockerfile").read_text(encoding="utf-8")
HADOLINT = shutil.which("hadolint", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
SHIPPED = ("citizen", "store", "full", "demo")


def _stages() -> dict[str, str]:
    return dict(re.findall(r"^FROM \S+ AS (\S+)\n(.*?)(?=^FROM |\Z)", DOCKERFILE, re.M | re.S))


def test_every_image_that_is_shipped_runs_as_a_fixed_user_and_says_what_it_is() -> None:
    for name in SHIPPED:
        stage = _stages()[name]
        assert re.findall(r"^USER (.*)$", stage, re.M)[-1] == "10001:10001", name
        assert 'org.opencontainers.image.licenses="EUPL-1.2"' in stage


def test_servers_and_store_say_whether_they_are_well() -> None:
    assert all("HEALTHCHECK" in _stages()[name] for name in ("citizen", "store", "demo"))


def test_the_citizens_image_takes_nothing_from_the_checkout_but_the_server() -> None:
    stage = _stages()["citizen"]
    assert re.findall(r"^COPY (.*)$", stage, re.M) == ["--from=build-citizen /opt/twin /opt/twin"]
    assert "bin/setup serve" in _stages()["build-citizen"]


def test_the_citizens_image_listens_as_twin_serve_does() -> None:
    told = re.search(r'^ENTRYPOINT \["python", "-m", "(.*)"\]', _stages()["citizen"], re.M)
    assert told is not None
    assert f'"-m", "{told[1]}"' in (PROJECT / "twin_api/cli/serve.py").read_text()


def test_only_what_images_are_made_of_goes_to_the_builder() -> None:
    lines = [line for line in (PROJECT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert lines[0] == "*"
    asked = {source.rstrip("/") for copy in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.M) for source in copy.split()[:-1]}
    assert {line[1:] for line in lines if line.startswith("!")} == asked


def test_a_server_needs_none_of_what_the_citizens_image_leaves_out() -> None:
    """Imported with the packages of constraints/serve.txt alone, and without the rooms that bin/setup removes."""
    packages = re.findall(r"^([a-z0-9-]+)==", (PROJECT / "constraints" / "serve.txt").read_text(), re.M)
    rooms = re.search(r"for room in ([^;]+);", (PROJECT / "bin" / "setup").read_text())
    assert rooms is not None
    left_out = ["twin_api." + room.replace("/", ".") for room in rooms[1].split()] + ["twin_api.policy.load"]
    program = f"""
import sys
from importlib.metadata import packages_distributions
allowed, left_out = {set(packages)!r}, {left_out!r}
names = {{name: {{each.lower().replace("_", "-").replace(".", "-") for each in of}} for name, of in packages_distributions().items()}}
class Wall:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        foreign = top in names and top != "twin_api" and not names[top] & allowed
        if foreign or any(name == room or name.startswith(room + ".") for room in left_out):
            raise ModuleNotFoundError(name, name=name)
sys.meta_path.insert(0, Wall())
import uvicorn.loops.uvloop, twin_api.door.listening
from twin_api.main import create_app
from twin_api.settings import Settings
create_app(Settings(server="host=store dbname=twin", roles="citizen"))
"""
    ended = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr


def test_the_container_of_the_store_is_as_terse_and_as_closed_as_the_private_cluster() -> None:
    ours = dict(re.findall(r"^(\w+) = (.*)$", (PROJECT / "deploy/store/postgresql.conf").read_text(), re.M))
    theirs = dict(re.findall(r"^(\w+) = (.*)$", CONF, re.M))
    of_the_place = {
        "listen_addresses",
        "port",
        "unix_socket_directories",
        "hba_file",
        "shared_buffers",
        "effective_cache_size",
        "wal_buffers",
    }
    of_its_log_files = {"logging_collector", "log_directory", "log_filename", "log_file_mode", "log_rotation_age", "log_rotation_size"}
    assert {key: ours.get(key) for key in theirs.keys() - of_the_place - of_its_log_files} == {
        key: value for key, value in theirs.items() if key not in of_the_place | of_its_log_files
    }
    lines = [line for line in (PROJECT / "deploy/store/pg_hba.conf").read_text().splitlines() if not line.startswith("#")]
    assert all(line.endswith(" scram-sha-256") for line in lines)


def test_no_secret_is_named_in_an_image_or_in_compose() -> None:
    for text in (DOCKERFILE, (PROJECT / "compose.yaml").read_text()):
        assert not re.search(r"password\s*[:=]\s*[^\s]|PGPASSWORD|POSTGRES_PASSWORD", text, re.I)


@pytest.mark.skipif(HADOLINT is None, reason="hadolint is not installed")
def test_the_dockerfile_pleases_its_linter() -> None:
    subprocess.run([str(HADOLINT), "Dockerfile"], cwd=PROJECT, check=True)
