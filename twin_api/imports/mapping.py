"""Which column of the file fills which attribute of the layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from twin_api.imports.description import Description, Reading
from twin_api.imports.finding import Finding, Findings
from twin_api.imports.format import Kind
from twin_api.imports.naming import attribute_name
from twin_api.imports.values.readers import reader
from twin_api.imports.values.units import KNOWN, factor
from twin_api.policy.documents import Attribute, Layer
from twin_api.policy.finding import listed, quoted, suggestion
from twin_api.texts import Text


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """The file's column for each attribute it fills, in the layer's order, and how its values are read.

    `attributes` are those of the whole import, in the same order: of several files one may lack a column that others have.
    """

    columns: Mapping[str, str]
    readings: Mapping[str, Reading]
    ignored: tuple[str, ...]
    attributes: tuple[str, ...]


def map_columns(layer: Layer, columns: Mapping[str, Kind], description: Description, findings: Findings) -> ColumnMap:
    """Columns with a rule first, then those called like an attribute, then those whose header becomes its name (`Höhe [m]`)."""
    taken = _ruled(layer, columns, description, findings)
    free = [column for column in columns if column not in description.columns and column not in description.place.columns]
    taken = _called(layer, free) | taken
    taken = _named(layer, free, taken) | taken
    for attribute in layer.key:
        if attribute not in taken and not findings.total:
            findings.add(_key_missing(attribute, columns))
    in_order = {name: taken[name] for name in layer.attributes if name in taken}
    readings = {name: rule.reading if (rule := description.rule(column)) else description.reading for name, column in in_order.items()}
    for name, column in in_order.items():
        _check(layer.attributes[name], column, columns[column], readings[name], findings)
    used = {*in_order.values(), *description.place.columns}
    return ColumnMap(in_order, readings, tuple(name for name in columns if name not in used), tuple(in_order))


def _ruled(layer: Layer, columns: Mapping[str, Kind], description: Description, findings: Findings) -> dict[str, str]:
    taken: dict[str, str] = {}
    for column, rule in description.columns.items():
        if _is_known(layer, columns, column, rule.attribute, findings) and _is_free(taken, column, rule.attribute, findings):
            taken[rule.attribute] = column
    return taken


def _called(layer: Layer, columns: list[str]) -> dict[str, str]:
    return {name: name for name in columns if name in layer.attributes}


def _named(layer: Layer, columns: list[str], taken: Mapping[str, str]) -> dict[str, str]:
    """Where two headers become one name, neither is taken: somebody has to say which is meant."""
    names = [attribute_name(column) for column in columns]
    return {
        name: column
        for name, column in zip(names, columns, strict=True)
        if name in layer.attributes and name not in taken and names.count(name) == 1
    }


def _check(attribute: Attribute, column: str, kind: Kind, reading: Reading, findings: Findings) -> None:
    """What is said of the column has to make sense for the attribute."""
    if kind == "other":
        findings.add(_no_plain_values(attribute.name, column))
    try:
        reader(attribute, kind, reading)
    except ValueError as error:
        said = quoted(str(error))
        what = Text(f"{said} ist keine Form eines Datums und keine Zeitzone", f"{said} is no form of a date and no zone")
        remedy = Text("etwa `DD.MM.YYYY` und `Europe/Berlin`", "such as `DD.MM.YYYY` and `Europe/Berlin`")
        findings.add(Finding(what, remedy, attribute=attribute.name))
    if reading.unit and attribute.type in ("integer", "number") and (not attribute.unit or factor(reading.unit, attribute.unit) is None):
        findings.add(_no_factor(attribute, reading.unit))


def _no_factor(attribute: Attribute, unit: str) -> Finding:
    what = Text(f"von {quoted(unit)} nach {quoted(attribute.unit or '–')} ist keine Umrechnung bekannt",
                f"no conversion from {quoted(unit)} to {quoted(attribute.unit or '–')} is known")  # fmt: skip
    known = listed(KNOWN, len(KNOWN))
    remedy = Text(f"`unit` im Layer und in der Quelle prüfen; bekannt sind {known}", f"check `unit` of layer and source; known are {known}")
    return Finding(what, remedy, attribute=attribute.name)


def _is_known(layer: Layer, columns: Mapping[str, Kind], column: str, attribute: str, findings: Findings) -> bool:
    if column not in columns:
        what = Text(f"die Datei hat keine Spalte {quoted(column)}", f"the file has no column {quoted(column)}")
        findings.add(Finding(what, suggestion(column, columns)))
    if attribute not in layer.attributes:
        what = Text(
            f"der Layer `{layer.name}` hat kein Attribut {quoted(attribute)}",
            f"the layer `{layer.name}` has no attribute {quoted(attribute)}",
        )
        findings.add(Finding(what, suggestion(attribute, layer.attributes)))
    return column in columns and attribute in layer.attributes


def _is_free(taken: Mapping[str, str], column: str, attribute: str, findings: Findings) -> bool:
    if attribute in taken:
        what = Text(
            f"zwei Spalten für ein Attribut: {quoted(taken[attribute])} und {quoted(column)}",
            f"two columns for one attribute: {quoted(taken[attribute])} and {quoted(column)}",
        )
        findings.add(Finding(what, Text("eine weglassen", "leave one out"), attribute=attribute))
    return attribute not in taken


def _key_missing(attribute: str, columns: Mapping[str, Kind]) -> Finding:
    remedy = suggestion(attribute, columns)
    return Finding(
        Text("keine Spalte füllt dieses Schlüsselattribut", "no column fills this key attribute"),
        Text(f"`--map SPALTE={attribute}`; {remedy.de}", f"`--map COLUMN={attribute}`; {remedy.en}"),
        attribute=attribute,
    )


def _no_plain_values(attribute: str, column: str) -> Finding:
    return Finding(
        Text(
            f"die Spalte {quoted(column)} enthält Listen, Uhrzeiten, Binärdaten oder einen unbekannten Typ",
            f"the column {quoted(column)} holds lists, times of day, binary data or an unknown type",
        ),
        Text("als Text, Zahl, Datum oder Wahrheitswert ausgeben", "write it as text, number, date or boolean"),
        attribute=attribute,
    )
