"""JSON Schemas of a collection (OGC 23-058r2, Features Part 5): exactly what it shows, and what it can be sorted by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from twin_api.encodings.openapi import value_schema
from twin_api.store.collection import Collection, Property
from twin_api.texts import Language, Text

# units as the Unified Code for Units of Measure writes them; others stand in the title alone
_ALIKE: Final = ("m", "mm", "cm", "km", "t", "kg", "g", "W", "kW", "V", "kV", "A", "Hz", "bar", "%", "s", "min", "h", "d", "a")
UCUM: Final = {
    **{unit: unit for unit in _ALIKE},
    "m²": "m2", "m³": "m3", "ha": "har", "l": "L", "l/s": "L/s", "l/min": "L/min", "m³/h": "m3/h", "km/h": "km/h", "m/s": "m/s",
    "kVA": "kV.A", "kWh": "kW.h", "°C": "Cel", "°": "deg", "dB": "dB",
}  # fmt: skip
_GEOMETRY: Final = Text("Geometrie", "Geometry")
_ID: Final = Text("Kennung", "Id")

Json = dict[str, Any]


def returnables(lang: Language, base: str, collection: Collection, *, inline: bool = False) -> Json:
    """/req/returnables-and-receivables/response: an item's members in their order. Nothing of it can be written, so all is `readOnly`.

    With `inline` the profile codelist-inline is applied: each value of a list is a schema of its own.
    """
    told = collection.description
    properties: dict[str, Json] = {"id": {"title": _ID.say(lang), "type": "string", "format": "uuid", "x-ogc-role": "id"}}
    if told.geometry_type:
        properties["geometry"] = _geometry(lang, told.geometry_type)
    properties |= {p.name: _property(lang, p, told.datetime, inline) for p in told.properties}
    numbered = {name: schema | {"readOnly": True, "x-ogc-propertySeq": n} for n, (name, schema) in enumerate(properties.items(), 1)}
    return _schema(lang, f"{base}/collections/{collection.name}/schema", collection, numbered)


def sortables(lang: Language, base: str, collection: Collection, *, inline: bool = False) -> Json:
    """/req/sortables/response: every property that an item shows; no geometry."""
    told = collection.description
    properties = {p.name: _property(lang, p, told.datetime, inline) for p in told.properties}
    return _schema(lang, f"{base}/collections/{collection.name}/sortables", collection, properties)


def queryables(lang: Language, base: str, collection: Collection) -> Json:
    """/req/queryables/get-queryables-response (OGC 19-079r2): every property that an item shows, and its geometry."""
    told = collection.description
    properties = {p.name: _property(lang, p, told.datetime, inline=False) for p in told.properties}
    if told.geometry_type:
        properties["geometry"] = _geometry(lang, told.geometry_type)
    return _schema(lang, f"{base}/collections/{collection.name}/queryables", collection, properties)


def _geometry(lang: Language, type_: str) -> Json:
    return {"title": _GEOMETRY.say(lang), "format": f"geometry-{type_.removesuffix('Z').lower()}", "x-ogc-role": "primary-geometry"}


def _schema(lang: Language, id: str, collection: Collection, properties: Mapping[str, Json]) -> Json:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": id,
        "type": "object",
        "title": collection.description.title.say(lang),
        "properties": properties,
        "additionalProperties": False,
    }


def _property(lang: Language, shown: Property, instant: str | None, inline: bool) -> Json:
    schema: Json = {"title": shown.title.say(lang), **value_schema(shown)}
    if inline and (values := schema.pop("enum", None)):
        schema["oneOf"] = [{"const": value, "title": value} for value in values]
    if shown.unit in UCUM:
        schema["x-ogc-unit"] = UCUM[shown.unit]
    elif shown.unit:
        schema["title"] = f"{schema['title']} [{shown.unit}]"
    return schema | ({"x-ogc-role": "primary-instant"} if shown.name == instant else {})
