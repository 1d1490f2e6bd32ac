"""The policy files as facts: town, layers, roles and their grants, after everything has been checked.

Must never read a file, a clock or a database: these are plain values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from twin_api.policy.rule import And, Due, Rule, Value
from twin_api.texts import Text

if TYPE_CHECKING:  # masks speak SQL; the process that opens foreign files has no use for that
    from twin_api.policy.masks import GeometryMask, ValueMask

AttributeType = Literal["text", "integer", "number", "boolean", "date", "datetime"]
GeometryType = Literal[
    "Point", "PointZ", "MultiPoint", "MultiPointZ", "LineString", "LineStringZ", "MultiLineString", "MultiLineStringZ",
    "Polygon", "PolygonZ", "MultiPolygon", "MultiPolygonZ",
]  # fmt: skip
Access = Literal["anonymous", "login", "token"]
FigureKind = Literal["count", "share", "sum", "mean"]
Refresh = Literal["daily", "weekly", "monthly", "quarterly", "yearly"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the policy folder something was written; `line` counts from 1."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class SensitivityClass:
    """A class of `town.yaml` (key 1). `seen_by` holds role names and patterns such as `council/*`."""

    name: str
    title: str
    ground: str
    seen_by: tuple[str, ...]
    audited: bool = False  # whoever reads something of it is noted

    def is_seen_by(self, role: str) -> bool:
        part = role.partition("/")[0] + "/*"
        return role in self.seen_by or ("/" in role and part in self.seen_by)


@dataclass(frozen=True, slots=True)
class Extent:
    """A rectangle in the units of its CRS, easting (or longitude) first."""

    epsg: int
    west: float
    south: float
    east: float
    north: float


@dataclass(frozen=True, slots=True)
class Town:
    name: str
    ags: str
    epsg: int
    languages: tuple[str, ...]
    pages: Mapping[str, str]
    departments: Mapping[str, str]
    classes: Mapping[str, SensitivityClass]  # always holds the built-in `unreviewed`, seen by nobody
    time_zone: str = "Europe/Berlin"
    themes: Mapping[str, Text] = field(default_factory=dict)
    extent: Extent | None = None  # around the town, in its `epsg`


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute of a layer. `enum` maps the stored value to its English word; `was` is the name it had before."""

    name: str
    title: Text
    type: AttributeType
    class_: str
    place: Place
    unit: str | None = None
    key: bool = False
    locates: bool = False
    free_text: bool = False
    reviewed: str | None = None  # the boolean attribute that says a person has read this free text
    enum: Mapping[str, str] | None = None
    was: str | None = None


@dataclass(frozen=True, slots=True)
class Geometry:
    type: GeometryType
    epsg: int
    class_: str
    heights: str | None = None


@dataclass(frozen=True, slots=True)
class Layer:
    name: str
    title: Text
    owner: str
    holder: str
    licence: str
    terms: Literal["own", "open", "internal-only"]
    purpose: str
    classified_by: str
    classified_on: date
    review: date
    group: str | None
    existence: str
    geometry: Geometry | None
    attributes: Mapping[str, Attribute]
    datetime: str | None  # the date or datetime attribute that the OGC parameter `datetime` asks for
    place: Place
    theme: str | None = None
    dropped: tuple[str, ...] = ()  # attributes whose stored values go with the next apply

    @property
    def key(self) -> tuple[str, ...]:
        """The attributes that together name an item outside the store; empty for a layer without key."""
        return tuple(a.name for a in self.attributes.values() if a.key)


@dataclass(frozen=True, slots=True)
class Release:
    """A declared exception to a class: exactly `of` may leave it, up to and including the day `until`."""

    of: frozenset[str]
    reason: str
    approve: tuple[str, ...]
    heard: tuple[str, ...]
    until: date
    place: Place

    def is_open_on(self, day: date) -> bool:
        return day <= self.until


@dataclass(frozen=True, slots=True)
class Figure:
    """One number per group. `values` are those a share counts; `step` rounds what is shown."""

    name: str
    kind: FigureKind
    attribute: str | None
    values: tuple[Value, ...]
    step: Decimal | None
    title: Text | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """A collection of groups instead of items: one per area of the layer `group_by`, or one per value of that attribute."""

    group_by: str
    by_area: bool
    figures: tuple[Figure, ...]
    at_least: int
    refresh: Refresh


@dataclass(frozen=True, slots=True)
class Grant:
    """One collection in one role's file. `attributes` holds a mask for every attribute that is shown, and no other."""

    collection: str
    layer: str
    file_role: str  # the role in whose file it stands; a release is checked against this one only
    rows: Rule
    geometry: GeometryMask
    attributes: Mapping[str, ValueMask]
    release: Release | None
    place: Place
    title: Text | None = None
    embargo: str | None = None  # the date or datetime attribute from which on a row is shown
    announce: Text | None = None
    figures: Figures | None = None
    missing: tuple[str, ...] = ()  # departments whose approval of the release is not there yet

    @property
    def shown_rows(self) -> Rule:
        """The rows with the embargo on them."""
        if self.embargo is None:
            return self.rows
        terms = self.rows.terms if isinstance(self.rows, And) else (self.rows,)
        return And((*terms, Due(self.embargo)))

    def is_open_on(self, day: date) -> bool:
        """Whether it shows anything: a release must have every approval, and must not be over."""
        return self.release is None or (not self.missing and self.release.is_open_on(day))


@dataclass(frozen=True, slots=True)
class Role:
    """A role with everything it is granted, includes resolved, expired releases still in (see `Policies.open_on`)."""

    name: str  # citizen, council, administration, administration/bauhof …
    access: Access
    grants: Mapping[str, tuple[Grant, ...]]  # per collection: the role's own grant first, then the included one
    announce: tuple[Text, ...] = ()

    @property
    def schema(self) -> str:
        return self.name.replace("/", "_")

    def open_on(self, day: date) -> Mapping[str, Grant]:
        """The grant in force for each collection on `day`: the first whose release, if it has one, is approved and not over."""
        in_force = {}
        for collection, grants in self.grants.items():
            for grant in grants:
                if grant.is_open_on(day):
                    in_force[collection] = grant
                    break
        return in_force


@dataclass(frozen=True, slots=True)
class Policies:
    """A whole policy folder that loaded without a finding. `files` keeps the text of each file by its relative name."""

    town: Town
    layers: Mapping[str, Layer]
    roles: Mapping[str, Role]
    files: Mapping[str, str] = field(default_factory=dict)
