"""From the problem that ended a request to its response: JSON for programs, a page for people, in the language they want."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import orjson
from starlette.responses import Response
from starlette.types import Scope

from twin_api.encodings import html
from twin_api.encodings.answer import Answer
from twin_api.encodings.media import HTML, Media, choose, choose_language
from twin_api.problems import MEDIA_TYPE, NotAcceptable, Problem
from twin_api.seeing.visit import visit
from twin_api.texts import Language

# whoever takes any JSON of ours takes a problem
PROBLEM: Final = Media("json", MEDIA_TYPE, ("application/json", "application/geo+json", "application/vnd.oai.openapi+json"))


def refuse(problem: Problem, scope: Scope, default: Language, home: str) -> Response:
    """The response to a request that ends with a problem; `home` is the address where the house begins.

    INVARIANT: nothing of the request but its `Accept`, `Accept-Language` and `f` shows in it: what is hidden answers like what never was.
    """
    visit().problem = problem.type
    lang = language_of(scope, default)
    answer = (
        _page(problem.body(lang), lang, home) if _wants_page(scope) else Answer(problem.body(lang), MEDIA_TYPE, {"Content-Language": lang})
    )
    headers = {"Content-Type": answer.media_type, "Cache-Control": "no-store", "Vary": "Accept, Accept-Language"}
    told = headers | dict(answer.headers) | problem.headers
    return Response(answer.body, status_code=problem.status, headers=told)


def language_of(scope: Scope, default: Language) -> Language:
    return choose_language(_header(scope, b"accept-language"), default)


@lru_cache(maxsize=64)
def _page(told: bytes, lang: Language, home: str) -> Answer:
    """The page for a problem's body. Kept: under overload the same refusals go out in hundreds, and a page costs as much as an answer."""
    members = orjson.loads(told)
    return html.page("problem.html", lang, title=members["title"], base=home, told=members)


def _wants_page(scope: Scope) -> bool:
    """Whether a page is wanted more than JSON; who wants neither gets JSON."""
    asked = scope["query_string"].split(b"&")
    if b"f=html" in asked or b"f=json" in asked:
        return b"f=html" in asked
    try:
        return choose((PROBLEM, HTML), None, _header(scope, b"accept")) is HTML
    except NotAcceptable:
        return False


def _header(scope: Scope, wanted: bytes) -> str:
    """The lines of a header as one list."""
    return b",".join(value for name, value in scope["headers"] if name == wanted).decode("latin-1")
