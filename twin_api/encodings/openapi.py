"""OpenAPI 3.0.3 documents, one per role: paths spelled out for the collections it sees, nothing referenced from outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from twin_api import VERSION
from twin_api.problems import MEDIA_TYPE, PROBLEMS, SCHEME
from twin_api.store.collection import Collection, Property
from twin_api.texts import Text

Json = dict[str, Any]

F: Final[Json] = {
    "name": "f",
    "in": "query",
    "required": False,
    "description": "media type of the answer",
    "schema": {"type": "string", "enum": ["json", "html"]},
}
PROFILE: Final[Json] = {
    "name": "profile",
    "in": "query",
    "required": False,
    "description": "profiles of the answer; `codelist-inline` tells each value of a list as a schema of its own",
    "schema": {"type": "array", "items": {"type": "string"}},
    "style": "form",
    "explode": False,
}
ID: Final[Json] = {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}
_LIMIT: Final[Json] = {
    "name": "limit",
    "in": "query",
    "required": False,
    "description": "items in one page",
    "schema": {"type": "integer", "minimum": 1, "maximum": 10000, "default": 10},
    "style": "form",
    "explode": False,
}
_BBOX: Final[Json] = {
    "name": "bbox",
    "in": "query",
    "required": False,
    "description": "two corners in the axis order of `bbox-crs`; by default west,south,east,north in degrees (CRS84)",
    "schema": {"type": "array", "oneOf": [{"minItems": 4, "maxItems": 4}, {"minItems": 6, "maxItems": 6}], "items": {"type": "number"}},
    "style": "form",
    "explode": False,
}
_DATETIME: Final[Json] = {
    "name": "datetime",
    "in": "query",
    "required": False,
    "description": "a date, a time with offset, or a closed or half-open interval",
    "schema": {"type": "string"},
    "style": "form",
    "explode": False,
}
_FILTER: Final[list[Json]] = [
    {
        "name": "filter",
        "in": "query",
        "required": False,
        "description": "a condition in CQL2 (OGC 21-065r2) on the collection's queryables",
        "schema": {"type": "string"},
        "style": "form",
        "explode": False,
    },
    {
        "name": "filter-lang",
        "in": "query",
        "required": False,
        "description": "how `filter` is written",
        "schema": {"type": "string", "enum": ["cql2-text", "cql2-json"], "default": "cql2-text"},
        "style": "form",
    },
    {
        "name": "filter-crs",
        "in": "query",
        "required": False,
        "description": "URI of the CRS of the coordinates in `filter`; CRS84 by default",
        "schema": {"type": "string", "format": "uri-reference"},
        "style": "form",
        "explode": False,
    },
]
_CURSOR: Final[Json] = {
    "name": "cursor",
    "in": "query",
    "required": False,
    "description": "from the `next` link of a page",
    "schema": {"type": "string"},
}
_TYPES: Final[dict[str, Json]] = {
    "text": {"type": "string"},
    "integer": {"type": "integer", "format": "int64"},
    "number": {"type": "number", "format": "double"},
    "boolean": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "datetime": {"type": "string", "format": "date-time"},
}
ITEMS_CONTENT: Final[dict[str, Json]] = {
    "application/geo+json": {"$ref": "#/components/schemas/featureCollection"},
    "text/html": {"type": "string"},
}
_PROBLEM: Final[Json] = {
    "type": "object",
    "description": "RFC 9457",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string", "enum": [SCHEME + problem.type for problem in PROBLEMS]},
        "title": {"type": "string"},
        "status": {"type": "integer", "enum": sorted({problem.status for problem in PROBLEMS})},
        "detail": {"type": "string"},
        "parameter": {"type": "string"},
        "roles": {"type": "array", "items": {"type": "string"}},
    },
}
_REQUEST_ID: Final[Json] = {
    "description": "names the request in the town's log; random, new for every answer",
    "schema": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
}
_HEADERS: Final[Json] = {"X-Request-Id": {"$ref": "#/components/headers/requestId"}}
_COLLECTION_OF_FEATURES: Final[Json] = {
    "type": "object",
    "required": ["type", "features"],
    "properties": {
        "type": {"type": "string", "enum": ["FeatureCollection"]},
        "numberMatched": {"type": "integer", "minimum": 0},
        "numberReturned": {"type": "integer", "minimum": 0},
        "links": {"type": "array", "items": {"type": "object"}},
        "features": {"type": "array", "items": {"type": "object"}},
    },
}


class _Route(Protocol):
    @property
    def operations(self) -> Any: ...


class _Block(Protocol):
    @property
    def routes(self) -> Sequence[_Route]: ...


def document(title: Text, server: str, blocks: Sequence[_Block], collections: Sequence[Collection], *, asks_token: bool) -> Json:
    """The whole document; `server` is the twin's base address. `asks_token` unless the twin is open to all (/req/oas30/security)."""
    paths: dict[str, Any] = {}
    for block in blocks:
        for route in block.routes:
            paths |= {path: {"get": operation} for path, operation in route.operations(collections).items()}
    components: Json = {"schemas": {"problem": _PROBLEM, "featureCollection": _COLLECTION_OF_FEATURES}}
    if asks_token:
        components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    components["responses"] = {str(status): _refusal(status) for status in sorted({problem.status for problem in PROBLEMS})}
    components["headers"] = {"requestId": _REQUEST_ID}
    return {
        "openapi": "3.0.3",
        "info": {"title": title.de, "description": title.en, "version": VERSION, "license": {"name": "EUPL-1.2"}},
        "servers": [{"url": server}],
        "paths": dict(sorted(paths.items())),
        "components": components,
        **({"security": [{"token": []}]} if asks_token else {}),
    }


def _refusal(status: int) -> Json:
    """All problems of a status, as data and as a page."""
    said = "; ".join(problem.title.say("en") for problem in PROBLEMS if problem.status == status)
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/problem"}}, "text/html": {"schema": {"type": "string"}}}
    return {"description": said, "headers": _HEADERS, "content": content}


def operation(id: str, summary: str, parameters: Sequence[Json], content: Mapping[str, Json]) -> Json:
    """One GET operation. Every problem may end it: a collection may be gone, a role may be, and any method may be tried."""
    answer = {"description": "the answer", "headers": _HEADERS, "content": {media: {"schema": schema} for media, schema in content.items()}}
    return {
        "operationId": id,
        "summary": summary,
        "parameters": list(parameters),
        "responses": {
            "200": answer,
            "304": {"description": "not modified", "headers": _HEADERS},
            **{str(status): {"$ref": f"#/components/responses/{status}"} for status in sorted({problem.status for problem in PROBLEMS})},
        },
    }


def choice(name: str, description: str, words: Sequence[str]) -> Json:
    """A query parameter that is one of these words, the first of them by default (/req/crs/fc-crs-definition)."""
    schema = {"type": "string", "format": "uri", "enum": list(words), "default": words[0]}
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema, "style": "form", "explode": False}


def listing(name: str, description: str, words: Sequence[str], before: str = "") -> Json:
    """A query parameter that is a list of these words, joined by commas; `before` is what may stand before each, as a pattern."""
    schema = {"type": "array", "minItems": 1, "items": {"type": "string", "pattern": f"^{before}({'|'.join(words)})$"}}
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema, "style": "form", "explode": False}


def item_parameters(collection: Collection, forms: Sequence[str] = ("json", "html")) -> list[Json]:
    """The parameters of the items of a collection in these forms, its properties among them."""
    fixed = [_LIMIT, _BBOX, _DATETIME, *_FILTER, _CURSOR, {**F, "schema": {"type": "string", "enum": list(forms)}}]
    return fixed + [
        {"name": p.name, "in": "query", "required": False, "description": p.title.de, "schema": value_schema(p)}
        for p in collection.description.properties
    ]


def item_content(collection: Collection) -> dict[str, Json]:
    """A feature with exactly the properties of the collection."""
    told = collection.description
    properties = {p.name: {"title": p.title.de, **value_schema(p), "nullable": True} for p in told.properties}
    feature = {
        "type": "object",
        "required": ["type", "id", "geometry", "properties"],
        "properties": {
            "type": {"type": "string", "enum": ["Feature"]},
            "id": {"type": "string", "format": "uuid"},
            "geometry": {"type": "object", "nullable": True},
            "properties": {"type": "object", "properties": properties},
            "links": {"type": "array", "items": {"type": "object"}},
        },
    }
    return {"application/geo+json": feature, "text/html": {"type": "string"}}


def value_schema(shown: Property) -> Json:
    """The JSON Schema of a property's values that are not absent."""
    schema = dict(_TYPES[shown.type])
    if shown.enum:
        schema["enum"] = list(shown.enum)
    return schema
