"""The program of before the newest revision serves on a store that has it: towns upgrade the store first, and servers when they come to it."""

from __future__ import annotations

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
    found = _git("log", "--diff-filter=A", "--format=%H", "--", str(script))
    if (
        found is None
        or not found.split()
        or (source := _git("archive", f"{found.split()[-1].decode()}^", "twin_api", "alembic", "policies")) is None
    ):
        pytest.skip("not run: the history does not reach back to before the newest revision")
    subprocess.run(["tar", "-x", "-C", tmp_path], input=source, check=True)
    assert not (tmp_path / "alembic" / "versions" / script.name).exists()
    return tmp_path


def _git(*words: str) -> bytes | None:
    try:
        done = subprocess.run(["git", *words], cwd=PROJECT, capture_output=True)
    except FileNotFoundError:
        return None
    return done.stdout if done.returncode == 0 else None


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
