"""OGC API Features Part 1: landing page, conformance declaration and API definition (OGC 17-069r4, 7.2 to 7.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from twin_api.block import Block, Handler, Question, Route
from twin_api.encodings import html, openapi
from twin_api.encodings.answer import Answer
from twin_api.encodings.licence import attribution
from twin_api.encodings.link import Link, forms
from twin_api.encodings.media import HTML, JSON, OPENAPI, OPENAPI_31, Media
from twin_api.encodings.shapes import PAGE, shape
from twin_api.identity.subject import CITIZEN
from twin_api.store.collection import About, Collection
from twin_api.store.twin import Twin
from twin_api.texts import Text

_CONF: Final = "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/"

TITLES: Final = {
    "citizen": Text("Bürgerzwilling", "Citizen twin"),
    "council": Text("Ratszwilling", "Council twin"),
    "administration": Text("Verwaltungszwilling", "Administration twin"),
}


async def get_landing_page(question: Question, twin: Twin) -> Answer:
    """/req/core/root-op, /req/core/root-success."""
    media = question.media_of_page((JSON, HTML))
    base = question.base
    lang = question.lang
    links = [*forms(base, JSON, media), *(link for block in question.blocks for link in block.landing_links(base))]
    about, collections = await twin.about(), await twin.collections()
    title = f"{title_of(twin.name).say(lang)} {about.town}".strip()
    whose = attribution(collections)
    if media is HTML:
        told: dict[str, Any] = {"collections": collections, "attribution": whose, "about": about, "links": links}
        return html.page("landing.html", lang, title=title, base=base, **told)
    document: dict[str, Any] = {"title": title, "links": [link.as_json(lang) for link in (*links, *_town_links(about))]}
    if about.announce:
        document["description"] = "\n".join(text.say(lang) for text in about.announce)
    if whose:
        document["attribution"] = whose
    return Answer(orjson.dumps(document), JSON.type, {"Content-Language": lang})


async def get_conformance_declaration(question: Question, twin: Twin) -> Answer:
    """/req/core/conformance-op, /req/core/conformance-success."""
    media = question.media_of_page((JSON, HTML))
    classes = [uri for block in question.blocks for uri in block.conformance]
    if media is HTML:
        base, lang = question.base, question.lang
        told: dict[str, Any] = {"classes": classes, "about": await twin.about(), "links": forms(f"{base}/conformance", JSON, media)}
        return html.page("conformance.html", lang, title=_CONFORMANCE.say(lang), base=base, **told)
    return Answer(orjson.dumps({"conformsTo": classes}), JSON.type)


async def get_api(question: Question, twin: Twin) -> Answer:
    """/req/core/api-definition-op, -success: the OpenAPI document of what this role sees."""
    media = question.media_of_page((OPENAPI, OPENAPI_31, HTML))
    title, base = title_of(twin.name), question.base
    document = openapi.document(title, base, question.blocks, await twin.collections(), asks_token=twin.name != CITIZEN)
    if media is HTML:
        told: dict[str, Any] = {"document": document, "parameters": openapi.parameter_names(document)}
        told |= {"about": await twin.about(), "links": [*forms(f"{base}/api", OPENAPI, media), _as_3_1(base, "alternate")]}
        return html.page("api.html", question.lang, title=title.say(question.lang), base=base, **told)
    return Answer(orjson.dumps(openapi.as_3_1(document) if media is OPENAPI_31 else document), media.type)


def title_of(role: str) -> Text:
    """`administration/bauhof` is the administration twin of that part."""
    family, _, part = role.partition("/")
    title = TITLES[family]
    return Text(f"{title.de} · {part}", f"{title.en} · {part}") if part else title


_CONFORMANCE: Final = Text("Konformität", "Conformance")


def _town_links(about: About) -> list[Link]:
    """The pages that the law asks for; RFC 6903 and the registry of relations have no closer words for them."""
    return [Link(address, _RELATIONS[page], "text/html", html.PAGES[page]) for page, address in about.pages.items()]


_RELATIONS: Final = {"imprint": "about", "privacy": "privacy-policy", "accessibility": "related"}


def _landing_links(base: str) -> Sequence[Link]:
    return (
        Link(f"{base}/api?f=json", "service-desc", OPENAPI.type, Text("Die Schnittstelle als OpenAPI", "The API as OpenAPI document")),
        _as_3_1(base, "service-desc"),
        Link(f"{base}/api?f=html", "service-doc", "text/html", Text("Die Schnittstelle als Seite zum Lesen", "The API as a page to read")),
        Link(f"{base}/conformance?f=json", "conformance", JSON.type, Text("Erfüllte Normen", "What this API conforms to")),
    )


def _as_3_1(base: str, rel: str) -> Link:
    """After the one in 3.0, which clients of OGC's standard read."""
    title = Text("Die Schnittstelle als OpenAPI 3.1", "The API as OpenAPI 3.1 document")
    return Link(f"{base}/api?f={OPENAPI_31.word}", rel, OPENAPI_31.type, title)


def _operations(path: str, handler: Handler, summary: str, media: Media, schema: str) -> Any:
    operation = openapi.page_operation(handler.__name__, summary, media.type, schema)

    def operations(_: Sequence[Collection]) -> Mapping[str, Mapping[str, Any]]:
        return {path: operation}

    return operations


def _api_operations(_: Sequence[Collection]) -> Mapping[str, Mapping[str, Any]]:
    f = {**openapi.F, "schema": {"type": "string", "enum": [media.word for media in (OPENAPI, OPENAPI_31, HTML)]}}
    content = {OPENAPI.type: shape("openapi"), OPENAPI_31.type: shape("openapi"), "text/html": PAGE}
    return {"/api": openapi.operation(get_api.__name__, "API definition", [f], content)}


BLOCK = Block(
    name="landing",
    routes=(
        Route("/", get_landing_page, _operations("/", get_landing_page, "Landing page", JSON, "landingPage")),
        Route(
            "/conformance",
            get_conformance_declaration,
            _operations("/conformance", get_conformance_declaration, "Conformance", JSON, "conformance"),
        ),
        Route("/api", get_api, _api_operations),
    ),
    conformance=(_CONF + "core", _CONF + "oas30", _CONF + "html", _CONF + "geojson"),
    landing_links=_landing_links,
)
