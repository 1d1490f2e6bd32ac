"""Tables built beside an import: what they show is what the layer holds, nobody sees them before, and nothing of them stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from uuid import UUID

import psycopg
import pytest

from tests.towns import Connection, Town
from twin_api.publish.bulk import published_setwise
from twin_api.publish.bulk_beside import Beside, beside, clear_left
from twin_api.publish.withdraw import withdraw

ROWS = (
    "INSERT INTO next_baeume.rows (baum_nr, art, hoehe_m, status, geometry) SELECT 'B' || n, 'Linde', n / 7.0, "
    "CASE WHEN n % 3 = 0 THEN 'gefaellt' ELSE 'steht' END, ST_SetSRID(ST_MakePoint(672000 + n % 80, 5500000 + n / 80), 25832) "
    "FROM generate_series(1, 6000) AS n"
)
COLUMNS = "id, baum_nr, art, hoehe_m, status, geometry"
INSERT = f"INSERT INTO store.baeume ({COLUMNS}) SELECT {COLUMNS} FROM next_baeume.rows"
KILLED = """
import sys, time
import psycopg
from twin_api.publish.bulk import published_setwise
from twin_api.publish.bulk_beside import beside

def connect():
    return psycopg.connect(sys.argv[1], autocommit=True)

with beside(connect, "baeume") as place:
    place.connection.execute(sys.argv[2])
    with connect() as connection, connection.transaction(), published_setwise(connection, "baeume", 6000, place):
        connection.execute(sys.argv[3])
        assert place.finish()
        print("built", flush=True)
        time.sleep(60)
"""


@pytest.fixture(scope="module")
def emptied(new_town: Callable[..., Town]) -> Town:
    return new_town(rows=False)


@pytest.fixture
def bare(emptied: Town) -> Town:
    """A town without a single tree."""
    emptied.write("DELETE FROM store.baeume")
    return emptied


def fill(town: Town, after: Callable[[Connection, Beside], object] = lambda connection, place: None) -> list[str]:
    """Write what lies beside into the layer, then do something more in the same transaction; says what was built beside."""
    with beside(lambda: town.login("owner"), "baeume") as place:
        assert place is not None
        place.connection.execute(ROWS)
        with town.login("owner") as connection, connection.transaction():
            with published_setwise(connection, "baeume", 6000, place):
                connection.execute(INSERT)
            after(connection, place)
        return place.finish()


def schemas(town: Town) -> list[str]:
    with town.login("owner") as connection:
        found = connection.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'next%' ORDER BY 1").fetchall()
    return [name for (name,) in found]


def shown(town: Town) -> int:
    return int(town.client_for("citizen").get("collections/baeume/items?limit=1").json()["numberMatched"])


def test_what_is_built_beside_is_what_the_layer_holds(bare: Town) -> None:
    assert fill(bare)
    assert bare.drift() == []
    assert shown(bare) == 4000
    assert schemas(bare) == []
    bare.write("UPDATE store.baeume SET status = 'gefaellt' WHERE baum_nr = 'B1'")  # the triggers follow the new tables
    assert (bare.drift(), shown(bare)) == ([], 3999)


def test_the_indexes_have_the_names_that_the_next_build_looks_for(bare: Town) -> None:
    names = "SELECT tablename, indexname FROM pg_indexes WHERE schemaname = 'published' AND tablename LIKE 't\\_%' ORDER BY 1, 2"
    with bare.login("owner") as connection:
        before = connection.execute(names).fetchall()
        fill(bare)
        assert connection.execute(names).fetchall() == before


def test_nobody_but_the_owner_may_look_beside_and_readers_see_the_old_until_the_end(bare: Town) -> None:
    may = (
        "SELECT r.rolname FROM pg_roles r WHERE NOT r.rolsuper AND r.rolname <> current_user AND starts_with(r.rolname, current_database()) "
        "AND (has_schema_privilege(r.rolname, 'next_baeume', 'USAGE') OR EXISTS (SELECT FROM pg_class c WHERE c.relkind = 'r' "
        "AND c.relnamespace = 'next_baeume'::regnamespace AND has_table_privilege(r.rolname, c.oid, 'SELECT')))"
    )

    def look(connection: Connection, place: Beside) -> None:
        with bare.login("citizen") as reader, pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute("SELECT FROM next_baeume.rows")

    with beside(lambda: bare.login("owner"), "baeume") as place, bare.login("owner") as connection:
        assert place is not None
        place.connection.execute(ROWS)
        with connection.transaction(), published_setwise(connection, "baeume", 6000, place):
            connection.execute(INSERT)
            assert place.finish()
            look(connection, place)
            with bare.login("owner") as other:
                assert other.execute(may).fetchall() == []
            assert shown(bare) == 0
    assert shown(bare) == 4000


def test_an_import_that_fails_leaves_nothing_beside_and_nothing_shown(bare: Town) -> None:
    with pytest.raises(psycopg.errors.DivisionByZero):
        fill(bare, lambda connection, place: connection.execute("SELECT 1 / 0"))
    assert (schemas(bare), bare.drift(), shown(bare)) == ([], [], 0)


def test_a_killed_import_leaves_nothing_that_whoever_comes_next_does_not_clear(bare: Town) -> None:
    told = [bare.server.conninfo("owner"), ROWS, INSERT]
    with subprocess.Popen([sys.executable, "-c", KILLED, *told], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "built\n"
        with bare.login("owner") as connection:
            assert clear_left(connection) == 0  # nothing is left yet: it is at work
        os.kill(process.pid, signal.SIGKILL)
    assert (bare.drift(), shown(bare), schemas(bare)) == ([], 0, ["next_baeume"])
    with bare.login("owner") as connection:
        deadline = time.monotonic() + 20
        while not clear_left(connection):  # its sessions end when they notice
            assert time.monotonic() < deadline
    assert schemas(bare) == []
    assert fill(bare)
    assert (bare.drift(), shown(bare)) == ([], 4000)


def test_an_import_that_is_interrupted_clears_up_itself(bare: Town) -> None:
    told = [bare.server.conninfo("owner"), ROWS, INSERT]
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, *told], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == "built\n"
        os.kill(process.pid, signal.SIGINT)
    assert (bare.drift(), shown(bare), schemas(bare)) == ([], 0, [])


def test_a_layer_that_somebody_fills_meanwhile_is_published_from_the_store(bare: Town) -> None:
    with beside(lambda: bare.login("owner"), "baeume") as place, bare.login("owner") as connection:
        assert place is not None
        place.connection.execute(ROWS)
        bare.write("INSERT INTO store.baeume (baum_nr, status, geometry) VALUES ('X', 'steht', 'SRID=25832;POINT(672000 5500000)')")
        with connection.transaction(), published_setwise(connection, "baeume", 6000, place):
            connection.execute(INSERT)
        assert place.finish() == []
    assert (bare.drift(), shown(bare)) == ([], 4001)


def test_a_layer_that_holds_something_gets_no_place(bare: Town) -> None:
    bare.write("INSERT INTO store.baeume (baum_nr, status) VALUES ('X', 'steht')")
    with beside(lambda: bare.login("owner"), "baeume") as place:
        assert place is None


def test_a_withdrawn_item_that_comes_back_stays_away(bare: Town) -> None:
    fill(bare)
    with bare.login("owner") as connection:
        row = connection.execute("SELECT id FROM store.baeume WHERE baum_nr = 'B2'").fetchone()
        assert row is not None
        withdraw(connection, "baeume", UUID(str(row[0])))
    bare.write("DELETE FROM store.baeume")
    fill(bare)
    assert (bare.drift(), shown(bare)) == ([], 3999)


def test_what_was_counted_beside_is_what_the_tables_hold(bare: Town) -> None:
    corners = "ST_XMin(reach), ST_YMin(reach), ST_XMax(reach), ST_YMax(reach)"
    told = f"SELECT relation, count, {corners} FROM published.definition WHERE relation = ANY (%s) ORDER BY relation"
    built = fill(bare)
    with bare.login("owner") as connection:
        counted = connection.execute(told, [built]).fetchall()
        connection.execute("SELECT published.measure(relation) FROM unnest(%s::text[]) AS relation", [built])
        assert connection.execute(told, [built]).fetchall() == counted
    assert len(counted) == len(built) > 0
    assert all(row[1] > 0 for row in counted)
