"""One grant of a role's file: a collection, its rows, its geometry, its attributes, its release.

Must never show what is not written: a missing key is a finding, not a default.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from twin_api.policy.areas import area_layer, check_areas_seen
from twin_api.policy.check import check_grant
from twin_api.policy.crs import unit_of
from twin_api.policy.documents import Attribute, Grant, Layer, Place, Release, Town
from twin_api.policy.fields import NO_DATE, Fields, date_of, many_of, one_of, table_of, text_of, title_of
from twin_api.policy.figures import WORDS as FIGURE_WORDS
from twin_api.policy.figures import read_figures
from twin_api.policy.finding import Findings, quoted
from twin_api.policy.masks import GEOMETRY_MASKS, VALUE_MASKS, Area, GeometryMask, Hide, Keep, MaskRefused, Reviewed, ValueMask
from twin_api.policy.names import RESERVED_COLLECTIONS, check_table_name
from twin_api.policy.rows import read_rows
from twin_api.policy.rule import All, Rule, insides_of
from twin_api.policy.town import DEPARTMENT
from twin_api.policy.yaml_file import Items, Node, Scalar, Table
from twin_api.texts import Text

OPTIONAL: Final = ("from", "title", "geometry", "embargo", "announce", "release")
OPTIONAL_WITH_FIGURES: Final = ("from", "title", "announce", "release")
LATER: Final = ("write",)

MASK: Final = Text("eine Maske", "mask")
LAYER: Final = Text("einen Layer", "layer")
ATTRIBUTE: Final = Text("ein Attribut", "attribute")

M = TypeVar("M", GeometryMask, ValueMask)


@dataclass(frozen=True, slots=True)
class Ground:
    """What grants stand on. Where that holds a mistake itself, they are read but not judged: one mistake, one finding."""

    town: Town
    layers: Mapping[str, Layer | None]  # None: its file holds a mistake
    classes_hold: bool = True  # so that key 1 says something about the role


def read_grant(node: Node, place: Place, collection: str, role: str, ground: Ground, findings: Findings) -> Grant | None:
    """The grant as it stands in the file of `role`, checked against both keys; None where it holds a mistake."""
    before = len(findings)
    check_table_name(collection, place, findings, RESERVED_COLLECTIONS)
    fields = _fields(node, place, findings)
    layer = _layer(fields, collection, place, ground)
    if layer is None:
        return None
    counts = "figures" in fields or "group_by" in fields
    grant = Grant(
        collection=collection,
        layer=layer.name,
        file_role=role,
        rows=_rows(fields, layer, ground),
        geometry=Hide() if counts else _geometry(fields, layer, ground),
        attributes={} if counts else _attributes(fields, layer, role, ground.town),
        release=fields.get("release", lambda n, f: _release(n, fields.at("release"), layer, ground.town, f), None),
        place=place,
        title=fields.get("title", title_of, None),
        embargo=None if counts else fields.get("embargo", lambda n, f: _embargo(n, layer, f), None),
        announce=fields.get("announce", title_of, None),
        figures=read_figures(fields, layer, ground.layers) if counts else None,
    )
    if len(findings) == before and ground.classes_hold:
        check_grant(grant, layer, ground.town, _places(fields), findings)
        _check_areas(grant, role, ground, fields)
    return grant if len(findings) == before else None


def _fields(node: Node, place: Place, findings: Findings) -> Fields:
    """A grant shows items (`attributes`) or figures (`group_by`), and each knows its own entries."""
    entries = node.entries if isinstance(node, Table) else {}
    if "figures" in entries or "group_by" in entries:
        return Fields(node, findings, ("rows", *FIGURE_WORDS), OPTIONAL_WITH_FIGURES, LATER, place)
    return Fields(node, findings, ("rows", "attributes"), OPTIONAL, LATER, place)


def _embargo(node: Node, layer: Layer, findings: Findings) -> str:
    """`{attribute: freigabe_ab}`: a row is shown from that day or moment on."""
    times = [name for name, attribute in layer.attributes.items() if attribute.type in ("date", "datetime")]
    kind = Text("ein Attribut der Art `date` oder `datetime` namens", "attribute of type `date` or `datetime`")
    return Fields(node, findings, ("attribute",)).get("attribute", one_of(times, kind), "")


def _check_areas(grant: Grant, role: str, ground: Ground, fields: Fields) -> None:
    """Every layer of areas that the grant names is one the role may see, with the names it tells areas apart by."""
    named: list[tuple[str, tuple[str, ...], str]] = [(i.layer, (i.attribute,), "rows") for i in insides_of(grant.rows)]
    if isinstance(grant.geometry, Area):
        named.append((grant.geometry.layer, (), "geometry"))
    if grant.figures is not None and grant.figures.by_area:
        areas = ground.layers.get(grant.figures.group_by)
        named.append((grant.figures.group_by, areas.key if areas else (), "group_by"))
    for name, attributes, entry in named:
        areas = ground.layers.get(name)
        if areas is not None:
            check_areas_seen(areas, attributes, role, ground.town, fields.at(entry), fields.findings)


def _layer(fields: Fields, collection: str, place: Place, ground: Ground) -> Layer | None:
    if "from" in fields:
        name = fields.get("from", one_of(ground.layers, LAYER), "")
    else:
        name = collection
        if name not in ground.layers:
            fields.findings.unknown(place, LAYER, name, ground.layers)
    return ground.layers.get(name)


def _rows(fields: Fields, layer: Layer, ground: Ground) -> Rule:
    node = fields.node("rows")
    return All() if node is None else read_rows(node, layer, ground.layers, fields.findings)


def _places(fields: Fields) -> Callable[[str], Place]:
    """Where `geometry` and each attribute stand, for findings; one that only the rule reads stands in `rows`, one of figures there."""
    attributes = fields.node("attributes")
    if isinstance(attributes, Table):
        places = attributes.places
        return lambda name: places.get(name) or fields.at(name if name in fields else "rows")
    return lambda name: fields.at(name if name in fields else "figures" if "figures" in fields else "attributes")


def _geometry(fields: Fields, layer: Layer, ground: Ground) -> GeometryMask:
    node = fields.node("geometry")
    if layer.geometry is None:
        if node is not None and not (isinstance(node, Scalar) and node.value == Hide.word):
            what = Text(f"der Layer `{layer.name}` hat keine Geometrie", f"the layer `{layer.name}` has no geometry")
            fields.findings.add(fields.at("geometry"), what, Text("die Zeile löschen", "delete the line"))
        return Hide()
    if node is None:
        what = Text("es fehlt der Eintrag `geometry`", "the entry `geometry` is missing")
        remedy = Text("`geometry: keep` ergänzen, oder `hide`, um keine zu zeigen", "add `geometry: keep`, or `hide` to show none")
        fields.findings.add(fields.place, what, remedy)
        return Hide()
    mask = _mask(node, GEOMETRY_MASKS, layer.geometry.type, fields.findings) or Hide()
    if mask.word == "grid_m" and unit_of(layer.geometry.epsg) != "metre":
        what = Text(f"EPSG {layer.geometry.epsg} rechnet nicht in Metern", f"EPSG {layer.geometry.epsg} is not in metres")
        remedy = Text("den Layer in EPSG 25832 oder 25833 führen, oder `hide`", "keep the layer in EPSG 25832 or 25833, or write `hide`")
        fields.findings.add(node.place, what, remedy)
    if isinstance(mask, Area):
        areas = area_layer(mask.layer, node.place, layer, ground.layers, fields.findings)
        return replace(mask, key=areas.key) if areas is not None else Hide()
    return mask


def _attributes(fields: Fields, layer: Layer, role: str, town: Town) -> Mapping[str, ValueMask]:
    node, findings = fields.node("attributes"), fields.findings
    if isinstance(node, Scalar) and node.value == "all":
        if role.partition("/")[0] != "administration":
            what = Text("`all` gibt es nur in administration.yaml", "`all` is for administration.yaml only")
            findings.add(node.place, what, Text("jedes Attribut einzeln nennen", "name each attribute"))
        return {name: Keep() for name, attribute in layer.attributes.items() if town.classes[attribute.class_].is_seen_by(role)}
    masks = {}
    for name, entry in table_of(node, findings).entries.items() if node is not None else ():
        attribute = layer.attributes.get(name)
        if attribute is None:
            findings.unknown(_places(fields)(name), ATTRIBUTE, name, layer.attributes)
        else:
            masks[name] = _value_mask(entry, attribute, findings)
    return masks


def _value_mask(node: Node, attribute: Attribute, findings: Findings) -> ValueMask:
    mask = _mask(node, VALUE_MASKS, attribute.type, findings) or Keep()
    if not isinstance(mask, Reviewed):
        return mask
    if attribute.reviewed is None:
        what = Text(f"welches Attribut sagt, dass {quoted(attribute.name)} gelesen ist, steht nicht im Layer",
                    f"the layer does not say which attribute tells that {quoted(attribute.name)} has been read")  # fmt: skip
        example = "`free_text: {reviewed: bemerkung_gelesen}`"
        findings.add(node.place, what, Text(f"dort {example} eintragen", f"enter {example} there"))
        return Keep()
    return Reviewed(attribute.reviewed)


def _mask(node: Node, shelf: Iterable[type[M]], type_: str, findings: Findings) -> M | None:
    """`keep` or `{round: 10}`: a word of the shelf, alone or with what it needs."""
    word, argument = _word_of(node)
    kinds = {kind.word: kind for kind in shelf}
    if word in kinds:
        try:
            return kinds[word].parse(argument, type_)
        except MaskRefused as refusal:
            findings.add(node.place, refusal.what, refusal.remedy)
    elif word:
        findings.unknown(node.place, MASK, word, kinds)
    else:
        what = Text("hier wird genau eine Maske erwartet", "exactly one mask is expected here")
        findings.add(node.place, what, Text("etwa `keep` schreiben", "write `keep`, for example"))
    return None


def _word_of(node: Node) -> tuple[str, object]:
    if isinstance(node, Scalar):
        return (node.value, None) if isinstance(node.value, str) else ("", None)
    if isinstance(node, Table) and len(node.entries) == 1:
        word, argument = next(iter(node.entries.items()))
        if isinstance(argument, Items):
            return word, [item.value if isinstance(item, Scalar) else None for item in argument.items]
        return word, argument.value if isinstance(argument, Scalar) and argument.value is not None else ""
    return "", None


def _release(node: Node, place: Place, layer: Layer, town: Town, findings: Findings) -> Release:
    fields = Fields(node, findings, ("of", "reason", "approve", "until"), ("heard",))
    subjects = ("existence", "geometry", *layer.attributes)
    departments = many_of(town.departments, DEPARTMENT)
    nothing: tuple[str, ...] = ()
    release = Release(
        of=frozenset(fields.get("of", many_of(subjects, ATTRIBUTE), nothing)),
        reason=fields.get("reason", text_of, ""),
        approve=fields.get("approve", departments, nothing),
        heard=fields.get("heard", departments, nothing),
        until=fields.get("until", date_of, NO_DATE),
        place=place,
    )
    for key in ("of", "approve"):
        if isinstance(names := fields.node(key), Items) and not names.items:
            what = Text(f"die Liste {quoted(key)} ist leer", f"the list {quoted(key)} is empty")
            findings.add(names.place, what, Text("mindestens einen Eintrag angeben", "give at least one entry"))
    return release
