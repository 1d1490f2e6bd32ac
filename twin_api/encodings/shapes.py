"""JSON Schemas, as OpenAPI 3.0 writes them, of the answers that OGC's standards define."""

from __future__ import annotations

from typing import Any, Final

from twin_api.problems import PROBLEMS, SCHEME

Json = dict[str, Any]

_TEXT: Final[Json] = {"type": "string"}
_URI: Final[Json] = {"type": "string", "format": "uri"}


def _object(required: tuple[str, ...], /, **properties: Json) -> Json:
    return {"type": "object", "required": list(required), "properties": properties}


def _list(of: Json) -> Json:
    return {"type": "array", "items": of}


def _known(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


_LINKS: Final = _list(_known("link"))
_BOX: Final[Json] = {"type": "array", "minItems": 4, "maxItems": 6, "items": {"type": "number"}}
_INTERVAL: Final = _list({"type": "string", "format": "date-time", "nullable": True})
_EXTENT: Final = {
    "type": "object",
    "properties": {
        "spatial": _object(("bbox", "crs"), bbox=_list(_BOX), crs=_URI),
        "temporal": _object(("interval", "trs"), interval=_list(_INTERVAL), trs=_URI),
    },
}
_ARGUMENT: Final = _object(("title", "type"), title=_TEXT, type=_list(_TEXT))
_PROBLEM: Final = _object(
    ("type", "title", "status"),
    type={"type": "string", "enum": [SCHEME + problem.type for problem in PROBLEMS]},
    title=_TEXT,
    status={"type": "integer", "enum": sorted({problem.status for problem in PROBLEMS})},
    detail=_TEXT,
    parameter=_TEXT,
    roles=_list(_TEXT),
)
SCHEMAS: Final[Json] = {
    "link": _object(("href", "rel", "type"), href=_URI, rel=_TEXT, type=_TEXT, title=_TEXT),
    "landingPage": _object(("title", "links"), title=_TEXT, description=_TEXT, attribution=_TEXT, links=_LINKS),
    "conformance": _object(("conformsTo",), conformsTo=_list(_URI)),
    "collections": _object(("links", "collections"), links=_LINKS, crs=_list(_URI), collections=_list(_known("collection"))),
    "collection": _object(
        ("id", "title", "links", "itemType", "crs"),
        id=_TEXT,
        title=_TEXT,
        description=_TEXT,
        attribution=_TEXT,
        keywords=_list(_TEXT),
        links=_LINKS,
        extent=_EXTENT,
        itemType={"type": "string", "enum": ["feature"]},
        crs=_list(_URI),
        storageCrs=_URI,
    ),
    "featureCollection": _object(
        ("type", "links", "numberReturned", "features"),
        type={"type": "string", "enum": ["FeatureCollection"]},
        numberMatched={"type": "integer", "minimum": 0},
        numberReturned={"type": "integer", "minimum": 0},
        links=_LINKS,
        features=_list({"type": "object"}),
    ),
    "functions": _object(
        ("functions",),
        functions=_list(
            _object(("name", "arguments", "returns"), name=_TEXT, description=_TEXT, arguments=_list(_ARGUMENT), returns=_list(_TEXT))
        ),
    ),
    "schema": _object(
        ("$schema", "$id", "type", "title", "properties"),
        **{"$schema": _URI, "$id": _URI, "type": _TEXT, "title": _TEXT, "properties": {"type": "object"}},
    ),
    "openapi": _object(("openapi", "info", "paths"), openapi=_TEXT, info={"type": "object"}, paths={"type": "object"}),
    "problem": {"description": "RFC 9457", **_PROBLEM},
}
PAGE: Final[Json] = {"type": "string", "description": "a page to read"}
FILE: Final[Json] = {"type": "string", "format": "binary"}


def shape(name: str) -> Json:
    """A reference to one of `SCHEMAS`."""
    if name not in SCHEMAS:
        raise KeyError(name)
    return _known(name)


def feature(properties: dict[str, Json]) -> Json:
    """A feature whose properties may each be absent or unknown."""
    return _object(
        ("type", "id", "geometry", "properties"),
        type={"type": "string", "enum": ["Feature"]},
        id={"type": "string", "format": "uuid"},
        geometry={"type": "object", "nullable": True},
        properties={"type": "object", "properties": {name: _nullable(schema) for name, schema in properties.items()}},
        links=_LINKS,
    )


def _nullable(schema: Json) -> Json:
    """NULL has to be one of the values where they are listed (OpenAPI 3.0.3, 4.7.24)."""
    listed = {"enum": [*schema["enum"], None]} if "enum" in schema else {}
    return schema | listed | {"nullable": True}
