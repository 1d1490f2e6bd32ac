"""The rules of OpenAPI 3.0.3 that our documents could break: required members, unique ids, parameters, references."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_TYPES = {"string", "integer", "number", "boolean", "array", "object"}


def check_document(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.0.3"
    assert document.keys() <= {"openapi", "info", "servers", "paths", "components", "security", "tags", "externalDocs"}
    assert {"title", "version"} <= document["info"].keys()
    operations = [(path, operation) for path, methods in document["paths"].items() for operation in methods.values()]
    ids = [operation["operationId"] for _, operation in operations]
    assert len(ids) == len(set(ids))
    for path, operation in operations:
        told = [resolved(document, answer) for answer in operation["responses"].values()]
        _check_operation(path, operation, parameters_of(document, path), told)
    _check_components(document)
    for reference in _references(document):
        _resolve(document, reference)
    for schemes in document.get("security", []):
        assert schemes.keys() <= document["components"]["securitySchemes"].keys()


def _check_components(document: dict[str, Any]) -> None:
    """Every component has a name that the standard allows, and is referred to."""
    referred = set(_references(document))
    for section, kept in document["components"].items():
        assert all(re.fullmatch(r"[a-zA-Z0-9._-]+", name) for name in kept)
        assert section == "securitySchemes" or {f"#/components/{section}/{name}" for name in kept} <= referred
    for schema in document["components"]["schemas"].values():
        _check_schema(schema)


def _check_operation(path: str, operation: dict[str, Any], parameters: list[dict[str, Any]], responses: list[dict[str, Any]]) -> None:
    assert path.startswith("/")
    assert all(re.fullmatch(r"[1-5](\d\d|XX)", status) for status in operation["responses"])
    assert all(told["description"] for told in responses)
    keys = [(parameter["name"], parameter["in"]) for parameter in parameters]
    assert len(keys) == len(set(keys))
    assert {name for name, where in keys if where == "path"} == set(re.findall(r"\{(\w+)\}", path))
    for parameter in parameters:
        assert parameter["in"] in ("query", "path")
        assert parameter["required"] or parameter["in"] == "query"
        _check_schema(parameter["schema"])
    for told in responses:
        for content in told.get("content", {}).values():
            _check_schema(content["schema"])


def _check_schema(schema: dict[str, Any]) -> None:
    """A schema object, or a reference, which stands alone."""
    if "$ref" in schema:
        assert schema.keys() == {"$ref"}
        return
    assert schema.get("type") in _TYPES | {None}
    assert schema.get("type") != "array" or "items" in schema
    for inner in (
        *schema.get("properties", {}).values(),
        *schema.get("oneOf", []),
        *schema.get("allOf", []),
        *([schema["items"]] if "items" in schema else []),
    ):
        _check_schema(inner)


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)


def resolved(document: dict[str, Any], told: dict[str, Any]) -> dict[str, Any]:
    """What is told, or what it refers to."""
    return dict(_resolve(document, told["$ref"])) if "$ref" in told else told


def parameters_of(document: dict[str, Any], path: str) -> list[dict[str, Any]]:
    """The parameters of the operation at this path."""
    return [resolved(document, told) for told in document["paths"][path]["get"]["parameters"]]


def _resolve(document: dict[str, Any], reference: str) -> Any:
    assert reference.startswith("#/")
    found: Any = document
    for step in reference[2:].split("/"):
        found = found[step]
    return found
