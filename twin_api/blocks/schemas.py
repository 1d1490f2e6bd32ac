"""OGC API Features Part 5: what items look like and what they can be sorted by, as JSON Schema (OGC 23-058r2)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import orjson

from twin_api.block import Block, Handler, Question, Route
from twin_api.encodings import html, openapi
from twin_api.encodings.answer import Answer
from twin_api.encodings.link import Link, forms
from twin_api.encodings.media import HTML, SCHEMA
from twin_api.encodings.schemas import returnables, sortables
from twin_api.problems import InvalidParameter
from twin_api.store.collection import Collection
from twin_api.store.twin import Twin
from twin_api.texts import Text

# the standard is Part 5 of Features and Part 3 of Common: its classes have the latter's name
_PART: Final = "http://www.opengis.net/spec/ogcapi-common-3/1.0/conf/"
_CLASSES: Final = (
    "schemas",
    "advanced-property-roles",
    "returnables-and-receivables",
    "sortables",
    "profile-parameter",
    "profile-codelists",
)
_REL: Final = "http://www.opengis.net/def/rel/ogc/1.0/"
_PROFILE: Final = "http://www.opengis.net/def/profile/OGC/0/"
INLINE: Final = "codelist-inline"
_NAMES_OF_INLINE: Final = (INLINE, f"[ogc-profile:{INLINE}]", f"{_PROFILE}{INLINE}")
_PROFILES: Final = re.compile(r"(https?://[\x21-\x2b\x2d-\x7e]+|\[[\w.-]+:[\w.-]+\]|[\w.-]+)", re.ASCII)
_WANTED: Final = Text(
    f"`profile` verlangt Kennungen von Profilen, etwa `{INLINE}`, durch Kommas getrennt",
    f"`profile` wants identifiers of profiles, such as `{INLINE}`, separated by commas",
)
_RETURNABLES: Final = Text("Aufbau eines Objekts", "What an item looks like")
_SORTABLES: Final = Text("Wonach sich sortieren lässt", "What can be sorted by")


async def get_schema(question: Question, twin: Twin) -> Answer:
    """/req/returnables-and-receivables/op."""
    return await _answer(question, twin, "schema", _RETURNABLES, returnables)


async def get_sortables(question: Question, twin: Twin) -> Answer:
    """/req/sortables/op."""
    return await _answer(question, twin, "sortables", _SORTABLES, sortables)


async def _answer(question: Question, twin: Twin, name: str, title: Text, made: Callable[..., dict[str, Any]]) -> Answer:
    media = question.media_of_page((SCHEMA, HTML), ("profile", "f"))
    is_inline = _asks_inline(question.parameter("profile"))
    collection = await twin.collection(question.path["collection"])
    base, lang = question.base, question.lang
    schema = made(lang, base, collection, inline=is_inline)
    if media is HTML:
        links = forms(f"{base}/collections/{collection.name}/{name}", SCHEMA, media)
        told: dict[str, Any] = {"schema": schema, "about": await twin.about(), "links": links}
        heading = f"{collection.description.title.say(lang)} · {title.say(lang)}"
        return html.page("schema.html", lang, title=heading, base=base, **told)
    headers: dict[str, str] = {"Content-Language": lang}
    if is_inline:
        headers["Link"] = f'<{_PROFILE}{INLINE}>; rel="profile"'
    return Answer(orjson.dumps(schema), SCHEMA.type, headers)


def _asks_inline(text: str | None) -> bool:
    """/req/profile-parameter/profile-param; a profile that we do not have is no error (/rec/profile-parameter/profile-negotiation)."""
    if text is None:
        return False
    profiles = text.split(",")
    if not all(_PROFILES.fullmatch(profile) for profile in profiles):
        raise InvalidParameter("profile", _WANTED)
    return any(profile in _NAMES_OF_INLINE for profile in profiles)


def _collection_links(base: str, collection: Collection) -> Sequence[Link]:
    href = f"{base}/collections/{collection.name}"
    return (
        Link(f"{href}/schema?f=json", f"{_REL}schema", SCHEMA.type, _RETURNABLES),
        Link(f"{href}/sortables?f=json", f"{_REL}sortables", SCHEMA.type, _SORTABLES),
    )


def _operations(name: str, handler: Handler) -> Callable[[Sequence[Collection]], Mapping[str, Mapping[str, Any]]]:
    def operations(collections: Sequence[Collection]) -> Mapping[str, Mapping[str, Any]]:
        return {
            f"/collections/{c.name}/{name}": openapi.page_operation(
                f"{handler.__name__}_{c.name}", c.description.title.de, SCHEMA.type, "schema", [openapi.PROFILE]
            )
            for c in collections
        }

    return operations


BLOCK = Block(
    name="schemas",
    routes=(
        Route("/collections/{collection}/schema", get_schema, _operations("schema", get_schema)),
        Route("/collections/{collection}/sortables", get_sortables, _operations("sortables", get_sortables)),
    ),
    conformance=tuple(_PART + name for name in _CLASSES),
    collection_links=_collection_links,
)
