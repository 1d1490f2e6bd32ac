"""What every page may be asked: the media type and the language, and no parameter that the page does not know."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from starlette.requests import Request

from twin_api.encodings.media import Media, choose
from twin_api.problems import InvalidParameter

Asked = Sequence[tuple[str, str]]  # the query string's parameters in order


def ask_media(request: Request, offered: Sequence[Media], known: Sequence[str] = ("f",)) -> Media:
    """The media type to answer in; raises `InvalidParameter` for a parameter that is not in `known`."""
    for name in once(request.query_params.multi_items()):
        if name not in known:
            near = get_close_matches(name, known, 1)
            hint = f"did you mean `{near[0]}`?" if near else "known here are " + ", ".join(f"`{k}`" for k in known)
            raise InvalidParameter(name[:100], f"`{name[:100]}` is no parameter of this page: {hint}")
    return choose_media(request, offered)


def choose_media(request: Request, offered: Sequence[Media]) -> Media:
    return choose(offered, request.query_params.get("f"), ",".join(request.headers.getlist("accept")))


def once(asked: Asked) -> dict[str, str]:
    """The parameters by name; raises `InvalidParameter` for one that is given twice."""
    given: dict[str, str] = {}
    for name, text in asked:
        if name in given:
            raise InvalidParameter(name[:100], f"`{name[:100]}` is given twice: give it once")
        given[name] = text
    return given
