"""GeoJSON (RFC 7946, OGC API Features Part 1). Feature texts come finished from the store and are passed on unread."""

from __future__ import annotations

from datetime import UTC, datetime

from twin_api.store.twin import Page


def page(found: Page, links: bytes) -> bytes:
    """A FeatureCollection; `numberMatched` is left out where it was not counted. No time stamp: equal pages have equal bytes."""
    matched = b"" if found.matched is None else b'"numberMatched":%d,' % found.matched
    head = b'{"type":"FeatureCollection",%b"numberReturned":%d,"links":%b,"features":[' % (matched, found.returned, links)
    return b"".join((head, found.features, b"]}"))


def item(feature: bytes, links: bytes) -> bytes:
    """A Feature with its links put in before the closing brace."""
    return b"".join((feature[:-1], b',"links":', links, b"}"))


def instant(moment: datetime | None) -> str | None:
    """RFC 3339 in UTC."""
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
