"""Simple pages for people: readable without JavaScript, nothing loaded from elsewhere, German or English."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import orjson
from jinja2 import Environment, PackageLoader, StrictUndefined

from twin_api.encodings.answer import Answer
from twin_api.encodings.drawing import draw
from twin_api.encodings.ground import CRS84, Ground
from twin_api.encodings.licence import LICENCES
from twin_api.encodings.link import Link
from twin_api.encodings.media import HTML
from twin_api.store.collection import About, Property
from twin_api.store.twin import Item, Page
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
    "properties": Text("Merkmale", "Properties"),
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
    "found": Text("gefunden", "found"),
    "shown": Text("auf dieser Seite", "on this page"),
    "skip": Text("Zum Inhalt", "Skip to content"),
    "standards": Text("Diese Schnittstelle erfüllt folgende Teile der Normen:", "This API conforms to these parts of the standards:"),
    "addresses": Text("Adressen", "Addresses"),
    "id": Text("Kennung", "Id"),
    "and_more": Text("mehr als gezählt wurden", "more than were counted"),
    "links": Text("Verweise", "Links"),
    "parameters": Text("Parameter", "Parameters"),
    "content": Text("Inhalt", "Content"),
    "address": Text("Adresse", "Address"),
    "period": Text("Zeitraum", "Period"),
    "crs": Text("Koordinaten", "Coordinates"),
    "yes": Text("ja", "yes"),
    "no": Text("nein", "no"),
    "theme": Text("Thema", "Theme"),
    "withheld": Text("Was hier nicht gezeigt wird", "What is not shown here"),
    "pages": Text("Die Gemeinde", "The town"),
    "map": Text("Karte", "Map"),
    "map_of_page": Text("Die Objekte dieser Seite auf der Karte, Norden ist oben.", "The items of this page on a map, north is up."),
    "map_of_item": Text("Das Objekt auf der Karte, Norden ist oben.", "The item on a map, north is up."),
    "in_table": Text("Jedes führt zu seiner Seite, wie in der Tabelle darunter.", "Each leads to its page, as in the table below."),
    "skip_map": Text("Karte überspringen", "Skip the map"),
    "unplaced": Text("ohne Lage", "without a place"),
    "nothing": Text("Hier ist nichts zu sehen.", "There is nothing to see here."),
}
PAGES: Final = {
    "imprint": Text("Impressum", "Imprint"),
    "privacy": Text("Datenschutz", "Privacy"),
    "accessibility": Text("Barrierefreiheit", "Accessibility"),
}
_NAME: Final = 60  # characters
_NUMBERS: Final = {"de": ".", "en": ","}


def page(template: str, lang: Language, *, about: About | None = None, links: Sequence[Link] = (), **values: Any) -> Answer:
    """One of the pages in `encodings/pages`; every value is escaped. `links` stand at its end, so nothing that JSON tells is missing.

    `about` is the town at the foot of every page of a twin; a problem belongs to none.
    """
    words = SimpleNamespace(**{key: text.say(lang) for key, text in _WORDS.items()})  # a dict would answer `words.items` with its method
    told = {"lang": lang, "words": words, "number": _number(lang), "say": lambda text: text.say(lang), "about": about, "links": links}
    return Answer(_PAGES.get_template(template).render(told | values).encode(), HTML.type, {"Content-Language": lang})


@dataclass(frozen=True, slots=True)
class Shown:
    """What of items was asked for: the names of their properties, None for all, and in which CRS."""

    properties: Container[str] | None = None
    ground: Ground = CRS84


def items(lang: Language, base: str, found: Page, links: Sequence[Link], about: About, shown: Shown) -> Answer:
    """A page of items as a map and a table."""
    rows = orjson.loads(b"[" + found.features + b"]")
    title = found.collection.description.title.say(lang)
    columns = [p for p in found.collection.description.properties if shown.properties is None or p.name in shown.properties]
    items = f"{base}/collections/{found.collection.name}/items"
    told = {
        "map": draw([row["geometry"] for row in rows], shown.ground, lang),
        "names": [_name(row, columns) for row in rows],
        "hrefs": [f"{items}/{row['id']}?f=html" for row in rows],
    }
    return page("items.html", lang, title=title, base=base, page=found, rows=rows, columns=columns, about=about, links=links, **told)


def item(lang: Language, base: str, found: Item, links: Sequence[Link], about: About, ground: Ground) -> Answer:
    shown = orjson.loads(found.feature)
    title = f"{found.collection.description.title.say(lang)} · {shown['id'][:8]}"
    geometry = orjson.dumps(shown["geometry"]).decode()
    told = {"collection": found.collection, "feature": shown, "geometry": geometry, "about": about, "links": links}
    return page("item.html", lang, title=title, base=base, map=draw([shown["geometry"]], ground, lang), **told)


def _name(row: Mapping[str, Any], columns: Sequence[Property]) -> str:
    """What an item is called on the map: as in the table, and the first text that is told of it."""
    texts = (row["properties"].get(p.name) for p in columns if p.type == "text")
    text = next((text for text in texts if text), "")
    return f"{row['id'][:8]} {text[:_NAME]}".strip()


def _number(lang: Language) -> Any:
    return lambda value: f"{value:,}".replace(",", _NUMBERS[lang])


_PAGES: Final = Environment(
    loader=PackageLoader("twin_api.encodings", "pages"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
# exactly as it stands in every page: a browser takes it by its hash alone
STYLE: Final = (Path(__file__).parent / "pages" / "style.css").read_text(encoding="utf-8")
_PAGES.globals |= {"style": STYLE, "pages": PAGES, "licences": LICENCES}
