"""OpenAPI documents in 3.0.3 and 3.1.0, one per role: paths spelled out for the collections it sees, nothing referenced from outside."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import Any, Final, Protocol

from twin_api import VERSION
from twin_api.encodings.components import resolved, share
from twin_api.encodings.shapes import FILE, PAGE, SCHEMAS, feature, shape
from twin_api.problems import MEDIA_TYPE, PROBLEMS, RoleMissing
from twin_api.store.collection import Collection, Property
from twin_api.texts import Text

__all__ = ["FILE", "PAGE"]  # and all that is defined here

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
    "schema": {
        "type": "array",
        "minItems": 1,
        "items": {"type": "string", "pattern": r"^(https?://[!-+\--~]+|\[[A-Za-z0-9_.-]+:[A-Za-z0-9_.-]+\]|[A-Za-z0-9_.-]+)$"},
    },
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
_REQUEST_ID: Final[Json] = {
    "description": "names the request in the town's log; random, new for every answer",
    "schema": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
}
_HEADERS: Final[Json] = {"X-Request-Id": {"$ref": "#/components/headers/requestId"}}
NAMING: Final = ("sortby", "properties")  # parameters whose values are names of properties
# what an operation may be asked wrongly, or the client may be, by status; any request at all may end with one of the rest
_TOLD: Final = (400, 401, 403, 404, 406)
_ANY: Final = {"4XX": range(400, 500), "5XX": range(500, 600)}


class _Route(Protocol):
    @property
    def operations(self) -> Any: ...


class _Block(Protocol):
    @property
    def routes(self) -> Sequence[_Route]: ...


def document(title: Text, server: str, blocks: Sequence[_Block], collections: Sequence[Collection], *, asks_token: bool) -> Json:
    """The whole document; `server` is the twin's base address. `asks_token` unless the twin is open to all (/req/oas30/security)."""
    operations: dict[str, Json] = {}
    for block in blocks:
        for route in block.routes:
            operations |= route.operations(collections)
    if not asks_token:
        operations = {path: _open_to_all(told) for path, told in operations.items()}
    # what names properties stays with its collection, where people and clients look for it
    spelled_out = {*NAMING, *(p.name for c in collections for p in c.description.properties)}
    shared, components = share(dict(sorted(operations.items())), spelled_out)
    components["schemas"] = SCHEMAS | {_feature_name(c): _feature(c) for c in collections}
    components["headers"] = {"requestId": _REQUEST_ID}
    if asks_token:
        components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    return {
        "openapi": "3.0.3",
        "info": {"title": title.de, "description": title.en, "version": VERSION, "license": {"name": "EUPL-1.2"}},
        "servers": [{"url": server}],
        "paths": {path: {"get": operation} for path, operation in shared.items()},
        "components": components,
        **({"security": [{"token": []}]} if asks_token else {}),
    }


def as_3_1(document: Json) -> Json:
    """The same document as OpenAPI 3.1, where NULL is a type of its own (JSON Schema 2020-12); of what else differs, none is in ours."""
    return {**_with_null(document), "openapi": "3.1.0"}


def _with_null(told: Any) -> Any:
    if isinstance(told, list):
        return [_with_null(inner) for inner in told]
    if not isinstance(told, dict):
        return told
    if told.get("nullable") is True:  # a property of this name is a schema
        told = {name: inner for name, inner in told.items() if name != "nullable"} | {"type": [told["type"], "null"]}
    return {name: _with_null(inner) for name, inner in told.items()}


def _open_to_all(told: Json) -> Json:
    """Without what happens to tokens alone that hold other roles."""
    return told | {"responses": {status: answer for status, answer in told["responses"].items() if status != str(RoleMissing.status)}}


def operation(id: str, summary: str, parameters: Sequence[Json], content: Mapping[str, Json]) -> Json:
    """One GET operation. Every problem may end it: a collection may be gone, a role may be, and a token may be of no use."""
    answer = {"description": "the answer", "headers": _HEADERS, "content": {media: {"schema": schema} for media, schema in content.items()}}
    return {
        "operationId": id,
        "summary": summary,
        "parameters": list(parameters),
        "responses": {"200": answer, "304": {"description": "not modified", "headers": _HEADERS}, **_REFUSALS},
    }


def page_operation(id: str, summary: str, media: str, schema: str, parameters: Sequence[Json] = ()) -> Json:
    """The operation of a page that is data of this media type and shape, or HTML."""
    return operation(id, summary, [*parameters, F], {media: shape(schema), "text/html": PAGE})


def parameter_names(document: Json) -> dict[str, list[str]]:
    """The names of each path's parameters."""
    return {path: [resolved(document, p)["name"] for p in methods["get"]["parameters"]] for path, methods in document["paths"].items()}


def _refusal(statuses: Container[int]) -> Json:
    """All problems of these statuses, as data and as a page."""
    said = "; ".join(problem.title.say("en") for problem in PROBLEMS if problem.status in statuses)
    content = {MEDIA_TYPE: {"schema": shape("problem")}, "text/html": {"schema": PAGE}}
    return {"description": said, "headers": _HEADERS, "content": content}


_REFUSALS: Final = {str(status): _refusal((status,)) for status in _TOLD} | {
    name: _refusal(set(statuses) - set(_TOLD)) for name, statuses in _ANY.items()
}


def choice(name: str, description: str, words: Sequence[str]) -> Json:
    """A query parameter that is one of these words, the first of them by default (/req/crs/fc-crs-definition)."""
    schema = {"type": "string", "format": "uri", "enum": list(words), "default": words[0]}
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema, "style": "form", "explode": False}


def listing(name: str, description: str, words: Sequence[str], before: str = "") -> Json:
    """A query parameter that is a list of these words, joined by commas; `before` is what may stand before each, as a pattern."""
    schema = {"type": "array", "minItems": 1, "uniqueItems": True, "items": {"type": "string", "pattern": f"^{before}({'|'.join(words)})$"}}
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema, "style": "form", "explode": False}


def item_parameters(collection: Collection, forms: Sequence[str] = ("json", "html")) -> list[Json]:
    """The parameters of the items of a collection in these forms, its properties among them, written as QGIS wants them."""
    fixed = [_LIMIT, _BBOX, _DATETIME, *_FILTER, _CURSOR, {**F, "schema": {"type": "string", "enum": list(forms)}}]
    return fixed + [
        {
            "name": p.name,
            "in": "query",
            "required": False,
            "description": p.title.de,
            "schema": value_schema(p),
            "style": "form",
            "explode": False,
        }
        for p in collection.description.properties
    ]


def items_schema(collection: Collection) -> Json:
    """A page of features of the collection."""
    features = {"type": "array", "items": item_schema(collection)}
    return {"allOf": [shape("featureCollection"), {"type": "object", "properties": {"features": features}}]}


def item_schema(collection: Collection) -> Json:
    """A feature of the collection."""
    return {"$ref": f"#/components/schemas/{_feature_name(collection)}"}


def _feature_name(collection: Collection) -> str:
    return f"feature.{collection.name}"


def _feature(collection: Collection) -> Json:
    """A feature with exactly the properties of the collection."""
    return feature({p.name: {"title": p.title.de, **value_schema(p)} for p in collection.description.properties})


def value_schema(shown: Property) -> Json:
    """The JSON Schema of a property's values that are not absent."""
    schema = dict(_TYPES[shown.type])
    if shown.enum:
        schema["enum"] = list(shown.enum)
    return schema
