"""`layers/<name>.yaml`: what is stored, and the class of everything in it.

Must never accept an attribute without a class: what nobody classified, nobody may see.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, cast, get_args

from twin_api.policy.crs import check_epsg
from twin_api.policy.documents import Attribute, AttributeType, Geometry, GeometryType, Layer, Place, Town
from twin_api.policy.fields import NO_DATE, Fields, date_of, flag_of, items_of, one_of, table_of, text_of, title_of
from twin_api.policy.finding import Findings, quoted
from twin_api.policy.names import RESERVED_ATTRIBUTES, RESERVED_LAYERS, check_name, check_table_name
from twin_api.policy.town import CLASS, DEPARTMENT, THEME
from twin_api.policy.yaml_file import Items, Node, Scalar, Table, check_visible
from twin_api.texts import Text

REQUIRED: Final = ("layer", "title", "owner", "source", "purpose", "classified", "existence", "attributes")
OPTIONAL: Final = ("group", "geometry", "datetime", "theme", "dropped")
ATTRIBUTE_OPTIONAL: Final = ("unit", "key", "locates", "free_text", "enum", "was")
Terms = Literal["own", "open", "internal-only"]
_GEOMETRY_TYPES: Final = get_args(GeometryType)
_ATTRIBUTE_TYPES: Final = get_args(AttributeType)


def read_layer(node: Node, name: str, town: Town, findings: Findings) -> Layer | None:
    """The layer that the file `<name>.yaml` describes; None where it holds a mistake."""
    before = len(findings)
    fields = Fields(node, findings, REQUIRED, OPTIONAL)
    _check_file_name(fields, name)
    source = fields.part("source", ("holder", "licence", "terms"))
    classified = fields.part("classified", ("by", "on", "review"))
    no_attributes: Mapping[str, Attribute] = {}
    attributes = fields.get("attributes", lambda n, f: _attributes(n, town, f), no_attributes)
    layer = Layer(
        name=name,
        title=fields.get("title", title_of, Text("")),
        owner=fields.get("owner", one_of(town.departments, DEPARTMENT), ""),
        holder=source.get("holder", text_of, ""),
        licence=source.get("licence", text_of, ""),
        terms=cast("Terms", source.get("terms", one_of(get_args(Terms), Text("eine Nutzungsart", "kind of terms")), "own")),
        purpose=fields.get("purpose", text_of, ""),
        classified_by=classified.get("by", one_of(town.departments, DEPARTMENT), ""),
        classified_on=classified.get("on", date_of, NO_DATE),
        review=classified.get("review", date_of, NO_DATE),
        group=fields.get("group", _group, None),
        existence=fields.get("existence", one_of(town.classes, CLASS), ""),
        geometry=fields.get("geometry", lambda n, f: _geometry(n, town, f), None),
        attributes=attributes,
        datetime=fields.get("datetime", lambda n, f: _datetime(n, attributes, f), None),
        place=fields.place,
        theme=fields.get("theme", one_of(town.themes, THEME), None),
        dropped=fields.get("dropped", lambda n, f: _dropped(n, attributes, f), ()),
    )
    _check_review(layer, classified)
    _check_flags(layer, findings)
    _check_former_names(layer, findings)
    return layer if len(findings) == before else None


def _check_file_name(fields: Fields, name: str) -> None:
    check_table_name(name, fields.place, fields.findings, RESERVED_LAYERS)
    said = fields.get("layer", text_of, "")
    if said and said != name:
        what = Text(
            f"die Datei heißt {quoted(name)}, der Layer aber {quoted(said)}", f"the file is {quoted(name)}, the layer {quoted(said)}"
        )
        fields.findings.add(fields.at("layer"), what, Text(f"`layer: {name}` schreiben", f"write `layer: {name}`"))


def _check_review(layer: Layer, classified: Fields) -> None:
    if NO_DATE not in (layer.classified_on, layer.review) and layer.review <= layer.classified_on:
        what = Text("die Überprüfung liegt vor der Einstufung", "the review comes before the classification")
        classified.findings.add(classified.at("review"), what, Text("ein späteres Datum eintragen", "enter a later date"))


def _group(node: Node, findings: Findings) -> str:
    group = text_of(node, findings)
    if group:
        check_name(group, node.place, findings)
    return group


def _dropped(node: Node, attributes: Mapping[str, Attribute], findings: Findings) -> tuple[str, ...]:
    """Names that are attributes no longer; one that still is would lose its values by mistake."""
    names = []
    for item in items_of(node, findings) if isinstance(node, Items) else [node]:
        name = text_of(item, findings)
        check_name(name, item.place, findings, RESERVED_ATTRIBUTES)
        if name in attributes:
            what = Text(f"{quoted(name)} ist noch ein Attribut des Layers", f"{quoted(name)} is still an attribute of the layer")
            findings.add(item.place, what, Text("hier streichen, oder das Attribut löschen", "strike it here, or delete the attribute"))
        names.append(name)
    return tuple(names)


def _check_flags(layer: Layer, findings: Findings) -> None:
    """The mark that a free text has been read is a yes or no of the same layer."""
    for attribute in layer.attributes.values():
        flag = layer.attributes.get(attribute.reviewed or "")
        if not attribute.reviewed or (flag is not None and flag.type == "boolean"):
            continue
        flags = [a.name for a in layer.attributes.values() if a.type == "boolean"]
        kind = Text("ein Attribut der Art `boolean` namens", "attribute of type `boolean`")
        findings.unknown(attribute.place, kind, attribute.reviewed, flags)


def _check_former_names(layer: Layer, findings: Findings) -> None:
    """`was` names something that is gone: not an attribute of today, and not the former name of two."""
    former: set[str] = set()
    for attribute in layer.attributes.values():
        if attribute.was is not None and (attribute.was in layer.attributes or attribute.was in former or attribute.was in layer.dropped):
            name = quoted(attribute.was)
            what = Text(
                f"{name} kann nicht der frühere Name von {quoted(attribute.name)} sein",
                f"{name} cannot be what {quoted(attribute.name)} was",
            )
            remedy = Text("`was` löschen, oder den anderen Eintrag dieses Namens", "delete `was`, or the other entry of that name")
            findings.add(attribute.place, what, remedy)
        former |= {attribute.was} if attribute.was is not None else set()


def _geometry(node: Node, town: Town, findings: Findings) -> Geometry:
    fields = Fields(node, findings, ("type", "epsg", "class"), ("heights",))
    type_ = fields.get("type", one_of(_GEOMETRY_TYPES, Text("eine Geometrieart", "geometry type")), "Point")
    if type_.endswith("Z") and type_ in _GEOMETRY_TYPES and "heights" not in fields:
        what = Text(f"{quoted(type_)} hat Höhen, aber `heights` fehlt", f"{quoted(type_)} has heights, but `heights` is missing")
        findings.add(
            fields.at("type"), what, Text("das Höhensystem ergänzen: `heights: DHHN2016`", "add the height system: `heights: DHHN2016`")
        )
    if not type_.endswith("Z") and "heights" in fields:
        what = Text(f"{quoted(type_)} hat keine Höhen", f"{quoted(type_)} has no heights")
        findings.add(
            fields.at("heights"),
            what,
            Text(f"`heights` löschen oder `type: {type_}Z` schreiben", f"delete `heights`, or write `type: {type_}Z`"),
        )
    return Geometry(
        type=cast("GeometryType", type_),
        epsg=fields.get("epsg", check_epsg, 0),
        class_=fields.get("class", one_of(town.classes, CLASS), ""),
        heights=fields.get("heights", text_of, None),
    )


def _datetime(node: Node, attributes: Mapping[str, Attribute], findings: Findings) -> str:
    times = [name for name, attribute in attributes.items() if attribute.type in ("date", "datetime")]
    return one_of(times, Text("ein Attribut der Art `date` oder `datetime` namens", "attribute of type `date` or `datetime`"))(
        node, findings
    )


def _attributes(node: Node, town: Town, findings: Findings) -> Mapping[str, Attribute]:
    table = table_of(node, findings)
    if isinstance(node, Table) and not table.entries:
        what = Text("der Layer hat kein einziges Attribut", "the layer has no attribute at all")
        findings.add(node.place, what, Text("mindestens eines eintragen", "enter at least one"))
    for name, place in table.places.items():
        check_name(name, place, findings, RESERVED_ATTRIBUTES)
    return {name: _attribute(name, entry, table.places[name], town, findings) for name, entry in table.entries.items()}


def _attribute(name: str, node: Node, place: Place, town: Town, findings: Findings) -> Attribute:
    fields = Fields(node, findings, ("title", "type", "class"), ATTRIBUTE_OPTIONAL, place=place)
    attribute = Attribute(
        name=name,
        title=fields.get("title", title_of, Text("")),
        type=cast("AttributeType", fields.get("type", one_of(_ATTRIBUTE_TYPES, Text("eine Werteart", "type")), "text")),
        class_=fields.get("class", one_of(town.classes, CLASS), ""),
        place=place,
        unit=fields.get("unit", text_of, None),
        key=fields.get("key", flag_of, False),
        locates=fields.get("locates", flag_of, False),
        free_text=fields.get("free_text", _is_free_text, False),
        reviewed=fields.get("free_text", _reviewed, None),
        enum=fields.get("enum", _enum, None),
        was=fields.get("was", _former_name, None),
    )
    _check_fit(attribute, fields)
    return attribute


def _is_free_text(node: Node, findings: Findings) -> bool:
    return isinstance(node, Table) or flag_of(node, findings)


def _reviewed(node: Node, findings: Findings) -> str | None:
    """`{reviewed: attribute}`: which attribute says that a person has read the text."""
    if isinstance(node, Scalar):
        return None
    return Fields(node, findings, ("reviewed",)).get("reviewed", text_of, "")


def _former_name(node: Node, findings: Findings) -> str:
    name = text_of(node, findings)
    if name:
        check_name(name, node.place, findings, RESERVED_ATTRIBUTES)
    return name


def _check_fit(attribute: Attribute, fields: Fields) -> None:
    """What only makes sense for some types must not stand at others: it would be ignored."""
    fits = {"unit": ("integer", "number"), "enum": ("text",), "free_text": ("text",)}
    for key, types in fits.items():
        if key in fields and attribute.type in _ATTRIBUTE_TYPES and attribute.type not in types:
            what = Text(f"`{key}` passt nicht zu `type: {attribute.type}`", f"`{key}` does not fit `type: {attribute.type}`")
            right = " / ".join(f"`type: {type_}`" for type_ in types)
            fields.findings.add(fields.at(key), what, Text(f"löschen, oder {right} schreiben", f"delete it, or write {right}"))


def _enum(node: Node, findings: Findings) -> Mapping[str, str]:
    table = table_of(node, findings)
    if isinstance(node, Table) and not table.entries:
        what = Text("die Werteliste ist leer", "the list of values is empty")
        findings.add(node.place, what, Text("Werte als `wert: english word` eintragen", "enter values as `value: english word`"))
    for value in table.entries:
        check_visible(value, table.places[value], findings)
    return {value: text_of(english, findings) for value, english in table.entries.items()}
