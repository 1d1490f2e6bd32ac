"""The links of items and of pages of items. As JSON they are a pattern, made once for a collection, which each request fills in.

Must never put anything into a pattern that is not written as addresses and JSON want it: it is not encoded again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple
from urllib.parse import quote, quote_plus

import orjson

from twin_api.encodings.formats import FORMATS
from twin_api.encodings.licence import licence_links
from twin_api.encodings.link import Link
from twin_api.encodings.media import GEOJSON, GEOPACKAGE, HTML, JSON, Media
from twin_api.encodings.queryables import queryables_link
from twin_api.store.collection import Collection
from twin_api.texts import Language, Text

OFFERED: Final = (GEOJSON, HTML)  # one item
WRITTEN: Final = {written.media: written for written in FORMATS}
FORMS: Final = (*OFFERED, *WRITTEN, GEOPACKAGE)  # items
_KNOWN: Final = 1024
_TITLES: Final = {
    "self": Text("Diese Seite", "This page"),
    "alternate": Text("Diese Seite in anderer Form", "This page in another form"),
    "next": Text("Nächste Seite", "Next page"),
}


class Where(NamedTuple):
    """Whose links they are: the twin's address, the collection and its licence, and the form of the answer."""

    base: str
    name: str
    licence: str
    media: Media

    @classmethod
    def of(cls, base: str, collection: Collection, media: Media) -> Where:
        return cls(base, collection.name, collection.description.licence, media)

    @property
    def href(self) -> str:
        return f"{self.base}/collections/{quote(self.name)}"


class Queries(NamedTuple):
    """What was asked, each as it goes before a further parameter: all of it, without `cursor` for the next page, all pages at once."""

    own: str
    further: str = ""
    whole: str = ""

    @classmethod
    def of(cls, asked: Sequence[tuple[str, str]]) -> Queries:
        written = [(name, _written(name, text)) for name, text in asked if name != "f"]
        own = "".join([text for _, text in written])
        further = "".join([text for name, text in written if name != "cursor"])
        whole = "".join([text for name, text in written if name not in ("limit", "cursor")])
        return cls(own, further, whole)


@lru_cache(maxsize=256)
def _written(name: str, text: str) -> str:
    return f"{quote_plus(name)}={quote_plus(text)}&"


# braces stand in no address of ours
_MARKS: Final = Queries("{own}", "{further}", "{whole}")
_ID: Final = "{id}"
_CURSOR: Final = "{cursor}"
_MARK: Final = re.compile(rb"(\{(?:own|further|whole|id|cursor)\})")
Pattern = tuple[tuple[bytes, ...], tuple[bytes, ...]]  # what stands between the marks, and these


def page_links(where: Where, queries: Queries, cursor: str | None) -> list[Link]:
    """`self`, `alternate` and, where there is a `cursor` to go on from, `next`; the collection and its licence."""
    href = f"{where.href}/items"
    links = [
        _as(offered, href, queries.whole if offered is GEOPACKAGE else queries.own, "self" if offered is where.media else "alternate")
        for offered in FORMS
    ]
    if cursor is not None:
        links.append(_as(where.media, href, f"{queries.further}cursor={cursor}&", "next"))
    return [*links, _collection_link(where), *licence_links(where.licence)]


def item_links(where: Where, id: str, asked: str) -> list[Link]:
    href = f"{where.href}/items/{id}"
    links = [_as(offered, href, asked, "self" if offered is where.media else "alternate") for offered in OFFERED]
    return [*links, _collection_link(where), *licence_links(where.licence)]


def page_links_json(where: Where, lang: Language, queries: Queries, cursor: str | None) -> bytes:
    told = {b"{own}": queries.own.encode(), b"{further}": queries.further.encode(), b"{whole}": queries.whole.encode()}
    if cursor is not None:
        told[b"{cursor}"] = cursor.encode()
    return _filled(_page_pattern(where, lang, cursor is not None), told)


def item_links_json(where: Where, lang: Language, id: str, asked: str) -> bytes:
    return _filled(_item_pattern(where, lang), {b"{id}": id.encode(), b"{own}": asked.encode()})


@lru_cache(maxsize=_KNOWN)
def queryables_header(base: str, name: str) -> str:
    """As the header `Link` says where the queryables of a collection are."""
    return queryables_link(base, name).as_header()


@lru_cache(maxsize=_KNOWN)
def _page_pattern(where: Where, lang: Language, has_next: bool) -> Pattern:
    return _pattern(page_links(where, _MARKS, _CURSOR if has_next else None), lang)


@lru_cache(maxsize=_KNOWN)
def _item_pattern(where: Where, lang: Language) -> Pattern:
    return _pattern(item_links(where, _ID, _MARKS.own), lang)


def _pattern(links: Sequence[Link], lang: Language) -> Pattern:
    parts = _MARK.split(orjson.dumps([link.as_json(lang) for link in links]))
    return tuple(parts[::2]), tuple(parts[1::2])


def _filled(pattern: Pattern, told: Mapping[bytes, bytes]) -> bytes:
    between, marks = pattern
    parts = [b""] * (2 * len(marks) + 1)
    parts[::2] = between
    parts[1::2] = [told[mark] for mark in marks]
    return b"".join(parts)


def _collection_link(where: Where) -> Link:
    form = HTML if where.media is HTML else JSON
    return Link(f"{where.href}?f={form.word}", "collection", form.bare_type, Text("Der Datensatz", "The collection"))


def _as(media: Media, href: str, query: str, rel: str) -> Link:
    return Link(f"{href}?{query}f={media.word}", rel, media.bare_type, _TITLES[rel])
