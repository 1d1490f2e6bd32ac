"""Migrations: up and down on data, again and again."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from tests.conftest import POLICIES
from tests.towns import DAY, Town
from twin_api.policy.load import load
from twin_api.publish.apply import apply_policies
from twin_api.publish.layers import apply_layers
from twin_api.publish.migrate import StoreUnfit, downgrade, is_superuser, migrate
from twin_api.publish.withdraw import withdraw
from twin_api.store.embedded import Cluster
from twin_api.store.engine import Server
from twin_api.store.secrets import Secrets

NewTown = Callable[..., Town]
CHECKSUM = "SELECT count(*), md5(string_agg((to_jsonb(s) - 'import_id')::text || geometry::text, '' ORDER BY id)) FROM store.baeume s"
FOREIGN = (
    "SELECT p.oid::regprocedure::text, p.proacl::text FROM pg_proc p WHERE p.pronamespace = 'pg_catalog'::regnamespace "
    "AND NOT (p.proacl IS NULL OR p.proacl = acldefault('f', p.proowner)) ORDER BY 1"
)


def _ask(town: Town, query: str) -> list[tuple[object, ...]]:
    with town.superuser() as connection:
        connection.execute("SET search_path = pg_catalog, postgis")
        return connection.execute(query.encode()).fetchall()


def test_down_and_up_again_keeps_every_row_of_the_store(new_town: NewTown) -> None:
    town = new_town()
    before = _ask(town, CHECKSUM)
    citizen = town.client_for("citizen").get("collections/baeume/items?limit=100").content
    downgrade(town.admin, town.secrets, "base")
    assert _ask(town, CHECKSUM) == before
    assert _ask(town, "SELECT nspname FROM pg_namespace WHERE nspname ~ '^(published|citizen|council|administration)'") == []
    assert _ask(town, f"SELECT rolname FROM pg_roles WHERE starts_with(rolname, '{town.database}_')") == []
    migrate(town.admin, town.secrets)
    with town.login("owner") as connection:
        apply_policies(connection, town.policies, DAY, town.secrets)
    assert _ask(town, CHECKSUM) == before
    assert town.client_for("citizen").get("collections/baeume/items?limit=100").content == citizen
    assert town.drift() == []


@pytest.mark.parametrize("revision", ["0001", "0002", "0003", "0004"])
def test_each_step_goes_down_and_up(new_town: NewTown, revision: str) -> None:
    town = new_town()
    before = _ask(town, CHECKSUM)
    downgrade(town.admin, town.secrets, revision)
    migrate(town.admin, town.secrets)
    town.apply()
    assert _ask(town, CHECKSUM) == before
    assert town.client_for("citizen").get("collections/baeume/items").json()["numberMatched"] == 41
    assert town.drift() == []


def test_what_is_withdrawn_stays_closed_down_and_up(new_town: NewTown) -> None:
    town = new_town()
    with town.login("owner") as connection:
        withdraw(connection, "baeume")
    downgrade(town.admin, town.secrets, "0010")
    assert _ask(town, "SELECT shown_until::text FROM citizen.collection WHERE name = 'baeume'") == [("-infinity",)]
    with town.superuser() as connection:  # as an earlier version leaves it open for the moment
        connection.execute("UPDATE citizen.collection SET shown_until = NULL")
    migrate(town.admin, town.secrets)
    assert town.client_for("citizen").get("collections/baeume/items").status_code == 404


def test_hardening_taken_back_gives_public_what_it_had_and_no_more(new_town: NewTown) -> None:
    town = new_town(apply=False)
    with psycopg.connect(town.cluster.conninfo("tests_template"), autocommit=True) as untouched:
        given = untouched.execute(FOREIGN.encode()).fetchall()
    downgrade(town.admin, town.secrets, "0004")
    now = {name for name, _ in _ask(town, FOREIGN)}
    assert {name for name, _ in given} - now == set()
    with town.superuser() as connection:
        public = "SELECT p.oid::regprocedure::text FROM pg_proc p WHERE p.pronamespace = 'pg_catalog'::regnamespace AND (p.proacl IS NULL OR EXISTS (SELECT FROM aclexplode(p.proacl) a WHERE a.grantee = 0))"
        ours = {name for (name,) in connection.execute(public.encode()).fetchall()}
    with psycopg.connect(town.cluster.conninfo("tests_template"), autocommit=True) as untouched:
        theirs = {name for (name,) in untouched.execute(public.encode()).fetchall()}
    assert ours == theirs


def test_migrating_again_changes_nothing(new_town: NewTown) -> None:
    town = new_town()
    everything = "SELECT n.nspname, c.relname, c.relacl::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace ORDER BY 1, 2"
    before = _ask(town, everything)
    migrate(town.admin, town.secrets)
    assert _ask(town, everything) == before


def test_a_database_with_postgis_elsewhere_is_refused_and_left_alone(town: Town) -> None:
    name = f"{town.database}_misfit"
    with psycopg.connect(town.cluster.conninfo(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'".encode())
        try:
            with psycopg.connect(town.cluster.conninfo(name), autocommit=True) as inside:
                inside.execute("CREATE EXTENSION postgis")
            with pytest.raises(StoreUnfit, match="lies in another schema"):
                migrate(town.cluster.conninfo(name), town.secrets)
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def test_an_administrator_who_is_no_superuser_can_found_a_town(cluster: Cluster, tmp_path: Path) -> None:
    """Some hardening is then impossible, and `twin migrate` says so; publishing and reading are not."""
    name, secrets = f"t_modest_{os.getpid()}", Secrets(tmp_path / "secrets")
    with psycopg.connect(cluster.conninfo(), autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {name}_admin LOGIN CREATEROLE CREATEDB PASSWORD 'x'".encode())
        connection.execute(f"CREATE DATABASE {name} TEMPLATE tests_template OWNER {name}_admin".encode())
        try:
            with psycopg.connect(cluster.conninfo(name), autocommit=True) as inside:
                inside.execute(f"ALTER SCHEMA postgis OWNER TO {name}_admin".encode())
            admin = f"{cluster.server(name)} user={name}_admin password=x"
            migrate(admin, secrets)
            assert not is_superuser(admin)
            server, policies = Server(cluster.server(name), secrets), load(POLICIES)
            with server.connect("owner") as owner:
                apply_layers(owner, policies.layers)
                owner.commit()
                apply_policies(owner, policies, DAY, secrets)
            with server.connect("citizen") as citizen:
                assert citizen.execute("SELECT count(*) FROM citizen.baeume").fetchone() == (0,)
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    citizen.execute("SELECT * FROM store.baeume")
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
            for (role,) in connection.execute(
                "SELECT rolname FROM pg_roles WHERE starts_with(rolname, %s) ORDER BY rolname DESC", [name]
            ).fetchall():
                connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


def test_two_towns_on_one_cluster_do_not_touch_each_other(new_town: NewTown) -> None:
    one, other = new_town(), new_town()
    names = f"SELECT rolname FROM pg_roles WHERE starts_with(rolname, '{other.database}_') ORDER BY 1"
    before = _ask(other, names)
    downgrade(one.admin, one.secrets, "base")
    assert _ask(other, names) == before
    assert other.client_for("council").get("collections").status_code == 200


def test_the_owner_cannot_make_or_end_logins_of_others(town: Town) -> None:
    with town.login("owner") as connection:
        for suffix in ("owner", "writer", "postgres", "citizen; DROP ROLE x", "x_citizen"):
            with pytest.raises(psycopg.errors.RaiseException, match="not the name of a twin"):
                connection.execute("SELECT control.drop_login(%s)", [suffix])
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("CREATE ROLE mine LOGIN")
