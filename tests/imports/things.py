"""What the tests of imports are about: a database with a store, an attribute, a point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg
import sqlalchemy as sa

from twin_api.layers.table import describe
from twin_api.policy.documents import Attribute, AttributeType, Layer, Place
from twin_api.texts import Text

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Database:
    """The schema `store` with the tables of the layers asked for."""

    conninfo: str

    def connect(self) -> psycopg.Connection:
        return psycopg.connect(self.conninfo)

    def create(self, *layers: Layer) -> None:
        engine = sa.create_engine("postgresql+psycopg://", creator=self.connect, poolclass=sa.NullPool)
        for layer in layers:
            describe(layer).create(engine)

    def rows(self, query: str) -> list[Row]:
        with self.connect() as connection:
            return connection.execute(query.encode()).fetchall()

    def value(self, query: str) -> Any:
        return self.rows(query)[0][0]


def attribute(name: str, type_: AttributeType = "text", **more: Any) -> Attribute:
    class_ = more.pop("class_", "public")
    return Attribute(name, Text(name), type_, class_, Place("test", 1), **more)


def point(x: float = 678_000.0, y: float = 5_540_000.0, *z: float) -> dict[str, Any]:
    return {"type": "Point", "coordinates": [x, y, *z]}
