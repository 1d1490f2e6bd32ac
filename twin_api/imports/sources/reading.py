"""What a source file says of columns and values: which column fills which attribute, and how its texts are read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, cast, get_args

from twin_api.imports.description import ColumnRule, Decimal, Reading
from twin_api.imports.values.date_form import zone_of
from twin_api.imports.values.units import KNOWN, factor
from twin_api.policy.documents import Attribute, Layer
from twin_api.policy.documents import Place as Line
from twin_api.policy.fields import Fields, items_of, one_of, table_of, text_of
from twin_api.policy.finding import Findings, listed, quoted, suggestion
from twin_api.policy.yaml_file import Node, Scalar, Table, as_written
from twin_api.texts import Text

FILE_WIDE: Final = ("decimal", "thousands", "dates", "zone", "nulls")
OF_A_COLUMN: Final = ("to", *FILE_WIDE, "values", "unit")
THOUSANDS: Final = (".", ",", " ", "'", "\u00a0", "\u202f")
SIGN: Final = Text("ein Dezimalzeichen", "decimal sign")
NUMBERS: Final = ("integer", "number")
DAYS: Final = ("date", "datetime")
FITS: Final = {"decimal": NUMBERS, "thousands": NUMBERS, "unit": NUMBERS, "dates": DAYS, "zone": ("datetime",)}
NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_PARTS: Final = re.compile("YYYY|YY|MM|DD|hh|mm|ss")
_NEEDS: Final = {"hh": "mm", "mm": "hh", "ss": "mm"}


def read_reading(fields: Fields, above: Reading) -> Reading:
    """How texts are read; what is not said here is as `above`."""
    reading = Reading(
        decimal=cast("Decimal", fields.get("decimal", one_of(get_args(Decimal), SIGN), str(above.decimal))),
        thousands=fields.get("thousands", _thousands, above.thousands),
        dates=fields.get("dates", _dates, above.dates),
        nulls=fields.get("nulls", _nulls, above.nulls),
        values=fields.get("values", _values, above.values),
        unit=fields.get("unit", text_of, above.unit),
        zone=fields.get("zone", _zone, above.zone),
    )
    if reading.thousands == reading.decimal:
        what = Text(f"{quoted(reading.decimal)} kann nicht beides trennen, Tausender und Dezimalstellen",
                    f"{quoted(reading.decimal)} cannot separate both thousands and decimals")  # fmt: skip
        remedy = Text("`decimal` oder `thousands` berichtigen", "correct `decimal` or `thousands`")
        fields.findings.add(fields.at("thousands" if "thousands" in fields else "decimal"), what, remedy)
    return reading


def read_columns(node: Node, layer: Layer | None, above: Reading, findings: Findings) -> Mapping[str, ColumnRule]:
    """The rules by column. `layer` is None where it is unknown, which is a finding already: then attributes are taken as written."""
    table, rules = table_of(node, findings), dict[str, ColumnRule]()
    for column, entry in table.entries.items():
        rule = _rule(column, entry, table.places[column], layer, above, findings)
        earlier = next((name for name, known in rules.items() if known.attribute == rule.attribute), None)
        if earlier is not None:
            what = Text(f"zwei Spalten für das Attribut {quoted(rule.attribute)}: {quoted(earlier)} und {quoted(column)}",
                        f"two columns for the attribute {quoted(rule.attribute)}: {quoted(earlier)} and {quoted(column)}")  # fmt: skip
            findings.add(table.places[column], what, Text("eine weglassen", "leave one out"))
        rules[column] = rule
    return rules


def _rule(column: str, node: Node, place: Line, layer: Layer | None, above: Reading, findings: Findings) -> ColumnRule:
    if not isinstance(node, Table):
        return ColumnRule(_attribute(text_of(node, findings), node.place, layer, findings), above)
    fields = Fields(node, findings, optional=OF_A_COLUMN, place=place)
    name = _attribute(fields.get("to", text_of, column), fields.at("to"), layer, findings)
    rule = ColumnRule(name, read_reading(fields, above))
    if layer is not None and name in layer.attributes:
        _check_fit(layer.attributes[name], rule.reading, fields)
    return rule


def _attribute(name: str, place: Line, layer: Layer | None, findings: Findings) -> str:
    if name and layer is not None and name not in layer.attributes:
        findings.unknown(place, Text("ein Attribut", "attribute"), name, layer.attributes)
    return name


def _check_fit(attribute: Attribute, reading: Reading, fields: Fields) -> None:
    """What only makes sense for some types must not stand at others: it would be ignored."""
    for key, types in FITS.items():
        if key in fields and attribute.type not in types:
            what = Text(f"`{key}` passt nicht zum Attribut `{attribute.name}` der Art `{attribute.type}`",
                        f"`{key}` does not fit the attribute `{attribute.name}` of type `{attribute.type}`")  # fmt: skip
            fields.findings.add(fields.at(key), what, Text("löschen", "delete it"))
    if "dates" in fields and attribute.type == "datetime" and reading.dates and "hh" not in reading.dates:
        what = Text(f"{quoted(reading.dates)} nennt keine Uhrzeit, `{attribute.name}` ist aber ein Zeitpunkt",
                    f"{quoted(reading.dates)} has no time of day, but `{attribute.name}` is a moment")  # fmt: skip
        fields.findings.add(fields.at("dates"), what, Text("`hh:mm` ergänzen", "add `hh:mm`"))
    if "unit" in fields and attribute.unit is not None and reading.unit and factor(reading.unit, attribute.unit) is None:
        what = Text(f"{quoted(reading.unit)} lässt sich nicht in `{attribute.unit}` umrechnen",
                    f"{quoted(reading.unit)} cannot be converted to `{attribute.unit}`")  # fmt: skip
        fields.findings.add(fields.at("unit"), what, suggestion(reading.unit, KNOWN))
    if "unit" in fields and attribute.type in NUMBERS and attribute.unit is None:
        what = Text(
            f"das Attribut `{attribute.name}` hat im Layer keine Einheit", f"the attribute `{attribute.name}` has no unit in its layer"
        )
        fields.findings.add(fields.at("unit"), what, Text("dort `unit` ergänzen oder hier löschen", "add `unit` there or delete it here"))
    _check_meant(attribute, reading, fields)


def _check_meant(attribute: Attribute, reading: Reading, fields: Fields) -> None:
    """A spelling must lead to a value that the attribute can have."""
    node, kind = fields.node("values"), Text(f"in `{attribute.name}` einen Wert", f"value in `{attribute.name}`")
    allowed = ("true", "false") if attribute.type == "boolean" else attribute.enum
    for spelling, place in node.places.items() if isinstance(node, Table) else ():
        meant = reading.values[spelling]
        if allowed is not None and meant not in allowed:
            fields.findings.unknown(place, kind, meant, allowed)
        elif attribute.type in NUMBERS and not NUMBER.fullmatch(meant):
            what = Text(f"{quoted(meant)} ist keine Zahl", f"{quoted(meant)} is no number")
            fields.findings.add(place, what, Text("eine Zahl mit Dezimalpunkt schreiben", "write a number with a decimal point"))


def spelling_of(node: Node, findings: Findings) -> str:
    """Text exactly as it stands in a file, blanks and the empty text included."""
    if isinstance(node, Scalar) and isinstance(node.value, str):
        return node.value
    return text_of(node, findings)


def _thousands(node: Node, findings: Findings) -> str:
    sign = spelling_of(node, findings)
    if sign and sign not in THOUSANDS:
        what = Text(f"{quoted(sign)} trennt keine Tausender", f"{quoted(sign)} separates no thousands")
        findings.add(node.place, what, Text(f"möglich sind: {listed(THOUSANDS[:4])}", f"possible are: {listed(THOUSANDS[:4])}"))
    return sign


def _dates(node: Node, findings: Findings) -> str:
    form = text_of(node, findings)
    if form and not _makes_sense(form):
        what = Text(f"{quoted(form)} ist keine Form für Tage oder Zeitpunkte", f"{quoted(form)} is no form of days or moments")
        remedy = Text("aus `DD`, `MM`, `YYYY` oder `YY`, dazu `hh`, `mm`, `ss` bilden, etwa `DD.MM.YYYY`",
                      "make it of `DD`, `MM`, `YYYY` or `YY`, besides `hh`, `mm`, `ss`, such as `DD.MM.YYYY`")  # fmt: skip
        findings.add(node.place, what, remedy)
    return form


def _zone(node: Node, findings: Findings) -> str:
    """Where moments without one are meant; a fixed offset for instruments that know no summer time."""
    zone = text_of(node, findings)
    try:
        if zone:
            zone_of(zone)
    except ValueError:
        what = Text(f"{quoted(zone)} ist keine Zeitzone", f"{quoted(zone)} is no time zone")
        remedy = Text('`Europe/Berlin` oder `"+01:00"` schreiben', 'write `Europe/Berlin` or `"+01:00"`')
        findings.add(node.place, what, remedy)
    return zone


def _makes_sense(form: str) -> bool:
    """A day, month and year, each once; hours with minutes; between them signs, or the `T` of ISO 8601."""
    parts, between = _PARTS.findall(form), _PARTS.sub("", form)
    complete = {"DD", "MM"} <= set(parts) and len({"YYYY", "YY"} & set(parts)) == 1 and len(parts) == len(set(parts))
    return complete and all(_NEEDS[part] in parts for part in parts if part in _NEEDS) and not re.search(r"\w", between.replace("T", "", 1))


def _nulls(node: Node, findings: Findings) -> frozenset[str]:
    return frozenset(spelling_of(item, findings) for item in items_of(node, findings))


def _values(node: Node, findings: Findings) -> Mapping[str, str]:
    """Spelling -> value meant; a number or truth value may stand there without quotes."""
    return {spelling: _meant(entry, findings) for spelling, entry in table_of(node, findings).entries.items()}


def _meant(node: Node, findings: Findings) -> str:
    if isinstance(node, Scalar) and node.value is not None and not isinstance(node.value, str):
        return as_written(node.value).strip('`"')
    return spelling_of(node, findings)
