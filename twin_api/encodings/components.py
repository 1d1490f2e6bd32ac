"""What several operations of an OpenAPI document say is said once, under `components`, and referred to."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Mapping
from typing import Any

import orjson

Json = dict[str, Any]


def share(operations: Mapping[str, Json], spelled_out: Container[str]) -> tuple[dict[str, Json], Json]:
    """The operations with references, and what they refer to: `parameters`, and `responses` that are given more than once.

    Parameters whose name is `spelled_out` stay with their operation. A function of the operations and their order alone.
    """
    times = Counter(_key(answer) for told in operations.values() for answer in told["responses"].values())
    parameters, responses = _Shelf("parameters"), _Shelf("responses")

    def parameter(told: Json) -> Json:
        return told if told["name"] in spelled_out else parameters.refer(told, told["name"])

    def response(status: str, told: Json) -> Json:
        return responses.refer(told, _name(status, told)) if times[_key(told)] > 1 else told

    shared = {
        path: told
        | {
            "parameters": [parameter(p) for p in told["parameters"]],
            "responses": {status: response(status, answer) for status, answer in told["responses"].items()},
        }
        for path, told in operations.items()
    }
    return shared, {"parameters": parameters.kept, "responses": responses.kept}


def resolved(document: Json, told: Json) -> Json:
    """What is told, or what it refers to within the document."""
    if "$ref" not in told:
        return told
    _, *steps = told["$ref"].split("/")
    found: Any = document
    for step in steps:
        found = found[step]
    return dict(found)


class _Shelf:
    """The part of `components` that one kind of thing is kept in, under its name, or its name and a number."""

    def __init__(self, section: str) -> None:
        self.kept: dict[str, Json] = {}
        self._section = section
        self._names: dict[bytes, str] = {}

    def refer(self, told: Json, name: str) -> Json:
        key = _key(told)
        if key not in self._names:
            alike = sum(kept == name or kept.startswith(f"{name}.") for kept in self.kept)
            self._names[key] = f"{name}.{alike + 1}" if alike else name
            self.kept[self._names[key]] = told
        return {"$ref": f"#/components/{self._section}/{self._names[key]}"}


def _key(told: Json) -> bytes:
    return orjson.dumps(told, option=orjson.OPT_SORT_KEYS)


def _name(status: str, answer: Json) -> str:
    """Of a good answer the kind of its first media type, such as `schema-json`; of another its status."""
    if status != "200":
        return status
    kind = next(iter(answer["content"])).partition(";")[0].partition("/")[2]
    return re.sub(r"[^a-z0-9]+", "-", kind)
