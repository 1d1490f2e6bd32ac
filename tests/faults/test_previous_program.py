"""The program of before the newest revision serves on a store that has it: towns upgrade the store first, and servers when they come to it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.faults.serving import PROJECT, serving
from tests.towns import Town
from twin_api.publish.migrate import newest_revision

PATHS = (
    "/citizen",
    "/citizen/collections",
    "/citizen/collections/baeume",
    "/citizen/collections/baeume/items?limit=100",
    "/council/collections",
)


@pytest.fixture
def previous(tmp_path: Path) -> Path:
    """Its source, as it was before the newest revision came."""
    (script,) = (PROJECT / "alembic" / "versions").glob(f"{newest_revision()}_*.py")
    source = _git("archive", f"{_coming_of(script)}^", "twin_api", "alembic", "policies")
    subprocess.run(["tar", "-x", "-C", tmp_path], input=source, check=True)
    known = {path.name for path in script.parent.glob("0*.py")}
    assert {path.name for path in (tmp_path / "alembic" / "versions").glob("0*.py")} == known - {script.name}
    return tmp_path


def _coming_of(script: Path) -> str:
    """The commit of our own line by which it came: on another's it may have had another number, and come by a merge."""
    if shutil.which("git") is None or not (PROJECT / ".git").exists():
        pytest.skip("not run: a source archive has no history")
    came = _git(
        "log", "--first-parent", "--diff-merges=first-parent", "--no-renames", "--diff-filter=A", "--format=%H %P", "--", str(script)
    )
    commit, *parents = came.decode().splitlines()[0].split()
    if not parents:
        pytest.skip("not run: the history does not reach back to before the newest revision, as in a shallow clone")
    return commit


def _git(*words: str) -> bytes:
    return subprocess.run(["git", *words], cwd=PROJECT, capture_output=True, check=True).stdout


@pytest.mark.slow
def test_the_previous_program_serves_on_the_newest_store(town: Town, previous: Path) -> None:
    token = {"Authorization": f"Bearer {town.token('council')}"}
    with serving(town, program=previous) as process, httpx.Client(base_url=process.address, headers=token, timeout=20) as client:
        here = town.client("council")
        for path in PATHS:
            then, now = client.get(path), here.get(path)
            assert (path, then.status_code) == (path, 200)
            assert then.json().keys() == now.json().keys()
        items = [some.get(PATHS[3]).json()["features"] for some in (client, here)]
        assert items[0] == items[1]
