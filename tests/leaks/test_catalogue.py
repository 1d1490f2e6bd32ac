"""What a login reads of PostgreSQL's own catalogue is known by name, and none of it tells of a hidden write."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.leaks.catalogue import find_readable, find_telling
from tests.towns import Town

CRS = ("postgis", "spatial_ref_sys")  # the one table that is nobody's own: numbers of CRS and their parameters


@pytest.mark.parametrize("login", ["citizen", "council", "administration_bauhof"])
def test_a_login_reads_of_the_catalogue_what_the_snapshot_names(town: Town, login: str) -> None:
    assert find_readable(town, login) == []


def test_no_catalogue_and_no_function_tells_of_a_hidden_write(new_town: Callable[..., Town]) -> None:
    assert find_telling(new_town()) == []


def test_the_information_schema_shows_a_login_its_own_schema_alone(town: Town) -> None:
    with town.login("citizen") as connection:
        for view, others in (("tables", [CRS]), ("columns", [CRS]), ("views", [])):
            query = (
                f"SELECT DISTINCT table_schema::text, table_name::text FROM information_schema.{view} "
                "WHERE table_schema NOT IN ('pg_catalog', 'information_schema', 'citizen')"
            )
            assert connection.execute(query.encode()).fetchall() == others, view
        counted = connection.execute(
            "SELECT DISTINCT schemaname::text, tablename::text FROM pg_stats WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        assert counted in ([CRS], [])  # there are none before the cluster has kept house
