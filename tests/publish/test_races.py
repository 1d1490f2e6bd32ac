"""Withdrawals, embargoes and imports against whoever writes at the same time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from tests.publish.test_upkeep import do, figures, items, town, tree
from tests.towns import Connection, Town
from twin_api.policy.load import load
from twin_api.publish.bulk import published_setwise
from twin_api.publish.preview import previewed
from twin_api.publish.withdraw import heeds_withdrawals, lift, withdraw

__all__ = ["town"]  # the fixture


class Doing(threading.Thread):
    """Something done meanwhile; `error` is how it failed, `seconds` how long it took."""

    def __init__(self, what: Callable[[], object]) -> None:
        super().__init__(daemon=True)
        self.what, self.error, self.seconds = what, None, 0.0
        self.start()

    def run(self) -> None:
        begun = time.monotonic()
        try:
            self.what()
        except Exception as error:
            self.error: Exception | None = error
        self.seconds = time.monotonic() - begun


def _ids(town: Town) -> dict[str, UUID]:
    return {row["nr"]: UUID(row["id"]) for row in items(town, "citizen", "baeume")}


def test_an_item_goes_while_a_writer_of_others_rests(town: Town) -> None:
    chosen = _ids(town)["B5"]
    with town.login("owner") as owner, town.login("writer") as writer:
        with writer.transaction():
            writer.execute("UPDATE store.baeume SET hoehe_m = 1 WHERE nr = 'B3'")  # holds count and reach
            withdrawing = Doing(lambda: withdraw(owner, "baeume", chosen))
            time.sleep(1.5)
            assert chosen not in _ids(town).values()
            writer.execute("UPDATE store.baeume SET hoehe_m = 2 WHERE id = %s", [chosen])
        withdrawing.join(10)
    assert withdrawing.error is None
    assert chosen not in _ids(town).values()
    assert town.drift() == []


def test_a_collection_goes_while_a_writer_rests_and_an_apply_waits_for_it(town: Town) -> None:
    reading = town.client_for("citizen")
    with town.login("owner") as owner, town.login("writer") as writer:
        with writer.transaction():
            writer.execute("DELETE FROM store.baeume WHERE nr = 'B3'")  # holds what `collection` says of it
            town.edit("citizen.yaml", "hoehe_m: {band: [5, 10, 20]}", "hoehe_m: {band: [5, 10, 15]}")
            applying = Doing(town.apply)
            time.sleep(0.5)
            withdrawing = Doing(lambda: withdraw(owner, "baeume"))
            time.sleep(1)
            assert applying.is_alive()
            assert reading.get("collections/baeume/items").status_code == 404
        withdrawing.join(10)
        applying.join(10)
        assert (withdrawing.error, applying.error) == (None, None)
        assert reading.get("collections/baeume/items").status_code == 404
        lift(owner, "baeume")
    town.apply()
    assert len(items(town, "citizen", "baeume")) == 23
    assert town.drift() == []


@pytest.mark.slow
def test_no_withdrawal_ends_in_a_deadlock_with_a_busy_writer(town: Town) -> None:
    busy = True

    def write() -> None:
        with town.login("writer") as writer:
            height = 0
            while busy:
                height += 1
                writer.execute("UPDATE store.baeume SET hoehe_m = %s", [height % 30])

    writing = Doing(write)
    with town.login("owner") as owner:
        for chosen in list(_ids(town).values())[:20]:
            withdraw(owner, "baeume", chosen)
            assert chosen not in _ids(town).values()
    busy = False
    writing.join(10)
    assert writing.error is None
    assert town.drift() == []


def test_a_withdrawal_does_not_wait_for_an_apply_and_outlives_it(town: Town) -> None:
    """What an apply builds before the withdrawal, it leaves out before anybody sees it."""
    chosen = _ids(town)["B5"]
    with town.login("owner") as owner, town.login("owner") as other:
        with other.transaction():
            other.execute("LOCK TABLE store.baeume IN ACCESS EXCLUSIVE MODE")  # as an apply does while it builds
            withdrawing = Doing(lambda: withdraw(owner, "baeume", chosen))
            time.sleep(1.5)
            assert chosen not in _ids(town).values()
        withdrawing.join(10)
    assert withdrawing.error is None


def test_an_apply_leaves_out_what_was_withdrawn_while_it_built(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    from twin_api.publish import apply

    chosen, lock = _ids(town)["B5"], apply.lock_for_switch

    def withdraw_first(connection: Connection, views: list[tuple[str, str]]) -> None:
        with town.login("owner") as owner:
            insert = "INSERT INTO published.withdrawn (collection, layer, item) VALUES ('baeume', 'baeume', %s)"
            owner.execute(insert, [chosen])
        lock(connection, views)

    town.edit("citizen.yaml", "hoehe_m: {band: [5, 10, 20]}", "hoehe_m: {band: [5, 10, 15]}")
    monkeypatch.setattr(apply, "lock_for_switch", withdraw_first)
    town.apply()
    assert chosen not in _ids(town).values()


def test_a_withdrawn_area_is_gone_from_figures_with_their_next_refresh(town: Town) -> None:
    with town.login("owner") as owner:
        ((area,),) = owner.execute("SELECT id FROM store.ortsteile WHERE name = 'Sued'").fetchall()
        withdraw(owner, "ortsteile", area)
        assert set(figures(town)) == {"Nord", "Sued"}
        owner.execute("UPDATE published.definition SET synced_at = '2020-01-01' WHERE kind = 'figures'")
    do(town)
    assert set(figures(town)) == {"Nord"}


def test_tables_of_an_older_version_are_known_not_to_heed_withdrawals(town: Town) -> None:
    with town.login("owner") as owner:
        assert heeds_withdrawals(owner, "baeume")
        owner.execute("UPDATE published.definition SET statements = ARRAY['INSERT INTO x SELECT 1'] WHERE layer = 'baeume'")
        assert not heeds_withdrawals(owner, "baeume")
        assert heeds_withdrawals(owner, "ortsteile")


def test_a_row_written_late_by_a_transaction_that_began_before_its_day_is_shown(town: Town) -> None:
    town.edit("layers/baeume.yaml", "en: Shown from}, type: date", "en: Shown from}, type: datetime")
    town.apply()
    due = datetime.now(UTC) + timedelta(seconds=0.4)
    with town.login("writer") as writer, writer.transaction():
        writer.execute("SELECT now()")
        town.insert("baeume", [tree(300, 10, 10, freigabe_ab=due)])
        time.sleep(0.6)
        assert do(town)["show_what_is_due"] == 1
        late = "INSERT INTO store.baeume (nr, art, freigabe_ab, geometry) VALUES ('late', 'linde', %s, 'SRID=25832;POINT(1 1)')"
        writer.execute(late, [due])
    do(town)
    assert {"B300", "late"} <= _ids(town).keys()
    assert town.drift() == []


def test_a_large_import_of_areas_waits_for_a_writer_of_what_they_sort(town: Town) -> None:
    def import_areas() -> None:
        with town.login("owner") as owner, owner.transaction(), published_setwise(owner, "ortsteile", 6000):
            owner.execute("UPDATE store.ortsteile SET name = name")

    with town.login("writer") as writer:
        with writer.transaction():
            writer.execute("UPDATE store.baeume SET nr = nr WHERE nr = 'B1'")  # nothing that shows
            importing = Doing(import_areas)
            time.sleep(1)
            writer.execute("UPDATE store.baeume SET hoehe_m = 50 WHERE nr = 'B2'")
        importing.join(10)
    assert importing.error is None
    assert town.drift() == []


def test_a_part_with_the_longest_name_can_be_previewed(town: Town) -> None:
    part = "informationssicherhe"
    town.edit("town.yaml", "isb: Informationssicherheit", f"isb: Informationssicherheit, {part}: Noch ein Amt")
    grant = "{from: baeume, rows: all, geometry: keep, attributes: {nr: keep}}"
    town.edit("administration.yaml", "  wasser:\n", f"  {part}:\n    nochbaeume: {grant}\n  wasser:\n")
    policies = load(town.policies_folder)
    with ExitStack() as stack:
        owner = stack.enter_context(town.login("owner"))
        with previewed(owner, policies, policies.roles[f"administration/{part}"], date.today(), town.secrets) as schema:
            reader = stack.enter_context(town.login(schema))
            assert reader.execute(f'SELECT count(*) FROM "{schema}".nochbaeume'.encode()).fetchone() == (24,)
            reader.close()
        left = "SELECT 1 FROM pg_class WHERE relnamespace = 'published'::regnamespace AND starts_with(relname, 'preview')"
        assert owner.execute(left).fetchone() is None
