"""Set-wise publishing yields what row by row yields, and readers see either all of it or nothing."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

from tests.towns import Connection, Town
from twin_api.publish import bulk
from twin_api.publish.bulk import published_layers, published_setwise, rebuild_layer

INSERT = (
    "INSERT INTO store.baeume (baum_nr, art, hoehe_m, status, geometry) SELECT 'B' || n, 'Linde', n / 7.0, "
    "CASE WHEN n % 3 = 0 THEN 'gefaellt' ELSE 'steht' END, ST_SetSRID(ST_MakePoint(672000 + n % 80, 5500000 + n / 80), 25832) "
    "FROM generate_series(1, 6000) AS n"
)


def test_a_bulk_write_is_published_like_a_small_one(new_town: Callable[..., Town]) -> None:
    town = new_town()
    with town.login("owner") as connection, connection.transaction(), published_setwise(connection, "baeume", 6000):
        connection.execute(INSERT)
    assert town.drift() == []
    assert town.client_for("citizen").get("collections/baeume/items").json()["numberMatched"] == 41 + 4000
    town.write("UPDATE store.baeume SET status = 'gefaellt' WHERE baum_nr = 'B1'")  # the triggers follow again
    assert town.drift() == []
    assert town.client_for("citizen").get("collections/baeume/items").json()["numberMatched"] == 41 + 3999


def test_a_bulk_write_that_fails_leaves_everything_as_it_was(new_town: Callable[..., Town]) -> None:
    town = new_town()
    before = town.client_for("citizen").get("collections/baeume/items?limit=100").content
    with town.login("owner") as connection, pytest.raises(psycopg.errors.DivisionByZero):
        _insert_and_fail(connection)
    assert town.client_for("citizen").get("collections/baeume/items?limit=100").content == before
    assert town.drift() == []


def _insert_and_fail(connection: Connection) -> None:
    with connection.transaction():
        with published_setwise(connection, "baeume", 6000):
            connection.execute(INSERT)
        connection.execute("SELECT 1 / 0")


def test_tables_built_together_show_what_each_would_alone(new_town: Callable[..., Town]) -> None:
    """Drift compares with the definitions themselves, which share nothing."""
    town = new_town()
    with town.login("owner") as connection:
        times = "SELECT max(times) FROM (SELECT count(*) AS times FROM published.definition WHERE shared <> '{}' GROUP BY shared[1]) AS t"
        assert connection.execute(times).fetchall()[0][0] > 1
        for layer in published_layers(connection):
            with connection.transaction():
                rebuild_layer(connection, layer)
    assert town.drift() == []


def test_tables_that_stay_are_built_the_next_time_as_this_version_builds_them(new_town: Callable[..., Town]) -> None:
    town = new_town()
    texts = "SELECT relation, statements, shared FROM published.definition ORDER BY relation"
    with town.login("owner") as connection:
        before = connection.execute(texts).fetchall()
        connection.execute("UPDATE published.definition SET shared = '{}', statements = array_prepend('SELECT 1', statements)")
        town.apply()
        assert connection.execute(texts).fetchall() == before


def test_a_small_write_is_left_to_the_triggers(new_town: Callable[..., Town], monkeypatch: pytest.MonkeyPatch) -> None:
    town = new_town()
    monkeypatch.setattr(bulk, "rebuild_layer", lambda *_: pytest.fail("rebuilt for a few rows"))
    with town.login("owner") as connection, connection.transaction(), published_setwise(connection, "baeume", 10):
        connection.execute("UPDATE store.baeume SET art = 'Ulme' WHERE art = 'Linde'")
    assert town.drift() == []


def test_nobody_empties_a_layer_past_publishing(town: Town) -> None:
    with town.login("owner") as connection, pytest.raises(psycopg.errors.RaiseException, match="TRUNCATE would bypass"):
        connection.execute("TRUNCATE store.baeume")
    with town.login("writer") as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("TRUNCATE store.baeume")


def test_a_write_under_an_older_snapshot_is_refused(new_town: Callable[..., Town]) -> None:
    """It would not see rows published since its snapshot, and could not take them away."""
    town = new_town()
    with town.login("writer") as connection:
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        with pytest.raises(psycopg.errors.RaiseException, match="READ COMMITTED"):
            connection.execute("DELETE FROM store.baeume WHERE status = 'steht'")
    assert town.drift() == []
