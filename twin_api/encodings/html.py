"""Simple pages for people: readable without JavaScript, nothing loaded from elsewhere, German or English."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import orjson
from jinja2 import Environment, PackageLoader, StrictUndefined

from twin_api.encodings.answer import Answer
from twin_api.encodings.link import Link
from twin_api.encodings.media import HTML
from twin_api.store.collection import Collection
from twin_api.store.twin import Page
from twin_api.texts import Language, Text

_WORDS: Final = {
    "collections": Text("Datensätze", "Collections"),
    "items": Text("Objekte", "Items"),
    "home": Text("Startseite", "Home"),
    "api": Text("Schnittstelle", "API"),
    "conformance": Text("Konformität", "Conformance"),
    "count": Text("Anzahl", "Count"),
    "extent": Text("Ausdehnung (Grad)", "Extent (degrees)"),
    "property": Text("Merkmal", "Property"),
    "title": Text("Bezeichnung", "Title"),
    "type": Text("Art", "Type"),
    "unit": Text("Einheit", "Unit"),
    "value": Text("Wert", "Value"),
    "values": Text("Werte", "Values"),
    "licence": Text("Lizenz", "Licence"),
    "source": Text("Quelle", "Source"),
    "geometry": Text("Geometrie", "Geometry"),
    "none": Text("keine", "none"),
    "next": Text("Nächste Seite", "Next page"),
    "as_json": Text("Als JSON", "As JSON"),
    "found": Text("gefunden", "found"),
    "shown": Text("auf dieser Seite", "on this page"),
    "skip": Text("Zum Inhalt", "Skip to content"),
    "standards": Text("Diese Schnittstelle erfüllt folgende Teile der Normen:", "This API conforms to these parts of the standards:"),
    "addresses": Text("Adressen", "Addresses"),
    "id": Text("Kennung", "Id"),
    "and_more": Text("mehr als gezählt wurden", "more than were counted"),
    "nothing": Text("Hier ist nichts zu sehen.", "There is nothing to see here."),
}
_NUMBERS: Final = {"de": ".", "en": ","}


def page(template: str, lang: Language, **values: Any) -> Answer:
    """One of the pages in `encodings/pages`; every value is escaped."""
    words = {key: text.say(lang) for key, text in _WORDS.items()}
    rendered = _PAGES.get_template(template).render(lang=lang, words=words, number=_number(lang), say=lambda text: text.say(lang), **values)
    return Answer(rendered.encode(), HTML.type, {"Content-Language": lang})


def items(lang: Language, base: str, collection: Collection, found: Page, links: Sequence[Link]) -> Answer:
    """A page of items as a table."""
    rows = orjson.loads(b"[" + found.features + b"]")
    following = next((link.href for link in links if link.rel == "next"), None)
    json = next(link.href for link in links if link.rel == "alternate")
    title = collection.description.title.say(lang)
    return page("items.html", lang, title=title, base=base, collection=collection, page=found, rows=rows, following=following, json=json)


def item(lang: Language, base: str, collection: Collection, feature: bytes) -> Answer:
    shown = orjson.loads(feature)
    title = f"{collection.description.title.say(lang)} · {shown['id'][:8]}"
    return page("item.html", lang, title=title, base=base, collection=collection, feature=shown)


def _number(lang: Language) -> Any:
    return lambda value: f"{value:,}".replace(",", _NUMBERS[lang])


_PAGES: Final = Environment(
    loader=PackageLoader("twin_api.encodings", "pages"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
