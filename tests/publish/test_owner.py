"""Whoever has the owner's login has the town, and no more: nothing that it puts anywhere runs with the administrator's rights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tests.backup.backups import NOW
from tests.doctor.examining import complaints, look
from tests.towns import Town
from twin_api.backup.sealed import Identity
from twin_api.backup.take import take_backup
from twin_api.cli.doctor.checks import CHECKS
from twin_api.publish.migrate import StoreUnfit, downgrade, find_revision, migrate

NewTown = Callable[..., Town]
WATCHED = (
    "published.role",
    "published.shown",
    "published.definition",
    "published.withdrawn",
    "control.policy",
    "control.audit",
    "store.baeume",
)

# makes the owner a superuser where the session is a superuser's: `SET ROLE` would be no wall
GRAB = """
CREATE FUNCTION store.grab() RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS $$ BEGIN
  IF (SELECT rolsuper FROM pg_roles WHERE rolname = session_user) THEN
    RESET ROLE;
    ALTER ROLE "{db}_owner" SUPERUSER;
  END IF;
  RETURN true;
END $$;
CREATE FUNCTION store.grab_row() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM store.grab(); RETURN NULL; END $$;
"""
ON_TABLE = """
CREATE TRIGGER grab AFTER INSERT OR UPDATE OR DELETE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION store.grab_row();
ALTER TABLE {table} ENABLE ALWAYS TRIGGER grab;
CREATE CONSTRAINT TRIGGER grab_later AFTER INSERT OR UPDATE OR DELETE ON {table} DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
EXECUTE FUNCTION store.grab_row();
ALTER TABLE {table} ENABLE ALWAYS TRIGGER grab_later;
ALTER TABLE {table} ADD CHECK (store.grab()), ADD COLUMN grabbed boolean DEFAULT store.grab();
ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
CREATE POLICY grab ON {table} USING (store.grab());
"""
# what a query looks up by its operators: in a schema of the superuser's name, where PostgreSQL looks first after its own
OPERATORS = """
CREATE SCHEMA postgres;
CREATE FUNCTION store.alike(oid, regnamespace) RETURNS boolean LANGUAGE sql AS 'SELECT store.grab()';
CREATE OPERATOR postgres.= (LEFTARG = oid, RIGHTARG = regnamespace, FUNCTION = store.alike);
CREATE FUNCTION store.alike(name, text) RETURNS boolean LANGUAGE sql AS 'SELECT store.grab()';
CREATE OPERATOR postgres.= (LEFTARG = name, RIGHTARG = text, FUNCTION = store.alike);
"""
# what a value is shown by: a cast to JSON
CASTS = """
CREATE TYPE store.mood AS ENUM ('good');
CREATE FUNCTION store.told(store.mood) RETURNS json LANGUAGE sql AS $$ SELECT to_json(store.grab()) $$;
CREATE CAST (store.mood AS json) WITH FUNCTION store.told(store.mood);
ALTER TABLE published.definition ADD COLUMN mood store.mood DEFAULT 'good';
"""


def as_owner(town: Town, *scripts: str) -> None:
    with town.login("owner") as connection:
        for script in scripts:
            connection.execute(script.replace("{db}", town.database).encode())


def has_grabbed(town: Town) -> bool:
    with town.superuser() as connection:
        row = connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = %s", [f"{town.database}_owner"]).fetchone()
    assert row is not None
    return bool(row[0])


@pytest.mark.slow
def test_what_the_owner_puts_on_its_tables_never_runs_as_the_administrator(new_town: NewTown, tmp_path: Path) -> None:
    town, recipient = new_town(), Identity.generate().to_public()
    as_owner(town, GRAB, *(ON_TABLE.format(table=table) for table in WATCHED), OPERATORS, CASTS)
    take_backup(town.admin, town.secrets, tmp_path, [recipient], {}, NOW)
    for check in CHECKS:
        look(town, check.name)
    migrate(town.admin, town.secrets)
    downgrade(town.admin, town.secrets, "0003")
    migrate(town.admin, town.secrets)
    assert not has_grabbed(town)
    with town.superuser() as connection:  # the traps are no dummies
        connection.execute("INSERT INTO published.role (schema, name) VALUES ('x', 'x')")
    assert has_grabbed(town)


def test_what_the_owner_puts_in_the_place_of_the_administrators_own_is_never_called(new_town: NewTown) -> None:
    """As it could while `control` was the owner's: a town of an earlier version comes up, and one with such things in it is refused."""
    town = new_town(apply=False)
    with town.superuser() as connection:
        connection.execute(f'ALTER SCHEMA control OWNER TO "{town.database}_owner"'.encode())
    migrate(town.admin, town.secrets)
    with town.login("owner") as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("DROP FUNCTION control.harden()")
    with town.superuser() as connection:
        connection.execute(f'ALTER SCHEMA control OWNER TO "{town.database}_owner"'.encode())
    trap = "RETURNS void LANGUAGE sql AS 'SELECT store.grab()::text::void'"
    as_owner(
        town, GRAB, "DROP FUNCTION control.harden(); DROP FUNCTION control.grant_reading(text); DROP TABLE control.alembic_version",
        f"CREATE FUNCTION control.harden() {trap}; CREATE FUNCTION control.grant_reading(text) {trap}",
        "CREATE VIEW control.alembic_version AS SELECT '0012'::text AS version_num WHERE store.grab()",
    )  # fmt: skip
    assert find_revision(town.admin) is None
    assert any("`control.harden()` is missing" in told for told in complaints(look(town, "hardening")))
    with pytest.raises(StoreUnfit, match=r"the function control.grant_reading.*the function control.harden.*control.alembic_version"):
        migrate(town.admin, town.secrets)
    assert not has_grabbed(town)
    with town.superuser() as connection:
        connection.execute("SELECT control.harden()")
    assert has_grabbed(town)


def test_a_name_of_the_owners_choice_is_a_name_and_nothing_else(new_town: NewTown) -> None:
    town = new_town(apply=False)
    as_owner(town, 'CREATE TABLE store."x""; ALTER ROLE ""{db}_owner"" SUPERUSER; --" ()')
    with town.login("owner") as connection:
        connection.execute("INSERT INTO published.role VALUES ('other_owner', 'x')")
    before = set(town.secrets.roles())
    migrate(town.admin, town.secrets)
    assert set(town.secrets.roles()) == before, "no password is set for a login that only the owner says there is"
    downgrade(town.admin, town.secrets, "base")
    migrate(town.admin, town.secrets)
    assert not has_grabbed(town)
