"""A look at policies that are not applied: one role's twin built beside the real ones, for one local server, and gone afterwards.

Must never touch what is published: its tables, schema and login carry `preview` in their names, and no part can be called that.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any, Final

import psycopg
from psycopg.types.json import Jsonb

from twin_api.policy.documents import Policies, Role
from twin_api.publish.definition import Definition, Shown, compile_role
from twin_api.publish.projection import published_columns
from twin_api.publish.role_schema import ensure_login, make_schema, tell_about
from twin_api.publish.statement import execute_one, pin_session, quoted
from twin_api.publish.table import PUBLISHED, create_statements
from twin_api.publish.withdraw import withdrawn_collections
from twin_api.store.collection import About
from twin_api.store.engine import login_of
from twin_api.store.secrets import Secrets

Connection = psycopg.Connection[tuple[Any, ...]]
PREVIEW: Final = "preview"


@contextmanager
def previewed(connection: Connection, policies: Policies, role: Role, day: date, secrets: Secrets) -> Iterator[str]:
    """Build the role's twin as these policies would show it, and yield its schema; `secrets` get the secret of its login.

    It shows the store as it is now and does not follow writes. What an earlier preview left behind, killed, is removed first.
    """
    schema = f"{role.schema}_{PREVIEW}"
    _remove(connection, schema)
    try:
        with connection.transaction():
            _build(connection, policies, role, day, schema, secrets)
        yield schema
    finally:
        _remove(connection, schema)
        secrets.remove(schema)


def _build(connection: Connection, policies: Policies, role: Role, day: date, schema: str, secrets: Secrets) -> None:
    pin_session(connection)
    ensure_login(connection, schema, secrets)
    make_schema(connection, schema)
    tell_about(connection, schema, About(policies.town.name, policies.town.pages, role.announce))
    published = {relation for (relation,) in connection.execute("SELECT relation FROM published.definition").fetchall()}
    kept_out = withdrawn_collections(connection)
    entries = [entry for name, entry in compile_role(policies, role, day).items() if name not in kept_out]
    # first what takes long: published tables are held from the first view on, and an apply would wait for them
    for entry, relation in [(entry, _filled(connection, schema, entry.definition, published)) for entry in entries]:
        _show(connection, schema, entry, relation)


def _filled(connection: Connection, schema: str, definition: Definition, published: set[str]) -> str:
    """The published table where there is one already, else one of the preview's own."""
    if definition.relation in published:
        return definition.relation
    relation = _begin(schema) + definition.relation
    if connection.execute("SELECT to_regclass(%s)", [quoted(PUBLISHED, relation)]).fetchone() == (None,):
        for statement in create_statements(definition, relation):
            execute_one(connection, statement)
    return relation


def _show(connection: Connection, schema: str, shown: Shown, relation: str) -> None:
    definition = shown.definition
    columns = ", ".join(quoted(column) for column in published_columns(definition))
    view, login = quoted(schema, shown.collection), quoted(login_of(connection, schema))
    connection.execute(f"CREATE VIEW {view} AS SELECT {columns} FROM {quoted(PUBLISHED, relation)}".encode())
    connection.execute(f"GRANT SELECT ON {view} TO {login}".encode())
    _tell(connection, schema, shown, relation)


def _tell(connection: Connection, schema: str, shown: Shown, relation: str) -> None:
    definition = shown.definition
    reach = "published.crs84(postgis.ST_Extent(_mercator))" if definition.geometry_type else "NULL"
    moment = quoted(definition.datetime) if definition.datetime else "NULL"
    query = (
        f"INSERT INTO {quoted(schema, 'collection')} (name, description, count, bbox, starts, ends, shown_until, version) "
        f"SELECT %s, %s, count(*), {reach}, min({moment})::timestamptz, max({moment})::timestamptz, %s, %s "
        f"FROM {quoted(PUBLISHED, relation)}"
    )
    values = [shown.collection, Jsonb(shown.description.as_json()), shown.shown_until, shown.version]
    connection.execute(query.encode(), values)


def make_way(connection: Connection, relation: str) -> None:
    """Before a published table is dropped: the views of previews on it go, also of one that was killed. It shows a collection less."""
    query = (
        "SELECT DISTINCT n.nspname, c.relname FROM pg_depend d JOIN pg_rewrite w ON d.classid = 'pg_rewrite'::regclass AND w.oid = d.objid "
        "JOIN pg_class c ON c.oid = w.ev_class JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE d.refobjid = to_regclass(%s) AND n.nspname NOT IN (SELECT schema FROM published.role) AND n.nspname ~ %s"
    )
    for schema, view in connection.execute(query, [quoted(PUBLISHED, relation), f"_{PREVIEW}$"]).fetchall():
        connection.execute(f"DROP VIEW {quoted(schema, view)}".encode())


def _begin(schema: str) -> str:
    """How the preview's own tables begin; short enough that their indexes can be told apart, whatever the part is called."""
    return f"{PREVIEW}_{hashlib.sha256(schema.encode()).hexdigest()[:8]}_"


def _remove(connection: Connection, schema: str) -> None:
    """Everything a preview of this schema has made, wherever it stopped."""
    with connection.transaction():
        connection.execute(f"DROP SCHEMA IF EXISTS {quoted(schema)} CASCADE".encode())
        connection.execute("SELECT control.drop_login(%s)", [schema])
        begins = _begin(schema)
        query = "SELECT relname FROM pg_class WHERE relnamespace = 'published'::regnamespace AND relkind = 'r' AND starts_with(relname, %s)"
        for (name,) in connection.execute(query, [begins]).fetchall():
            connection.execute(f"DROP TABLE {quoted(PUBLISHED, name)}".encode())
