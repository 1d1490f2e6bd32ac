"""Applying policies: everything or nothing, and what comes and goes with it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import psycopg
import pytest

from tests.towns import DAY, Connection, Town
from twin_api.publish import apply as applying
from twin_api.publish.definition import compile_policies
from twin_api.publish.switch import SwitchBlocked
from twin_api.work.calendar import do_duties

NewTown = Callable[..., Town]


def _published(connection: Connection) -> list[tuple[object, ...]]:
    """All that stands in the twins and the register, by name and definition."""
    relations = connection.execute(
        "SELECT n.nspname, c.relname, c.relkind, pg_get_viewdef(c.oid) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname !~ '^(pg_|information|postgis)' AND c.relkind IN ('r', 'v') ORDER BY 1, 2"
    ).fetchall()
    return [*relations, *connection.execute("SELECT schema, collection, relation FROM published.shown ORDER BY 1, 2").fetchall()]


def test_applying_twice_changes_nothing(new_town: NewTown) -> None:
    town = new_town()
    with town.login("owner") as connection:
        before = _published(connection)
        plan = town.apply()
        assert (plan.new, plan.stale, plan.moved, plan.gone, plan.new_roles, plan.gone_roles) == ({}, {}, [], [], [], [])
        assert _published(connection) == before


def test_a_change_builds_only_what_is_new(new_town: NewTown) -> None:
    town = new_town()
    town.edit("administration.yaml", "attributes: {schacht_nr: keep, zustand: keep}", "attributes: {schacht_nr: keep}")
    plan = town.apply()
    assert [definition.layer for definition in plan.new.values()] == ["kanalschaechte"]
    assert [(schema, shown.collection) for schema, shown in plan.moved] == [("administration_bauhof", "kanalschaechte")]
    assert town.drift() == []


@pytest.mark.parametrize("step", ["_build", "_switch", "_record"])
def test_a_failing_apply_changes_nothing(new_town: NewTown, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    town = new_town()
    town.edit("citizen.yaml", "art: keep, ", "")
    town.edit(
        "administration.yaml",
        "  bauamt:",
        "  isb: {kanalschaechte: {rows: all, geometry: hide, attributes: {baujahr: keep}, release: {of: [existence], reason: Test, approve: [wasser], until: 2027-01-01}}}\n  bauamt:",
    )

    def break_after(*args: object) -> None:
        original(*args)
        raise RuntimeError(step)

    original = getattr(applying, step)
    monkeypatch.setattr(applying, step, break_after)
    with town.login("owner") as connection:
        before = _published(connection)
        with pytest.raises(RuntimeError, match=step):
            town.apply()
        assert _published(connection) == before
    assert town.drift() == []
    monkeypatch.undo()
    town.apply()
    assert town.client_for("administration/isb").get("collections/kanalschaechte").status_code == 200


def test_an_apply_that_is_killed_leaves_the_state_as_before(new_town: NewTown) -> None:
    town = new_town()
    town.edit("citizen.yaml", "art: keep, ", "")
    with town.login("owner") as connection, town.login("owner") as hindrance:
        before = _published(connection)
        with hindrance.transaction():
            hindrance.execute("LOCK TABLE published.definition IN ACCESS SHARE MODE")
            hindrance.execute("LOCK TABLE citizen.baeume IN ACCESS SHARE MODE")
            environment = {
                "TWIN_DATABASE_URL": town.admin, "TWIN_SECRETS": str(town.secrets.folder), "TWIN_POLICIES": str(town.policies_folder),
                "PATH": "/usr/bin:/bin",
            }  # fmt: skip
            process = subprocess.Popen([sys.executable, "-m", "twin_api.cli", "policy", "apply"], env=environment, cwd=town.folder)
            time.sleep(2.5)
            process.kill()
            assert process.wait(10) == -9
        assert _published(connection) == before
    assert town.drift() == []


def test_a_reader_that_outlives_its_own_timeout_is_ended_and_others_are_not(new_town: NewTown) -> None:
    town = new_town()
    town.edit("citizen.yaml", "art: keep, ", "")
    with town.login("citizen") as lingering, town.login("council") as patient:
        lingering.execute("SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0")
        lingering.execute("BEGIN")
        lingering.execute("SELECT count(*) FROM citizen.baeume")
        started = time.monotonic()
        town.apply()
        assert 2.5 < time.monotonic() - started < 20
        with pytest.raises(psycopg.OperationalError):
            lingering.execute("SELECT count(*) FROM citizen.baeume")
        assert patient.execute("SELECT count(*) FROM council.baeume").fetchone() == (41,)


def test_somebody_who_is_no_reader_blocks_the_switch_and_nothing_changes(new_town: NewTown, monkeypatch: pytest.MonkeyPatch) -> None:
    town = new_town()
    town.edit("citizen.yaml", "art: keep, ", "")
    monkeypatch.setattr("twin_api.publish.switch.GIVE_UP_S", 1.0)
    with town.login("owner") as connection, town.superuser() as stubborn:
        before = _published(connection)
        stubborn.execute("BEGIN")
        stubborn.execute("SELECT count(*) FROM citizen.baeume")
        with pytest.raises(SwitchBlocked):
            town.apply()
        assert _published(connection) == before


def test_a_part_that_goes_takes_its_schema_login_and_secret_along(new_town: NewTown) -> None:
    town = new_town()
    client = town.client("administration/bauamt", "administration")
    assert client.get("/administration/bauamt/collections").status_code == 200
    town.edit("administration.yaml", "  bauamt: {bauantraege: {rows: all, geometry: keep, attributes: all}}\n", "")
    plan = town.apply()
    assert plan.gone_roles == ["administration_bauamt"]
    assert not town.secrets.has("administration_bauamt")
    with town.superuser() as connection:
        assert (
            connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [f"{town.database}_administration_bauamt"]).fetchone() is None
        )
        assert connection.execute("SELECT to_regnamespace('administration_bauamt')").fetchone() == (None,)
    assert client.get("/administration/bauamt/collections").status_code == 404


def test_another_roles_change_shows_nowhere(new_town: NewTown) -> None:
    town = new_town()
    citizen = town.client_for("citizen")
    pages = ["", "collections", "collections/baeume", "collections/baeume/items?limit=100", "api"]
    before = [(answer.status_code, answer.headers.get("etag"), answer.content) for answer in map(citizen.get, pages)]
    town.edit("administration.yaml", "attributes: {schacht_nr: keep, zustand: keep}", "attributes: {schacht_nr: keep}")
    town.edit("council.yaml", "grid_m: 100", "grid_m: 200")
    town.apply()
    assert [(answer.status_code, answer.headers.get("etag"), answer.content) for answer in map(citizen.get, pages)] == before


def test_an_expired_release_closes_by_the_clock_alone(new_town: NewTown) -> None:
    town = new_town()
    council = town.client_for("council")
    assert council.get("collections/kanalschaechte/items").json()["numberMatched"] == 16
    with town.login("owner") as connection:
        connection.execute("UPDATE council.collection SET shown_until = now() - interval '1 second' WHERE name = 'kanalschaechte'")
    absent = council.get("collections/nichtvorhanden")
    for path in ("collections/kanalschaechte", "collections/kanalschaechte/items", "collections/kanalschaechte/items?zustand=mittel"):
        assert (council.get(path).status_code, council.get(path).content) == (404, absent.content)
    assert "kanalschaechte" not in council.get("collections").text + council.get("api").text


def test_the_worker_takes_expired_rows_out_and_keeps_to_the_policies_in_force(new_town: NewTown) -> None:
    town = new_town()
    town.edit("citizen.yaml", "art: keep, ", "")  # edited, never applied
    with town.login("owner") as connection:
        ends = connection.execute("SELECT shown_until FROM council.collection WHERE name = 'kanalschaechte'").fetchone()
        assert ends is not None
        assert ends[0].astimezone(ZoneInfo("Europe/Berlin")).date() == date(2027, 4, 1)
        assert do_duties(connection, town.secrets, ends[0] - timedelta(seconds=1))["close_expired_releases"] == 0
        assert do_duties(connection, town.secrets, ends[0])["close_expired_releases"] == 1
        assert connection.execute("SELECT to_regclass('council.kanalschaechte')").fetchone() == (None,)
        assert connection.execute("SELECT to_regclass('administration.kanalschaechte') IS NOT NULL").fetchone() == (True,)
    assert "art" in town.client_for("citizen").get("collections/baeume/items").json()["features"][0]["properties"]
    assert town.drift() == []


def test_a_release_ends_with_its_last_day_in_the_towns_own_time(town: Town) -> None:
    assert "kanalschaechte" in compile_policies(town.policies, date(2027, 3, 31))["council"]
    assert "kanalschaechte" not in compile_policies(town.policies, date(2027, 4, 1))["council"]
    shown = compile_policies(town.policies, DAY)["council"]["kanalschaechte"].shown_until
    assert shown is not None
    assert shown.isoformat() == "2027-04-01T00:00:00+02:00"


def test_a_writer_that_does_not_end_blocks_the_apply_and_nothing_changes(new_town: NewTown, monkeypatch: pytest.MonkeyPatch) -> None:
    town = new_town()
    town.edit("administration.yaml", "attributes: {schacht_nr: keep, zustand: keep}", "attributes: {schacht_nr: keep}")
    monkeypatch.setattr(applying, "WRITERS_WAIT_S", 1)
    with town.login("owner") as connection, town.login("writer") as stubborn:
        before = _published(connection)
        for statement in ("UPDATE store.kanalschaechte SET bemerkung = 'x'", "UPDATE store.baeume SET art = 'Ulme'"):
            with stubborn.transaction(force_rollback=True):  # on the layer that is rebuilt, and on another one
                stubborn.execute(statement.encode())
                with pytest.raises(SwitchBlocked):
                    town.apply()
        assert _published(connection) == before
    town.apply()
    assert town.drift() == []
