"""A table like a published one, to which filters are put directly: what they say of each row, unknown included."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import orjson
import psycopg
import shapely
import sqlalchemy as sa

from tests.towns import Town
from twin_api.query.cql2.compile import read_filter
from twin_api.query.crs import CRS84, Crs
from twin_api.store.collection import GEOMETRY, MERCATOR, Collection, Description, Property
from twin_api.store.twin import compile_statement
from twin_api.texts import Text

TYPES: Final = {
    "name": "text", "also": "text", "n": "integer", "m": "integer", "x": "number", "open": "boolean", "day": "date", "at": "datetime",
}  # fmt: skip
_SQL: Final = {
    "text": 'text COLLATE "C"', "integer": "bigint", "number": "float8", "boolean": "boolean", "date": "date", "datetime": "timestamptz",
}  # fmt: skip
THINGS: Final = Collection(
    "things", Description(Text("x"), tuple(Property(n, t, Text(n)) for n, t in TYPES.items()), "Polygon", 4326, "day", "", ""),
    0, None, None, "1",
)  # fmt: skip


class Scratch:
    def __init__(self, connection: psycopg.Connection[Any], rows: Sequence[Mapping[str, Any]]) -> None:
        self._connection = connection
        self.rows = rows

    def truths(self, tree: Any, crs: Crs = CRS84) -> list[bool | None]:
        """What the filter says of each row in turn."""
        clause, params = read_filter(THINGS, orjson.dumps(tree).decode(), "cql2-json", crs)
        columns = (sa.column(name, type_) for name, type_ in clause.columns)
        table = sa.table("things", sa.column("number", sa.Integer()), *columns, schema="pg_temp")
        sql = compile_statement(sa.select(clause.condition(table)).select_from(table).order_by(table.c.number))
        return [said for (said,) in self._connection.execute(sql.encode(), params).fetchall()]


@contextmanager
def scratch(town: Town, rows: Sequence[Mapping[str, Any]]) -> Iterator[Scratch]:
    """The rows' geometries are shapely's, in CRS84."""
    with town.superuser() as connection:
        connection.execute("SET search_path = pg_temp, postgis; SET TimeZone = 'Asia/Kathmandu'")
        columns = ", ".join(f'"{name}" {_SQL[type_]}' for name, type_ in TYPES.items())
        connection.execute(f"CREATE TEMP TABLE things (number serial, {columns}, {GEOMETRY} geometry, {MERCATOR} geometry)".encode())
        names = ", ".join(f'"{name}"' for name in TYPES)
        places = "ST_GeomFromEWKB(%s), ST_Transform(ST_GeomFromEWKB(%s), 3857)"
        for row in rows:
            shape = row.get("geometry")
            wkb = None if shape is None else shapely.to_wkb(shapely.set_srid(shape, 4326), include_srid=True)
            values = [*(row.get(name) for name in TYPES), wkb, wkb]
            spots = ", ".join(["%s"] * len(TYPES))
            connection.execute(f"INSERT INTO things ({names}, {GEOMETRY}, {MERCATOR}) VALUES ({spots}, {places})".encode(), values)
        yield Scratch(connection, rows)
