"""A grant compiled: what one role's collection consists of, as a plain value that names its own published table.

Must never read a database or a clock. Two roles with equal definitions share one published table.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from twin_api.policy.check import classes_used, read_by
from twin_api.policy.crs import points_north_first, unit_of
from twin_api.policy.documents import Attribute, Figure, Figures, Grant, Layer, Policies, Role, Town
from twin_api.policy.masks import Area, GeometryMask, Hide, Keep, KeepGeometry, ValueMask
from twin_api.policy.rule import And, In, Rule, insides_of
from twin_api.store.collection import Axes, Collection, Description, Property
from twin_api.texts import Text

FORMAT: Final = 2  # raise it when the same definition has to yield other bytes


@dataclass(frozen=True, slots=True)
class Column:
    """One shown attribute; `type` as in the layer file."""

    name: str
    type: str
    mask: ValueMask

    @property
    def shown_type(self) -> str:
        return self.mask.shown_type(self.type)


@dataclass(frozen=True, slots=True)
class Groups:
    """What figures are grouped by: `labels` are the names that tell groups apart, `values` the groups where no areas are."""

    figures: Figures
    labels: tuple[str, ...]
    values: tuple[str, ...]
    members_are_points: bool


@dataclass(frozen=True, slots=True)
class Definition:
    """The rows of one published table: `layer` narrowed by `rows`, coarsened by the masks, and nothing else.

    With `groups` it holds one row per group instead: the columns are then labels and figures, the geometry is the area's.
    """

    layer: str
    rows: Rule
    columns: tuple[Column, ...]
    geometry: GeometryMask
    stored_type: str | None
    epsg: int | None
    datetime: str | None
    reads: tuple[tuple[str, str], ...]  # every attribute that what is shown depends on, with its type
    areas: tuple[str, ...] = ()  # layers of areas that it depends on too
    due: str | None = None  # the attribute from whose day or moment on a row is shown
    zone: str = "UTC"  # where days begin
    groups: Groups | None = None
    relation: str = field(init=False, repr=False, compare=False)  # the table's name: a hash of the definition alone

    def __post_init__(self) -> None:
        name = "t_" + hashlib.sha256(f"{FORMAT} {self!r}".encode()).hexdigest()[:16]
        object.__setattr__(self, "relation", name)

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
    return {name: compile_shown(policies, grant) for name, grant in sorted(role.open_on(day).items())}


def compile_shown(policies: Policies, grant: Grant) -> Shown:
    """One collection with all that is said of it."""
    definition = compile_grant(policies, grant)
    return Shown(grant.collection, definition, _describe(policies, grant, definition), _shown_until(policies.town, grant))


def compile_grant(policies: Policies, grant: Grant) -> Definition:
    """One grant as a definition; the columns in the layer's order whatever the order in the file."""
    layer = policies.layers[grant.layer]
    columns = tuple(
        Column(attribute.name, attribute.type, grant.attributes[attribute.name])
        for attribute in layer.attributes.values()
        if attribute.name in grant.attributes
    )
    definition = Definition(
        layer=layer.name,
        rows=grant.shown_rows,
        columns=columns,
        geometry=grant.geometry,
        stored_type=layer.geometry.type if layer.geometry else None,
        epsg=layer.geometry.epsg if layer.geometry else None,
        datetime=layer.datetime if layer.datetime in grant.attributes else None,
        reads=tuple((name, layer.attributes[name].type) for name in sorted(read_by(grant))),
        areas=_areas(grant),
        due=grant.embargo,
        zone=policies.town.time_zone if grant.embargo or grant.figures else "UTC",
    )
    return definition if grant.figures is None else _grouped(policies, layer, definition, grant.figures)


def _areas(grant: Grant) -> tuple[str, ...]:
    named = {inside.layer for inside in insides_of(grant.rows)}
    named |= {grant.geometry.layer} if isinstance(grant.geometry, Area) else set()
    named |= {grant.figures.group_by} if grant.figures is not None and grant.figures.by_area else set()
    return tuple(sorted(named))


def _grouped(policies: Policies, layer: Layer, definition: Definition, figures: Figures) -> Definition:
    """The same rows as figures: labels first, then the figures in the order of the file."""
    areas = policies.layers[figures.group_by] if figures.by_area else None
    by = areas.attributes if areas else layer.attributes
    labels = areas.key if areas else (figures.group_by,)
    columns = [Column(name, by[name].type, Keep()) for name in labels]
    columns += [Column(figure.name, _figure_type(figure, layer), Keep()) for figure in figures.figures]
    shape = areas.geometry if areas else None
    enum = by[figures.group_by].enum if areas is None else None
    is_point = layer.geometry is not None and layer.geometry.type in ("Point", "PointZ")
    return replace(
        definition,
        columns=tuple(columns),
        geometry=KeepGeometry() if shape else Hide(),
        stored_type=shape.type if shape else None,
        epsg=shape.epsg if shape else None,
        datetime=None,
        groups=Groups(figures, labels, tuple(enum or ()), is_point),
    )


def _figure_type(figure: Figure, layer: Layer) -> str:
    """Counts are whole, and so are sums of whole numbers."""
    whole = figure.kind == "count" or (figure.kind == "sum" and layer.attributes[figure.attribute or ""].type == "integer")
    return "integer" if whole else "number"


def _describe(policies: Policies, grant: Grant, definition: Definition) -> Description:
    layer = policies.layers[grant.layer]
    return Description(
        title=grant.title or layer.title,
        properties=_properties(policies, layer, grant, definition),
        geometry_type=definition.geometry_type,
        epsg=definition.epsg if definition.geometry_type else None,
        axes=_axes(definition.epsg) if definition.geometry_type and definition.epsg else None,
        datetime=definition.datetime,
        holder=layer.holder,
        licence=layer.licence,
        theme=policies.town.themes[layer.theme] if layer.theme else None,
        announce=grant.announce,
        audited=any(policies.town.classes[class_].audited for class_ in classes_used(grant, layer).values()),
    )


def _axes(epsg: int) -> Axes:
    return Axes(north_first=points_north_first(epsg), degrees=unit_of(epsg) == "degree")


def _properties(policies: Policies, layer: Layer, grant: Grant, definition: Definition) -> tuple[Property, ...]:
    if definition.groups is not None:
        return tuple(_figure_properties(policies, layer, definition, definition.groups))
    return tuple(
        Property(a.name, column.shown_type, _title(a), a.unit if column.shown_type == a.type else None, _values(a, column.mask, grant.rows))
        for column in definition.columns
        for a in (layer.attributes[column.name],)
    )


def _figure_properties(policies: Policies, layer: Layer, definition: Definition, groups: Groups) -> Iterator[Property]:
    by = policies.layers[groups.figures.group_by].attributes if groups.figures.by_area else layer.attributes
    figures = {figure.name: figure for figure in groups.figures.figures}
    for column in definition.columns:
        figure = figures.get(column.name)
        if figure is None:
            yield Property(column.name, column.type, _title(by[column.name]), None, groups.values or None)
        else:
            counted = layer.attributes.get(figure.attribute or "")
            unit = "%" if figure.kind == "share" else counted.unit if counted else None
            yield Property(column.name, column.type, figure.title or _FIGURE_TITLES[figure.kind](counted, figure), unit)


def _title(attribute: Attribute) -> Text:
    return Text(attribute.title.de, attribute.title.en or attribute.title.de)


_FIGURE_TITLES: Final[dict[str, Callable[[Attribute | None, Figure], Text]]] = {
    "count": lambda a, f: Text("Anzahl", "Number"),
    "share": lambda a, f: Text(f"Anteil {_of(a, f).de}", f"Share of {_of(a, f).en}"),
    "sum": lambda a, f: Text(f"Summe {_of(a, f).de}", f"Sum of {_of(a, f).en}"),
    "mean": lambda a, f: Text(f"Mittel {_of(a, f).de}", f"Mean of {_of(a, f).en}"),
}


def _of(attribute: Attribute | None, figure: Figure) -> Text:
    if attribute is None:
        return Text("", "")
    values = ", ".join(map(str, figure.values))
    title = _title(attribute)
    return Text(f"{title.de}: {values}", f"{title.en}: {values}") if values else title


def _values(attribute: Attribute, mask: ValueMask, rows: Rule) -> tuple[str, ...] | None:
    """The values that an item can have here: the mask's own, or of those listed the ones that the row rule leaves."""
    if mask.shown_values() is not None or attribute.enum is None:
        return mask.shown_values()
    return _enum(attribute, rows)


def _enum(attribute: Attribute, rows: Rule) -> tuple[str, ...] | None:
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
