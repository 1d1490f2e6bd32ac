"""The commands as an administrator types them, and the worker that makes a backup every night."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from structlog.testing import capture_logs

from tests.backup.backups import store_rows
from tests.cli.test_commands import PROJECT, twin
from tests.imports.test_interrupted import eventually
from tests.towns import Town
from twin_api.backup.folder import list_backups
from twin_api.backup.nightly import Nightly
from twin_api.backup.sealed import Identity

NewTown = Callable[..., Town]
NOW = datetime(2026, 11, 22, 11, tzinfo=UTC)


@pytest.mark.slow
def test_the_way_of_a_backup_from_its_key_to_another_machine(new_town: NewTown, tmp_path: Path) -> None:
    town = new_town()
    (town.folder / "sources").mkdir()
    (town.folder / "sources" / "a.yaml").write_text("layer: baeume\n")
    said = {"TWIN_LANG": "en", "TWIN_BACKUPS": str(tmp_path / "backups")}
    made = twin(town, "backup", "key", str(tmp_path / "key"), **said)
    public = made.stdout.strip()
    assert public.startswith("age1")
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    assert twin(town, "backup", "key", str(tmp_path / "key"), **said).returncode == 1, "it is not overwritten"
    backed_up = twin(town, "backup", "--recipient", public, "--keep", "3", **said)
    assert backed_up.returncode == 0, backed_up.stderr
    (found,) = list_backups(tmp_path / "backups")
    assert found.path.name in twin(town, "backup", "list", **said).stdout
    key = ["--key", str(tmp_path / "key")]
    assert "All right: " in twin(town, "backup", "check", str(found.path), *key, **said).stdout
    (tmp_path / "copy").write_bytes(found.path.read_bytes()[:-20])
    damaged = twin(town, "restore", str(tmp_path / "copy"), *key, "--replace", **said)
    assert (damaged.returncode, "Nothing was changed" in damaged.stderr) == (1, True)
    taken = twin(town, "restore", str(found.path), *key, **said)
    assert (taken.returncode, "--replace" in taken.stderr) == (1, True)
    rows = store_rows(town)
    restored = twin(town, "restore", str(found.path), *key, "--replace", "--files", str(tmp_path / "files"), **said)
    assert restored.returncode == 0, restored.stderr
    assert store_rows(town) == rows
    assert (tmp_path / "files" / "sources" / "a.yaml").read_text() == "layer: baeume\n"
    assert (tmp_path / "files" / "policies" / "citizen.yaml").read_text() == (town.policies_folder / "citizen.yaml").read_text()
    assert twin(town, "backup", "drop-replaced", **said).stdout.startswith("Dropped: ")


@pytest.mark.parametrize(("how", "code", "left"), [(signal.SIGTERM, 130, 0), (signal.SIGINT, 130, 0), (signal.SIGKILL, -9, 1)])
def test_a_backup_that_is_ended_leaves_no_file_under_its_name(
    town: Town, tmp_path: Path, how: signal.Signals, code: int, left: int
) -> None:
    """It waits for a table that somebody holds; killed outright, it leaves a part that the next one clears away."""
    environment = {
        "TWIN_DATABASE_URL": town.admin, "TWIN_SECRETS": str(town.secrets.folder), "TWIN_POLICIES": str(town.policies_folder),
        "TWIN_HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "PYTHONPATH": PROJECT,
    }  # fmt: skip
    command = [sys.executable, "-m", "twin_api.cli", "backup", "--recipient", str(Identity.generate().to_public())]
    folder = tmp_path / "backups"
    with psycopg.connect(town.admin) as holder:
        holder.execute("LOCK TABLE store.baeume IN ACCESS EXCLUSIVE MODE")
        process = subprocess.Popen(command, env=environment, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        eventually(lambda: list(folder.glob(".*.part")) != [])
        process.send_signal(how)
        _, said = process.communicate(timeout=30)
        assert (process.returncode, b"Traceback" in said) == (code, False)
    assert len(list(folder.glob(".*.part"))) == left
    assert list_backups(folder) == []


def test_the_worker_backs_up_once_a_night_and_tries_again(tmp_path: Path) -> None:
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        started.append(subprocess.Popen(["false"]))
        started[-1].wait()
        return started[-1]

    nightly = Nightly(start, NOW)
    with capture_logs() as log:
        assert nightly.look(tmp_path, "t", NOW) == 1
        assert nightly.look(tmp_path, "t", NOW + timedelta(minutes=59)) == 0, "it waits before it tries again"
        assert nightly.look(tmp_path, "t", NOW + timedelta(minutes=61)) == 1
        (tmp_path / "t-20261122T130000Z.twinbackup").write_bytes(b"age-encryption.org/v1\n")
        assert [nightly.look(tmp_path, "t", NOW + timedelta(hours=hours)) for hours in (3, 13, 14, 16)] == [0, 0, 1, 1]
        nightly.look(tmp_path, "t", NOW + timedelta(hours=60))
        nightly.look(tmp_path, "t", NOW + timedelta(hours=61))
    assert [line["event"] for line in log].count("backup_failed") >= 2
    assert [line["last_good"] for line in log if line["event"] == "backup_old"] == ["2026-11-22T13:00:00+00:00"]
    nightly.stop()


def test_a_worker_told_whom_to_seal_for_makes_a_backup(town: Town, tmp_path: Path) -> None:
    worked = twin(town, "work", "--once", TWIN_BACKUPS=str(tmp_path), TWIN_BACKUP_RECIPIENT=str(Identity.generate().to_public()))
    assert worked.returncode == 0, worked.stderr
    assert [backup.database for backup in list_backups(tmp_path)] == [town.database]
    shutil.rmtree(tmp_path)
    assert twin(town, "work", "--once", TWIN_BACKUPS=str(tmp_path)).returncode == 0
    assert not tmp_path.exists()
