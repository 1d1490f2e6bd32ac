"""A grant compiled: what one role's collection consists of, as a plain value that names its own published table.

Must never read a database or a clock. Two roles with equal definitions share one published table.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from twin_api.policy.documents import Attribute, Grant, Layer, Policies, Role, Town
from twin_api.policy.masks import GeometryMask, ValueMask
from twin_api.policy.rule import And, In, Rule, attributes_of
from twin_api.store.collection import Collection, Description, Property
from twin_api.texts import Text

FORMAT: Final = 1  # raise it when the same definition has to yield other bytes


@dataclass(frozen=True, slots=True)
class Column:
    """One shown attribute; `type` as in the layer file."""

    name: str
    type: str
    mask: ValueMask


@dataclass(frozen=True, slots=True)
class Definition:
    """The rows of one published table: `layer` narrowed by `rows`, coarsened by the masks, and nothing else."""

    layer: str
    rows: Rule
    columns: tuple[Column, ...]
    geometry: GeometryMask
    stored_type: str | None
    epsg: int | None
    datetime: str | None
    rule_types: tuple[tuple[str, str], ...]  # what the rule reads: attribute and type

    @property
    def relation(self) -> str:
        """The table's name: a hash of the definition alone."""
        return "t_" + hashlib.sha256(f"{FORMAT} {self!r}".encode()).hexdigest()[:16]

    @property
    def geometry_type(self) -> str | None:
        return self.geometry.shown_type(self.stored_type) if self.stored_type else None


@dataclass(frozen=True, slots=True)
class Shown:
    """One collection of one role: its definition and all that its schema says of it."""

    collection: str
    definition: Definition
    description: Description
    shown_until: datetime | None

    @property
    def version(self) -> str:
        told = json.dumps(self.description.as_json(), sort_keys=True)
        return hashlib.sha256(f"{self.definition.relation} {told} {self.shown_until}".encode()).hexdigest()[:16]


def compile_policies(policies: Policies, day: date) -> dict[str, dict[str, Shown]]:
    """For every role's schema the collections in force on `day`, by name."""
    return {role.schema: compile_role(policies, role, day) for role in policies.roles.values()}


def compile_role(policies: Policies, role: Role, day: date) -> dict[str, Shown]:
    return {name: _compile(policies.town, policies.layers[grant.layer], grant) for name, grant in sorted(role.open_on(day).items())}


def _compile(town: Town, layer: Layer, grant: Grant) -> Shown:
    definition = compile_grant(layer, grant)
    return Shown(grant.collection, definition, _describe(layer, grant, definition), _shown_until(town, grant))


def compile_grant(layer: Layer, grant: Grant) -> Definition:
    """One grant as a definition; the columns in the layer's order whatever the order in the file."""
    columns = tuple(
        Column(attribute.name, attribute.type, grant.attributes[attribute.name])
        for attribute in layer.attributes.values()
        if attribute.name in grant.attributes
    )
    return Definition(
        layer=layer.name,
        rows=grant.rows,
        columns=columns,
        geometry=grant.geometry,
        stored_type=layer.geometry.type if layer.geometry else None,
        epsg=layer.geometry.epsg if layer.geometry else None,
        datetime=layer.datetime if layer.datetime in grant.attributes else None,
        rule_types=tuple((name, layer.attributes[name].type) for name in sorted(set(attributes_of(grant.rows)))),
    )


def _describe(layer: Layer, grant: Grant, definition: Definition) -> Description:
    return Description(
        title=grant.title or layer.title,
        properties=_properties(layer, grant),
        geometry_type=definition.geometry_type,
        epsg=definition.epsg if definition.geometry_type else None,
        datetime=definition.datetime,
        holder=layer.holder,
        licence=layer.licence,
    )


def _properties(layer: Layer, grant: Grant) -> tuple[Property, ...]:
    return tuple(
        Property(a.name, a.type, Text(a.title.de, a.title.en or a.title.de), a.unit, _enum(a, grant.rows))
        for a in layer.attributes.values()
        if a.name in grant.attributes
    )


def _enum(attribute: Attribute, rows: Rule) -> tuple[str, ...] | None:
    """The values that an item can have here: those the row rule leaves, where it lists them."""
    if attribute.enum is None:
        return None
    terms = rows.terms if isinstance(rows, And) else (rows,)
    left = [set(term.values) for term in terms if isinstance(term, In) and term.attribute == attribute.name]
    return tuple(value for value in attribute.enum if all(value in values for values in left))


def _shown_until(town: Town, grant: Grant) -> datetime | None:
    """The end of the release's last day in the town's own time."""
    if grant.release is None:
        return None
    return datetime.combine(grant.release.until + timedelta(days=1), time(), ZoneInfo(town.time_zone))


def described(shown: Mapping[str, Shown]) -> list[Collection]:
    """The collections of a role as far as the policies alone tell: without any figure."""
    return [Collection(entry.collection, entry.description, 0, None, None, entry.version) for entry in shown.values()]
