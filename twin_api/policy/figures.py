"""Figures: a collection of groups (areas, or the values of an attribute) with one number each, and no item that could be told apart.

Must never let a group be chosen by the client or by the rows: its groups are fixed, and all of them are always there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final, get_args

from twin_api.policy.areas import area_layer
from twin_api.policy.documents import Attribute, Figure, FigureKind, Figures, Layer, Place, Refresh
from twin_api.policy.fields import Fields, integer_of, one_of, table_of, text_of, title_of
from twin_api.policy.finding import Findings, quoted
from twin_api.policy.masks import MaskRefused, Round
from twin_api.policy.names import RESERVED_ATTRIBUTES, check_name
from twin_api.policy.rule import Value
from twin_api.policy.values import read_value
from twin_api.policy.yaml_file import Items, Node, Scalar, Table
from twin_api.texts import Text

KINDS: Final = get_args(FigureKind)
LEAST: Final = 3  # a group of two is known to both
FEWEST: Final = 3  # rows on either side of a share
AMOUNTS: Final = ("sum", "mean")  # a mean beside its count is a sum
EXAMPLE: Final = "`count`, `{share: {zustand: [schlecht]}, round: 10}`, `{sum: flaeche_m2}`, `{mean: flaeche_m2}`"
WORDS: Final = ("group_by", "figures", "at_least", "refresh")


def read_figures(fields: Fields, layer: Layer, layers: Mapping[str, Layer | None]) -> Figures | None:
    """From the entries `group_by`, `figures`, `at_least` and `refresh` of a grant; None where the groups cannot be had."""
    group_by = fields.get("group_by", text_of, "")
    node = fields.node("figures")
    groups = _groups(group_by, fields, layer, layers) if group_by else None
    named = tuple(_figures(node, layer, fields.findings)) if node is not None else ()
    if groups is not None:
        _check_names(named, groups, fields)
    return Figures(
        group_by=group_by,
        by_area=group_by not in layer.attributes,
        figures=named,
        at_least=fields.get("at_least", _at_least, LEAST),
        refresh=fields.get("refresh", one_of(get_args(Refresh), Text("einen Rhythmus", "rhythm")), "yearly"),  # type: ignore[arg-type]
    )


def _groups(name: str, fields: Fields, layer: Layer, layers: Mapping[str, Layer | None]) -> tuple[str, ...] | None:
    """The names by which groups are told apart: the area layer's key, or the attribute."""
    place = fields.at("group_by")
    attribute = layer.attributes.get(name)
    if attribute is None:
        areas = area_layer(name, place, layer, layers, fields.findings)
        return None if areas is None else areas.key
    if attribute.enum is None:
        what = Text(f"{quoted(name)} hat keine feste Werteliste (`enum`)", f"{quoted(name)} has no fixed list of values (`enum`)")
        remedy = Text(
            "nach einem Attribut mit `enum` oder einem Layer mit Flächen gruppieren",
            "group by an attribute with `enum` or a layer of areas",
        )
        fields.findings.add(place, what, remedy)
        return None
    return (name,)


def _figures(node: Node, layer: Layer, findings: Findings) -> Iterable[Figure]:
    table = table_of(node, findings)
    if isinstance(node, Table) and not table.entries:
        what = Text("hier steht keine einzige Zahl", "there is no figure here")
        findings.add(node.place, what, Text(f"etwa {EXAMPLE} schreiben", f"write {EXAMPLE}, for example"))
    for name, entry in table.entries.items():
        check_name(name, table.places[name], findings, RESERVED_ATTRIBUTES)
        figure = _figure(name, entry, table.places[name], layer, findings)
        if figure is not None:
            yield figure


def _figure(name: str, node: Node, place: Place, layer: Layer, findings: Findings) -> Figure | None:
    if isinstance(node, Scalar) and node.value == "count":
        return Figure(name, "count", None, (), None)
    entries = node.entries if isinstance(node, Table) else {}
    kinds = [word for word in entries if word in KINDS]
    if len(kinds) != 1:
        what = Text(f"{quoted(name)} sagt nicht, was gezählt wird", f"{quoted(name)} does not say what is counted")
        findings.add(place, what, Text(f"möglich sind {EXAMPLE}", f"possible are {EXAMPLE}"))
        return None
    before = len(findings)
    fields = Fields(node, findings, (kinds[0],), ("round", "title"), place=place)
    kind, subject = kinds[0], entries[kinds[0]]
    attribute, values = _subject(kind, subject, layer, findings)
    used = layer.attributes.get(attribute or "")
    is_whole = kind == "count" or (kind == "sum" and used is not None and used.type == "integer")
    step = fields.get("round", lambda n, f: _step(n, "integer" if is_whole else "number", f), None)
    title = fields.get("title", title_of, None)
    return Figure(name, kind, attribute, values, step, title) if len(findings) == before else None  # type: ignore[arg-type]


def _subject(kind: str, node: Node, layer: Layer, findings: Findings) -> tuple[str | None, tuple[Value, ...]]:
    if kind == "count":
        if not (isinstance(node, Scalar) and node.value == "all"):
            what = Text("gezählt werden alle Zeilen der Gruppe", "all rows of the group are counted")
            remedy = Text("`{count: all, round: 10}` schreiben; für einen Teil `{share: {attribut: [werte]}}`",
                          "write `{count: all, round: 10}`; for a part of them `{share: {attribute: [values]}}`")  # fmt: skip
            findings.add(node.place, what, remedy)
        return None, ()
    if kind == "share":
        return _share(node, layer, findings)
    numbers = [a.name for a in layer.attributes.values() if a.type in ("integer", "number")]
    return one_of(numbers, Text("eine Zahl namens", "number called"))(node, findings), ()


def _share(node: Node, layer: Layer, findings: Findings) -> tuple[str | None, tuple[Value, ...]]:
    table = table_of(node, findings)
    name, entry = next(iter(table.entries.items()), ("", node))
    attribute = layer.attributes.get(name)
    if len(table.entries) != 1 or not isinstance(entry, Items) or not entry.items:
        what = Text("ein Anteil braucht genau ein Attribut und seine Werte", "a share wants exactly one attribute and its values")
        findings.add(
            node.place, what, Text("etwa `{share: {zustand: [schlecht]}}` schreiben", "write `{share: {zustand: [schlecht]}}`, for example")
        )
    elif attribute is None:
        findings.unknown(table.places[name], Text("ein Attribut", "attribute"), name, layer.attributes)
    elif attribute.free_text:
        what = Text(f"{quoted(name)} ist Freitext", f"{quoted(name)} is free text")
        findings.add(table.places[name], what, Text("ein Attribut mit festen Werten nehmen", "take an attribute with fixed values"))
    else:
        return name, _values(entry, attribute, findings)
    return None, ()


def _values(node: Items, attribute: Attribute, findings: Findings) -> tuple[Value, ...]:
    read = [read_value(item, attribute, findings) for item in node.items]
    return tuple(dict.fromkeys(value for value in read if value is not None))


def _step(node: Node, type_: str, findings: Findings) -> Decimal | None:
    try:
        return Round.parse(node.value if isinstance(node, Scalar) else None, type_).step
    except MaskRefused as refusal:
        findings.add(node.place, refusal.what, refusal.remedy)
        return None


def _at_least(node: Node, findings: Findings) -> int:
    before = len(findings)
    number = integer_of(node, findings)
    if len(findings) == before and not LEAST <= number <= 1_000_000:
        what = Text(f"eine Gruppe von weniger als {LEAST} verrät Einzelne", f"a group of less than {LEAST} betrays individuals")
        findings.add(
            node.place,
            what,
            Text(f"`at_least: {LEAST}` oder mehr schreiben, üblich sind 5 bis 20", f"write `at_least: {LEAST}` or more, 5 to 20 are usual"),
        )
    return number


def _check_names(named: tuple[Figure, ...], groups: tuple[str, ...], fields: Fields) -> None:
    for figure in named:
        if figure.name in groups:
            what = Text(f"{quoted(figure.name)} heißt schon die Gruppe", f"{quoted(figure.name)} is the group's own name")
            fields.findings.add(fields.at("figures"), what, Text("die Zahl anders nennen", "give the figure another name"))
