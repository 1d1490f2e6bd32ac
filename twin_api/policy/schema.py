"""The policy files as JSON Schema 2020-12, for editors that complete and explain.

Must never be stricter than the loader, which alone decides: a schema that forbids what loads would teach people to ignore it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, get_args

from twin_api.policy.documents import Access, AttributeType, GeometryType, Policies
from twin_api.policy.layer import ATTRIBUTE_OPTIONAL, OPTIONAL, REQUIRED, Terms
from twin_api.policy.role import LONGEST_PART
from twin_api.policy.schema_grant import CLOSED, DAY, Names, Schema, closed, described, grants, list_of, named, open_map, text_in_two
from twin_api.policy.town import PAGES, ROLE_FILES, ROLES_WITH_PARTS
from twin_api.texts import LANGUAGES, Text

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
TEXT: Final[Schema] = {"type": "string", "pattern": r"\S"}
FLAG: Final[Schema] = {"type": "boolean"}
NOTHING: Final[Schema] = {"not": {}}
EPSG: Final[Schema] = {"type": "integer", "minimum": 1}

_TITLES: Final = {
    "town": Text("Gemeinde, Ämter und Klassen (Schlüssel 1)", "Town, departments and classes (key 1)"),
    "layer": Text("Ein Layer: was gespeichert ist", "A layer: what is stored"),
    "citizen": Text("Was die Bürger sehen", "What citizens see"),
    "council": Text("Was der Rat sieht", "What the council sees"),
    "administration": Text("Was die Verwaltung sieht", "What the administration sees"),
    "approvals": Text("Zustimmungen zu Freigaben", "Approvals of releases"),
    "test": Text("Beispiele mit erwarteten Ergebnissen", "Examples with expected results"),
}


def schemas(policies: Policies | None) -> dict[str, dict[str, Any]]:
    """One schema per kind of file. With policies, the town's own names are completed; without, any well-formed name will do."""
    names = Names.of(policies)
    makers: dict[str, Callable[[], Schema]] = {
        "town": lambda: _town(names),
        "layer": lambda: _layer(names),
        **{role: (lambda role=role: _role(role, names)) for role in ROLE_FILES},  # type: ignore[misc]  # bound at once
        "approvals": lambda: _approvals(names),
        "test": lambda: _test(names),
    }
    return {name: _document(name, make()) for name, make in makers.items()}


def _document(name: str, schema: Schema) -> Schema:
    title = _TITLES[name]
    return {"$schema": DIALECT, "title": f"{title.de} / {title.en}", "description": f"{title.de}\n\n{title.en}", **schema}


def _town(names: Names) -> Schema:
    town = {
        "name": TEXT,
        "ags": {"type": "string", "pattern": "^[0-9]{8}$"},
        "epsg": EPSG,
        "languages": list_of({"enum": list(LANGUAGES)}, least=1),
        "time_zone": TEXT,
        "extent": {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 4},
    }
    class_ = {"title": TEXT, "ground": TEXT, "seen_by": list_of(_role_pattern(names), unique=False), "audited": FLAG}
    parts = {
        "town": closed("town", town, ("name", "ags", "epsg", "languages"), ("time_zone", "extent")),
        "pages": closed("pages", {key: {"type": "string", "pattern": "^https://"} for key in PAGES}, (), PAGES),
        "departments": open_map(described(TEXT, "departments.*")),
        "classes": open_map(described(closed("class", class_, ("title", "ground", "seen_by"), ("audited",)), "classes.*")),
        "themes": open_map(described(text_in_two(), "themes.*")),
    }
    return closed("", parts, ("town", "pages", "departments", "classes"), ("themes",))


def _role_pattern(names: Names) -> Schema:
    """A role, a part, or `role/*`; a department must exist, a committee need not."""
    department = "|".join(names.departments) or "[a-z][a-z0-9_]*"
    return {"type": "string", "pattern": rf"^(citizen|council(/(\*|[a-z][a-z0-9_]*))?|administration(/(\*|{department}))?)$"}


def _layer(names: Names) -> Schema:
    department, class_ = named(names.departments), named(names.classes)
    source = {"holder": TEXT, "licence": TEXT, "terms": {"enum": list(get_args(Terms))}}
    geometry = {"type": {"enum": list(get_args(GeometryType))}, "epsg": EPSG, "class": class_, "heights": TEXT}
    makers = {
        "layer": named(),
        "title": text_in_two(),
        "owner": department,
        "source": closed("source", source, tuple(source)),
        "purpose": TEXT,
        "classified": closed("classified", {"by": department, "on": DAY, "review": DAY}, ("by", "on", "review")),
        "existence": class_,
        "attributes": {**open_map(described(_attribute(class_), "layer.attributes.*")), "minProperties": 1},
        "group": named(),
        "geometry": closed("geometry", geometry, ("type", "epsg", "class"), ("heights",)),
        "datetime": named(),
        "theme": named(names.themes),
        "dropped": {"anyOf": [named(), list_of(named(), unique=False)]},
    }
    return closed("layer", makers, REQUIRED, OPTIONAL)


def _attribute(class_: Schema) -> Schema:
    makers = {
        "title": text_in_two(),
        "type": {"enum": list(get_args(AttributeType))},
        "class": class_,
        "unit": TEXT,
        "key": FLAG,
        "locates": FLAG,
        "free_text": {"anyOf": [FLAG, closed("free_text", {"reviewed": named()}, ("reviewed",))]},
        "enum": {"type": "object", "minProperties": 1, "additionalProperties": described(TEXT, "attribute.enum.*")},
        "was": named(),
    }
    return closed("attribute", makers, ("title", "type", "class"), ATTRIBUTE_OPTIONAL)


def _role(role: str, names: Names) -> Schema:
    citizen = role == "citizen"
    collections, definitions = grants(role, names)
    makers: dict[str, Schema] = {
        "role": {"const": role},
        "access": {"enum": [word for word in get_args(Access) if (word == "anonymous") is citizen]},
        "includes": NOTHING if citizen else {"const": "citizen"},
        "announce": list_of(text_in_two(), unique=False),
        "collections": collections,
        "parts": {**open_map(described(collections, "role.parts.*")), "propertyNames": _part(role, names)},
    }
    optional = ("includes", "announce", "collections", *(("parts",) if role in ROLES_WITH_PARTS else ()))
    return {**closed("role", makers, ("role", "access"), optional), "$defs": definitions}


def _part(role: str, names: Names) -> Schema:
    return {**named(names.departments if role == "administration" else ()), "maxLength": LONGEST_PART}


def _approvals(names: Names) -> Schema:
    makers: dict[str, Schema] = {
        "role": {"type": "string", "pattern": rf"^({'|'.join(ROLE_FILES)})(/[a-z][a-z0-9_]*)?$"},
        "collection": named(),
        "department": named(names.departments),
        "by": TEXT,
        "on": DAY,
        "seal": TEXT,
    }
    return closed("", {"approvals": list_of(closed("approval", makers, tuple(makers)), unique=False)}, ("approvals",))


def _test(names: Names) -> Schema:
    """Not closed: what a test may say besides is the business of whoever runs it."""
    row = {"type": "object", "additionalProperties": True}
    results = {"type": "object", "additionalProperties": {"anyOf": [{"enum": ["hidden", "nothing"]}, row]}}
    roles = {"type": "string", "pattern": rf"^({'|'.join(ROLE_FILES)})(/[a-z][a-z0-9_]*)?$"}
    makers: dict[str, Schema] = {
        "layer": named(names.layers),
        "rows": {"type": "object", "additionalProperties": described(row, "test.rows.*")},
        "expect": {"type": "object", "propertyNames": roles, "additionalProperties": described(results, "test.expect.*")},
    }
    makers |= {"areas": {"type": "object"}, "day": TEXT}
    return {**closed("test", makers, ("layer", "rows", "expect"), ("areas", "day")), CLOSED: True}
