"""`twin work` and `twin sources` as an administrator calls them: data come by themselves, and what is wrong is told."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs
from typer.testing import CliRunner, Result

from tests.cli.test_commands import PROJECT, twin
from tests.imports.servers import LOOPBACK, Asked, answering, talking
from tests.towns import Town
from tests.work.test_sources import SAID, ask, state, trees
from twin_api.cli import app, context
from twin_api.settings import Settings
from twin_api.work.runs import MOST, Runs
from twin_api.work.source_state import begin

pytestmark = pytest.mark.slow
GENEROUS_S = 60.0
Twin = Callable[..., Result]
CLOCK = "every: daily\nat: '02:30'\n"


@pytest.fixture
def kanaria(new_town: Callable[..., Town]) -> Town:
    town = new_town(rows=False)
    (town.folder / "sources").mkdir()
    return town


@pytest.fixture
def sources(kanaria: Town, monkeypatch: pytest.MonkeyPatch) -> Twin:
    """The command `twin sources`, at home in the test's town."""
    monkeypatch.setattr(context, "policies", lambda: kanaria.policies)
    monkeypatch.setattr(context, "owner_connection", lambda: kanaria.login("owner"))

    def call(*words: str, **settings: Any) -> Result:
        monkeypatch.setattr(context, "settings", lambda: town_settings(kanaria, **settings))
        return CliRunner(env={"COLUMNS": "200"}).invoke(app, ["sources", *words])

    return call


def town_settings(town: Town, **changed: Any) -> Settings:
    return town.settings(policies=town.policies_folder, home=town.folder, **changed)


def write(town: Town, name: str, text: str) -> None:
    (town.folder / "sources" / f"{name}.yaml").write_text(text)


def test_data_come_by_themselves_and_one_that_fails_holds_up_no_other(kanaria: Town) -> None:
    def answer(asked: Asked) -> tuple[int, dict[str, str], bytes]:
        return (200, {}, trees(6)) if asked.path == "/gut.geojsonl" else (500, {}, b"CANARY")

    with answering(answer) as server:
        reach = {"TWIN_SOURCE_HOSTS": server.hosts, "TWIN_SOURCE_NETWORKS": LOOPBACK, "TWIN_LANG": "en"}
        write(kanaria, "gut", SAID + CLOCK + f"address: {server.url('/gut.geojsonl')}\n")
        write(kanaria, "schlecht", f"layer: kanalschaechte\naddress: {server.url('/x.geojsonl')}\n" + CLOCK)
        write(kanaria, "falsch", "layer: baum\n")
        worked = twin(kanaria, "work", "--once", **reach)
        assert worked.returncode == 0, worked.stderr
        asked = len(server.asked)
        again = twin(kanaria, "work", "--once", **reach)
        assert (again.returncode, len(server.asked)) == (0, asked), "asked again before its time"
        listed = twin(kanaria, "sources", "list", "--strict", **reach)
    assert ask(kanaria, "SELECT count(*) FROM citizen.baeume") == 6
    assert "source_imported" in worked.stdout
    assert "source_refused" in worked.stdout
    assert "source_invalid" in worked.stdout
    assert "CANARY" not in worked.stdout + worked.stderr + listed.stdout + listed.stderr
    assert listed.returncode == 1
    rows = {line.split()[1]: line for line in listed.stdout.splitlines() if "baeume" in line or "kanal" in line}
    assert "good" in rows["gut"]
    assert "failing" in rows["schlecht"]
    assert "✗ schlecht: `127.0.0.1` answers with 500" in listed.stderr
    assert "sources/falsch.yaml:1: there is no layer `baum`" in listed.stderr


def test_a_stale_source_is_an_alarm_once_a_day(kanaria: Town, sources: Twin) -> None:
    write(kanaria, "alt", "layer: baeume\nfiles: nirgends.csv\nevery: daily\nstale_after: 2 days\n")
    runs, settings, now = Runs(lambda name: subprocess.Popen(["true"])), town_settings(kanaria), datetime.now(UTC)
    with kanaria.login("owner") as connection, capture_logs() as log:
        for later in (timedelta(), timedelta(hours=49), timedelta(hours=50), timedelta(hours=74)):
            runs.look(connection, settings, now + later)
    runs.stop()
    assert [(line["source"], line["layer"]) for line in log if line["event"] == "source_stale"] == [("alt", "baeume")] * 2
    with kanaria.superuser() as connection:
        connection.execute("UPDATE control.source SET since = now() - interval '49 hours'")
    listed = sources("list", "--strict")
    assert (listed.exit_code, "VERALTET" in listed.output) == (1, True)
    assert sources("list").exit_code == 0


def test_one_source_is_run_now_and_says_what_it_did(kanaria: Town, sources: Twin) -> None:
    (kanaria.folder / "b.geojsonl").write_bytes(trees(3))
    write(kanaria, "b", SAID + "files: b.geojsonl\n")
    write(kanaria, "c", SAID + "files: c.geojsonl\n")
    write(kanaria, "d", SAID)
    assert sources("run", "b").output == "b: 3 gelesen, 3 neu, 0 geändert, 0 gleich, 0 gelöscht\n"
    assert sources("run", "b").output == "b: unverändert, nichts zu tun\n"
    for name, expected in (("c", "keine Datei passt"), ("d", "twin import --source d DATEI"), ("e", "Eine Quelle `e` gibt es nicht")):
        ended = sources("run", name)
        assert ended.exit_code == 1
        assert expected in ended.output


def test_check_names_mistakes_and_closed_addresses(kanaria: Town, sources: Twin) -> None:
    assert sources("check").output == "In Ordnung: 0 Quellen.\n"
    write(kanaria, "a", "layer: baeume\naddress: https://daten.example.de/baeume.csv?key=CANARY\nevery: dayly\n")
    write(kanaria, "b", "layer: baeume\naddress: https://daten.example.de/baeume.csv?key=CANARY\n")
    checked = sources("check")
    assert checked.exit_code == 1
    assert "sources/a.yaml:3: einen Rhythmus `dayly` gibt es nicht. Gemeint ist wohl `daily`" in checked.output
    assert "sources/b.yaml: `https://daten.example.de` steht nicht auf der Liste der erlaubten Rechner" in checked.output
    assert "CANARY" not in checked.output
    (kanaria.folder / "sources" / "a.yaml").unlink()
    assert sources("check", source_hosts="*.example.de").exit_code == 0


def test_a_source_that_hangs_holds_up_neither_the_calendar_nor_the_end_of_the_worker(kanaria: Town) -> None:
    """The release ends while a server keeps the source waiting; then the worker is told to stop."""
    with talking(lambda connection: connection.settimeout(GENEROUS_S) or connection.recv(1)) as server:
        write(kanaria, "haengt", SAID + CLOCK + f"address: {server.url('/x.geojsonl')}\n")
        environment = {
            "TWIN_DATABASE_URL": kanaria.admin, "TWIN_SECRETS": str(kanaria.secrets.folder), "TWIN_POLICIES": str(kanaria.policies_folder),
            "TWIN_HOME": str(kanaria.folder), "PATH": "/usr/bin:/bin", "PYTHONPATH": PROJECT,
            "TWIN_SOURCE_HOSTS": server.hosts, "TWIN_SOURCE_NETWORKS": LOOPBACK,
        }  # fmt: skip
        worker = subprocess.Popen([sys.executable, "-m", "twin_api.cli", "work", "--every", "1"], env=environment, cwd=kanaria.folder)
        try:
            wait_until(lambda: server.asked)
            expire = "UPDATE council.collection SET shown_until = now() - interval '1 minute' WHERE name = 'kanalschaechte'"
            with kanaria.superuser() as connection:
                connection.execute(expire.encode())
            wait_until(lambda: ask(kanaria, "SELECT count(*) FROM council.collection WHERE shown_until < now()") == 0)
            assert state(kanaria, "haengt").outcome == "running"
        finally:
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(GENEROUS_S) == 0
    wait_until(lambda: not within(kanaria.folder))


def within(folder: Path) -> list[str]:
    """The processes whose working directory lies there."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            found += [process.name] if (process / "cwd").readlink().is_relative_to(folder) else []
    return found


def wait_until(holds: Callable[[], Any]) -> None:
    end = time.monotonic() + GENEROUS_S
    while not holds():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.2)


def test_never_two_of_one_layer_nor_more_than_a_few_at_a_time(kanaria: Town) -> None:
    for name, layer in (("a1", "baeume"), ("a2", "baeume"), ("b", "kanalschaechte"), ("c", "bauantraege")):
        write(kanaria, name, f"layer: {layer}\nfiles: x.csv\n" + CLOCK)
    started: list[str] = []

    def start(name: str) -> subprocess.Popen[bytes]:
        started.append(name)
        return subprocess.Popen(["sleep", "600"])

    runs, settings, now = Runs(start), town_settings(kanaria), datetime.now(UTC)
    try:
        with kanaria.login("owner") as connection:
            assert [runs.look(connection, settings, now) for _ in range(2)] == [MOST, 0]
            assert started == ["a1", "b"]
            runs.running["a1"].process.kill()
            runs.running["a1"].process.wait()
            begin(connection, "a1", "s", now)
            runs.look(connection, settings, now)
            assert started[2:] == ["a2"], "the one that died waits"
            assert state(kanaria, "a1").outcome == "failed"
            runs.look(connection, settings, now + timedelta(hours=7))
            assert [run.process.wait(GENEROUS_S) for run in runs.running.values()] == [-signal.SIGKILL] * 2, "those that hang are ended"
    finally:
        runs.stop()
