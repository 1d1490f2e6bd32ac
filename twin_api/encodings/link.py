"""Links between resources (RFC 8288) as OGC API writes them in JSON."""

from __future__ import annotations

from dataclasses import dataclass

from twin_api.encodings.media import HTML, Media
from twin_api.texts import Language, Text


@dataclass(frozen=True, slots=True)
class Link:
    href: str
    rel: str
    type: str
    title: Text

    def as_json(self, lang: Language) -> dict[str, str]:
        return {"href": self.href, "rel": self.rel, "type": self.type, "title": self.title.say(lang)}

    def as_header(self) -> str:
        """As RFC 8288 writes it in the header `Link`."""
        return f'<{self.href}>; rel="{self.rel}"; type="{self.type}"'


def forms(href: str, data: Media, shown: Media) -> list[Link]:
    """The page at `href` in both its forms, as data and as HTML; the one that is `shown` is `self`."""
    offered = ((data, Text("Diese Seite als Daten", "This page as data")), (HTML, Text("Diese Seite als HTML", "This page as HTML")))
    return [_form(href, media, "self" if media is shown else "alternate", title) for media, title in offered]


def _form(href: str, media: Media, rel: str, title: Text) -> Link:
    return Link(f"{href}?f={media.word}", rel, media.bare_type, title)
