"""Whose the data are and what may be done with them, as their licences want it said wherever they are shown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from twin_api.encodings.link import Link
from twin_api.store.collection import Collection
from twin_api.texts import Text

# by the word of a layer's `licence`; one that is not here is named without an address
LICENCES: Final = {
    "dl-de/by-2-0": "https://www.govdata.de/dl-de/by-2-0",
    "dl-de/zero-2-0": "https://www.govdata.de/dl-de/zero-2-0",
    "ODbL-1.0": "https://opendatacommons.org/licenses/odbl/1-0/",
    "CC-BY-4.0": "https://creativecommons.org/licenses/by/4.0/",
    "CC0-1.0": "https://creativecommons.org/publicdomain/zero/1.0/",
}


def licence_links(licence: str) -> list[Link]:
    """The link to the licence of this word (RFC 4946), none where it has no address here."""
    address = LICENCES.get(licence)
    return [Link(address, "license", "text/html", Text(licence))] if address else []


def attribution(collections: Iterable[Collection]) -> str:
    """Holders and licences of these collections, each once: `Musterdorf (dl-de/by-2-0); OpenStreetMap (ODbL-1.0)`."""
    return "; ".join(sorted({f"{c.description.holder} ({c.description.licence})" for c in collections}))
