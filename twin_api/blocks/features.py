"""OGC API Features Part 1: the items of a collection, page by page or one by one (OGC 17-069r4, 7.15 and 7.16)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlencode
from uuid import UUID

from starlette.requests import Request

from twin_api.block import Block, Route
from twin_api.encodings import geojson, html, openapi
from twin_api.encodings.answer import Answer
from twin_api.encodings.licence import licence_links
from twin_api.encodings.link import Link
from twin_api.encodings.media import GEOJSON, HTML, JSON, Media
from twin_api.encodings.queryables import queryables_link
from twin_api.problems import InvalidParameter, NotFound
from twin_api.query.ask import Asked, ask_media, choose_media
from twin_api.query.page import Pages
from twin_api.query.window import Window, bind, cursor
from twin_api.store.collection import Collection
from twin_api.store.twin import Page, Twin
from twin_api.texts import Text

OFFERED = (GEOJSON, HTML)
HTML_ROWS = 200  # a page for people; a table of ten thousand rows would hold up everybody else


async def get_items(request: Request, twin: Twin) -> Answer:
    """/req/core/fc-op, /req/core/fc-response, /req/features-filter, and the parameters limit, bbox, datetime and one per property."""
    media = choose_media(request, OFFERED)
    query = await _query(twin, request.path_params["collection"], request.query_params.multi_items())
    page = await twin.page(query.at_most(HTML_ROWS) if media is HTML else query)
    links = _page_links(request, query.window, page, media)
    lang, base = request.state.lang, request.state.base
    answer = html.items(lang, base, page, links, await twin.about()) if media is HTML else geojson.page(lang, page, links)
    return _noted(replace(answer, headers={**answer.headers, "Link": queryables_link(base, page.collection).as_header()}), page.collection)


async def _query(twin: Twin, name: str, asked: Asked) -> Pages:
    """The request checked against the collection. INVARIANT: none is refused on what was seen before: it may be hidden by now."""
    collection = await twin.known(name)
    try:
        return Pages(collection, bind(collection, asked))
    except InvalidParameter:
        collection = await twin.collection(name)
        return Pages(collection, bind(collection, asked))


async def get_item(request: Request, twin: Twin) -> Answer:
    """/req/core/f-op, /req/core/f-success."""
    media = ask_media(request, OFFERED)
    name, id = request.path_params["collection"], _id(request.path_params["id"])
    item = await twin.item(name, id)
    links = _item_links(request, item.collection, id, media)
    lang, base = request.state.lang, request.state.base
    answer = html.item(lang, base, item, links, await twin.about()) if media is HTML else geojson.item(lang, item.feature, links)
    return _noted(answer, item.collection)


def _noted(answer: Answer, collection: Collection) -> Answer:
    return replace(answer, audited=collection.name) if collection.description.audited else answer


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
    links = [_as(offered, f"{href}/items/{id}", "", "self" if offered is media else "alternate") for offered in OFFERED]
    return [*links, _collection_link(href, media), *licence_links(collection.description)]


def _collection_links(base: str, collection: Collection) -> Sequence[Link]:
    href = f"{base}/collections/{collection.name}/items"
    title = collection.description.title
    return (Link(f"{href}?f=json", "items", GEOJSON.type, title), Link(f"{href}?f=html", "items", "text/html", title))


def _items_operations(collections: Sequence[Collection]) -> Mapping[str, Mapping[str, Any]]:
    return {
        f"/collections/{c.name}/items": openapi.operation(
            f"get_items_{c.name}", c.description.title.de, openapi.item_parameters(c), openapi.ITEMS_CONTENT
        )
        for c in collections
    }


def _item_operations(collections: Sequence[Collection]) -> Mapping[str, Mapping[str, Any]]:
    return {
        f"/collections/{c.name}/items/{{id}}": openapi.operation(
            f"get_item_{c.name}", c.description.title.de, [openapi.ID, openapi.F], openapi.item_content(c)
        )
        for c in collections
    }


BLOCK = Block(
    name="features",
    routes=(
        Route("/collections/{collection}/items/{id}", get_item, _item_operations),
        Route("/collections/{collection}/items", get_items, _items_operations),
    ),
    collection_links=_collection_links,
)
