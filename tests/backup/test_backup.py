"""A backup holds the whole town and shows nothing of it; restored, it is the same town; anything else than a good one changes nothing."""

from __future__ import annotations

import io
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import psycopg
import pyrage
import pytest

from tests.backup.backups import NOW, answers, asking, backed_up, repacked, store_rows
from tests.leaks.grants import held
from tests.leaks.told import find_told
from tests.towns import Town
from twin_api.backup.check import check_backup
from twin_api.backup.client import ClientFailed
from twin_api.backup.folder import FolderBusy, list_backups, newest_backup, remove_old
from twin_api.backup.manifest import FormUnknown
from twin_api.backup.place import REPLACED, PlaceTaken, drop_replaced
from twin_api.backup.restore import PepperDiffers, RevisionUnknown, restore_backup
from twin_api.backup.sealed import Damaged, Identity, WrongKey, make_identity, read_identities
from twin_api.backup.take import Made, take_backup
from twin_api.publish.migrate import downgrade, find_revision, list_revisions
from twin_api.publish.withdraw import withdraw
from twin_api.store.secrets import Secrets

LANGUAGE = Path(__file__).parents[1] / "language" / "policies"
NewTown = Callable[..., Town]
TREE = {"art": "Linde", "status": "steht", "geometry": "SRID=25832;POINT(672001 5500001)"}


def test_a_town_restored_in_its_own_place_answers_byte_for_byte_as_before(new_town: NewTown, tmp_path: Path, identity: Identity) -> None:
    town = new_town()
    token = town.token("council", name="kept")
    with town.login("owner") as connection:
        item = connection.execute("SELECT id FROM citizen.baeume ORDER BY id LIMIT 1").fetchone()
        assert item is not None
        withdraw(connection, "baeume", item[0])
    before, rows = answers(town), store_rows(town)
    with town.superuser() as connection:
        rights = held(connection, town.database)
    with asking(town) as told:  # with tokens that the backup knows
        made = backed_up(town, tmp_path, identity)
        town.write("DELETE FROM store.baeume")
        restored = restore_backup(made.path, [identity], town.admin, town.secrets, NOW, replace=True)
    assert told <= {200, 503}, "nobody is told that something is not there"
    with pytest.raises(psycopg.OperationalError, match="not currently accepting"):  # what is withdrawn from now on is not withdrawn there
        psycopg.connect(f"{town.server.conninfo('citizen')} dbname={restored.before}")
    assert drop_replaced(town.admin) == [restored.before]
    assert (answers(town), store_rows(town), town.drift()) == (before, rows, [])
    assert town.client(Authorization=f"Bearer {token}").get("/council/collections").status_code == 200
    with town.superuser() as connection:
        assert held(connection, town.database) == rights
        assert connection.execute("SELECT item FROM published.withdrawn").fetchall() == [item]
        noted = connection.execute("SELECT what ->> 'revision' FROM control.audit WHERE action = 'town.restore'").fetchone()
    assert noted == (made.manifest.about.revision,)
    town.insert("baeume", [{"baum_nr": "neu", **TREE}])
    with town.login("owner") as connection, pytest.raises(psycopg.errors.RaiseException, match="bypass publishing"):
        connection.execute("TRUNCATE store.baeume")
    assert town.drift() == []


def test_a_backup_shows_no_canary_and_leaves_nothing_beside_it(town: Town, made: Made, identity: Identity) -> None:
    assert find_told(town, {"the backup": made.path.read_bytes()}) == []
    assert (made.path.stat().st_mode & 0o777, made.path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    told = check_backup(made.path, [identity])
    assert told.rows() == sum(count for count, _ in store_rows(town).values())
    assert {"policies/town.yaml", "policies/citizen.yaml", "secrets/pepper"} <= set(told.entries)


def test_it_can_be_taken_apart_without_us(made: Made, identity: Identity, tmp_path: Path) -> None:
    inside = pyrage.decrypt(made.path.read_bytes(), [identity])
    with tarfile.open(fileobj=io.BytesIO(inside)) as tar:
        tar.extractall(tmp_path, filter="data")
    assert b"CANARY-baum-3" in (tmp_path / "rows" / "store.baeume" / "000000").read_bytes()
    listed = subprocess.run(["pg_restore", "--list", tmp_path / "store.dump"], check=True, capture_output=True, text=True).stdout
    assert "TABLE store baeume" in listed


def broken(content: bytes) -> dict[str, bytes]:
    middle, flipped = len(content) // 2, bytearray(content)
    flipped[middle] ^= 1
    return {
        "cut in half": content[:middle], "its last byte gone": content[:-1], "a bit flipped": bytes(flipped), "something after it": content + b"x",
        "empty": b"", "something else": b"SQLite format 3\0" * 100, "the header alone": content[: content.index(b"---")],
    }  # fmt: skip


@pytest.mark.parametrize("how", broken(b"age---x").keys())
def test_a_damaged_backup_is_refused_and_nothing_changes(town: Town, made: Made, identity: Identity, tmp_path: Path, how: str) -> None:
    path = tmp_path / made.path.name
    path.write_bytes(broken(made.path.read_bytes())[how])
    secrets = Secrets(tmp_path / "secrets")
    with pytest.raises(Damaged):
        restore_backup(path, [identity], town.cluster.conninfo(f"{town.database}_x"), secrets, NOW)
    assert secrets.roles() == ()
    assert not exists(town, f"{town.database}_x")


def test_another_key_opens_nothing(town: Town, made: Made) -> None:
    with pytest.raises(WrongKey):
        restore_backup(made.path, [Identity.generate()], town.admin, town.secrets, NOW, replace=True)
    assert town.drift() == []


def test_a_view_that_the_owner_put_in_a_tables_place_runs_as_the_owner(new_town: NewTown, tmp_path: Path, identity: Identity) -> None:
    town = new_town(rows=False)
    trap = "CREATE FUNCTION store.trap() RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS $$ BEGIN RAISE EXCEPTION '% ran it', session_user; END $$"
    with town.login("owner") as connection:
        connection.execute("ALTER TABLE published.definition RENAME TO aside")
        connection.execute(trap.encode())
        connection.execute("CREATE VIEW published.definition AS SELECT * FROM published.aside WHERE store.trap()")
    with pytest.raises(psycopg.errors.RaiseException, match=f"{town.database}_owner ran it"):
        backed_up(town, tmp_path, identity)


def exists(town: Town, database: str) -> bool:
    with town.superuser() as connection:
        return connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone() is not None


def test_a_town_beside_itself_has_the_same_rows_and_rights_under_its_own_name(
    town: Town, made: Made, identity: Identity, tmp_path: Path
) -> None:  # fmt: skip
    beside, secrets = f"{town.database}_b", Secrets(tmp_path / "secrets")
    admin = town.cluster.conninfo(beside)
    try:
        restore_backup(made.path, [identity], admin, secrets, NOW)
        assert store_rows(town, beside) == store_rows(town)
        with town.superuser() as here, psycopg.connect(admin) as there:
            assert held(there, beside) == [line for line in held(here, town.database) if "<db>_b" not in line]
        assert secrets.read("pepper") == town.secrets.read("pepper")
        with pytest.raises(PlaceTaken):
            restore_backup(made.path, [identity], admin, secrets, NOW)
        secrets.keep("pepper", "another")
        with pytest.raises(PepperDiffers):  # that of another town's tokens: `replace` is said of the database
            restore_backup(made.path, [identity], admin, secrets, NOW, replace=True)
        assert secrets.read("pepper") == "another"
    finally:
        raze(town, beside)


def raze(town: Town, database: str) -> None:
    with town.superuser() as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)".encode())
        roles = connection.execute("SELECT rolname FROM pg_roles WHERE starts_with(rolname, %s)", [f"{database}_"]).fetchall()
        for (role,) in roles:
            connection.execute(f"DROP ROLE {role}".encode())


def test_a_restore_that_fails_puts_the_old_town_back(new_town: NewTown, tmp_path: Path, identity: Identity) -> None:
    town = new_town()
    made, before = backed_up(town, tmp_path, identity), answers(town)
    twice = repacked(made.path, identity, {"rows/store.baeume": lambda rows: rows + rows.splitlines(keepends=True)[0]})
    with pytest.raises(ClientFailed, match="pg_restore"):
        restore_backup(twice, [identity], town.admin, town.secrets, NOW, replace=True)
    assert (answers(town), town.drift()) == (before, [])
    assert town.client_for("council").get("collections").status_code == 200, "its logins are let in again"
    assert drop_replaced(town.admin) == []
    town.secrets.keep("pepper", "another")
    kept = {role: town.secrets.read(role) for role in town.secrets.roles()}
    with town.superuser() as connection:  # the name that the old one is to have
        taken = f"{town.database}{REPLACED}{NOW:%Y%m%d_%H%M%S}"
        connection.execute(f'CREATE DATABASE "{taken}"'.encode())
    with pytest.raises(psycopg.errors.DuplicateDatabase):
        restore_backup(made.path, [identity], town.admin, town.secrets, NOW, replace=True, replace_pepper=True)
    assert drop_replaced(town.admin) == [taken]
    assert {role: town.secrets.read(role) for role in town.secrets.roles()} == kept, "the pepper of the old town's tokens too"


def test_backups_of_newer_programs_are_refused(town: Town, made: Made, identity: Identity) -> None:
    newer = {"about.json": lambda told: told.replace(b'"form": 1', b'"form": 2')}
    with pytest.raises(FormUnknown):
        check_backup(repacked(made.path, identity, newer), [identity])
    head = made.manifest.about.revision.encode()
    later = {name: (lambda told: told.replace(b'"%s"' % head, b'"9999"')) for name in ("about.json", "manifest.json")}
    with pytest.raises(RevisionUnknown):
        restore_backup(repacked(made.path, identity, later), [identity], town.admin, town.secrets, NOW, replace=True)


def test_a_backup_of_an_older_version_comes_back_as_a_town_of_this_one(new_town: NewTown, tmp_path: Path, identity: Identity) -> None:
    town = new_town()
    before = answers(town)
    downgrade(town.admin, town.secrets, "0009")
    made = backed_up(town, tmp_path, identity)
    assert made.manifest.about.revision == "0009"
    restored = restore_backup(made.path, [identity], town.admin, town.secrets, NOW, replace=True)
    assert (find_revision(town.admin), answers(town), town.drift()) == (list_revisions()[-1], before, [])
    assert drop_replaced(town.admin) == [restored.before]


def test_figures_come_back_as_they_were_last_taken(new_town: NewTown, tmp_path: Path, identity: Identity) -> None:
    town = new_town(LANGUAGE, rows=False, apply=False)
    town.settle(rows=False)
    square = "SRID=25832;POLYGON((0 0, 1000 0, 1000 1000, 0 1000, 0 0))"
    town.insert("ortsteile", [{"name": "Nord", "geometry": square}])
    town.insert("schaechte", [manhole(number) for number in range(12)])
    with town.login("owner") as connection:
        for (relation,) in connection.execute("SELECT relation FROM published.definition WHERE kind = 'figures'").fetchall():
            connection.execute(f'SELECT published."{relation}_sync"()'.encode())
    before = town.client_for("citizen").get("collections/schachtzahlen/items").content
    town.insert("schaechte", [manhole(number) for number in range(12, 30)])
    made = backed_up(town, tmp_path, identity)
    restored = restore_backup(made.path, [identity], town.admin, town.secrets, NOW, replace=True)
    assert b'"schaechte":12' in before
    assert town.client_for("citizen").get("collections/schachtzahlen/items").content == before
    assert (restored.taken_anew, town.drift()) == (0, [])
    drop_replaced(town.admin)


def manhole(number: int) -> dict[str, object]:
    return {"nr": f"S{number}", "zustand": "gut", "tiefe_m": 2.0, "geometry": f"SRID=25832;POINT Z({10 * number + 5} 200 300)"}


def test_it_is_of_one_moment_whatever_is_written_meanwhile(new_town: NewTown, tmp_path: Path, identity: Identity) -> None:
    """Writers go on; what they write after the first table is in none of the others."""
    town = new_town()
    rows = store_rows(town)

    def meddle(what: str, done: int, total: int) -> None:
        town.write("UPDATE store.baeume SET art = art || 'x'")
        town.write("DELETE FROM store.bauantraege")

    made = take_backup(town.admin, town.secrets, tmp_path, [identity.to_public()], {}, NOW, meddle)
    assert store_rows(town) != rows
    restored = restore_backup(made.path, [identity], town.admin, town.secrets, NOW, replace=True)
    assert store_rows(town) == rows
    assert drop_replaced(town.admin) == [restored.before]


def test_an_interrupted_backup_leaves_nothing_and_one_that_was_killed_is_cleared_away(
    new_town: NewTown, tmp_path: Path, identity: Identity
) -> None:  # fmt: skip
    town = new_town()

    def interrupt(what: str, done: int, total: int) -> None:
        assert [path.suffix for path in tmp_path.glob(".*.part")] == [".part"]
        with pytest.raises(FolderBusy):
            backed_up(town, tmp_path, identity)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        take_backup(town.admin, town.secrets, tmp_path, [identity.to_public()], {}, NOW, interrupt)
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]
    (tmp_path / f".{town.database}-20260101T000000Z.twinbackup.part").write_bytes(b"killed")
    made = backed_up(town, tmp_path, identity)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", made.path.name]


def test_old_backups_go_and_the_last_good_one_never(town: Town, made: Made, tmp_path: Path) -> None:
    content = made.path.read_bytes()
    for day in range(1, 6):
        (tmp_path / f"{town.database}-2026110{day}T010000Z.twinbackup").write_bytes(content)
    (tmp_path / f"{town.database}-20261109T010000Z.twinbackup").write_bytes(b"")  # no backup at all
    (tmp_path / "other-20261101T010000Z.twinbackup").write_bytes(content)
    first = tmp_path / f"{town.database}-20261101T010000Z.twinbackup"
    newest = newest_backup(tmp_path, town.database)
    assert newest is not None
    assert newest.path.name.endswith("-20261105T010000Z.twinbackup")
    remove_old(tmp_path, town.database, 2, made=first)  # made while the clock was wrong
    assert [backup.at.day for backup in list_backups(tmp_path, town.database)] == [1, 5]
    remove_old(tmp_path, town.database, 0, made=first)
    assert [backup.at.day for backup in list_backups(tmp_path, town.database)] == [1]
    assert len(list_backups(tmp_path, "other")) == 1


def test_an_identity_is_read_back_as_it_was_made(tmp_path: Path) -> None:
    text, public = make_identity()
    (tmp_path / "key").write_text(text)
    assert [str(identity.to_public()) for identity in read_identities(tmp_path / "key")] == [public]
