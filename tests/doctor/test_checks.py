"""What no right in the database tells: files, clocks, deadlines, sources, disks, backups, and a database that is away."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from tests.conftest import POLICIES
from tests.doctor import table
from tests.doctor.examining import call, complaints, document, follow, look, rebuild, settings
from tests.publish.test_upkeep import LANGUAGE, square, tree
from tests.towns import DAY, Town
from twin_api.backup.sealed import MAGIC
from twin_api.cli.doctor.checks import CHECKS, versions
from twin_api.cli.doctor.patient import Patient
from twin_api.policy.load import load
from twin_api.publish.apply import apply_policies
from twin_api.publish.layers import apply_layers
from twin_api.publish.migrate import migrate
from twin_api.store.embedded import Cluster
from twin_api.store.engine import Server
from twin_api.store.secrets import Secrets

NewTown = Callable[..., Town]
DATABASE_CHECKS = {"versions", "migrations", "policies", "drift", "upkeep", "logins", "grants", "hardening", "neighbours", "server"}


@pytest.fixture(scope="module")
def mine(new_town: NewTown) -> Town:
    """A town that these tests spoil and mend."""
    town = new_town()
    (town.folder / "sources").mkdir()
    return town


def at(moment: datetime) -> Callable[[], datetime]:
    return lambda: moment


@contextmanager
def written(path: Path, text: str) -> Iterator[None]:
    """The file says something else, and afterwards what it said."""
    before = path.read_text(encoding="utf-8") if path.exists() else None
    path.write_text(text, encoding="utf-8")
    try:
        yield
    finally:
        path.unlink() if before is None else path.write_text(before, encoding="utf-8")


# -- the database away, not set up, foreign


def test_a_database_that_is_away_is_one_fault_and_nothing_is_called_sound(mine: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = call(monkeypatch, settings(mine, database_url=f"host=/nowhere dbname={mine.database}"), "--json")
    told = {check["name"]: check for check in document(ended)["checks"]}
    assert ended.exit_code == 1
    assert told["database"]["findings"][0]["what"]["en"] == "the database does not answer"
    assert {name for name, check in told.items() if check["outcome"] == "unseen"} >= DATABASE_CHECKS
    assert call(monkeypatch, settings(mine, database_url=f"host=/nowhere dbname={mine.database}"), "--only", "grants").exit_code == 1


def test_an_address_that_is_none_is_told_without_its_password(mine: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = call(monkeypatch, settings(mine, database_url="postgresql://anna:geheim123@host"), "--only", "database")
    assert ended.exit_code == 1
    assert "`TWIN_DATABASE_URL` ist keine Adresse" in ended.stdout
    assert "geheim123" not in ended.output


def test_a_home_without_a_cluster_is_told_and_left_alone(tmp_path: Path, mine: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = call(monkeypatch, settings(mine, database_url=None, home=tmp_path, secrets=None))
    assert ended.exit_code == 1
    assert "es gibt noch keine Datenbank" in ended.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("revision", "told"), [("0004", "the database is at 0004"), ("9999", "this program knows")])
def test_a_database_at_another_revision_is_told(mine: Town, revision: str, told: str) -> None:
    with mine.superuser() as connection:
        row = connection.execute("SELECT version_num FROM control.alembic_version").fetchone()
        assert row is not None
        connection.execute("UPDATE control.alembic_version SET version_num = %s", [revision])
        try:
            assert told in complaints(look(mine, "migrations"))[0]
        finally:
            connection.execute("UPDATE control.alembic_version SET version_num = %s", row)
    assert complaints(look(mine, "migrations")) == []


def test_a_check_that_fails_itself_is_a_finding_and_holds_up_no_other(mine: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    with mine.superuser() as connection:
        connection.execute("ALTER TABLE control.source RENAME TO source_gone")
        try:
            ended = call(monkeypatch, settings(mine, lang="en"), "--only", "sources", "--only", "grants")
        finally:
            connection.execute("ALTER TABLE control.source_gone RENAME TO source")
    assert ended.exit_code == 1
    assert "this check did not come to its end: UndefinedTable 42P01" in ended.stdout
    assert "✓ Grants: each role reads its schema and nothing else" in ended.stdout
    assert "Traceback" not in ended.output


def test_the_doctor_cannot_write(mine: Town) -> None:
    patient = Patient(settings(mine))
    for connection in (patient.administrator, patient.owner):
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            connection.execute("DELETE FROM published.shown")
    patient.close()


def test_an_administrator_who_is_no_superuser_is_told_what_stays_open_and_by_whom_it_can_be_closed(
    cluster: Cluster, tmp_path: Path, mine: Town
) -> None:
    name, secrets = f"t_doctor_{os.getpid()}", Secrets(tmp_path / "secrets")
    with psycopg.connect(cluster.conninfo(), autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {name}_admin LOGIN CREATEROLE CREATEDB PASSWORD 'x'".encode())
        connection.execute(f"CREATE DATABASE {name} TEMPLATE tests_template OWNER {name}_admin".encode())
        try:
            with psycopg.connect(cluster.conninfo(name), autocommit=True) as inside:
                inside.execute(f"ALTER SCHEMA postgis OWNER TO {name}_admin".encode())
            admin = f"{cluster.server(name)} user={name}_admin password=x"
            migrate(admin, secrets)
            with Server(cluster.server(name), secrets).connect("owner") as owner:
                apply_layers(owner, load(POLICIES).layers)
                owner.commit()
                apply_policies(owner, load(POLICIES), DAY, secrets)
            told = {"database_url": admin, "secrets": secrets.folder}
            opened = complaints(look(mine, "hardening", **told))
            assert any(line.startswith("warning: everybody still holds") and "functions of the catalogue" in line for line in opened)
            server = complaints(look(mine, "server", **told))
            assert {"warning: the administrator is no superuser", "warning: `pg_hba.conf` cannot be seen by this administrator"} <= set(
                server
            )
            assert {
                line.split(":")[0] for check in ("logins", "grants", "migrations") for line in complaints(look(mine, check, **told))
            } <= {"warning"}
            with psycopg.connect(cluster.conninfo(name), autocommit=True) as inside:
                inside.execute("SELECT control.harden()")
            assert complaints(look(mine, "hardening", **told)) == []
            migrate(admin, secrets)  # what a superuser has closed does not stand in its way
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
            for (role,) in connection.execute(
                "SELECT rolname FROM pg_roles WHERE starts_with(rolname, %s) ORDER BY 1 DESC", [name]
            ).fetchall():
                connection.execute(f'DROP ROLE "{role}"'.encode())


def test_a_server_that_may_lose_what_it_acknowledged_is_a_fault(mine: Town) -> None:
    """The tests' own cluster has `fsync` off; a database can be made to write its statements into the log."""
    with mine.superuser() as connection:
        connection.execute(f"ALTER DATABASE {mine.database} SET log_statement = 'all'".encode())
        connection.execute(f"ALTER DATABASE {mine.database} SET synchronous_commit = 'off'".encode())
    told = complaints(look(mine, "server"))
    assert {"fault: `fsync` = off", "fault: `synchronous_commit` = off", "warning: `log_statement` = all"} == set(told)
    with mine.superuser() as connection:
        connection.execute(f"ALTER DATABASE {mine.database} RESET ALL".encode())
    assert complaints(look(mine, "server")) == ["fault: `fsync` = off"]


# -- policies, deadlines, upkeep


def test_policies_that_do_not_hold_are_one_fault_and_the_rest_is_looked_at(mine: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    with written(mine.policies_folder / "citizen.yaml", "role: [citizen"):
        assert complaints(look(mine, "policies")) == ["fault: the policies do not hold (1 findings)"]
        assert complaints(look(mine, "coordinates")) == ["not to be seen: the policies do not hold (1 findings)"]
        assert complaints(look(mine, "drift")) == []
        assert call(monkeypatch, settings(mine), "--only", "policies").exit_code == 1
    assert complaints(look(mine, "policies")) == []


def test_policies_that_nobody_applied_are_told_by_file(mine: Town) -> None:
    path = mine.policies_folder / "citizen.yaml"
    with written(path, path.read_text(encoding="utf-8") + "# anders\n"):
        assert complaints(look(mine, "policies")) == ["warning: changed but not applied: `citizen.yaml`"]


def test_a_page_that_the_law_asks_for_and_nobody_named_is_told(new_town: NewTown) -> None:
    town = new_town(rows=False)
    assert complaints(look(town, "policies")) == []
    town.edit("town.yaml", ", accessibility: https://kanaria.example/barrierefreiheit", "")
    town.apply()
    assert complaints(look(town, "policies")) == ["warning: missing in town.yaml below `pages`: `accessibility`"]


def test_a_town_without_any_policy_in_force_is_a_fault(new_town: NewTown) -> None:
    town = new_town(apply=False)
    assert "fault: no policy is in force yet" in complaints(look(town, "policies"))


def test_an_overdue_review_is_a_fault_and_one_that_is_due_a_warning(mine: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    review = load(mine.policies_folder).layers["baeume"].review
    noon = datetime(review.year, review.month, review.day, 12, tzinfo=UTC)
    soon, late = (complaints(look(mine, "deadlines", at(noon + timedelta(days=days)))) for days in (-3, 3))
    assert f"warning: the review of the classes of `baeume` runs out on {review}" in soon
    assert f"fault: the review of the classes of `baeume` is overdue since {review}" in late


def test_a_release_that_waits_for_an_approval_is_told(mine: Town) -> None:
    assert complaints(look(mine, "deadlines", at(datetime(2026, 11, 22, tzinfo=UTC)))) == []
    with written(mine.policies_folder / "approvals.yaml", "approvals: []\n"):
        assert any("kanalschaechte" in line for line in complaints(look(mine, "deadlines", at(datetime(2026, 11, 22, tzinfo=UTC)))))


@pytest.fixture(scope="module")
def language(new_town: NewTown) -> Town:
    town = new_town(LANGUAGE, rows=False, apply=False)
    town.settle(rows=False)
    town.insert("ortsteile", [{"name": "Nord", "geometry": square(0, 1000, 1000)}])
    town.insert("baeume", [tree(1, 5, 1500), tree(2, 25, 1500, freigabe_ab=datetime.now(UTC).date())])
    return town


def test_what_the_worker_should_have_done_is_told(language: Town) -> None:
    far = at(datetime(2040, 1, 1, tzinfo=UTC))
    told = complaints(look(language, "upkeep", far))
    assert any("figures are of the period before" in line for line in told)
    assert any(line.startswith("fault:") and "releases that ran out" in line for line in told)
    with language.login("owner") as connection:
        connection.execute("UPDATE published.definition SET synced_at = now() - interval '3 days' WHERE due IS NOT NULL")
        assert any("do not show what should be shown" in line for line in complaints(look(language, "upkeep")))
        connection.execute("UPDATE published.definition SET synced_at = now() WHERE due IS NOT NULL")
    assert not any("do not show what should be shown" in line for line in complaints(look(language, "upkeep")))


def test_a_text_that_stays_read_after_a_change_is_told(language: Town) -> None:
    before = complaints(look(language, "upkeep"))
    with language.login("owner") as connection:
        connection.execute("ALTER TABLE store.baeume DISABLE TRIGGER unread")
    found = [finding for finding in look(language, "upkeep").findings if "count as read" in finding.what.en]
    assert len(found) == 1
    follow(language, found[0].remedy.en)
    assert complaints(look(language, "upkeep")) == before


def test_rows_that_are_missing_in_a_twin_are_told_and_built_anew(language: Town) -> None:
    with language.superuser() as connection:
        connection.execute(
            "ALTER TABLE store.baeume DISABLE TRIGGER USER; DELETE FROM store.baeume; ALTER TABLE store.baeume ENABLE TRIGGER USER"
        )
    found = look(language, "drift")
    assert any("`baeume`" in line and "surplus" in line for line in complaints(found))
    assert {finding.remedy.en for finding in found.findings} == {"twin policy rebuild"}
    rebuild(language)
    assert complaints(look(language, "drift")) == []


def test_quick_leaves_out_what_takes_long_and_says_so(mine: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = call(monkeypatch, settings(mine), "--quick", "--only", "drift", "--json")
    assert (ended.exit_code, document(ended)["checks"][0]["outcome"]) == (0, "left out")


def test_a_login_that_was_dropped_comes_back_with_all_its_rights(new_town: NewTown) -> None:
    town = new_town(rows=False)
    with town.superuser() as connection:
        connection.execute(f"DROP OWNED BY {town.database}_council; DROP ROLE {town.database}_council".encode())
    for name in ("logins", "grants"):
        found = look(town, name).findings
        assert found
        for finding in found:
            follow(town, finding.remedy.en)
    assert [complaints(look(town, name)) for name in ("logins", "grants", "secrets")] == [[], [], []]
    assert town.client_for("council").get("collections").status_code == 200


# -- secrets


def test_secrets_that_are_open_missing_wrong_or_too_many_are_told(mine: Town) -> None:
    folder = mine.secrets.folder
    assert complaints(look(mine, "secrets")) == []
    (folder / "citizen").chmod(0o644)
    (folder / "alte_rolle").write_text("x")
    (folder / "alte_rolle").chmod(0o600)
    assert set(complaints(look(mine, "secrets"))) == {
        f"fault: `{folder / 'citizen'}` can be read by others, or is no file",
        "warning: what else lies there: `alte_rolle`",
    }
    (folder / "citizen").chmod(0o600)
    (folder / "alte_rolle").unlink()
    kept = (folder / "council").read_text()
    (folder / "council").write_text("falsch")
    assert complaints(look(mine, "secrets")) == ["fault: the secret of `council` does not open its login"]
    (folder / "council").unlink()
    assert complaints(look(mine, "secrets")) == ["fault: there is no secret for `council`"]
    (folder / "council").write_text(kept)
    (folder / "council").chmod(0o600)
    folder.chmod(0o755)
    assert complaints(look(mine, "secrets")) == [f"fault: `{folder}` is open to others"]
    folder.chmod(0o700)


def test_a_missing_pepper_is_told_where_tokens_are_out(mine: Town) -> None:
    pepper = mine.secrets.folder / "pepper"
    mine.token("council")
    pepper.rename(mine.folder / "pepper")
    assert complaints(look(mine, "secrets")) == ["fault: the tokens' pepper is missing"]
    (mine.folder / "pepper").rename(pepper)


# -- versions, clock, backups, disks, network, sources


def test_a_package_with_a_known_hole_is_told_with_the_line_that_renews_it(
    mine: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert complaints(look(mine, "versions")) == []
    old = tmp_path / "starlette-0.40.0.dist-info"
    old.mkdir()
    (old / "METADATA").write_text("Metadata-Version: 2.1\nName: starlette\nVersion: 0.40.0\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    found = look(mine, "versions")
    assert complaints(found) == ["fault: `starlette` 0.40.0 is too old"]
    assert found.findings[-1].remedy.en.endswith("'starlette>=1.3.1'") or any(
        f.remedy.en.endswith("'starlette>=1.3.1'") for f in found.findings
    )


@pytest.mark.parametrize(("day", "told"), [(date(2027, 7, 1), "warning: PostgreSQL 15"), (date(2028, 1, 1), "fault: PostgreSQL 15")])
def test_what_is_soon_or_no_longer_maintained_is_told(mine: Town, day: date, told: str) -> None:
    with mine.superuser() as connection:
        if connection.info.server_version >= 160000:
            pytest.skip("says it of PostgreSQL 15")
    found = complaints(look(mine, "versions", at(datetime(day.year, day.month, day.day, tzinfo=UTC))))
    assert any(line.startswith(told) for line in found)


def test_versions_compare_as_numbers() -> None:
    assert versions.numbers("1.10.0") > versions.numbers("1.9.3")
    assert versions.numbers("2.0.0rc1") == (2, 0, 0)


@pytest.mark.parametrize(
    ("apart", "severity"), [(timedelta(seconds=20), "warning"), (timedelta(hours=1), "fault"), (-timedelta(hours=1), "fault")]
)
def test_clocks_that_differ_are_told(mine: Town, apart: timedelta, severity: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert complaints(look(mine, "clock")) == []
    assert [line.split(" by ")[0] for line in complaints(look(mine, "clock", lambda: datetime.now(UTC) + apart))] == [
        f"{severity}: the database's clock differs from this machine's"
    ]


def test_a_clock_that_nobody_sets_is_told(mine: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "timedatectl"
    program.write_text("#!/bin/sh\necho no\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert complaints(look(mine, "clock")) == ["warning: nobody sets this machine's clock"]


def test_backups_are_judged_by_their_age(mine: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "backups"
    assert complaints(look(mine, "backups", backups=folder)) == [f"warning: there is no backup in `{folder}`"]
    folder.mkdir()

    def write(age: timedelta) -> str:
        path = folder / f"t-{datetime.now(UTC) - age:%Y%m%dT%H%M%SZ}.twinbackup"
        path.write_bytes(MAGIC)
        return path.name

    write(timedelta(days=40))
    for name in (".t-20300101T000000Z.twinbackup.part", "t-20300101T000000Z.twinbackup", "notiz.txt"):  # a draft, an empty one, none
        (folder / name).touch()
    name = write(timedelta(days=9))
    assert complaints(look(mine, "backups", backups=folder)) == [f"fault: the newest backup `{name}` is 9 days old"]
    assert call(monkeypatch, settings(mine, backups=folder), "--only", "backups").exit_code == 1
    name = write(timedelta(hours=40))
    assert complaints(look(mine, "backups", backups=folder)) == [f"warning: the newest backup `{name}` is 40 hours old"]
    write(timedelta())
    assert complaints(look(mine, "backups", backups=folder)) == []


def test_a_disk_that_is_full_is_told(mine: Town, tmp_path: Path) -> None:
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = (
        os.geteuid() == 0
        and subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(folder)], capture_output=True).returncode == 0
    )
    if not mounted:
        pytest.skip("only root may mount a small disk")
    try:
        (folder / "voll").write_bytes(bytes(1 << 20))
        assert f"fault: `{folder}`: 1 MiB free" in complaints(look(mine, "disk", backups=folder))
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_slot_that_nobody_reads_is_told(mine: Town) -> None:
    slot = f"doctor_{os.getpid()}"
    with mine.superuser() as connection:
        connection.execute("SELECT pg_create_physical_replication_slot(%s)", [slot])
        try:
            found = look(mine, "disk")
        finally:
            connection.execute("SELECT pg_drop_replication_slot(%s)", [slot])
    assert f"warning: nobody reads the slot `{slot}`" in complaints(found)


@pytest.mark.parametrize(("url", "told"), [
    ("zwilling.example.de", ["fault: `TWIN_BASE_URL` is no web address: `zwilling.example.de`"]),
    ("http://zwilling.example.de", ["warning: `TWIN_BASE_URL` is not encrypted: `http://zwilling.example.de`"]),
    ("https://zwilling.example.de", []), ("http://127.0.0.1:8000", []),
])  # fmt: skip
def test_the_public_address_is_judged(mine: Town, url: str, told: list[str]) -> None:
    assert [line for line in complaints(look(mine, "network", base_url=url)) if "listens" not in line] == told


def test_sources_beyond_what_may_be_reached_are_told(mine: Town) -> None:
    text = "layer: baeume\naddress: https://daten.example.de/baeume.geojson\nevery: daily\nat: '02:30'\nholder: Kreis\nlicence: CC0-1.0\nreplace: true\n"
    with written(mine.folder / "sources" / "kreis.yaml", text):
        assert any("`kreis`" in line for line in complaints(look(mine, "network")))
        assert not any("`kreis`" in line for line in complaints(look(mine, "network", source_hosts="daten.example.de")))
    assert complaints(look(mine, "network", source_hosts="nicht erlaubt!"))[0].startswith("fault:")
    assert "fault: `TWIN_SOURCE_NETWORKS` spans `10.0.0.0/7`" in complaints(look(mine, "network", source_networks="10.0.0.0/7"))
    told = complaints(look(mine, "network", metrics_host="0.0.0.0", metrics_port=9100))  # noqa: S104  # what is to be found
    assert "warning: metrics can be read at `0.0.0.0`" in told
    assert "fault: `TWIN_TRUSTED_PROXIES` spans `0.0.0.0/0`" in complaints(look(mine, "network", trusted_proxies="0.0.0.0/0"))
    assert "fault: `TWIN_TRUSTED_PROXIES`: `proxy` is no network" in complaints(look(mine, "network", trusted_proxies="proxy"))
    assert any("`TWIN_SOURCE_CA`" in line for line in complaints(look(mine, "network", source_ca=mine.folder / "keine.pem")))


def test_a_source_that_is_stale_failing_or_mistaken_is_told(mine: Town) -> None:
    folder = mine.folder / "sources"
    text = "layer: baeume\nfiles: daten/*.geojsonl\nevery: daily\nat: '02:30'\nholder: Kreis\nlicence: CC0-1.0\nreplace: true\n"
    with written(folder / "kreis.yaml", text), mine.login("owner") as connection:
        connection.execute(
            'INSERT INTO control.source (name, since, tried_at, outcome, failures, good_at, reasons) VALUES (\'kreis\', now(), now(), \'refused\', 1, now(), \'[{"de": "leer", "en": "empty"}]\')'
        )
        try:
            assert complaints(look(mine, "sources")) == ["warning: `kreis` fails: empty"]
            later = at(datetime.now(UTC) + timedelta(days=30))
            assert complaints(look(mine, "sources", later))[0].startswith("fault: `kreis` is stale")
        finally:
            connection.execute("DELETE FROM control.source")
    with written(folder / "kreis.yaml", text + "layer: nirgends\n"):
        assert complaints(look(mine, "sources"))[0].startswith("fault: sources/kreis.yaml")
    assert complaints(look(mine, "sources")) == []


# -- the command


def test_the_list_names_every_check_and_an_unknown_one_is_refused_with_the_nearest(mine: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = call(monkeypatch, settings(mine), "--list")
    assert [line.split()[0] for line in listed.stdout.splitlines() if not line.startswith(" ")] == [check.name for check in CHECKS]
    wrong = call(monkeypatch, settings(mine), "--only", "grantz")
    assert wrong.exit_code == 1
    assert "`grants`" in wrong.output


def test_both_languages_are_spoken(mine: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (
        call(monkeypatch, settings(mine, lang="de"), "--only", "grants").stdout
        == "✓ Rechte: jede Rolle liest ihr Schema und sonst nichts\nAlles in Ordnung.\n"
    )
    assert (
        call(monkeypatch, settings(mine, lang="en"), "--only", "grants").stdout
        == "✓ Grants: each role reads its schema and nothing else\nAll is well.\n"
    )


def test_the_page_of_the_doctor_lists_its_checks() -> None:
    page = table.PAGE.read_text(encoding="utf-8")
    assert page == table.with_table(page), "run `python -m tests.doctor.table --write` and commit the result"
