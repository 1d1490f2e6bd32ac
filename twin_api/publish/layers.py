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
from twin_api.publish.statement import quoted, sql_text
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
        reasons += [_orphan(name) for name in sorted(stored.keys() - layers.keys())]
        if reasons:
            raise LayersRefused(reasons)
    return outcome


def _create(connection: Connection, table: sa.Table) -> None:
    name = quoted(STORE, table.name)
    connection.execute(sql_text(CreateTable(table)).encode())
    connection.execute(f"CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON {name} EXECUTE FUNCTION published.refuse_truncate()".encode())
    _grant(connection, table)


def _grant(connection: Connection, table: sa.Table) -> None:
    """The writer reads, inserts, deletes and updates everything but the id."""
    writer = sql.Identifier(f"{connection.info.dbname}_writer")
    columns = sql.SQL(", ").join(sql.Identifier(c.name) for c in table.columns if c.name != ID)
    statement = "GRANT SELECT, INSERT, DELETE, UPDATE ({}) ON {} TO {}"
    connection.execute(sql.SQL(statement).format(columns, sql.Identifier(STORE, table.name), writer))


def _grow(connection: Connection, table: sa.Table, stored: Mapping[str, str], outcome: LayersOutcome) -> list[Text]:
    reasons = []
    for column in table.columns:
        wanted = _type_name(column)
        if column.name not in stored:
            if column.name == GEOMETRY:
                reasons.append(_changed(table.name, GEOMETRY, "–", wanted))
                continue
            connection.execute(f"ALTER TABLE {quoted(STORE, table.name)} ADD COLUMN {sql_text(CreateColumn(column))}".encode())
            outcome.grown.append(f"{table.name}.{column.name}")
        elif stored[column.name] != wanted:
            reasons.append(_changed(table.name, column.name, stored[column.name], wanted))
    if any(name.startswith(f"{table.name}.") for name in outcome.grown):
        _grant(connection, table)
    reasons += [_dropped(table.name, name) for name in stored if name not in table.columns]
    return reasons


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


def _orphan(layer: str) -> Text:
    return Text(
        f"{layer} steht im Speicher, hat aber keine Datei. Die Datei `layers/{layer}.yaml` wieder anlegen.",
        f"{layer} is in the store but has no file. Put `layers/{layer}.yaml` back.",
    )


def missing_layers(connection: Connection, layers: Mapping[str, Layer]) -> list[str]:
    """Layers and attributes that the files name and the store does not have yet."""
    stored = _stored_columns(connection)
    wanted = {layer.name: describe(layer).columns.keys() for layer in layers.values()}
    return sorted(
        [name for name in wanted if name not in stored]
        + [f"{name}.{column}" for name, columns in wanted.items() if name in stored for column in columns if column not in stored[name]]
    )
