"""Layer files become tables of the store. Grows what can grow; refuses, with the list, what would lose or retype data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg import sql
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateColumn, CreateTable

from twin_api.layers.table import GEOMETRY, ID, STORE, describe
from twin_api.policy.documents import Layer
from twin_api.publish.statement import execute_one, quoted, sql_text
from twin_api.texts import Text

_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]
Connection = psycopg.Connection[tuple[Any, ...]]


class LayersRefused(Exception):
    """The store cannot follow the layer files without losing or retyping data. `reasons` has one text each; nothing was changed."""

    def __init__(self, reasons: list[Text]) -> None:
        super().__init__("; ".join(reason.en for reason in reasons))
        self.reasons = reasons


@dataclass(slots=True)
class LayersOutcome:
    created: list[str] = field(default_factory=list)
    grown: list[str] = field(default_factory=list)  # `layer.attribute`
    left: list[str] = field(default_factory=list)  # layers that stand in the store without a file: nobody sees them


def apply_layers(connection: Connection, layers: Mapping[str, Layer]) -> LayersOutcome:
    """Make the tables of `store` follow the layer files, in one transaction; connection of the owner."""
    outcome, reasons = LayersOutcome(), []
    with connection.transaction():
        stored = _stored_columns(connection)
        for layer in layers.values():
            table = describe(layer)
            if layer.name not in stored:
                _create(connection, table)
                outcome.created.append(layer.name)
            else:
                reasons += _grow(connection, table, stored[layer.name], outcome)
        outcome.left = sorted(stored.keys() - layers.keys())
        if reasons:
            raise LayersRefused(reasons)
    return outcome


def check_layers(connection: Connection, layers: Mapping[str, Layer]) -> list[Text]:
    """Why policies over these layer files cannot be applied to the store as it is; empty if they can."""
    reasons = []
    stored = _stored_columns(connection)
    for layer in layers.values():
        table, found = describe(layer), stored.get(layer.name, {})
        reasons += [_missing(layer.name, c.name) for c in table.columns if c.name not in found] if found else [_missing(layer.name, None)]
        reasons += _differences(table, found)
    return reasons


def _create(connection: Connection, table: sa.Table) -> None:
    name = quoted(STORE, table.name)
    execute_one(connection, sql_text(CreateTable(table)))
    connection.execute(f"CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON {name} EXECUTE FUNCTION published.refuse_truncate()".encode())
    _grant(connection, table)


def _grant(connection: Connection, table: sa.Table) -> None:
    """The writer reads, inserts, deletes and updates everything but the id."""
    writer = sql.Identifier(f"{connection.info.dbname}_writer")
    columns = sql.SQL(", ").join(sql.Identifier(c.name) for c in table.columns if c.name != ID)
    statement = "GRANT SELECT, INSERT, DELETE, UPDATE ({}) ON {} TO {}"
    connection.execute(sql.SQL(statement).format(columns, sql.Identifier(STORE, table.name), writer))


def _grow(connection: Connection, table: sa.Table, stored: Mapping[str, str], outcome: LayersOutcome) -> list[Text]:
    """Add the columns that are missing; says what stands in the way of the rest."""
    new = [column for column in table.columns if column.name not in stored and column.name != GEOMETRY]
    for column in new:
        execute_one(connection, f"ALTER TABLE {quoted(STORE, table.name)} ADD COLUMN {sql_text(CreateColumn(column))}")
        outcome.grown.append(f"{table.name}.{column.name}")
    if new:
        _grant(connection, table)
    bare = GEOMETRY in table.columns and GEOMETRY not in stored
    return _differences(table, stored) + ([_changed(table.name, GEOMETRY, "–", _type_name(table.c[GEOMETRY]))] if bare else [])


def _differences(table: sa.Table, stored: Mapping[str, str]) -> list[Text]:
    """Columns of another type, and columns that the file no longer names."""
    wanted = {column.name: _type_name(column) for column in table.columns}
    retyped = [name for name in wanted if name in stored and stored[name] != wanted[name]]
    return [_changed(table.name, name, stored[name], wanted[name]) for name in retyped] + [
        _dropped(table.name, name) for name in stored if name not in wanted
    ]


def _type_name(column: sa.Column[Any]) -> str:
    """The type as `format_type` prints it, in lower case."""
    return str(column.type.compile(dialect=_DIALECT)).split(" COLLATE")[0].lower()


def _stored_columns(connection: Connection) -> dict[str, dict[str, str]]:
    rows = connection.execute(
        "SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod) FROM pg_class c "
        "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped "
        "WHERE c.relnamespace = 'store'::regnamespace AND c.relkind = 'r'"
    ).fetchall()
    stored: dict[str, dict[str, str]] = {}
    for table, column, type_ in rows:
        stored.setdefault(table, {})[column] = type_.removeprefix("postgis.").lower()
    return stored


def _changed(layer: str, attribute: str, before: str, after: str) -> Text:
    return Text(
        f"{layer}.{attribute} ist im Speicher `{before}` und in der Datei `{after}`. Typen gespeicherter Daten bleiben, wie sie sind.",
        f"{layer}.{attribute} is `{before}` in the store and `{after}` in the file. The types of stored data stay as they are.",
    )


def _dropped(layer: str, attribute: str) -> Text:
    return Text(
        f"{layer}.{attribute} steht im Speicher, aber nicht in der Datei. Das Merkmal wieder aufnehmen.",
        f"{layer}.{attribute} is in the store but not in the file. Put the attribute back.",
    )


def _missing(layer: str, attribute: str | None) -> Text:
    name = f"{layer}.{attribute}" if attribute else layer
    return Text(
        f"{name} fehlt im Speicher. Zuerst `twin layers apply` aufrufen.", f"{name} is not in the store. Run `twin layers apply` first."
    )
