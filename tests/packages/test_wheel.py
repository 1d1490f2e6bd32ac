"""What is built works where nothing else is: a wheel in an environment of its own, called in an empty folder."""

from __future__ import annotations

import signal
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import orjson
import pytest

from tests.cli.test_demo import TOKEN, _free_port
from twin_api.store.embedded import Cluster
from twin_api.store.secrets import Secrets

PROJECT = Path(__file__).parents[2]
TREES = """{"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": {"type": "Point", "coordinates": [11.4, 50.0]},
    "properties": {"baum_nr": "B-1", "art": "Linde", "status": "steht", "hoehe_m": 12.4, "pate": "Paula Pate"}}]}"""


def _tracked(folder: str) -> set[str]:
    """The files below a folder of the checkout, as git knows them."""
    listed = subprocess.run(["git", "ls-files", "-z", folder], cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    return {name for name in listed.split("\0") if name and (PROJECT / name).exists()}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the source archive."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-d", str(folder)], cwd=PROJECT, capture_output=True, check=True)
    return folder


@pytest.fixture(scope="module")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of an environment with the wheel in it; the pinned libraries are those of the tests."""
    venv = tmp_path_factory.mktemp("venv")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    (wheel,) = built.glob("*.whl")
    command = [sys.executable, "-m", "pip", "--python", str(venv), "install", "--quiet", "--no-deps", "--no-index", str(wheel)]
    subprocess.run(command, check=True, capture_output=True)
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(venv), "platbase": str(venv)}))
    (packages / "libraries.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    return venv / "bin"


def _told(bin_: Path) -> dict[str, str]:
    return {"PATH": f"{bin_}:/usr/sbin:/usr/bin:/sbin:/bin", "COLUMNS": "200", "PYTHONUNBUFFERED": "1"}


def _twin(bin_: Path, folder: Path, *arguments: str) -> str:
    ended = subprocess.run([str(bin_ / "twin"), *arguments], cwd=folder, env=_told(bin_), capture_output=True, text=True)
    assert ended.returncode == 0, (arguments, ended.stdout, ended.stderr)
    return ended.stdout


@contextmanager
def _demo(bin_: Path, folder: Path, *arguments: str) -> Iterator[tuple[httpx.Client, dict[str, str]]]:
    """A demo in the folder: a client at its address, and its tokens by address."""
    port = _free_port()
    command = [str(bin_ / "twin"), "demo", "--port", str(port), *arguments]
    process = subprocess.Popen(command, cwd=folder, env=_told(bin_), stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        said = ""
        for line in process.stdout:
            said += line
            if "Strg-C" in line:
                break
        tokens = dict(TOKEN.findall(said))
        assert tokens, said
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            yield client, tokens
    finally:
        process.send_signal(signal.SIGTERM)
        process.stdout.close()
        process.wait(40)
        Cluster(folder / ".twin", Secrets(folder / ".twin" / "secrets")).stop()


@pytest.mark.slow
def test_the_wheel_carries_migrations_sample_policies_and_every_file_of_the_package(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    moved = {name.replace("alembic/", "twin_api/migrations/", 1) for name in _tracked("alembic")}
    moved |= {name.replace("policies/", "twin_api/sample/", 1) for name in _tracked("policies")}
    assert (_tracked("twin_api") | moved) - names == set()
    assert {name.partition("/")[0] for name in names if ".dist-info" not in name} == {"twin_api"}, "nothing may shadow a library"


@pytest.mark.slow
def test_the_source_archive_holds_what_git_holds_and_nothing_else(built: Path) -> None:
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as files:
        names = {member.name.partition("/")[2] for member in files.getmembers() if not member.isdir()}
    assert _tracked(".") - names == set()
    written = subprocess.run(
        ["git", "status", "--porcelain", "-z", "-uall"], cwd=PROJECT, capture_output=True, text=True, check=True
    ).stdout
    untracked = {entry[3:] for entry in written.split("\0") if entry.startswith("??")}
    assert names - _tracked(".") - untracked == {"PKG-INFO"}


@pytest.mark.parametrize("folder", [PROJECT, Path("/")])
def test_alembic_is_the_library_in_the_checkout_too(folder: Path) -> None:
    said = subprocess.run([sys.executable, "-c", "import alembic; print(alembic.__version__)"], cwd=folder, capture_output=True, text=True)
    assert said.returncode == 0, said.stderr


@pytest.mark.slow
def test_installed_the_demo_serves_the_sample_town_from_an_empty_folder_where_every_command_then_works(
    installed: Path, tmp_path: Path
) -> None:
    with _demo(installed, tmp_path, "--size", "5000") as (client, tokens):
        assert client.get("/citizen/collections/gebaeude/items?limit=1").json()["numberMatched"] > 100
        assert client.get("/citizen?f=html").text.startswith("<!doctype html>")
        for address, token in tokens.items():
            assert client.get(f"{address}/collections", headers={"Authorization": f"Bearer {token}"}).status_code == 200
        citizen = tmp_path / "policies" / "citizen.yaml"
        citizen.write_text(citizen.read_text(encoding="utf-8").replace("geschosse: keep, ", ""), encoding="utf-8")
        _twin(installed, tmp_path, "policy", "apply")
        assert "geschosse" not in client.get("/citizen/collections/gebaeude/items?limit=1").json()["features"][0]["properties"]
        _twin(installed, tmp_path, "doctor")
    _twin(installed, tmp_path, "openapi")
    assert orjson.loads((tmp_path / "openapi" / "citizen.json").read_bytes())["openapi"].startswith("3.")


@pytest.mark.slow
def test_installed_a_new_town_is_served_with_its_own_rows_and_no_invented_ones(installed: Path, tmp_path: Path) -> None:
    _twin(installed, tmp_path, "init", "mytown", "--name", "Meine Stadt")
    town = tmp_path / "mytown"
    assert {path.name for path in town.iterdir()} == {"policies", "sources", "README.md", ".gitignore"}
    assert "Meine Stadt" in (town / "README.md").read_text(encoding="utf-8")
    (town / "trees.geojson").write_text(TREES, encoding="utf-8")
    with _demo(installed, town) as (client, _):
        assert client.get("/citizen/collections/baeume/items").json()["numberMatched"] == 0
        _twin(installed, town, "import", "trees.geojson", "--layer", "baeume")
        (tree,) = client.get("/citizen/collections/baeume/items").json()["features"]
        assert tree["properties"] == {"baum_nr": "B-1", "art": "Linde", "hoehe_m": 12}
    assert _twin(installed, town, "secrets", "hand", "handed", "--roles", "citizen")
    assert sorted(path.name for path in (town / "handed").iterdir()) == [".handed", "citizen"]


def test_a_folder_without_policies_is_told_how_to_get_some(tmp_path: Path) -> None:
    told = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(PROJECT)}
    ended = subprocess.run(
        [sys.executable, "-m", "twin_api.cli", "policy", "check"], cwd=tmp_path, env=told, capture_output=True, text=True
    )
    assert ended.returncode == 1
    assert "twin init" in ended.stderr
