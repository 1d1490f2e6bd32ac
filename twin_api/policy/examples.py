"""`tests/<name>.yaml`: example rows of one layer, and what each role is expected to see of them.

Must never take a mistyped name for something hidden: roles, rows, attributes, collections and figures that do not exist are findings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, Final
from zoneinfo import ZoneInfo

from twin_api.policy.areas import area_layer
from twin_api.policy.coordinates import read_coordinates, read_geometry
from twin_api.policy.documents import Grant, Layer, Place, Policies, Role
from twin_api.policy.evaluate import GEOMETRY
from twin_api.policy.fields import Fields, date_of, one_of, table_of
from twin_api.policy.finding import Findings, quoted
from twin_api.policy.rule import Row, World
from twin_api.policy.values import read_value
from twin_api.policy.yaml_file import Node, Scalar, Table, read
from twin_api.texts import Text

TESTS: Final = "tests/"
HIDDEN: Final = "hidden"
NOTHING: Final = "nothing"
NO_FIGURE: Final = "keine"
NOON: Final = time(12)

LAYER: Final = Text("einen Layer", "layer")
ROLE: Final = Text("eine Rolle", "role")
ROW: Final = Text("eine Zeile", "row")
ROW_OR_COLLECTION: Final = Text("eine Zeile oder Collection", "row or collection")
ATTRIBUTE: Final = Text("ein Attribut", "attribute")
FIGURE: Final = Text("eine Zahl", "figure")


@dataclass(frozen=True, slots=True)
class Expected:
    """What one row or group shows: name -> plain value (`geometry`: nested lists); None: the row is hidden."""

    name: str
    shown: Mapping[str, Any] | None
    place: Place


@dataclass(frozen=True, slots=True)
class ExpectedTwin:
    """What one role sees of the example rows. `rows` are those named without a collection."""

    role: str
    rows: tuple[Expected, ...]
    collections: Mapping[str, tuple[Expected, ...]]
    place: Place


@dataclass(frozen=True, slots=True)
class Examples:
    layer: Layer
    rows: Mapping[str, Row]
    areas: Mapping[str, tuple[Row, ...]]
    day: date
    expect: tuple[ExpectedTwin, ...]

    def world(self, zone: str) -> World:
        """The areas of the file, and noon of its day in the town's own time."""
        return World(self.areas, datetime.combine(self.day, NOON, ZoneInfo(zone)).astimezone(UTC), zone)


@dataclass(frozen=True, slots=True)
class _Names:
    """What an expectation may speak of."""

    layer: Layer
    rows: Mapping[str, Row]
    role: Role | None
    grants: Mapping[str, list[Grant]]  # over the layer, by collection, of any role

    def counts(self, collection: str) -> bool:
        """Whether the collection shows figures: to the role itself, or else to whoever has it."""
        own = [g for g in (self.role.grants.get(collection, ()) if self.role else ()) if g.layer == self.layer.name]
        return (own or self.grants[collection])[0].figures is not None

    def figures(self, collection: str) -> list[str]:
        every = [g.figures for g in self.grants[collection] if g.figures is not None]
        return list(dict.fromkeys(figure.name for figures in every for figure in figures.figures))


def examples_of(policies: Policies) -> list[Examples]:
    """The tests of policies that loaded, by file."""
    findings = Findings()
    nodes = {name: read(text.encode(), name, findings) for name, text in policies.files.items() if name.startswith(TESTS)}
    every = [read_examples(node, policies.layers, policies.roles, findings) for node in nodes.values() if node is not None]
    return [examples for examples in every if examples is not None]


def read_examples(node: Node, layers: Mapping[str, Layer], roles: Mapping[str, Role], findings: Findings) -> Examples | None:
    """The tests in one file; None where it does not say of which layer."""
    fields = Fields(node, findings, ("layer", "rows", "expect"), ("areas", "day"))
    layer = layers.get(fields.get("layer", one_of(layers, LAYER), ""))
    if layer is None:
        return None
    grants: dict[str, list[Grant]] = {}
    for grant in (g for role in roles.values() for many in role.grants.values() for g in many):
        if grant.layer == layer.name:
            grants.setdefault(grant.collection, []).append(grant)
    no_rows: Mapping[str, Row] = {}
    no_areas: Mapping[str, tuple[Row, ...]] = {}
    rows = fields.get("rows", lambda n, f: _rows(n, layer, f, grants), no_rows)
    names = _Names(layer, rows, None, grants)
    return Examples(
        layer=layer,
        rows=rows,
        areas=fields.get("areas", lambda n, f: _areas(n, layer, layers, f), no_areas),
        day=fields.get("day", date_of, layer.classified_on),
        expect=fields.get("expect", lambda n, f: _expect(n, names, roles, f), ()),
    )


def _rows(node: Node, layer: Layer, findings: Findings, taken: Mapping[str, Any]) -> Mapping[str, Row]:
    """Rows by the names that the test gives them; whatever is not given is NULL."""
    table = table_of(node, findings)
    for name in table.entries:
        if name in taken:
            what = Text(f"{quoted(name)} heißt schon eine Collection", f"{quoted(name)} is the name of a collection already")
            findings.add(table.places[name], what, Text("die Zeile anders nennen", "give the row another name"))
    return {name: _row(entry, layer, findings) for name, entry in table.entries.items()}


def _row(node: Node, layer: Layer, findings: Findings) -> Row:
    table = table_of(node, findings)
    row: dict[str, Any] = dict.fromkeys((*layer.attributes, GEOMETRY))
    for name, entry in table.entries.items():
        attribute = layer.attributes.get(name)
        if name == GEOMETRY and layer.geometry is not None:
            row[name] = read_geometry(entry, layer.geometry.type, findings)
        elif name == GEOMETRY:
            what = Text(f"der Layer {quoted(layer.name)} hat keine Geometrie", f"the layer {quoted(layer.name)} has no geometry")
            findings.add(table.places[name], what, Text("den Eintrag löschen", "delete the entry"))
        elif attribute is None:
            findings.unknown(table.places[name], ATTRIBUTE, name, layer.attributes)
        elif not (isinstance(entry, Scalar) and entry.value is None):
            row[name] = read_value(entry, attribute, findings)
    return row


def _areas(node: Node, layer: Layer, layers: Mapping[str, Layer], findings: Findings) -> Mapping[str, tuple[Row, ...]]:
    table = table_of(node, findings)
    areas = {}
    for name, entry in table.entries.items():
        known = area_layer(name, table.places[name], layer, layers, findings)
        if known is not None:
            areas[name] = tuple(_area(row, known, findings) for row in table_of(entry, findings).entries.values())
    return areas


def _area(node: Node, areas: Layer, findings: Findings) -> Row:
    before = len(findings)
    row = _row(node, areas, findings)
    missing = [name for name in (*areas.key, GEOMETRY) if row[name] is None]
    if missing and len(findings) == before:
        what = Text(f"einer Fläche von {quoted(areas.name)} fehlt {quoted(missing[0])}",
                    f"an area of {quoted(areas.name)} lacks {quoted(missing[0])}")  # fmt: skip
        findings.add(node.place, what, Text(f"`{missing[0]}: …` ergänzen", f"add `{missing[0]}: …`"))
    return row


def _expect(node: Node, names: _Names, roles: Mapping[str, Role], findings: Findings) -> tuple[ExpectedTwin, ...]:
    table = table_of(node, findings)
    twins = []
    for name, entry in table.entries.items():
        if name not in roles:
            findings.unknown(table.places[name], ROLE, name, roles)
        else:
            of_role = _Names(names.layer, names.rows, roles[name], names.grants)
            twins.append(_expected_twin(name, entry, table.places[name], of_role, findings))
    return tuple(twins)


def _expected_twin(role: str, node: Node, place: Place, names: _Names, findings: Findings) -> ExpectedTwin:
    table = table_of(node, findings)
    rows, collections = [], {}
    for name, entry in table.entries.items():
        if name in names.rows:
            rows.append(_expected_row(name, entry, table.places[name], names, findings))
        elif name in names.grants:
            collections[name] = _expected_collection(name, entry, names, findings)
        else:
            findings.unknown(table.places[name], ROW_OR_COLLECTION, name, (*names.rows, *names.grants))
    return ExpectedTwin(role, tuple(rows), collections, place)


def _expected_collection(collection: str, node: Node, names: _Names, findings: Findings) -> tuple[Expected, ...]:
    if isinstance(node, Scalar) and node.value == NOTHING:
        return ()
    if not isinstance(node, Table):
        kind = Text("Gruppen mit ihren Zahlen", "groups with their figures") if names.counts(collection) else Text("Zeilen", "rows")
        what = Text(f"hier wird `nothing` erwartet, oder {kind.de}", f"`nothing` is expected here, or {kind.en}")
        findings.add(node.place, what, Text("`nothing` schreiben, wenn nichts zu sehen ist", "write `nothing` if there is nothing to see"))
        return ()
    expected = []
    for name, entry in node.entries.items():
        if names.counts(collection):
            expected.append(_expected_group(name, entry, node.places[name], names.figures(collection), findings))
        elif name in names.rows:
            expected.append(_expected_row(name, entry, node.places[name], names, findings))
        else:
            findings.unknown(node.places[name], ROW, name, names.rows)
    return tuple(expected)


def _expected_row(name: str, node: Node, place: Place, names: _Names, findings: Findings) -> Expected:
    if isinstance(node, Scalar) and node.value == HIDDEN:
        return Expected(name, None, place)
    if not isinstance(node, Table):
        what = Text("hier wird `hidden` erwartet, oder alles, was gezeigt wird", "`hidden` is expected here, or everything that is shown")
        example = "`{zustand: schlecht, geometry: [631550, 5498050]}`"
        findings.add(node.place, what, Text(f"`hidden` schreiben, oder etwa {example}", f"write `hidden`, or {example}, for example"))
        return Expected(name, None, place)
    shown: dict[str, Any] = {}
    for key, entry in node.entries.items():
        if key == GEOMETRY:
            shown[key] = read_coordinates(entry, findings)
        elif key not in names.layer.attributes:
            findings.unknown(node.places[key], ATTRIBUTE, key, names.layer.attributes)
        elif isinstance(entry, Scalar):
            shown[key] = entry.value
        else:
            what = Text("hier wird ein einzelner Wert erwartet", "a single value is expected here")
            findings.add(entry.place, what, Text("den gezeigten Wert schreiben, oder `null`", "write the value shown, or `null`"))
    return Expected(name, shown, place)


def _expected_group(name: str, node: Node, place: Place, figures: list[str], findings: Findings) -> Expected:
    table = table_of(node, findings)
    shown: dict[str, Any] = {}
    for key, entry in table.entries.items():
        value = entry.value if isinstance(entry, Scalar) else ""
        if key not in figures:
            findings.unknown(table.places[key], FIGURE, key, figures)
        elif value is None or value == NO_FIGURE:
            shown[key] = None
        elif isinstance(value, int | float) and not isinstance(value, bool):
            shown[key] = value
        else:
            what = Text("hier wird eine Zahl erwartet", "a number is expected here")
            remedy = Text(f"eine Zahl schreiben, oder `null` für `{NO_FIGURE}`", "write a number, or `null` where none is shown")
            findings.add(entry.place, what, remedy)
    return Expected(name, shown, place)
