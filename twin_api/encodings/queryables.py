"""The link to what a collection can be filtered by (OGC 19-079r2, /req/queryables/queryables-link)."""

from __future__ import annotations

from typing import Final

from twin_api.encodings.link import Link
from twin_api.encodings.media import SCHEMA
from twin_api.texts import Text

REL: Final = "http://www.opengis.net/def/rel/ogc/1.0/queryables"
_TITLE: Final = Text("Wonach sich der Datensatz filtern lässt", "What the collection can be filtered by")


def queryables_link(base: str, collection: str) -> Link:
    return Link(f"{base}/collections/{collection}/queryables?f=json", REL, SCHEMA.type, _TITLE)
