"""Which column of the file fills which attribute of the layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from twin_api.imports.finding import Finding, Findings
from twin_api.imports.format import Kind
from twin_api.policy.documents import Layer
from twin_api.policy.finding import quoted, suggestion
from twin_api.texts import Text


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """`columns` holds the file's column for each attribute that is imported, in the layer's order."""

    columns: Mapping[str, str]
    ignored: tuple[str, ...]


def map_columns(layer: Layer, columns: Mapping[str, Kind], wanted: Mapping[str, str], findings: Findings) -> ColumnMap:
    """Pairs said explicitly first (`wanted`, column -> attribute), then columns named like an attribute."""
    taken: dict[str, str] = {}
    for column, attribute in wanted.items():
        if _is_known(layer, columns, column, attribute, findings) and _is_free(taken, column, attribute, findings):
            taken[attribute] = column
    for name in layer.attributes:
        if name in columns and name not in taken and name not in wanted:
            taken[name] = name
    for attribute in layer.key:
        if attribute not in taken and not findings.total:
            findings.add(_key_missing(attribute, columns))
    for attribute, column in taken.items():
        if columns[column] == "other":
            findings.add(_no_plain_values(attribute, column))
    in_order = {name: taken[name] for name in layer.attributes if name in taken}
    return ColumnMap(in_order, tuple(name for name in columns if name not in in_order.values()))


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
            f"zwei Spalten für ein Attribut: `{taken[attribute]}` und {quoted(column)}",
            f"two columns for one attribute: `{taken[attribute]}` and {quoted(column)}",
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
            f"die Spalte {quoted(column)} enthält Listen, Uhrzeiten oder Binärdaten",
            f"the column {quoted(column)} holds lists, times of day or binary data",
        ),
        Text("als Text, Zahl, Datum oder Wahrheitswert ausgeben", "write it as text, number, date or boolean"),
        attribute=attribute,
    )
