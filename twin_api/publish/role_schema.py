"""A role's schema: one view per collection and the table `collection`, complete in itself.

Must never grant a role anything outside its own schema.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb
from sqlalchemy.schema import CreateTable

from twin_api.publish.definition import Shown
from twin_api.publish.migrate import verifier
from twin_api.publish.projection import published_columns
from twin_api.publish.statement import quoted, sql_text
from twin_api.publish.table import PUBLISHED
from twin_api.store.collection import About, about_table, closed_table, collection_table
from twin_api.store.engine import login_of
from twin_api.store.secrets import Secrets

Connection = psycopg.Connection[tuple[Any, ...]]


def ensure_login(connection: Connection, schema: str, secrets: Secrets) -> None:
    """The login of a role with its secret and its settings; set right again where the login has changed its own."""
    secret = verifier(connection, login_of(connection, schema), secrets.ensure(schema))
    connection.execute("SELECT control.ensure_login(%s, %s)", [schema, secret])


def ensure_role(connection: Connection, schema: str, name: str, secrets: Secrets) -> None:
    """The login and the empty schema of a role, its secret kept; part of the apply's transaction."""
    ensure_login(connection, schema, secrets)
    connection.execute("INSERT INTO published.role VALUES (%s, %s)", [schema, name])
    make_schema(connection, schema)


def make_schema(connection: Connection, schema: str) -> None:
    """The schema with nothing in it to show yet, and its login's rights on it."""
    login = sql.Identifier(login_of(connection, schema))
    connection.execute(f"CREATE SCHEMA {quoted(schema)}".encode())
    connection.execute(sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(sql.Identifier(schema), login))
    for table in (collection_table(schema), closed_table(schema)):
        connection.execute(sql_text(CreateTable(table)).encode())
        connection.execute(sql.SQL("GRANT SELECT ON {} TO {}").format(sql.Identifier(schema, table.name), login))


def tell_about(connection: Connection, schema: str, about: About) -> None:
    """The one row of `about`, touched only where it says something else; makes the table where an older version left none."""
    table, login = sql.Identifier(schema, "about"), sql.Identifier(login_of(connection, schema))
    row = connection.execute("SELECT to_regclass(%s) IS NULL", [quoted(schema, "about")]).fetchone()
    if row is not None and row[0]:
        connection.execute(sql_text(CreateTable(about_table(schema))).encode())
        connection.execute(sql.SQL("GRANT SELECT ON {} TO {}").format(table, login))
    told = Jsonb(about.as_json())
    if connection.execute(sql.SQL("SELECT FROM {} WHERE told = %s").format(table), [told]).fetchone() is None:
        connection.execute(sql.SQL("DELETE FROM {}").format(table))
        connection.execute(sql.SQL("INSERT INTO {} VALUES (%s)").format(table), [told])


def drop_role(connection: Connection, schema: str) -> None:
    """The schema with all views, and the login; whoever is logged in as it is thrown out."""
    connection.execute("DELETE FROM published.shown WHERE schema = %s", [schema])
    connection.execute("DELETE FROM published.role WHERE schema = %s", [schema])
    connection.execute(f"DROP SCHEMA {quoted(schema)} CASCADE".encode())
    connection.execute("SELECT control.drop_login(%s)", [schema])


def point_view(connection: Connection, schema: str, shown: Shown) -> None:
    """The view `<schema>.<collection>` on the definition's published table, and the grant on it."""
    view = quoted(schema, shown.collection)
    columns = ", ".join(quoted(column) for column in published_columns(shown.definition))
    connection.execute(f"DROP VIEW IF EXISTS {view}".encode())
    connection.execute(f"CREATE VIEW {view} AS SELECT {columns} FROM {quoted(PUBLISHED, shown.definition.relation)}".encode())
    login = quoted(login_of(connection, schema))
    connection.execute(f"GRANT SELECT ON {view} TO {login}".encode())


def drop_view(connection: Connection, schema: str, collection: str) -> None:
    connection.execute(f"DROP VIEW IF EXISTS {quoted(schema, collection)}".encode())


def tell_collections(connection: Connection, schema: str, shown: Mapping[str, Shown]) -> None:
    """The rows of `collection` and of the register; the figures are filled in by `published.spread`.

    INVARIANT: a row that says the same is not touched; another role's change leaves no trace here.
    """
    table = sql.Identifier(schema, "collection")
    names = list(shown)
    connection.execute(sql.SQL("DELETE FROM {} WHERE name <> ALL (%s)").format(table), [names])
    connection.execute("DELETE FROM published.shown WHERE schema = %s AND collection <> ALL (%s)", [schema, names])
    upsert = sql.SQL(
        "INSERT INTO {} AS c (name, description, count, shown_until, version) VALUES (%s, %s, 0, %s, %s) ON CONFLICT (name) DO UPDATE "
        "SET description = EXCLUDED.description, shown_until = EXCLUDED.shown_until, version = EXCLUDED.version "
        "WHERE (c.description, c.shown_until, c.version) IS DISTINCT FROM (EXCLUDED.description, EXCLUDED.shown_until, EXCLUDED.version)"
    ).format(table)
    for entry in shown.values():
        connection.execute(upsert, [entry.collection, Jsonb(entry.description.as_json()), entry.shown_until, entry.version])
        connection.execute(
            "INSERT INTO published.shown VALUES (%s, %s, %s) ON CONFLICT (schema, collection) DO UPDATE SET relation = EXCLUDED.relation",
            [schema, entry.collection, entry.definition.relation],
        )
