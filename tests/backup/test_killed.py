"""A restore that is killed has not happened: the town that stood there answers as before, and the next restore finds nothing in its way."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tests.backup.backups import NOW, answers, backed_up, store_rows
from tests.backup.test_backup import raze
from tests.cli.test_commands import PROJECT
from tests.doctor.examining import complaints, look
from tests.towns import Town
from twin_api.backup.place import RestoreUnderWay, drop_replaced, empty_place
from twin_api.backup.restore import restore_backup
from twin_api.backup.sealed import make_identity, read_identities
from twin_api.publish.migrate import create_database
from twin_api.store.secrets import Secrets

NewTown = Callable[..., Town]
# a process that restores and is killed by itself where it is told: `swap` is between the two new names, in the transaction of both,
# `pepper` before it, as soon as the tokens' pepper is kept, and `named` after it
CHILD = """
import os, signal, sys
from datetime import datetime, UTC
from pathlib import Path
import psycopg
from twin_api.backup import place
from twin_api.backup.restore import restore_backup
from twin_api.backup.sealed import read_identities
from twin_api.store.secrets import Secrets
path, key, admin, secrets, moment, replace = sys.argv[1:]
execute, keep, take_name = psycopg.Connection.execute, Secrets.keep, place._take_name
def end():
    os.kill(os.getpid(), signal.SIGKILL)
def watched(self, query, *words, **more):
    done = execute(self, query, *words, **more)
    if moment == "swap" and not isinstance(query, (bytes, str)) and "_replaced_" in query.as_string(self):
        end()
    return done
def kept(self, role, secret):
    keep(self, role, secret)
    if (moment, role) == ("pepper", "pepper"):
        end()
def taken(*words):
    take_name(*words)
    if moment == "named":
        end()
psycopg.Connection.execute, Secrets.keep, place._take_name = watched, kept, taken
restore_backup(Path(path), read_identities(Path(key)), admin, Secrets(Path(secrets)), datetime.now(UTC), replace=replace == "True",
               tell=lambda what: end() if what == moment else None)
"""


def restore_and_be_killed(path: Path, key: Path, admin: str, secrets: Path, moment: str, *, replace: bool) -> None:
    words = [sys.executable, "-c", CHILD, str(path), str(key), admin, str(secrets), moment, str(replace)]
    ended = subprocess.run(words, cwd=PROJECT, env={"PATH": "/usr/bin:/bin", "PYTHONPATH": PROJECT}, capture_output=True, text=True)
    assert ended.returncode == -9, ended.stderr


@pytest.fixture
def key(tmp_path: Path) -> Path:
    (tmp_path / "key").write_text(make_identity()[0])
    return tmp_path / "key"


@pytest.mark.slow
def test_a_town_goes_on_as_before_when_what_was_to_replace_it_is_killed(new_town: NewTown, tmp_path: Path, key: Path) -> None:
    town, identities = new_town(), read_identities(key)
    made, saved = backed_up(town, tmp_path, identities[0]), answers(town)
    town.write("DELETE FROM store.baeume")
    before = answers(town)
    for moment in ("baeume", "drift", "swap"):
        restore_and_be_killed(made.path, key, town.admin, town.secrets.folder, moment, replace=True)
        assert answers(town) == before, moment
        assert town.drift() == []
    examined = look(town, "upkeep")
    assert complaints(examined) == [f"warning: left by a restore: `{town.database}~restoring`"]
    assert drop_replaced(town.admin) == [f"{town.database}~restoring"]
    assert complaints(look(town, "upkeep")) == []
    restore_and_be_killed(made.path, key, town.admin, town.secrets.folder, "drift", replace=True)
    pepper = town.secrets.read("pepper")
    town.secrets.remove("pepper")
    restore_and_be_killed(made.path, key, town.admin, town.secrets.folder, "named", replace=True)
    assert (answers(town), town.drift()) == (saved, [])
    assert town.secrets.read("pepper") == pepper, "whoever has the town's name has the pepper of its tokens"
    (replaced,) = drop_replaced(town.admin)
    assert replaced.startswith(f"{town.database}_replaced_")


@pytest.mark.slow
def test_a_database_that_was_begun_to_be_filled_is_filled_anew(town: Town, tmp_path: Path, key: Path) -> None:
    beside, secrets = f"{town.database}_k", Secrets(tmp_path / "secrets")
    admin, identities = town.cluster.conninfo(beside), read_identities(key)
    made = backed_up(town, tmp_path, identities[0])
    try:
        with town.superuser() as connection:
            create_database(connection, beside)
        restore_and_be_killed(made.path, key, admin, secrets.folder, "pepper", replace=False)
        assert secrets.read("pepper") == town.secrets.read("pepper")
        restore_backup(made.path, identities, admin, secrets, NOW)
        assert store_rows(town, beside) == store_rows(town)
        with psycopg.connect(admin) as connection:
            assert connection.execute("SELECT to_regnamespace('twin_restoring')").fetchone() == (None,)
            closed = "SELECT rolname FROM pg_roles WHERE starts_with(rolname, %s) AND NOT rolcanlogin"
            assert connection.execute(closed, [f"{beside}_"]).fetchall() == []
    finally:
        raze(town, beside)


def test_two_restores_to_one_place_do_not_meet(town: Town) -> None:
    place = town.cluster.conninfo(f"{town.database}_m")
    with pytest.raises(RestoreUnderWay), empty_place(place, replace=False, now=NOW), empty_place(place, replace=False, now=NOW):
        pass
    assert drop_replaced(place) == []
