"""An import that is killed in the middle: the layer is as before, and the next import finds no lock."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.imports.things import OSM_POLICIES, Database, asked, write_buildings
from twin_api.imports.run import run_import
from twin_api.policy.documents import Layer

SCRIPT = """
import sys, time
from contextlib import contextmanager
from pathlib import Path
import psycopg
from twin_api.imports.run import ImportRequest, run_import
from twin_api.policy.load import load

conninfo, file, where, policies = sys.argv[1:]

def wait():
    print("here", flush=True)
    time.sleep(60)

@contextmanager
def around(connection, layer, rows):
    if where == "before the rows change": wait()
    yield
    if where == "before the commit": wait()

def on_progress(done, total):
    if where == "while staging" and done: wait()

layer = load(Path(policies)).layers["gebaeude"]
run_import(ImportRequest([Path(file)], replace=True), layer, lambda: psycopg.connect(conninfo), on_progress, around=around)
"""
STATE = "SELECT count(*), md5(string_agg(g::text || g.xmin::text, '' ORDER BY id)) FROM store.gebaeude g"


@pytest.fixture
def buildings(database: Database, layers: dict[str, Layer], tmp_path: Path) -> Layer:
    database.create(layers["gebaeude"])
    run_import(asked(write_buildings(tmp_path / "before.geojson", "gut")), layers["gebaeude"], database.connect)
    return layers["gebaeude"]


@pytest.mark.parametrize("where", ["while staging", "before the rows change", "before the commit"])
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_killed_import_leaves_the_layer_as_it_was(
    database: Database, buildings: Layer, tmp_path: Path, where: str, how: signal.Signals
) -> None:
    after = write_buildings(tmp_path / "after.geojson", "schlecht")
    before = database.rows(STATE)
    with started(database, after, where) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "here\n"
        os.kill(child.pid, how)
        child.wait(20)
    eventually(lambda: database.value("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == 0)
    assert database.rows(STATE) == before
    outcome = run_import(asked(after, replace=True), buildings, database.connect)
    assert outcome.inserted + outcome.updated > 0


def started(database: Database, file: Path, where: str) -> subprocess.Popen[str]:
    root = Path(__file__).resolve().parents[2]
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, database.conninfo, str(file), where, str(OSM_POLICIES)],
        cwd=root, env={**os.environ, "PYTHONPATH": str(root)}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip


def eventually(claim: Callable[[], bool], within_s: float = 20) -> None:
    end = time.monotonic() + within_s
    while not claim():
        assert time.monotonic() < end, "never came true"
        time.sleep(0.05)
