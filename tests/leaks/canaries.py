"""The canaries of a role: everything it must not see, in every form in which it could be written into an answer or a file."""

from __future__ import annotations

import base64
import binascii
import html
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final
from urllib.parse import unquote, unquote_to_bytes
from uuid import UUID

import orjson
import shapely

from tests.leaks.seen import Item, Row, Seen, as_json, to_degrees, to_lengths
from twin_api.query.crs import COMMON

SHORTEST: Final = 6  # characters; a shorter form stands anywhere by chance
# members of a problem (RFC 9457), which stand in every error, and titles of functions for filters, whatever the policies say
WORDS_OF_THE_HOUSE: Final = frozenset({"type", "title", "status", "detail", "public", "länge", "length"})
_UUID: Final = re.compile(rb"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")
_BASE64: Final = re.compile(rb"[A-Za-z0-9_+/-]{22,}={0,2}")


class Canaries:
    """What is hidden from a role. `find` says which of it stands in some bytes, decoded too."""

    def __init__(self, seen: Seen, role: str) -> None:
        visible = "\n".join(_visible(seen, role))
        hidden = {form: what for form, what in _hidden(seen, role) if len(form) >= SHORTEST and form not in visible}
        self.forms = frozenset(hidden)
        self._texts: dict[bytes, dict[bytes, str]] = {}  # by their beginnings: most bytes hold none of these, which is soon seen
        for form, what in hidden.items():
            self._texts.setdefault(form.encode()[:SHORTEST], {})[form.encode()] = what
        shown = {item.row.id for _, item in seen.all_items(role)}
        self._ids = {row.id: f"id of {name_of(row)}" for rows in seen.rows.values() for row in rows if row.id not in shown}

    def find(self, content: bytes, said: Iterable[str] = ()) -> list[str]:
        """Names of what was found. `said` are the client's own words, which an answer may repeat."""
        own, plain, debased = b"".join(decoded("\n".join(said).encode())), *decoded(content)
        written = {UUID(word.decode()) for word in _UUID.findall(plain + debased)}
        found = {what for id, what in self._ids.items() if (id in written or id.bytes in debased) and not _says(own, id)}
        view = _UUID.sub(b"", plain) + debased  # an id's random digits can be anybody's
        begun = [forms for beginning, forms in self._texts.items() if beginning in view]
        found |= {what for forms in begun for form, what in forms.items() if form in view and form not in own}
        return sorted(found)


def _says(own: bytes, id: UUID) -> bool:
    return str(id).encode() in own or id.bytes in own


def decoded(content: bytes) -> tuple[bytes, bytes]:
    """The bytes with what they say once JSON, HTML and addresses are undone; and apart from that what was in base64."""
    views = [content]
    if b"&" in content:
        views.append(html.unescape(content.decode("utf-8", "replace")).encode())
    if b"%" in content:
        views.append(unquote_to_bytes(content))
    if b"\\" in content:
        views.append(
            re.sub(rb"\\u([0-9a-fA-F]{4})", lambda m: chr(int(m[1], 16)).encode("utf-8", "replace"), content).replace(b'\\"', b'"')
        )
    words = {word for view in views for word in _BASE64.findall(view)}
    return b"\n".join(views), b"\n".join(raw for word in sorted(words) for raw in _debased(word))


def _debased(word: bytes) -> Iterator[bytes]:
    for altchars in (b"-_", b"+/"):
        padded = word.rstrip(b"=")
        try:
            yield base64.b64decode(padded + b"=" * (-len(padded) % 4), altchars=altchars, validate=True)
        except (ValueError, binascii.Error):
            continue


def name_of(row: Row) -> str:
    return f"{row.layer}/{next(iter(row.values.values()))}"


def _hidden(seen: Seen, role: str) -> Iterator[tuple[str, str]]:
    """(form, what it is) of every cell, place and name that the role does not see. Forms that are visible too are sorted out later."""
    for row in (row for rows in seen.rows.values() for row in rows):
        for attribute, value in row.values.items():
            for form in forms_of(value):
                yield form, f"{attribute} of {name_of(row)}"
        for form in places_of(row):
            yield form, f"place of {name_of(row)}"
    for name in {*seen.policies.layers, *(c for other in seen.roles for c in seen.grants(other))}:
        yield name, f"name of {name}"
    for layer in seen.policies.layers.values():
        yield from ((title, f"title of {layer.name}") for title in (layer.title.de, layer.title.en))
        yield from _hidden_words(layer.attributes)


def _hidden_words(attributes: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for attribute in attributes.values():
        if attribute.name not in WORDS_OF_THE_HOUSE:
            words = (attribute.name, attribute.title.de, attribute.title.en, *(attribute.enum or ()))
            yield from ((word, f"name of {attribute.name}") for word in words if word.lower() not in WORDS_OF_THE_HOUSE)


def _visible(seen: Seen, role: str) -> Iterator[str]:
    for collection, grant in seen.grants(role).items():
        layer = seen.layer(role, collection)
        yield from (collection, layer.title.de, layer.title.en, layer.holder)
        for name in grant.attributes:
            attribute = layer.attributes[name]
            yield from (name, attribute.title.de, attribute.title.en, *(attribute.enum or ()))
    for _, item in seen.all_items(role):
        for value in item.properties.values():
            yield from forms_of(value)
        for point in item.coordinates or ():
            for number in point[:2]:
                yield from (*_digits(number, 6), *_digits(number, 7))
            yield from (repr(z) for z in point[2:])
        yield from _exact_places(item)
        if item.coordinates and item.row.geohash and item.coordinates[0][:2] == to_degrees(25832, item.row.geometry.coords[0])[:2]:
            yield item.row.geohash


def _exact_places(item: Item) -> Iterator[str]:
    """What is shown where it is may be asked for in other CRS too; never the heights, which a mask may have taken."""
    shown = {point[:2] for point in item.coordinates or ()}
    for point in shapely.get_coordinates(item.row.geometry).tolist() if shown else ():
        if to_degrees(25832, point)[:2] in shown:
            for number in (*point, *_in_lengths(point)):
                yield from _digits(number, 2)


def forms_of(value: Any) -> Iterator[str]:
    match value:
        case None | bool():
            return
        case str():
            yield value
            yield orjson.dumps(value).decode()[1:-1]
        case datetime():
            yield as_json(value)[:19]
        case date() | UUID():
            yield str(value)
        case _:
            yield repr(value)


def places_of(row: Row) -> Iterator[str]:
    """Every coordinate of a row to the decimetre: in the store's own CRS, in every other that can be asked for, and as geohash."""
    if row.geometry is None:
        return
    if row.geohash:
        yield row.geohash
    for point in shapely.get_coordinates(row.geometry, include_z=True).tolist():
        for number in point[:2]:
            if number != int(number):
                yield from _digits(number, 2)
        for number in _in_lengths(point):
            yield from _digits(number, 2)
        for number in to_degrees(25832, point)[:2]:
            yield from _digits(number, 6)
        if point[2] == point[2] and len(repr(point[2])) >= SHORTEST:
            yield repr(point[2])


def _in_lengths(point: Sequence[float]) -> Iterator[float]:
    """A point of the store in metres of every other CRS that every collection can be asked in."""
    for srid in sorted({crs.srid for crs in COMMON if not crs.is_degrees} - {25832}):
        yield from to_lengths(25832, srid, point)


def _digits(number: float, decimals: int) -> Iterator[str]:
    """Cut off and rounded, so that whatever more digits are written, one of them stands at their beginning."""
    cut = f"{number:.9f}"
    yield cut[: cut.index(".") + 1 + decimals]
    yield f"{number:.{decimals}f}"


def words_said(*texts: str) -> set[str]:
    """What a client said, in the forms in which an answer may repeat it."""
    return {form for text in texts for form in (text, unquote(text), html.escape(text), orjson.dumps(unquote(text)).decode()[1:-1])}
