"""Database roles hold what `grants.txt` says, and can do what that promises."""

from __future__ import annotations

from tests.leaks.grants import find_surplus
from tests.leaks.reach import find_reach
from tests.towns import Town


def test_every_database_role_holds_exactly_the_rights_of_the_snapshot(town: Town) -> None:
    assert find_surplus(town) == []


def test_a_session_taken_over_reaches_nothing_but_its_own_twin(town: Town) -> None:
    assert find_reach(town) == []


def test_the_catalogue_shows_names_and_sizes_to_every_login(town: Town) -> None:
    """Channel 50: plain PostgreSQL cannot hide them. A database of its own does; `docs/separation.md` says so."""
    with town.login("citizen") as connection:
        rows = connection.execute(
            "SELECT relname, reltuples FROM pg_class WHERE relnamespace::regnamespace::text IN ('store', 'published')"
        )
        names = {name for name, _ in rows.fetchall()}
    assert {"kanalschaechte", "bauantraege"} <= names
