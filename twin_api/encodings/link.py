"""Links between resources (RFC 8288) as OGC API writes them in JSON."""

from __future__ import annotations

from dataclasses import dataclass

from twin_api.encodings.media import HTML, Media


@dataclass(frozen=True, slots=True)
class Link:
    href: str
    rel: str
    type: str
    title: str

    def as_json(self) -> dict[str, str]:
        told = {"href": self.href, "rel": self.rel, "type": self.type}
        return {**told, "title": self.title} if self.title else told


def forms(href: str, data: Media, shown: Media) -> list[Link]:
    """The page at `href` in both its forms, as data and as HTML; the one that is `shown` is `self`."""
    offered = ((data, "This page as data"), (HTML, "This page as HTML"))
    return [_form(href, media, "self" if media is shown else "alternate", title) for media, title in offered]


def _form(href: str, media: Media, rel: str, title: str) -> Link:
    return Link(f"{href}?f={media.word}", rel, media.bare_type, title)
