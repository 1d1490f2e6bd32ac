"""OGC API Features Part 1: what collections there are and what each is (OGC 17-069r4, 7.13 and 7.14)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from twin_api.block import Block, Question, Route
from twin_api.encodings import html, openapi
from twin_api.encodings.answer import Answer
from twin_api.encodings.geojson import instant
from twin_api.encodings.licence import licence_links
from twin_api.encodings.link import Link, forms
from twin_api.encodings.media import HTML, JSON, Media
from twin_api.query.crs import COMMON, CRS84, offered_crs, storage_crs
from twin_api.store.collection import About, Collection
from twin_api.store.twin import Twin
from twin_api.texts import Language, Text

GREGORIAN: Final = "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian"


async def get_collections(question: Question, twin: Twin) -> Answer:
    """/req/core/fc-md-op, /req/core/fc-md-success and the links it wants."""
    media = question.media_of_page((JSON, HTML))
    base, lang = question.base, question.lang
    collections = await twin.collections()
    links = forms(f"{base}/collections", JSON, media)
    if media is HTML:
        told: dict[str, Any] = {"collections": collections, "about": await twin.about(), "links": links}
        return html.page("collections.html", lang, title=_TITLE.say(lang), base=base, **told)
    described = [describe(question, collection) for collection in collections]
    crs = [crs.uri for crs in COMMON]
    return _json({"links": [link.as_json(lang) for link in links], "crs": crs, "collections": described}, lang)


async def get_collection(question: Question, twin: Twin) -> Answer:
    """/req/core/sfc-md-op, /req/core/sfc-md-success."""
    media = question.media_of_page((JSON, HTML))
    collection = await twin.collection(question.path["collection"])
    if media is HTML:
        return _page(question, collection, await twin.about())
    return _json(describe(question, collection), question.lang)


def _page(question: Question, collection: Collection, about: About) -> Answer:
    title = collection.description.title.say(question.lang)
    told: dict[str, Any] = {
        "crs": [crs.uri for crs in offered_crs(collection.description)],
        "interval": [instant(end) for end in collection.interval or ()],
    }
    told |= {"base": question.base, "collection": collection, "about": about, "links": _links(question, collection, HTML)}
    return html.page("collection.html", question.lang, title=title, **told)


def describe(question: Question, collection: Collection) -> dict[str, Any]:
    """A collection as OGC API Features writes it. The bounding box is that of what is shown, in CRS84."""
    told = collection.description
    described: dict[str, Any] = {
        "id": collection.name,
        "title": told.title.say(question.lang),
        "attribution": told.holder,
        "links": [link.as_json(question.lang) for link in _links(question, collection, JSON)],
        "itemType": "feature",
        "crs": [crs.uri for crs in offered_crs(told)],
    }
    if stored := storage_crs(told):
        described["storageCrs"] = stored.uri
    if told.announce:
        described["description"] = told.announce.say(question.lang)
    if told.theme:
        described["keywords"] = [told.theme.say(question.lang)]
    if extent := _extent(collection):
        described["extent"] = extent
    return described


def _links(question: Question, collection: Collection, shown: Media) -> list[Link]:
    base = question.base
    links = forms(f"{base}/collections/{collection.name}", JSON, shown)
    links += [link for block in question.blocks for link in block.collection_links(base, collection)]
    return links + licence_links(collection.description.licence)


def _extent(collection: Collection) -> dict[str, Any]:
    extent: dict[str, Any] = {}
    if collection.bbox:
        extent["spatial"] = {"bbox": [list(collection.bbox)], "crs": CRS84.uri}
    if collection.interval:
        extent["temporal"] = {"interval": [[instant(end) for end in collection.interval]], "trs": GREGORIAN}
    return extent


_TITLE: Final = Text("Datensätze", "Collections")


def _json(document: Mapping[str, Any], lang: Language) -> Answer:
    return Answer(orjson.dumps(document), JSON.type, {"Content-Language": lang})


def _landing_links(base: str) -> Sequence[Link]:
    return (Link(f"{base}/collections?f=json", "data", JSON.type, Text("Die Datensätze dieses Zwillings", "The collections of this twin")),)


def _list_operations(_: Sequence[Collection]) -> Mapping[str, Mapping[str, Any]]:
    return {"/collections": openapi.page_operation("get_collections", "Collections", JSON.type, "collections")}


def _one_operations(collections: Sequence[Collection]) -> Mapping[str, Mapping[str, Any]]:
    return {
        f"/collections/{c.name}": openapi.page_operation(f"get_collection_{c.name}", c.description.title.de, JSON.type, "collection")
        for c in collections
    }


BLOCK = Block(
    name="collections",
    routes=(
        Route("/collections/{collection}", get_collection, _one_operations),
        Route("/collections", get_collections, _list_operations),
    ),
    landing_links=_landing_links,
)
