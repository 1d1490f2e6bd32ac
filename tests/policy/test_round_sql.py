"""Rounding in PostgreSQL: total on everything a column can hold, and what the Python reference says."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
import sqlalchemy as sa

from tests.towns import Connection, Town
from twin_api.layers.table import COLUMN_TYPES
from twin_api.policy.masks import Round
from twin_api.publish.statement import sql_text

WHOLE = [*(2**63 - n for n in range(1, 40)), *(-(2**63) + n for n in range(40))]
LARGEST = 1.7976931348623157e308
DOUBLES = [LARGEST, -LARGEST, 1.7976931348623155e308, 5e-324, -5e-324, 2.0**63, 9007199254740993.0, 0.5, -0.5, 0.49999999999999994]


@pytest.fixture(scope="module")
def connection(town: Town) -> Iterator[Connection]:
    with town.login("owner") as connection:
        yield connection


@pytest.mark.parametrize("step", ["1", "2", "7", "10", "1e15", "0.1", "1e-9"])
@pytest.mark.parametrize(("type_", "cast", "values"), [("integer", "bigint", WHOLE), ("number", "float8", DOUBLES)])
def test_rounding_the_outermost_values_fails_in_no_write(
    connection: Connection, step: str, type_: str, cast: str, values: list[float]
) -> None:
    mask = Round(Decimal(step))
    if type_ == "integer" and mask.step % 1:
        return  # refused by the loader
    expression = sql_text(sa.select(mask.sql(sa.column("v", COLUMN_TYPES[type_]))))
    listed = ", ".join(f"({n}, '{value!r}'::{cast})" for n, value in enumerate([*values, values[0] * 0]))
    query = f"{expression} FROM (VALUES {listed}, ({len(values) + 1}, NULL)) AS specimen (n, v) ORDER BY n"
    shown = [row[0] for row in connection.execute(query.encode()).fetchall()]
    assert shown == [*map(mask.value, values), 0, None]
