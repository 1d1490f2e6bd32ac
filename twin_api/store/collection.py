"""The table `collection` of a role's schema: all that discovery needs, so that a server needs only this schema.

Must never hold anything that is not shown to the role it belongs to.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from twin_api.texts import Text

# Columns of a published table that are no properties; their names cannot collide with attributes, which start with a letter.
PLACE: Final = "_place"
FEATURE: Final = "_feature"
GEOMETRY: Final = "_geometry"
MERCATOR: Final = "_mercator"

MERCATOR_SRID: Final = 3857


@dataclass(frozen=True, slots=True)
class Property:
    """One property of a collection's items; `type` as in layer files."""

    name: str
    type: str
    title: Text
    unit: str | None = None
    enum: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Axes:
    """How a CRS says a place: whether its first axis points north, and whether its units are degrees; if not, they are lengths."""

    north_first: bool
    degrees: bool

    def as_json(self) -> dict[str, bool]:
        return {"north_first": self.north_first, "degrees": self.degrees}


@dataclass(frozen=True, slots=True)
class Description:
    """What a collection is, as published: a function of the role's own definition."""

    title: Text
    properties: tuple[Property, ...]
    geometry_type: str | None
    epsg: int | None
    datetime: str | None
    holder: str
    licence: str
    theme: Text | None = None
    announce: Text | None = None  # what is withheld here
    audited: bool = False  # whoever reads it is noted
    axes: Axes | None = None  # of `epsg`; None where an older version described the collection

    @property
    def has_heights(self) -> bool:
        return (self.geometry_type or "").endswith("Z")

    def as_json(self) -> dict[str, Any]:
        return {
            "title": self.title.as_json(),
            "properties": [
                {"name": p.name, "type": p.type, "title": p.title.as_json(), "unit": p.unit, "enum": p.enum and list(p.enum)}
                for p in self.properties
            ],
            "geometry_type": self.geometry_type,
            "epsg": self.epsg,
            "datetime": self.datetime,
            "holder": self.holder,
            "licence": self.licence,
            "theme": self.theme and self.theme.as_json(),
            "announce": self.announce and self.announce.as_json(),
            "audited": self.audited,
            "axes": self.axes and self.axes.as_json(),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Description:
        properties = tuple(
            Property(p["name"], p["type"], Text(**p["title"]), p["unit"], tuple(p["enum"]) if p["enum"] else None)
            for p in stored["properties"]
        )
        return cls(
            title=Text(**stored["title"]),
            properties=properties,
            geometry_type=stored["geometry_type"],
            epsg=stored["epsg"],
            datetime=stored["datetime"],
            holder=stored["holder"],
            licence=stored["licence"],
            theme=_text(stored.get("theme")),
            announce=_text(stored.get("announce")),
            audited=bool(stored.get("audited")),
            axes=Axes(**stored["axes"]) if stored.get("axes") else None,
        )


@dataclass(frozen=True, slots=True)
class About:
    """What a twin says of itself: whose it is, which pages belong to it, and what is withheld from this role."""

    town: str = ""
    pages: Mapping[str, str] = field(default_factory=dict)
    announce: tuple[Text, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {"town": self.town, "pages": dict(self.pages), "announce": [text.as_json() for text in self.announce]}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> About:
        return cls(stored["town"], stored["pages"], tuple(Text(**text) for text in stored["announce"]))


def about_table(schema: str) -> sa.Table:
    """`about` in a role's schema: one row."""
    return sa.Table("about", sa.MetaData(), sa.Column("told", JSONB, nullable=False), schema=schema)


def _text(stored: Mapping[str, str] | None) -> Text | None:
    return Text(**stored) if stored else None


@dataclass(frozen=True, slots=True)
class Collection:
    """One collection as a twin shows it now. `bbox` is west, south, east, north in CRS84 degrees; None while it is empty."""

    name: str
    description: Description
    count: int
    bbox: tuple[float, float, float, float] | None
    interval: tuple[datetime | None, datetime | None] | None
    version: str
    memo: dict[Hashable, Any] = field(default_factory=dict, compare=False, repr=False)  # of the twin it belongs to, and of no other

    def property(self, name: str) -> Property | None:
        return next((p for p in self.description.properties if p.name == name), None)


def collection_table(schema: str) -> sa.Table:
    """`collection` in a role's schema. `shown_until` closes a row by itself when its release is over."""
    return sa.Table(
        "collection",
        sa.MetaData(),
        sa.Column("name", sa.Text(collation="C"), primary_key=True),
        sa.Column("description", JSONB, nullable=False),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.Column("bbox", ARRAY(sa.Double)),
        sa.Column("starts", sa.DateTime(timezone=True)),
        sa.Column("ends", sa.DateTime(timezone=True)),
        sa.Column("shown_until", sa.DateTime(timezone=True)),
        sa.Column("version", sa.Text, nullable=False),
        schema=schema,
    )


def closed_table(schema: str) -> sa.Table:
    """`_closed` in a role's schema: the collections that are withdrawn.

    INVARIANT: no trigger touches it, so that closing waits for nobody who writes.
    """
    return sa.Table("_closed", sa.MetaData(), sa.Column("collection", sa.Text(collation="C"), primary_key=True), schema=schema)


def is_shown(table: sa.Table) -> sa.ColumnElement[bool]:
    """Whether a row of `collection` is still open: not past its time by the database's clock, and not withdrawn.

    INVARIANT: every statement of a reader carries this, so an expired release closes even with the worker stopped.
    """
    closed = closed_table(str(table.schema))
    is_closed = sa.select(sa.literal_column("1")).where(closed.c.collection == table.c.name).correlate(table).exists()
    return sa.and_(sa.or_(table.c.shown_until.is_(None), table.c.shown_until > sa.func.now()), ~is_closed)
