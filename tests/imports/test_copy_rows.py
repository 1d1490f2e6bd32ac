"""Rows for COPY: whatever the store can hold arrives as what it was."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin_api.imports.values.copy_rows import HEADER, TRAILER, encode_column, encode_rows
from twin_api.store.embedded import Cluster

TYPES = {
    "text": "text",
    "integer": "int8",
    "number": "float8",
    "boolean": "bool",
    "date": "date",
    "datetime": "timestamptz",
    "geometry": "bytea",
}
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "text": st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    "integer": st.integers(-(2**63), 2**63 - 1),
    "number": st.floats(allow_nan=False),
    "boolean": st.booleans(),
    "date": st.dates(),
    "datetime": st.datetimes(timezones=st.just(UTC)),
    "geometry": st.binary(),
}  # fmt: skip
ROW = st.tuples(*(st.none() | values for values in VALUES.values()))
EDGES = [
    ("", -(2**63), -0.0, False, date.min, datetime.min.replace(tzinfo=UTC), b""),
    ("ß\U0001f333", 2**63 - 1, 5e-324, True, date.max, datetime.max.replace(tzinfo=UTC), b"\0\xff"),
    (None,) * 7,
]


@pytest.fixture(scope="module")
def connection(cluster: Cluster) -> Any:
    with psycopg.connect(cluster.conninfo(), autocommit=True) as connection:
        columns = ", ".join(f"{name} {type_}" for name, type_ in TYPES.items())
        connection.execute(f"CREATE TEMPORARY TABLE arrived (row int8, {columns})".encode())
        connection.execute("SET TimeZone = 'UTC'")
        yield connection


def arrive(connection: psycopg.Connection[Any], rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    connection.execute("TRUNCATE arrived")
    columns = [encode_column("integer", range(len(rows)))]
    columns += [encode_column(type_, values) for type_, values in zip(TYPES, zip(*rows, strict=True), strict=True)] if rows else []
    with connection.cursor().copy("COPY arrived FROM STDIN (FORMAT binary)") as copy:
        copy.write(HEADER + encode_rows(columns) + TRAILER)
    found = connection.cursor(binary=True).execute(f"SELECT {', '.join(TYPES)} FROM arrived ORDER BY row".encode()).fetchall()
    return [tuple(row) for row in found]


def test_the_edges_of_every_type_arrive(connection: psycopg.Connection[Any]) -> None:
    assert [list(map(repr, row)) for row in arrive(connection, EDGES)] == [list(map(repr, row)) for row in EDGES]


@settings(max_examples=200, deadline=None)
@given(rows=st.lists(ROW, max_size=8))
def test_every_row_arrives_as_it_was(connection: psycopg.Connection[Any], rows: list[tuple[Any, ...]]) -> None:
    assert arrive(connection, rows) == rows
