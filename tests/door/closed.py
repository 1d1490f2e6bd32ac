"""The closed list of problems, and what is wrong with an answer that is not of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import orjson

from twin_api.encodings.media import HTML
from twin_api.problems import MEDIA_TYPE, PROBLEMS, SCHEME, HeadersTooLarge, RequestMalformed, RequestTooSlow
from twin_api.texts import Language

KNOWN = {SCHEME + problem.type: problem for problem in PROBLEMS}
# before there is a request whose headers could be read
EARLY = {SCHEME + problem.type for problem in (RequestMalformed, RequestTooSlow, HeadersTooLarge)}
MEMBERS = {"type", "title", "status", "detail", "parameter", "roles"}


def find_faults(status: int, headers: Mapping[str, str], body: bytes) -> Iterator[str]:
    """Why a refusal (its header names in lower case) is none of ours: its form, its type, its language, or a member too many."""
    if status >= 500:
        yield f"status {status}"
    if headers.get("cache-control") != "no-store":
        yield "an error that may be kept"
    if not {"Accept", "Accept-Language"} <= set(headers.get("vary", "").split(", ")) and not any(type.encode() in body for type in EARLY):
        yield f"an error with `Vary: {headers.get('vary')}`"
    if not re.fullmatch("[0-9a-f]{32}", headers.get("x-request-id", "")):
        yield "an error without the id of its request"
    language = headers.get("content-language")
    if language != "de" and language != "en":
        yield f"an error in `{language}`"
    elif headers.get("content-type") == HTML.type:
        yield from _page_faults(status, language, body.decode())
    elif headers.get("content-type") == MEDIA_TYPE:
        yield from _json_faults(status, language, body)
    else:
        yield f"an error as `{headers.get('content-type')}`"


def _json_faults(status: int, language: Language, body: bytes) -> Iterator[str]:
    told = orjson.loads(body)
    problem = KNOWN.get(told.get("type"))
    if problem is None or (problem.status, problem.title.say(language)) != (told["status"], told["title"]) or told["status"] != status:
        yield "an error outside the closed list"
    if told.keys() - MEMBERS:
        yield f"an error with members {sorted(told.keys() - MEMBERS)}"


def _page_faults(status: int, language: Language, page: str) -> Iterator[str]:
    """A page says what JSON says, without script, and nothing in it is loaded or sent."""
    named = re.search(rf"{status} · <code>({SCHEME}[a-z-]+)</code>", page)
    problem = KNOWN.get(named[1]) if named else None
    if problem is None or f"<h1>{problem.title.say(language)}</h1>" not in page or f'<html lang="{language}">' not in page:
        yield "an error page outside the closed list"
    if re.search(r"<(script|img|iframe|form|object|embed)", page):
        yield "an error page that loads or sends something"
    if re.findall(r'(?:href|src)="([^"]*)"', page) != ["data:,", "#content", "/"]:
        yield "an error page that links elsewhere"
