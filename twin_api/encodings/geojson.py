"""GeoJSON (RFC 7946, OGC API Features Part 1). Feature texts come finished from the store and are passed on unread."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import orjson

from twin_api.encodings.answer import Answer
from twin_api.encodings.link import Link
from twin_api.encodings.media import GEOJSON
from twin_api.store.twin import Page
from twin_api.texts import Language


def page(lang: Language, found: Page, links: Sequence[Link]) -> Answer:
    """A FeatureCollection; `numberMatched` is left out where it was not counted. No time stamp: equal pages have equal bytes."""
    matched = b"" if found.matched is None else b'"numberMatched":%d,' % found.matched
    head = b'{"type":"FeatureCollection",%b"numberReturned":%d,"links":%b,"features":[' % (matched, found.returned, _links(lang, links))
    return Answer(b"".join((head, found.features, b"]}")), GEOJSON.type)


def item(lang: Language, feature: bytes, links: Sequence[Link]) -> Answer:
    """A Feature with its links put in before the closing brace."""
    return Answer(b"".join((feature[:-1], b',"links":', _links(lang, links), b"}")), GEOJSON.type)


def instant(moment: datetime | None) -> str | None:
    """RFC 3339 in UTC."""
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _links(lang: Language, links: Sequence[Link]) -> bytes:
    return orjson.dumps([link.as_json(lang) for link in links])
