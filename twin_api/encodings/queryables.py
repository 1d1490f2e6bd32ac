"""What a collection can be filtered by, as JSON Schema (OGC 19-079r2, /req/queryables): exactly the properties that it shows."""

from __future__ import annotations

from typing import Any, Final

from twin_api.encodings.link import Link
from twin_api.encodings.media import SCHEMA
from twin_api.encodings.openapi import value_schema
from twin_api.store.collection import Collection
from twin_api.texts import Language, Text

REL: Final = "http://www.opengis.net/def/rel/ogc/1.0/queryables"
GEOMETRY_TITLE: Final = Text("Geometrie", "Geometry")


def queryables(lang: Language, base: str, collection: Collection) -> dict[str, Any]:
    """The schema of one collection; `base` is the twin's address. Units are UCUM or what the layer says."""
    told = collection.description
    properties: dict[str, Any] = {}
    for shown in told.properties:
        schema = {"title": shown.title.say(lang), **value_schema(shown)}
        if shown.unit:
            schema["x-ogc-unit"] = shown.unit
        if shown.name == told.datetime:
            schema["x-ogc-role"] = "primary-instant"
        properties[shown.name] = schema
    if told.geometry_type:
        kind = told.geometry_type.removesuffix("Z").lower()
        properties["geometry"] = {"title": GEOMETRY_TITLE.say(lang), "format": f"geometry-{kind}", "x-ogc-role": "primary-geometry"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{base}/collections/{collection.name}/queryables",
        "type": "object",
        "title": told.title.say(lang),
        "properties": properties,
        "additionalProperties": False,
    }


def queryables_link(base: str, collection: Collection) -> Link:
    title = Text("Wonach sich der Datensatz filtern lässt", "What the collection can be filtered by")
    return Link(f"{base}/collections/{collection.name}/queryables?f=json", REL, SCHEMA.type, title)
