"""The part of the editor schemas that speaks of grants, and the bricks that all of them are made of.

Must never spell a mask, a figure or a key of a grant anew: they come from the shelves the loader reads from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self, get_args

from twin_api.policy.documents import Policies, Refresh
from twin_api.policy.figures import KINDS, LEAST
from twin_api.policy.figures import WORDS as FIGURE_WORDS
from twin_api.policy.grant import OPTIONAL, OPTIONAL_WITH_FIGURES
from twin_api.policy.hovers import hover
from twin_api.policy.masks import GEOMETRY_MASKS, VALUE_MASKS, GeometryMask, ValueMask
from twin_api.policy.masks.band import MOST_LIMITS
from twin_api.policy.masks.grid import LARGEST_CELL_M
from twin_api.policy.masks.round import LARGEST, SMALLEST
from twin_api.policy.masks.truncate import UNITS
from twin_api.policy.names import NAME

Schema = dict[str, Any]
CLOSED: Final = "additionalProperties"
STEP: Final[Schema] = {"type": "number", "minimum": SMALLEST, "maximum": LARGEST}
SCALAR: Final[Schema] = {"type": ["string", "number", "boolean"]}
DAY: Final[Schema] = {"type": "string", "pattern": r"^2[01]\d\d-\d\d-\d\d$"}


@dataclass(frozen=True, slots=True)
class Names:
    """What the town calls its things; empty where it is not known."""

    departments: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    themes: tuple[str, ...] = ()
    layers: tuple[str, ...] = ()
    attributes: Mapping[str, tuple[str, ...]] | None = None  # by layer

    @classmethod
    def of(cls, policies: Policies | None) -> Self:
        if policies is None:
            return cls()
        town = policies.town
        attributes = {name: tuple(layer.attributes) for name, layer in policies.layers.items()}
        return cls(tuple(town.departments), tuple(town.classes), tuple(town.themes), tuple(policies.layers), attributes)


def named(known: Iterable[str] = ()) -> Schema:
    """One of the names, or any well-formed one where none is known."""
    names = list(known)
    return {"enum": names} if names else {"type": "string", "pattern": f"^{NAME.pattern}$", "maxLength": 40}


def described(schema: Schema, path: str) -> Schema:
    text = hover(path)
    return {**schema, "description": text, "markdownDescription": text} if text else schema


def closed(context: str, makers: Mapping[str, Schema], required: Iterable[str], optional: Iterable[str] = ()) -> Schema:
    """A map with these keys and no other, each with its hover text. A key without a maker may hold anything."""
    needed = list(required)
    keys = [*needed, *optional]
    properties = {key: described(makers.get(key, {}), f"{context}.{key}" if context else key) for key in keys}
    return {"type": "object", "properties": properties, "required": needed, CLOSED: False}


def open_map(schema: Schema) -> Schema:
    return {"type": "object", "propertyNames": named(), CLOSED: schema}


def list_of(schema: Schema, least: int = 0, *, unique: bool = True) -> Schema:
    return {"type": "array", "items": schema, "uniqueItems": unique, "minItems": least}


def text_in_two() -> Schema:
    text = {"type": "string", "pattern": r"\S"}
    return {"anyOf": [text, closed("title", {"de": text, "en": text}, ("de",), ("en",))]}


def grants(role: str, names: Names) -> tuple[Schema, Schema]:
    """The map of collections, and the definitions it refers to: one grant per layer with its attributes, one for any other name."""
    any_grant = _grant(role, names, None)
    if names.layers:  # a collection that no layer is called after must say where it comes from
        any_grant = {"allOf": [{"required": ["from"]}, any_grant]}
    definitions = {"grant": described(any_grant, "grant")}
    for layer in names.layers:
        own = {"if": {"required": ["from"]}, "then": {"$ref": "#/$defs/grant"}, "else": _grant(role, names, layer)}
        definitions[f"grant_{layer}"] = described(own, "grant")
    collections = {
        "type": "object",
        "propertyNames": named(),
        "properties": {layer: {"$ref": f"#/$defs/grant_{layer}"} for layer in names.layers},
        CLOSED: {"$ref": "#/$defs/grant"},
    }
    return collections, definitions


def _grant(role: str, names: Names, layer: str | None) -> Schema:
    """Items with attributes, or figures; each of the two knows its own entries."""
    attributes = tuple((names.attributes or {}).get(layer or "", ()))
    makers = {
        "from": named(names.layers),
        "title": text_in_two(),
        "rows": _rows(names, attributes),
        "geometry": _masks(GEOMETRY_MASKS, names),
        "attributes": _attributes(role, names, attributes),
        "embargo": closed("embargo", {"attribute": named(attributes)}, ("attribute",)),
        "announce": text_in_two(),
        "release": _release(names, attributes),
        "write": _write(attributes),
        "group_by": named((*names.layers, *attributes) if attributes else ()),
        "figures": {**open_map(described(_figure(attributes), "figures.*")), "minProperties": 1},
        "at_least": {"type": "integer", "minimum": LEAST, "maximum": 1_000_000},
        "refresh": {"enum": list(get_args(Refresh))},
    }
    counts = {"anyOf": [{"required": ["figures"]}, {"required": ["group_by"]}]}
    figures = closed("grant", makers, ("rows", *FIGURE_WORDS), OPTIONAL_WITH_FIGURES)
    return {"type": "object", "if": counts, "then": figures, "else": closed("grant", makers, ("rows", "attributes"), OPTIONAL)}


def _rows(names: Names, attributes: tuple[str, ...]) -> Schema:
    between = closed("rows", {"from": SCALAR, "to": SCALAR}, (), ("from", "to"))
    condition = {"anyOf": [list_of(SCALAR, least=1), {**between, "minProperties": 1}]}
    values = {"anyOf": [{"type": "string"}, list_of({"type": "string"}, least=1)]}
    inside = {
        "type": "object",
        "properties": {"layer": described(named(names.layers), "inside.layer")},
        "required": ["layer"],
        "minProperties": 2,
        "maxProperties": 2,
        CLOSED: described(values, "inside.*"),
    }
    conditions = {
        "type": "object",
        "minProperties": 1,
        "propertyNames": named((*attributes, "inside") if attributes else ()),
        "properties": {"inside": described(inside, "rows.inside"), **{name: described(condition, "rows.*") for name in attributes}},
        CLOSED: described(condition, "rows.*"),
    }
    return {"anyOf": [{"const": "all"}, {"type": "string", "pattern": "[^A-Za-z]"}, conditions]}


def _attributes(role: str, names: Names, attributes: tuple[str, ...]) -> Schema:
    mask = described(_masks(VALUE_MASKS, names), "grant.attributes.*")
    each = {
        "type": "object",
        "propertyNames": named(attributes),
        "properties": dict.fromkeys(attributes, mask),
        CLOSED: mask,
    }
    return {"anyOf": [{"const": "all"}, each]} if role == "administration" else each


def _masks(shelf: Iterable[type[GeometryMask] | type[ValueMask]], names: Names) -> Schema:
    """One word of the shelf, alone or with what it needs."""
    arguments: dict[str, Schema] = {
        "round": {**STEP},
        "band": list_of({"type": "number"}, least=1) | {"maxItems": MOST_LIMITS},
        "truncate": {"enum": list(UNITS)},
        "grid_m": {"type": "integer", "minimum": 1, "maximum": LARGEST_CELL_M},
        "area": named(names.layers),
    }
    words = [mask.word for mask in shelf]
    alone = {"enum": [word for word in words if word not in arguments]}
    return {"anyOf": [alone, *(closed("mask", arguments, (word,)) for word in words if word in arguments)]}


def _release(names: Names, attributes: tuple[str, ...]) -> Schema:
    departments = named(names.departments)
    makers: dict[str, Schema] = {
        "of": list_of(named(("existence", "geometry", *attributes) if attributes else ()), least=1),
        "reason": {"type": "string", "pattern": r"\S"},
        "approve": list_of(departments, least=1),
        "heard": list_of(departments),
        "until": DAY,
    }
    return closed("release", makers, ("of", "reason", "approve", "until"), ("heard",))


def _write(attributes: tuple[str, ...]) -> Schema:
    flag: Schema = {"type": "boolean"}
    makers = {"change": list_of(named(attributes)), "create": flag, "remove": flag}
    return closed("write", makers, (), tuple(makers))


def _figure(attributes: tuple[str, ...]) -> Schema:
    subject = described(list_of(SCALAR, least=1), "figure.share.*")
    share: Schema = {"type": "object", "minProperties": 1, "maxProperties": 1, "propertyNames": named(attributes), CLOSED: subject}
    makers: dict[str, Schema] = {"count": {"const": "all"}, "share": share, "sum": named(attributes), "mean": named(attributes)}
    makers |= {"round": STEP, "title": text_in_two()}
    return {"anyOf": [{"const": "count"}, *(closed("figure", makers, (kind,), ("round", "title")) for kind in KINDS)]}
