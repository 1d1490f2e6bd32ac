"""OGC API Features Part 1: the items of a collection, page by page or one by one (OGC 17-069r4, 7.15 and 7.16)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, TypeVar
from uuid import UUID

from twin_api.block import Block, Question, Route
from twin_api.encodings import geojson, geopackage, html, openapi
from twin_api.encodings.answer import Answer
from twin_api.encodings.item_links import (
    FORMS,
    OFFERED,
    WRITTEN,
    Queries,
    Where,
    item_links,
    item_links_json,
    page_links,
    page_links_json,
    queryables_header,
)
from twin_api.encodings.link import Link
from twin_api.encodings.media import GEOJSON, GEOPACKAGE, HTML, Media
from twin_api.encodings.openapi import Json
from twin_api.problems import InvalidParameter, NotFound, TooBusy
from twin_api.query.ask import Asked, once
from twin_api.query.box import box_crs
from twin_api.query.crs import Crs, offered_crs
from twin_api.query.item import one
from twin_api.query.page import Pages
from twin_api.query.window import Window, cursor
from twin_api.store.collection import Collection, Property
from twin_api.store.twin import Page, Twin
from twin_api.texts import Text

Query = TypeVar("Query")

ITEM_PARAMETERS = ("crs", "f")
_CANONICAL = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NO_HEADERS: Mapping[str, str] = MappingProxyType({})
_WHOLE = Text(
    "`f=gpkg` ist die ganze Sammlung: `limit` und `cursor` weglassen", "`f=gpkg` is the whole collection: leave out `limit` and `cursor`"
)
HTML_ROWS = 200  # a page for people; a table of ten thousand rows would hold up everybody else


async def get_items(question: Question, twin: Twin) -> Answer:
    """/req/core/fc-op, /req/core/fc-response, /req/crs/fc-crs-definition, /req/features-filter, and one parameter per property."""
    media = question.media(FORMS)
    asked = question.asked
    name, written = question.path["collection"], WRITTEN.get(media)
    if media is GEOPACKAGE:
        return await _download(twin, name, asked)
    query = await _checked(twin, name, lambda collection: Pages.of(collection, asked, by_line=written is not None))
    page = await twin.page(query.at_most(HTML_ROWS) if media is HTML else query)
    body, headers = await _page_body(question, twin, media, query.window, page)
    linked = queryables_header(question.base, page.collection.name)
    headers = {**headers, "Link": f"{headers['Link']}, {linked}" if "Link" in headers else linked}
    return _finished(body, media, page.collection, query.window.crs, headers)


async def _page_body(question: Question, twin: Twin, media: Media, window: Window, page: Page) -> tuple[bytes, Mapping[str, str]]:
    """The page in this form, and the headers that belong to the form."""
    lang, base = question.lang, question.base
    where, queries = Where.of(base, page.collection, media), Queries.of(question.asked)
    further = cursor(page.last) if page.last is not None else None
    if media is GEOJSON:
        return geojson.page(page, page_links_json(where, lang, queries, further)), {}
    links = page_links(where, queries, further)
    if media is HTML:
        shown = html.Shown(window.properties, window.crs.ground)
        answer = await asyncio.to_thread(html.items, lang, base, page, links, await twin.about(), shown)
        return answer.body, answer.headers
    body = await asyncio.to_thread(WRITTEN[media].write, page.features, _shown(page.collection, window))
    return body, {"Link": ", ".join(link.as_header() for link in links if link.rel in ("next", "collection", "license"))}


async def _download(twin: Twin, name: str, asked: Asked) -> Answer:
    """All items that match, of one version of the collection, as a file."""
    for parameter in ("limit", "cursor"):
        if parameter in once(asked):
            raise InvalidParameter(parameter, _WHOLE)
    query = await _checked(twin, name, lambda collection: Pages.of(collection, asked, by_line=True, east_first=True))
    first = await twin.page(query.whole())
    collection, window = first.collection, query.window
    if first.matched is None or first.matched > geopackage.MOST:
        raise geopackage.too_large()

    async def features() -> AsyncIterator[bytes]:
        page = first
        while True:
            yield page.features
            if page.last is None:
                return
            page = await twin.page(query.whole(page.last))
            if page.collection.version != collection.version:
                raise TooBusy()  # INVARIANT: no file mixes two versions

    told, crs = collection.description, window.crs
    title, properties = told.title.say("de"), _shown(collection, window)
    head = geopackage.head(name, title, told, crs.srid, properties, has_heights=told.has_heights and not crs.is_flat)
    file = await geopackage.build(head, features())
    headers = {"Content-Disposition": f'attachment; filename="{name}.gpkg"'}
    return replace(_finished(b"", GEOPACKAGE, collection, crs, headers), file=file)


def _shown(collection: Collection, window: Window) -> list[Property]:
    return [p for p in collection.description.properties if window.properties is None or p.name in window.properties]


async def _checked(twin: Twin, name: str, check: Callable[[Collection], Query]) -> Query:
    """The request checked against the collection. INVARIANT: none is refused on what was seen before: it may be hidden by now."""
    try:
        return check(await twin.known(name))
    except InvalidParameter:
        return check(await twin.collection(name))


async def get_item(question: Question, twin: Twin) -> Answer:
    """/req/core/f-op, /req/core/f-success, /req/crs/fc-crs-definition."""
    media = question.media_of_page(OFFERED, ITEM_PARAMETERS)
    name, id, uri = question.path["collection"], question.path["id"], question.parameter("crs")
    uuid = _uuid(id)
    query = await _checked(twin, name, lambda collection: one(collection, uuid, uri))
    item = await twin.item(query)
    lang, base = question.lang, question.base
    where, own = Where.of(base, item.collection, media), Queries.of(question.asked).own
    if media is GEOJSON:
        return _finished(geojson.item(item.feature, item_links_json(where, lang, id, own)), media, item.collection, query.crs)
    answer = await asyncio.to_thread(html.item, lang, base, item, item_links(where, id, own), await twin.about(), query.crs.ground)
    return _finished(answer.body, media, item.collection, query.crs, answer.headers)


def _finished(body: bytes, media: Media, collection: Collection, crs: Crs, headers: Mapping[str, str] = _NO_HEADERS) -> Answer:
    """With the CRS of its coordinates (/req/crs/ogc-crs-header), and who reads it noted where that is wanted."""
    audited = collection.name if collection.description.audited else None
    return Answer(body, media.type, {**headers, "Content-Crs": f"<{crs.uri}>"}, audited=audited)


def _uuid(text: str) -> UUID:
    """Only the canonical form names an item; anything else names nothing."""
    if not _CANONICAL.fullmatch(text):
        raise NotFound()
    return UUID(text)


def _collection_links(base: str, collection: Collection) -> Sequence[Link]:
    href = f"{base}/collections/{collection.name}/items"
    title = collection.description.title
    # GDAL puts the id of an item right behind its link to GeoJSON, and asks with `Accept`
    plain = Link(href, "items", GEOJSON.bare_type, title)
    return [plain, *(Link(f"{href}?f={media.word}", "items", media.bare_type, title) for media in FORMS if media is not GEOJSON)]


def _items_operations(collections: Sequence[Collection]) -> Mapping[str, Mapping[str, Any]]:
    return {
        f"/collections/{c.name}/items": openapi.operation(
            f"get_items_{c.name}", c.description.title.de, _items_parameters(c), _items_content(c)
        )
        for c in collections
    }


def _item_operations(collections: Sequence[Collection]) -> Mapping[str, Mapping[str, Any]]:
    return {
        f"/collections/{c.name}/items/{{id}}": openapi.operation(
            f"get_item_{c.name}", c.description.title.de, [openapi.ID, *_crs_parameters(c), openapi.F], _item_content(c)
        )
        for c in collections
    }


def _items_content(collection: Collection) -> dict[str, Json]:
    further = {media.bare_type: openapi.FILE for media in FORMS if media not in OFFERED}
    return {GEOJSON.type: openapi.items_schema(collection), HTML.bare_type: openapi.PAGE, **further}


def _item_content(collection: Collection) -> dict[str, Json]:
    return {GEOJSON.type: openapi.item_schema(collection), HTML.bare_type: openapi.PAGE}


def _crs_parameters(collection: Collection) -> list[Json]:
    uris = [crs.uri for crs in offered_crs(collection.description)]
    return [openapi.choice("crs", "CRS of the coordinates in the answer", uris)]


def _items_parameters(collection: Collection) -> list[Json]:
    uris = [crs.uri for crs in box_crs(collection)]
    boxes = openapi.choice("bbox-crs", "CRS of `bbox`, whose axes stand in its order", uris)
    places = openapi.choice("filter-crs", "CRS of the coordinates in `filter`", uris)
    names = [p.name for p in collection.description.properties]
    listed = [
        openapi.listing("sortby", "properties to sort by, falling after `-`", names, "[+-]?"),
        openapi.listing("properties", "properties to show", names),
    ]
    return [
        *_crs_parameters(collection),
        boxes,
        places,
        *(listed if names else []),
        *openapi.item_parameters(collection, [m.word for m in FORMS]),
    ]


BLOCK = Block(
    name="features",
    routes=(
        Route("/collections/{collection}/items/{id}", get_item, _item_operations),
        Route("/collections/{collection}/items", get_items, _items_operations),
    ),
    conformance=("http://www.opengis.net/spec/ogcapi-features-2/1.0/conf/crs",),
    collection_links=_collection_links,
)
