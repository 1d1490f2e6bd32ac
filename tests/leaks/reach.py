"""Proof 2, by trying: what somebody could do who had taken over a twin's database session. Allowed must be what is expected, and no more."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

import psycopg

from tests.leaks.canaries import Canaries
from tests.leaks.seen import Seen
from tests.towns import TEMPLATE, Town
from twin_api.publish.migrate import BASE_LOGINS

Connection = psycopg.Connection[tuple[Any, ...]]

CRS_TABLE: Final = "postgis.spatial_ref_sys"  # ST_Transform looks numbers up in it; it came with PostGIS and is the same everywhere
# {schema} is the role's own, {hidden} a published table of somebody else's
DENIED: Final = (
    "COPY store.baeume TO STDOUT",
    "COPY (SELECT 1) TO PROGRAM 'true'",
    "COPY {schema}.collection FROM STDIN",
    "COPY (SELECT 1) TO '/tmp/leak'",
    "EXPLAIN SELECT * FROM store.baeume",
    "EXPLAIN SELECT * FROM published.{hidden}",
    "SELECT lo_create(0)",
    "SELECT lo_creat(-1)",
    "DO $$ BEGIN NULL; END $$",
    "CREATE TEMP TABLE leak (a int)",
    "CREATE TABLE {schema}.leak (a int)",
    "CREATE TABLE public.leak (a int)",
    "CREATE SCHEMA leak",
    "CREATE FUNCTION {schema}.leak() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE VIEW {schema}.leak AS SELECT 1",
    "CREATE ROLE leak",
    "CREATE DATABASE leak",
    "CREATE EXTENSION dblink",
    "INSERT INTO {schema}.collection (name) VALUES ('leak')",
    "UPDATE {schema}.collection SET shown_until = NULL",
    "DELETE FROM {schema}.baeume",
    "TRUNCATE {schema}.collection",
    "LOCK TABLE {schema}.baeume IN ACCESS EXCLUSIVE MODE",
    "ALTER TABLE {schema}.collection ADD COLUMN leak int",
    "SET ROLE {database}_owner",
    "SET ROLE {database}_writer",
    "SET ROLE postgres",
    "SET SESSION AUTHORIZATION {database}_owner",
    "ALTER ROLE {database}_owner PASSWORD 'leak'",
    "GRANT {database}_owner TO CURRENT_USER",
    "ALTER SYSTEM SET log_statement = 'all'",
    "SET log_statement = 'all'",
    "SELECT pg_advisory_lock(7403001)",
    "SELECT pg_try_advisory_xact_lock(7403001)",
    "SELECT query_to_xml('SELECT * FROM store.baeume', true, true, '')",
    "SELECT table_to_xml('store.baeume', true, true, '')",
    "SELECT schema_to_xml('store', true, true, '')",
    "SELECT postgis.ST_EstimatedExtent('published', '{hidden}', '_geometry')",
    "SELECT postgis.ST_EstimatedExtent('store', 'baeume', 'geometry')",
    "SELECT postgis.ST_EstimatedExtent('{schema}', 'baeume', '_geometry')",
    "SELECT postgis._postgis_stats('published.{hidden}', '_geometry')",
    "SELECT postgis._postgis_selectivity('published.{hidden}', '_geometry', postgis.ST_MakeEnvelope(0, 0, 1, 1, 3857))",
    "SELECT postgis._postgis_index_extent('published.{hidden}', '_mercator')",
    "SELECT postgis.ST_FindExtent('published', '{hidden}', '_geometry')",
    "SELECT * FROM postgis.geometry_columns",
    "SELECT pg_relation_size(oid) FROM pg_class WHERE relname = '{hidden}'",
    "SELECT pg_total_relation_size(oid) FROM pg_class WHERE relname = '{hidden}'",
    "SELECT pg_database_size(current_database())",
    "SELECT * FROM pg_stat_user_tables",
    "SELECT * FROM pg_stat_activity",
    "SELECT * FROM pg_stat_database",
    "SELECT * FROM pg_locks",
    "SELECT pg_stat_get_live_tuples(oid) FROM pg_class WHERE relname = '{hidden}'",
    "SELECT pg_stat_get_tuples_updated(oid) FROM pg_class WHERE relname = '{hidden}'",
    "SELECT txid_current()",
    "SELECT pg_current_xact_id()",
    "SELECT pg_current_snapshot()",
    "SELECT pg_current_wal_lsn()",
    "SELECT * FROM pg_control_checkpoint()",
    "SELECT pg_last_committed_xact()",
    "SELECT pg_notify('leak', 'x')",
    "SELECT pg_sleep(0)",
    "SELECT pg_read_file('postgresql.conf')",
    "SELECT pg_ls_dir('.')",
    "SELECT * FROM pg_authid",
    "SELECT * FROM pg_statistic",
    "SELECT * FROM pg_hba_file_rules",
    "SELECT nextval('control.audit_id_seq')",
    "SELECT pg_sequence_last_value('control.audit_id_seq'::regclass)",
    "SELECT set_config('role', '{database}_owner', false)",
    "SELECT * FROM {schema}.collection FOR UPDATE",
    "SELECT lo_import('/etc/hostname')",
    "SELECT lo_get(1)",
    "SELECT data FROM pg_largeobject",
    "SELECT pg_read_binary_file('PG_VERSION')",
    "SELECT pg_stat_file('PG_VERSION')",
    "SELECT pg_ls_logdir()",
    "SELECT pg_ls_waldir()",
    "SELECT pg_export_snapshot()",
    "SELECT pg_logical_emit_message(false, 'leak', 'x')",
    "SELECT pg_create_logical_replication_slot('leak', 'pgoutput')",
    "SELECT * FROM pg_logical_slot_peek_changes('leak', NULL, NULL)",
    "SELECT * FROM pg_replication_slots",
    "SELECT * FROM pg_prepared_xacts",
    "SELECT * FROM pg_stat_all_indexes",
    "SELECT * FROM pg_statio_user_tables",
    "SELECT * FROM pg_stat_bgwriter",
    "SELECT * FROM pg_stat_wal",
    "SELECT * FROM pg_stat_slru",
    "SELECT * FROM pg_stat_replication",
    "SELECT stxdndistinct FROM pg_statistic_ext_data",
    "SELECT subconninfo FROM pg_subscription",
    "SELECT * FROM pg_user_mapping",
    "SELECT * FROM pg_shmem_allocations",
    "SELECT * FROM pg_file_settings",
    "SELECT pg_reload_conf()",
    "SELECT pg_rotate_logfile()",
    "SELECT pg_switch_wal()",
    "SELECT pg_stat_reset()",
    "CREATE PUBLICATION leak",
    "CREATE TYPE {schema}.leak AS ENUM ()",
    "CREATE EXTENSION postgres_fdw",
    "CREATE EXTENSION postgis_raster",
    "SELECT prosrc FROM pg_proc",
    "SELECT pg_get_function_sqlbody(oid), prosqlbody FROM pg_proc",
    "SELECT pg_get_functiondef(oid) FROM pg_proc WHERE proname LIKE 't\\_%\\_follow'",
)
# what PostgreSQL allows every login and nobody can take back; none of it shows a row
ALLOWED: Final = (
    "SELECT * FROM {schema}.baeume",
    "SELECT * FROM {schema}.collection",
    "COPY (SELECT * FROM {schema}.baeume) TO STDOUT",
    "SET statement_timeout = 0",  # settings bound mistakes, not attackers
    "NOTIFY leak",  # nobody in the house listens to a payload
    "LISTEN leak",
    "EXPLAIN SELECT * FROM {schema}.baeume",  # what is visible, estimated
    "SELECT has_table_privilege(oid, 'SELECT') FROM pg_class WHERE relname = '{hidden}'",
    "SELECT relname, reltuples FROM pg_class",
    "SELECT rolname FROM pg_roles",
    "SELECT datname FROM pg_database",
)  # fmt: skip


INSUFFICIENT_PRIVILEGE: Final = "42501"
STATISTICS: Final = "pg_stat%"  # of the catalogue, what depends on who asks


def find_reach(town: Town, roles: list[str] | None = None, at_most: int | None = None) -> list[str]:
    """What these roles' logins may do beyond what is expected; the search ends with `at_most`."""
    return list(islice(_reach(town, Seen(town), roles), at_most))


def _reach(town: Town, seen: Seen, roles: list[str] | None) -> Iterator[str]:
    for role in roles or seen.roles:
        schema = role.replace("/", "_")
        with town.login(schema) as connection:
            yield from (f"{role}: {what}" for what in _tries(town, connection, schema))
            yield from (f"{role}: {what}" for what in _relations(connection, schema))
            yield from (
                f"{role}: {what}" for what in _catalogue(connection, Canaries(seen, role), STATISTICS if role != "citizen" else "pg_%")
            )
        yield from (f"{role}: {what}" for what in _databases(town, schema))


def _tries(town: Town, connection: Connection, schema: str) -> Iterator[str]:
    connection.execute("SET default_transaction_read_only = off")
    hidden = _somebody_elses(town, schema)
    for statement in DENIED:
        told = statement.format(schema=schema, hidden=hidden, database=town.database)
        why = refusal(connection, told)
        if why != INSUFFICIENT_PRIVILEGE:  # refused for another reason, the statement would prove nothing
            yield f"may {told}" if why is None else f"is refused `{told}` for {why} only"
    for other in (*BASE_LOGINS, *(s for s in _schemas(town) if s != schema)):
        if is_allowed(connection, f'SET ROLE "{town.database}_{other}"'):
            yield f"may SET ROLE to {other}"
    for statement in ALLOWED:
        if not is_allowed(connection, statement.format(schema=schema, hidden=hidden, database=town.database)):
            yield f"may not {statement}"


def is_allowed(connection: Connection, statement: str) -> bool:
    return refusal(connection, statement) is None


def refusal(connection: Connection, statement: str) -> str | None:
    """Why a statement is refused, as SQLSTATE; None if it is allowed, and then it is undone at once."""
    try:
        if statement.startswith(("CREATE DATABASE", "ALTER SYSTEM")):  # not in a transaction
            connection.execute(statement.encode())
            return None
        with connection.transaction(force_rollback=True):
            if statement.startswith("COPY"):
                with connection.cursor().copy(statement.encode()) as copy:
                    list(copy if statement.endswith("STDOUT") else ())
            else:
                connection.execute(statement.encode())
    except psycopg.Error as error:
        return error.sqlstate or "?"
    return None


def _relations(connection: Connection, schema: str) -> Iterator[str]:
    """SELECT on every relation of the database, except the catalogue, which is everybody's: the own schema, and what CRS there are."""
    query = (
        "SELECT relnamespace::regnamespace::text, relname, relkind::text FROM pg_class WHERE relkind IN ('r', 'v', 'm', 'f', 'p', 'S', 't') "
        "AND relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)"
    )
    for namespace, name, kind in connection.execute(query).fetchall():
        allowed = is_allowed(connection, f'SELECT 1 FROM "{namespace}"."{name}" LIMIT 1')
        if allowed != (namespace == schema or f"{namespace}.{name}" == CRS_TABLE):
            yield f"may {'' if allowed else 'not '}read {namespace}.{name} ({kind})"


def _catalogue(connection: Connection, canaries: Canaries, like: str) -> Iterator[str]:
    """Names are in the catalogue for everybody (channel 50, see test_grants.py); values and places must not be."""
    query = "SELECT relname FROM pg_class WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind IN ('r', 'v') AND relname LIKE %s"
    for (name,) in connection.execute(query, [like]).fetchall():
        try:
            rows = connection.execute(f"SELECT r::text FROM pg_catalog.{name} r".encode()).fetchall()
        except psycopg.Error:
            continue
        found = canaries.find("\n".join(row[0] for row in rows).encode())
        yield from (f"finds {what} in {name}" for what in found if not what.startswith(("name of ", "title of ")))


def _databases(town: Town, schema: str) -> Iterator[str]:
    with town.superuser() as connection:
        names = [name for (name,) in connection.execute("SELECT datname FROM pg_database WHERE datallowconn").fetchall()]
    for name in names:
        if name != town.database and _is_of_the_house(town, name):
            try:
                psycopg.connect(town.server.conninfo(schema), dbname=name).close()
            except psycopg.OperationalError:
                continue
            yield f"may connect to the database `{name.replace(town.database, '<db>')}`"


def _is_of_the_house(town: Town, database: str) -> bool:
    """PostgreSQL's own databases and every town; not what other tests have for a moment, nor a town that is just being founded."""
    if not database.startswith(("t_", "imports_", TEMPLATE)):
        return True
    try:
        with psycopg.connect(town.cluster.conninfo(database)) as connection:
            return connection.execute("SELECT to_regprocedure('control.harden()')").fetchone() != (None,)
    except psycopg.OperationalError:
        return False  # gone meanwhile


def _schemas(town: Town) -> list[str]:
    return [role.schema for role in town.policies.roles.values()]


def _somebody_elses(town: Town, schema: str) -> str:
    query = "SELECT relation FROM published.shown WHERE schema <> %s AND relation NOT IN (SELECT relation FROM published.shown WHERE schema = %s) LIMIT 1"
    with town.superuser() as connection:
        row = connection.execute(query, [schema, schema]).fetchone()
    assert row is not None
    return str(row[0])
