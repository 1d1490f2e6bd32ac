"""A published table: made for reading, named by its definition, filled set-wise in spatial order.

Must never be filled by anything but its definition's projection.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.schema import AddConstraint, CreateIndex, CreateTable

from twin_api.layers.table import COLUMN_TYPES, STORE, geometry_type
from twin_api.layers.table import GEOMETRY as STORED_GEOMETRY
from twin_api.publish.definition import Definition
from twin_api.publish.projection import prepare, project, project_prepared, published_columns, store_source
from twin_api.publish.statement import quoted, sql_text
from twin_api.store.collection import FEATURE, GEOMETRY, MERCATOR, MERCATOR_SRID, PLACE

PUBLISHED: Final = "published"
UNTENDED: Final = "WITH (autovacuum_enabled = off)"  # of a table that is soon gone
_IN_ORDER: Final = f" ORDER BY {PLACE}, id"


def describe_published(definition: Definition, name: str) -> sa.Table:
    """The table `published.<name>` with its indexes: by id, by place (the order of pages), by mercator geometry, by time."""
    columns: list[sa.Column[Any]] = [
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column(PLACE, sa.Text(collation="C"), nullable=False),
        sa.Column(FEATURE, sa.Text, nullable=False),
    ]
    if definition.geometry_type and definition.epsg:
        columns.append(sa.Column(GEOMETRY, geometry_type(definition.geometry_type, definition.epsg)))
        columns.append(sa.Column(MERCATOR, geometry_type(definition.geometry_type.removesuffix("Z"), MERCATOR_SRID)))
    columns += [sa.Column(column.name, COLUMN_TYPES[column.shown_type]) for column in definition.columns]
    table = sa.Table(name, sa.MetaData(), *columns, schema=PUBLISHED)
    _index(definition, table)
    return table


def _index(definition: Definition, table: sa.Table) -> None:
    sa.Index(f"{table.name}_place", table.c[PLACE], table.c.id)
    if definition.geometry_type:
        sa.Index(f"{table.name}_mercator", table.c[MERCATOR], postgresql_using="gist")
    if definition.datetime:
        sa.Index(f"{table.name}_datetime", table.c[definition.datetime])


@lru_cache(maxsize=512)
def create_statements(definition: Definition, name: str) -> tuple[str, ...]:
    """Table first, then its rows in spatial order, then its indexes and statistics: the order that builds fastest."""
    table = describe_published(definition, name)
    target = quoted(PUBLISHED, name)
    key = sql_text(AddConstraint(table.primary_key))  # from here on CREATE TABLE leaves it out
    unasked = ["id", FEATURE, *([GEOMETRY] if GEOMETRY in table.c else [])]  # no condition is estimated by these; of ids a key is known
    kept = f"ALTER TABLE {target} ALTER COLUMN {FEATURE} SET COMPRESSION lz4, " + ", ".join(
        f"ALTER COLUMN {column} SET STATISTICS 0" for column in unasked
    )
    rows = sql_text(project(definition, store_source(definition))) + _IN_ORDER
    indexes = [sql_text(CreateIndex(index)) for index in sorted(table.indexes, key=lambda i: str(i.name))]
    return (sql_text(CreateTable(table)), kept, _fill(definition, target, rows), key, *indexes, f"ANALYZE {target}")


@lru_cache(maxsize=512)
def shared_statements(definition: Definition, name: str) -> tuple[str, ...]:
    """For building several tables of a layer at once: a temporary table's name, what makes it, and what fills this one from it.

    Equal names mean equal tables. Nothing where there is nothing to share.
    """
    prepared = prepare(definition)
    if prepared is None:
        return ()
    rows = sql_text(prepared) + _IN_ORDER
    shared = f"shared_{hashlib.sha256(rows.encode()).hexdigest()[:16]}"
    made = f"CREATE TEMPORARY TABLE {shared} ON COMMIT DROP AS {rows}"
    return (shared, made, _fill(definition, quoted(PUBLISHED, name), sql_text(project_prepared(definition, shared))))


def make_shared_beside(shared: Sequence[str], layer: str, schema: str, rows: str) -> list[str]:
    """The statements that make a shared table so that other backends see it: in `schema`, from the layer's rows in a table there.

    Nothing if another version of the program has written down how the table is made, and does it in another way.
    A literal that looks like what is replaced cannot be: what is derived from a geometry knows numbers and layers only.
    It is filled apart: CREATE TABLE AS writes every page to disk at once, and whoever reads next has to fetch it from there.
    """
    name, made = shared
    beginning, source, target = f"CREATE TEMPORARY TABLE {name} ON COMMIT DROP AS ", _from(STORE, layer), quoted(schema, name)
    if not made.startswith(beginning) or made.count(source) != 1:
        return []
    select = made.removeprefix(beginning).replace(source, _from(schema, rows))
    return [f"CREATE UNLOGGED TABLE {target} {UNTENDED} AS {select} WITH NO DATA", f"INSERT INTO {target} {select}"]


def _from(schema: str, table: str) -> str:
    source = sa.table(table, schema=schema).alias("r")
    return "FROM " + sql_text(sa.select(sa.literal_column("1")).select_from(source)).partition("FROM ")[2] + "\n"


def is_fill(statement: str) -> bool:
    """Whether this one of a table's statements brings its rows."""
    return statement.startswith("INSERT INTO")


def area_index(area: str) -> str:
    """By which the area of a point is found; its name is none that a layer can have."""
    return f"CREATE INDEX IF NOT EXISTS {quoted(f'_areas_{area}')} ON {quoted(STORE, area)} USING gist ({quoted(STORED_GEOMETRY)})"


def _fill(definition: Definition, target: str, rows: str) -> str:
    columns = ", ".join(quoted(column) for column in published_columns(definition))
    return f"INSERT INTO {target} ({columns}) {rows}"
