"""`rows:` of a grant: which rows it shows, said as `all`, as values and ranges, or as CQL2 text.

Must never show a row for want of a rule: every mistake is a finding, and an empty choice is one too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from twin_api.policy.areas import area_layer
from twin_api.policy.cql2_text import read_cql2
from twin_api.policy.documents import Attribute, Layer, Place
from twin_api.policy.fields import Fields, items_of, text_of
from twin_api.policy.finding import Findings, quoted, suggestion
from twin_api.policy.rule import All, And, Between, In, Inside, Rule, Value
from twin_api.policy.values import read_value
from twin_api.policy.yaml_file import Items, Node, Scalar, Table
from twin_api.texts import Text

Layers = Mapping[str, Layer | None]


def read_rows(node: Node, layer: Layer, layers: Layers, findings: Findings) -> Rule:
    """The rule; after a finding, whatever could be read of it (which is never used)."""
    if isinstance(node, Table):
        return _conditions(node, layer, layers, findings)
    if isinstance(node, Scalar) and isinstance(node.value, str) and node.value.strip():
        return _words(node.value.strip(), layer, node.place, findings)
    what = Text("`rows` sagt nicht, welche Zeilen gezeigt werden", "`rows` does not say which rows are shown")
    remedy = Text(
        "`all`, `{attribut: [werte]}` oder eine Regel in CQL2 schreiben", "write `all`, `{attribute: [values]}` or a rule in CQL2"
    )
    findings.add(node.place, what, remedy)
    return All()


def _words(text: str, layer: Layer, place: Place, findings: Findings) -> Rule:
    if text == "all":
        return All()
    if text.isalpha():
        what = Text(f"{quoted(text)} ist keine Regel", f"{quoted(text)} is not a rule")
        findings.add(
            place, what, suggestion(text, ["all"]) if text.lower() not in ("alle", "alles") else Text("`all` schreiben", "write `all`")
        )
        return All()
    return read_cql2(text, layer, place, findings)


def _conditions(table: Table, layer: Layer, layers: Layers, findings: Findings) -> Rule:
    rules = [_condition(name, node, table.places[name], layer, layers, findings) for name, node in table.entries.items()]
    if not table.entries:
        what = Text("`rows` ist leer", "`rows` is empty")
        findings.add(table.place, what, Text("`all` schreiben, wenn alle Zeilen gemeint sind", "write `all` if every row is meant"))
    conditions = tuple(rule for rule in rules if rule is not None)
    return conditions[0] if len(conditions) == 1 else And(conditions)


def _condition(name: str, node: Node, place: Place, layer: Layer, layers: Layers, findings: Findings) -> Rule | None:
    attribute = layer.attributes.get(name)
    if name == "inside":
        return _inside(node, place, layer, layers, findings)
    if attribute is None:
        findings.unknown(place, Text("ein Attribut", "attribute"), name, layer.attributes)
    elif isinstance(node, Table):
        return _range(node, attribute, findings)
    elif isinstance(node, Items):
        return _choice(node, attribute, findings)
    else:
        shown = node.value if isinstance(node, Scalar) else "…"
        what = Text(f"`{name}` braucht eine Liste oder einen Bereich", f"`{name}` needs a list or a range")
        findings.add(node.place, what, Text(f"`{name}: [{shown}]` schreiben", f"write `{name}: [{shown}]`"))
    return None


def _inside(node: Node, place: Place, layer: Layer, layers: Layers, findings: Findings) -> Rule | None:
    """`inside: {layer: ortsteile, name: Nord}`: the layer with the areas, and one of its attributes with one value or a list."""
    table = node if isinstance(node, Table) else Table({}, {}, place)
    named = [name for name in table.entries if name != "layer"]
    if "layer" not in table.entries or len(named) != 1:
        what = Text(
            "`inside` braucht einen Layer mit Flächen und eines seiner Attribute",
            "`inside` wants a layer of areas and one of its attributes",
        )
        example = "`inside: {layer: ortsteile, name: Nord}`"
        findings.add(place, what, Text(f"etwa {example} schreiben", f"write {example}, for example"))
        return None
    areas = area_layer(text_of(table.entries["layer"], findings), table.places["layer"], layer, layers, findings)
    if areas is None:
        return None
    attribute = areas.attributes.get(named[0])
    if attribute is None or attribute.type != "text":
        texts = [a.name for a in areas.attributes.values() if a.type == "text"]
        findings.unknown(table.places[named[0]], Text("ein Attribut der Art `text` namens", "attribute of type `text`"), named[0], texts)
        return None
    value = table.entries[named[0]]
    choice = _choice(value if isinstance(value, Items) else Items((value,), value.place), attribute, findings)
    return Inside(areas.name, attribute.name, tuple(map(str, choice.values)), areas.key) if isinstance(choice, In) else None


def _choice(node: Items, attribute: Attribute, findings: Findings) -> Rule | None:
    values: list[Value] = []
    for item in items_of(node, findings):
        value = read_value(item, attribute, findings)
        if value is not None and value in values:
            what = Text(f"{quoted(value)} steht doppelt in der Liste", f"{quoted(value)} is twice in the list")
            findings.add(item.place, what, Text("einmal genügt", "once is enough"))
        elif value is not None:
            values.append(value)
    if not node.items:
        what = Text("eine leere Liste zeigt keine einzige Zeile", "an empty list shows no row at all")
        findings.add(
            node.place, what, Text("Werte eintragen, oder die ganze Collection weglassen", "enter values, or leave the collection out")
        )
    return In(attribute.name, tuple(values)) if values else None


def _range(node: Table, attribute: Attribute, findings: Findings) -> Rule | None:
    if attribute.type == "boolean":
        what = Text(
            f"`{attribute.name}` ist wahr oder falsch und hat keinen Bereich", f"`{attribute.name}` is true or false and has no range"
        )
        findings.add(node.place, what, Text("eine Liste schreiben: `[true]`", "write a list: `[true]`"))
        return None
    before = len(findings)
    fields = Fields(node, findings, optional=("from", "to"))
    low, high = (fields.get(end, _value_reader(attribute), None) for end in ("from", "to"))
    if len(findings) == before and low is None and high is None:
        what = Text("der Bereich hat weder Anfang noch Ende", "the range has neither beginning nor end")
        findings.add(node.place, what, Text("`from`, `to` oder beides angeben", "give `from`, `to` or both"))
    if low is not None and high is not None and _is_reversed(low, high):
        what = Text(
            f"der Bereich ist leer: {quoted(low)} liegt nach {quoted(high)}", f"the range is empty: {quoted(low)} is after {quoted(high)}"
        )
        findings.add(node.place, what, Text("`from` und `to` vertauschen", "swap `from` and `to`"))
    return Between(attribute.name, low, high) if len(findings) == before else None


def _value_reader(attribute: Attribute) -> Callable[[Node, Findings], Value | None]:
    return lambda node, findings: read_value(node, attribute, findings)


def _is_reversed(low: Any, high: Any) -> bool:
    return bool(low > high)  # one type, by `read_value`
