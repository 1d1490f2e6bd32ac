"""The process in which files are opened: it knows nothing, may take only so much, and takes nothing with it when it dies."""

from __future__ import annotations

import math
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.imports.test_interrupted import eventually, started
from tests.imports.things import Database, asked, write_buildings
from twin_api.imports.description import Description
from twin_api.imports.finding import FileRefused
from twin_api.imports.folder import own_folder
from twin_api.imports.job import Job, Limits
from twin_api.imports.run import run_import
from twin_api.imports.workshop import workshop
from twin_api.policy.documents import Layer

NewLayer = Callable[..., Layer]
Write = Callable[..., Path]
ALLOWED = {"PATH", "LANG", "TMPDIR", "CPL_TMPDIR", "PYTHONPATH"}
COSTLY = 160_001  # corners of a star whose every edge crosses nearly every other


def square(number: int) -> dict[str, Any]:
    x, y = 678_000 + 20 * number, 5_540_000
    return {"type": "Polygon", "coordinates": [[[x, y], [x + 9, y], [x + 9, y + 9], [x, y + 9], [x, y]]]}


def star(corners: int) -> dict[str, Any]:
    turns = [2 * math.pi * (corners // 2) * number / corners for number in range(corners)]
    ring = [[678_000 + 300 * math.cos(turn), 5_540_000 + 300 * math.sin(turn)] for turn in turns]
    return {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}


@pytest.fixture
def layer(database: Database, new_layer: NewLayer) -> Layer:
    layer = new_layer(type_="Polygon")
    database.create(layer)
    return layer


def workbenches() -> list[int]:
    """Processes of that kind on this machine which belong to nobody's running test but ours."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and "twin_api.imports.inside.workbench" in _read(entry / "cmdline"):
            found.append(int(entry.name))
    return found


def _read(path: Path) -> str:
    try:
        return path.read_bytes().replace(b"\0", b"\n").decode(errors="replace")
    except OSError:
        return ""


def test_its_environment_holds_what_it_needs_and_nothing_of_ours(layer: Layer, geojson: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_DATABASE_URL", "postgresql://secret")
    monkeypatch.setenv("PGPASSWORD", "secret")
    before = set(workbenches())
    with workshop(Job([geojson(({"nr": "1"}, square(0)))], Description(), layer, Path())) as messages:
        next(messages)
        environments = [_read(Path(f"/proc/{pid}/environ")) for pid in set(workbenches()) - before]
    names = {line.partition("=")[0] for line in "\n".join(environments).splitlines()}
    assert names >= ALLOWED
    assert not {name for name in names if name.startswith(("TWIN", "PG", "HOME"))}
    assert "secret" not in "".join(environments)


def test_it_leaves_no_folder_behind(
    layer: Layer, geojson: Write, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    run_import(asked(geojson(({"nr": "1"}, square(0)))), layer, database.connect)
    with pytest.raises(FileRefused):
        run_import(asked(geojson(({"nr": "1"}, None))), layer, database.connect)
    assert list((tmp_path / "scratch").iterdir()) == []


def test_a_geometry_that_takes_too_long_is_named_and_everything_is_as_before(database: Database, layer: Layer, geojson: Write) -> None:
    file = geojson(*(({"nr": str(n)}, star(COSTLY) if n == 3 else square(n)) for n in range(1, 6)))
    with pytest.raises(FileRefused) as caught:
        run_import(asked(file, limits=Limits(step_s=4)), layer, database.connect)
    assert [finding.text().say("en") for finding in caught.value.findings] == [
        "feature 3: the geometry is too costly to check → simplify or divide it at the source"
    ]
    assert database.value("SELECT count(*) FROM store.thing") == 0


def test_with_rejects_the_costly_geometry_is_among_them_and_the_others_are_in(
    database: Database, layer: Layer, geojson: Write, tmp_path: Path
) -> None:
    file = geojson(*(({"nr": str(n)}, star(COSTLY) if n == 3 else square(n)) for n in range(1, 6)))
    outcome = run_import(asked(file, limits=Limits(step_s=4), rejects=tmp_path / "rest.csv"), layer, database.connect)
    assert (outcome.inserted, outcome.rejected) == (4, 1)
    assert "die Geometrie ist zu aufwendig zu prüfen" in (tmp_path / "rest.csv").read_text("utf-8-sig")


def test_a_file_that_needs_more_memory_than_there_is_is_refused(database: Database, layer: Layer, geojson: Write) -> None:
    file = geojson(*(({"nr": str(n), "art": "x" * 20_000}, square(n)) for n in range(6_000)))
    with pytest.raises(FileRefused, match="too much time or memory"):
        run_import(asked(file, limits=Limits(memory=460 << 20)), layer, database.connect)
    assert database.value("SELECT count(*) FROM store.thing") == 0


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_it_does_not_outlive_who_started_it(database: Database, layers: dict[str, Layer], tmp_path: Path, how: signal.Signals) -> None:
    database.create(layers["gebaeude"])
    before = set(workbenches())
    with started(database, write_buildings(tmp_path / "file.geojson", "gut"), "while staging") as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "here\n"
        ours = {pid for pid in set(workbenches()) - before if _read(Path(f"/proc/{pid}/status")).find(f"PPid:\t{child.pid}\n") >= 0}
        os.kill(child.pid, how)
        child.wait(20)
    eventually(lambda: not ours & set(workbenches()))


NETWORK = """
import os, socket, sys
from twin_api.imports.inside.workbench import confine
confine(1 << 30, os.getppid())
try:
    socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=3)
    print("reached")
except OSError:
    print("alone")
"""


def test_it_reaches_no_network_where_the_kernel_lets_it_be_alone() -> None:
    root = Path(__file__).resolve().parents[2]
    may_be_alone = subprocess.run(["unshare", "--net", "true"], check=False, capture_output=True).returncode == 0
    with socket.create_server(("127.0.0.1", 0)) as server:
        said = subprocess.run(
            [sys.executable, "-c", NETWORK, str(server.getsockname()[1])], env={"PYTHONPATH": str(root)}, capture_output=True, text=True, check=True,
        ).stdout.strip()  # fmt: skip
    assert said == ("alone" if may_be_alone else "reached")


def test_a_process_that_says_nothing_is_not_waited_for(layer: Layer, geojson: Write, database: Database) -> None:
    begun = time.monotonic()
    with pytest.raises(FileRefused, match="too much time or memory"):
        run_import(asked(geojson(({"nr": "1"}, square(0))), limits=Limits(step_s=0.01)), layer, database.connect)
    assert time.monotonic() - begun < 30  # a limit of harm


def test_what_a_killed_import_left_behind_is_removed_by_the_next_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left, fresh, link = (tmp_path / f"twin-import-{name}" for name in ("left", "fresh", "link"))
    other = tmp_path / "other"
    for folder in (left, fresh, other):
        folder.mkdir(mode=0o700)
        (folder / "unpacked.csv").write_text("CANARY")
    link.symlink_to(other)
    with own_folder() as used:
        for folder in (left, other, used):
            os.utime(folder, (time.time() - 3601,) * 2)
        with own_folder():
            assert used.is_dir()
    assert {path.name for path in tmp_path.iterdir()} == {"twin-import-fresh", "twin-import-link", "other"}
    assert (other / "unpacked.csv").is_file()
