"""What a new user does: clone into an empty directory, and run the README's first command."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from pathlib import Path

import httpx
import pytest

from tests.cli.test_demo import _free_port

pytestmark = pytest.mark.acceptance
PROJECT = Path(__file__).parents[2]


def test_a_fresh_clone_runs_the_demo_and_a_second_start_is_quick(tmp_path: Path) -> None:
    clone = tmp_path / "a fresh clone"
    subprocess.run(["git", "clone", "-q", str(PROJECT), str(clone)], check=True)
    first, second = _time_until_served(clone), _time_until_served(clone)
    print(f"first start {first:.0f} s, second {second:.1f} s")
    assert first < 300
    assert second < 10


def _time_until_served(clone: Path) -> float:
    port = _free_port()
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": os.environ.get("HOME", "/"), "PORT": str(port)}
    started = time.monotonic()
    process = subprocess.Popen(
        [clone / "bin" / "demo"], env=environment, cwd="/", stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    try:
        said = ""
        for line in process.stdout:
            said += line
            if "Strg-C" in line:
                break
        assert httpx.get(f"http://127.0.0.1:{port}/citizen/collections").status_code == 200
        for address, token in re.findall(r"(http://\S+)\s+(dtw_\w+)", said):
            assert httpx.get(f"{address}/collections", headers={"Authorization": f"Bearer {token}"}).status_code == 200
        return time.monotonic() - started
    finally:
        process.send_signal(signal.SIGTERM)
        process.stdout.close()
        process.wait(40)
