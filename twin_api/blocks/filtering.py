"""OGC API Features Part 3: what a collection can be filtered by, and the functions that a filter may call (OGC 19-079r2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from twin_api.block import Block, Question, Route
from twin_api.encodings import html, openapi
from twin_api.encodings.answer import Answer
from twin_api.encodings.link import Link, forms
from twin_api.encodings.media import HTML, JSON, SCHEMA
from twin_api.encodings.queryables import queryables_link
from twin_api.encodings.schemas import queryables
from twin_api.query.cql2.functions import FUNCTIONS, Argument, Function
from twin_api.store.collection import Collection
from twin_api.store.twin import Twin
from twin_api.texts import Language, Text

_PART_3: Final = "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/"
_CQL2: Final = "http://www.opengis.net/spec/cql2/1.0/conf/"
_CLASSES: Final = (
    "cql2-text", "cql2-json", "basic-cql2", "advanced-comparison-operators", "case-insensitive-comparison",
    "accent-insensitive-comparison", "basic-spatial-functions", "basic-spatial-functions-plus", "spatial-functions", "temporal-functions",
    "array-functions", "property-property", "functions", "arithmetic",
)  # fmt: skip
_TITLE: Final = Text("Filtern", "Filtering")
_FUNCTIONS_TITLE: Final = Text("Funktionen für Filter", "Functions for filters")
# what OGC calls the kinds of values; whole numbers are numbers to every function
_KINDS: Final = {
    "text": ["string"], "number": ["number", "integer"], "decimal": ["number"], "integer": ["integer"], "time": ["date", "datetime"],
    "geometry": ["geometry"],
}  # fmt: skip


async def get_queryables(question: Question, twin: Twin) -> Answer:
    """/req/queryables/get-queryables-op, /req/queryables/get-queryables-response."""
    media = question.media_of_page((SCHEMA, HTML))
    collection = await twin.collection(question.path["collection"])
    base, lang = question.base, question.lang
    schema = queryables(lang, base, collection)
    if media is HTML:
        links = forms(schema["$id"], SCHEMA, media)
        title = f"{collection.description.title.say(lang)} · {_TITLE.say(lang)}"
        told: dict[str, Any] = {"schema": schema, "about": await twin.about(), "links": links}
        return html.page("schema.html", lang, title=title, base=base, **told)
    return Answer(orjson.dumps(schema), SCHEMA.type, {"Content-Language": lang})


async def get_functions(question: Question, twin: Twin) -> Answer:
    """/req/filter/get-functions-operation, /req/filter/get-functions-response-json."""
    media = question.media_of_page((JSON, HTML))
    base, lang = question.base, question.lang
    listed = [_describe(function, lang) for function in FUNCTIONS]
    if media is HTML:
        told: dict[str, Any] = {"functions": listed, "about": await twin.about(), "links": forms(f"{base}/functions", JSON, media)}
        return html.page("functions.html", lang, title=_FUNCTIONS_TITLE.say(lang), base=base, **told)
    return Answer(orjson.dumps({"functions": listed}), JSON.type, {"Content-Language": lang})


def _describe(function: Function, lang: Language) -> dict[str, Any]:
    return {
        "name": function.name,
        "description": function.title.say(lang),
        "arguments": [_argument(argument, lang) for argument in function.arguments],
        "returns": _KINDS[function.returns],
    }


def _argument(argument: Argument, lang: Language) -> dict[str, Any]:
    return {"title": argument.title.say(lang), "type": _KINDS[argument.family]}


def _collection_links(base: str, collection: Collection) -> Sequence[Link]:
    return (queryables_link(base, collection.name),)


def _landing_links(base: str) -> Sequence[Link]:
    return (Link(f"{base}/functions?f=json", "http://www.opengis.net/def/rel/ogc/1.0/functions", JSON.type, _FUNCTIONS_TITLE),)


def _queryables_operations(collections: Sequence[Collection]) -> Mapping[str, Mapping[str, Any]]:
    return {
        f"/collections/{c.name}/queryables": openapi.page_operation(
            f"get_queryables_{c.name}", c.description.title.de, SCHEMA.type, "schema"
        )
        for c in collections
    }


def _functions_operations(_: Sequence[Collection]) -> Mapping[str, Mapping[str, Any]]:
    return {"/functions": openapi.page_operation("get_functions", "Functions", JSON.type, "functions")}


BLOCK = Block(
    name="filtering",
    routes=(
        Route("/collections/{collection}/queryables", get_queryables, _queryables_operations),
        Route("/functions", get_functions, _functions_operations),
    ),
    conformance=(
        *(_PART_3 + name for name in ("queryables", "queryables-query-parameters", "filter", "features-filter")),
        *(_CQL2 + name for name in _CLASSES),
    ),
    landing_links=_landing_links,
    collection_links=_collection_links,
)
