"""OGC API Features Part 1: the items of a collection, page by page or one by one (OGC 17-069r4, 7.15 and 7.16)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar
from urllib.parse import quote, urlencode
from uuid import UUID

from starlette.requests import Request

from twin_api.block import Block, Route
from twin_api.encodings import geojson, html, openapi
from twin_api.encodings.answer import Answer
from twin_api.encodings.licence import licence_links
from twin_api.encodings.link import Link
from twin_api.encodings.media import GEOJSON, HTML, JSON, Media
from twin_api.encodings.openapi import Json
from twin_api.problems import InvalidParameter, NotFound
from twin_api.query.ask import ask_media, choose_media
from twin_api.query.box import box_crs
from twin_api.query.crs import Crs, offered_crs
from twin_api.query.item import one
from twin_api.query.page import Pages
from twin_api.query.window import Window, bind, cursor
from twin_api.store.collection import Collection
from twin_api.store.twin import Page, Twin
from twin_api.texts import Text

Query = TypeVar("Query")

OFFERED = (GEOJSON, HTML)
ITEM_PARAMETERS = ("crs", "f")
HTML_ROWS = 200  # a page for people; a table of ten thousand rows would hold up everybody else


async def get_items(request: Request, twin: Twin) -> Answer:
    """/req/core/fc-op, /req/core/fc-response and the parameters limit, bbox, datetime and one per property."""
    media = choose_media(request, OFFERED)
    asked = request.query_params.multi_items()
    query = await _checked(twin, request.path_params["collection"], lambda collection: Pages(collection, bind(collection, asked)))
    page = await twin.page(query.at_most(HTML_ROWS) if media is HTML else query)
    links = _page_links(request, query.window, page, media)
    lang, base = request.state.lang, request.state.base
    if media is HTML:
        answer = html.items(lang, base, page, links, await twin.about(), query.window.properties)
    else:
        answer = geojson.page(lang, page, links)
    return _finished(answer, page.collection, query.window.crs)


async def _checked(twin: Twin, name: str, check: Callable[[Collection], Query]) -> Query:
    """The request checked against the collection. INVARIANT: none is refused on what was seen before: it may be hidden by now."""
    try:
        return check(await twin.known(name))
    except InvalidParameter:
        return check(await twin.collection(name))


async def get_item(request: Request, twin: Twin) -> Answer:
    """/req/core/f-op, /req/core/f-success, /req/crs/fc-crs-definition."""
    media = ask_media(request, OFFERED, ITEM_PARAMETERS)
    name, id, uri = request.path_params["collection"], _id(request.path_params["id"]), request.query_params.get("crs")
    query = await _checked(twin, name, lambda collection: one(collection, id, uri))
    item = await twin.item(query)
    links = _item_links(request, item.collection, id, media)
    lang, base = request.state.lang, request.state.base
    answer = html.item(lang, base, item, links, await twin.about()) if media is HTML else geojson.item(lang, item.feature, links)
    return _finished(answer, item.collection, query.crs)


def _finished(answer: Answer, collection: Collection, crs: Crs) -> Answer:
    """With the CRS of its coordinates (/req/crs/ogc-crs-header), and who reads it noted where that is wanted."""
    audited = collection.name if collection.description.audited else None
    return replace(answer, headers={**answer.headers, "Content-Crs": f"<{crs.uri}>"}, audited=audited)


def _id(text: str) -> UUID:
    """Only the canonical form names an item; anything else names nothing."""
    try:
        id = UUID(text)
    except ValueError:
        raise NotFound() from None
    if str(id) != text:
        raise NotFound()
    return id


def _page_links(request: Request, window: Window, page: Page, media: Media) -> list[Link]:
    href = f"{request.state.base}/collections/{quote(page.collection.name)}"
    asked = [(name, text) for name, text in window.asked if name != "f"]
    same = urlencode(asked)
    links = [_as(offered, f"{href}/items", same, "self" if offered is media else "alternate") for offered in OFFERED]
    if page.last is not None:
        further = urlencode([(name, text) for name, text in asked if name != "cursor"])
        links.append(_as(media, f"{href}/items", f"{further}{'&' if further else ''}cursor={cursor(page.last)}", "next"))
    return [*links, _collection_link(href, media), *licence_links(page.collection.description)]


def _collection_link(href: str, media: Media) -> Link:
    form = HTML if media is HTML else JSON
    return Link(f"{href}?f={form.word}", "collection", form.bare_type, Text("Der Datensatz", "The collection"))


def _as(media: Media, href: str, query: str, rel: str) -> Link:
    return Link(f"{href}?{query}{'&' if query else ''}f={media.word}", rel, media.bare_type, _TITLES[rel])


_TITLES = {
    "self": Text("Diese Seite", "This page"),
    "alternate": Text("Diese Seite in anderer Form", "This page in another form"),
    "next": Text("Nächste Seite", "Next page"),
}


def _item_links(request: Request, collection: Collection, id: UUID, media: Media) -> list[Link]:
    href = f"{request.state.base}/collections/{quote(collection.name)}"
    asked = urlencode([(name, text) for name, text in request.query_params.multi_items() if name != "f"])
    links = [_as(offered, f"{href}/items/{id}", asked, "self" if offered is media else "alternate") for offered in OFFERED]
    return [*links, _collection_link(href, media), *licence_links(collection.description)]


def _collection_links(base: str, collection: Collection) -> Sequence[Link]:
    href = f"{base}/collections/{collection.name}/items"
    title = collection.description.title
    return (Link(f"{href}?f=json", "items", GEOJSON.type, title), Link(f"{href}?f=html", "items", "text/html", title))


def _items_operations(collections: Sequence[Collection]) -> Mapping[str, Mapping[str, Any]]:
    return {
        f"/collections/{c.name}/items": openapi.operation(
            f"get_items_{c.name}", c.description.title.de, _items_parameters(c), openapi.ITEMS_CONTENT
        )
        for c in collections
    }


def _item_operations(collections: Sequence[Collection]) -> Mapping[str, Mapping[str, Any]]:
    return {
        f"/collections/{c.name}/items/{{id}}": openapi.operation(
            f"get_item_{c.name}", c.description.title.de, [openapi.ID, *_crs_parameters(c), openapi.F], openapi.item_content(c)
        )
        for c in collections
    }


def _crs_parameters(collection: Collection) -> list[Json]:
    uris = [crs.uri for crs in offered_crs(collection.description)]
    return [openapi.choice("crs", "CRS of the coordinates in the answer", uris)]


def _items_parameters(collection: Collection) -> list[Json]:
    box = openapi.choice("bbox-crs", "CRS of `bbox`, whose axes stand in its order", [crs.uri for crs in box_crs(collection)])
    names = [p.name for p in collection.description.properties]
    listed = [
        openapi.listing("sortby", "properties to sort by, falling after `-`", [sign + name for name in names for sign in ("", "+", "-")]),
        openapi.listing("properties", "properties to show", names),
    ]
    return [*_crs_parameters(collection), box, *(listed if names else []), *openapi.item_parameters(collection)]


BLOCK = Block(
    name="features",
    routes=(
        Route("/collections/{collection}/items/{id}", get_item, _item_operations),
        Route("/collections/{collection}/items", get_items, _items_operations),
    ),
    conformance=("http://www.opengis.net/spec/ogcapi-features-2/1.0/conf/crs",),
    collection_links=_collection_links,
)
