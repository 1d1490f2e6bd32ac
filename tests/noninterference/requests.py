"""Requests over everything that a role's OpenAPI document names and everything that it does not, drawn by chance.

INVARIANT: a path or parameter that this file has no words for is a finding (`Undrawn`), so a new route is asked from its first day.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any, Final, TypeVar
from urllib.parse import quote, urlencode

from tests.leaks.exact import PARAMETERS
from tests.noninterference.asking import Answer, Headers, Request
from tests.noninterference.filters import draw_filter
from tests.noninterference.words import Words
from twin_api.block import Route
from twin_api.encodings.components import resolved
from twin_api.main import BLOCKS
from twin_api.query.crs import COMMON

T = TypeVar("T")

EDGES: Final = ("", "0", "-1", "1e999", "nan", "NULL", "99999999999999999999", "9223372036854775807", "true", "2026-11-26", "\x00", "' OR '1'='1", "%", "ß☃", "1/0", "../../store")  # fmt: skip
MADE_UP: Final = ("xqzvwk", "collection", "pg_class", "_feature", "_place", "_mercator", "store.baeume", "baeumx")
UNKNOWN: Final = ("id", "geometry", "q", "offset", "skipGeometry", "token")
ACCEPT: Final = (
    None,
    None,
    None,
    "application/json",
    "application/geo+json",
    "text/html",
    "text/csv, application/geo+json-seq;q=0.9",
    "text/html,*/*;q=0.5",
    "image/png",
    "*/*;q=0",
    "application/problem+json",
)
CHEAP_FORMATS: Final = ("geojsonseq", "csv")
FORMATS: Final = (*CHEAP_FORMATS, "gpkg")
GEOPACKAGE_ONCE_IN: Final = 10  # exports
CODINGS: Final = (None, None, None, "gzip", "zstd", "zstd;q=0.5, gzip", "identity;q=0", "br", "*")
LANGUAGES: Final = (None, None, None, "de", "en", "en-GB, de;q=0.4", "fr", "*;q=0.1")
ORIGINS: Final = ("https://rat.zwillingen.example", "https://evil.example", "null", "http://localhost:3000")
METHODS: Final = ("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")


class Undrawn(Exception):
    """A route or a parameter that nobody told how to draw."""


@dataclass(frozen=True)
class Draw:
    """The chance that one request is made of, and a text that nobody would think of."""

    random: Random
    text: str

    def of(self, words: Sequence[T]) -> T:
        return self.random.choice(words)

    def some(self, words: Sequence[T], at_most: int) -> list[T]:
        return self.random.sample(words, min(len(words), self.random.randint(0, at_most)))

    def once_in(self, times: int) -> bool:
        return self.random.randrange(times) == 0


class Requests:
    """Draws requests for one role. It remembers what the left town answered: tags, cursors and the requests themselves."""

    def __init__(self, role: str, document: Any, others: list[str], kinds: Sequence[Kind]) -> None:
        self._role = role
        self._kinds = kinds
        self._others = others
        self._paths: dict[str, list[str]] = _queries(document)
        self._routes: list[Route] = [route for block in BLOCKS for route in block.routes]
        self._cursors: list[tuple[str, str]] = []
        self._tagged: list[tuple[Request, str]] = []
        self.undrawn = _missing(self._routes, self._paths)

    def draw(self, draw: Draw, words: Words, withdrawn: Sequence[str]) -> Request:
        """The next request; `withdrawn` are ids that were visible once."""
        if withdrawn and draw.once_in(20):
            return self._with_manners(draw, self._once_visible(draw, withdrawn))
        request: Request = draw.of(self._kinds)(self, draw, words)
        return request if request.channels & {7, 14} else self._with_manners(draw, request)

    def learn(self, request: Request, answer: Answer) -> None:
        """Take up what a client would: the tag of an answer, and where its next page begins."""
        if answer.status == 200 and request.method == "GET" and request.token in (None, self._role):
            if tag := answer.header(b"etag"):
                self._tagged = [*self._tagged[-40:], (request, tag)]
            if found := re.search(rb"[?&]cursor=([A-Za-z0-9_-]+)", answer.decoded):
                self._cursors = [*self._cursors[-40:], (request.target.partition("?")[0], found[1].decode())]

    # -- kinds of requests

    def _page(self, draw: Draw, words: Words) -> Request:
        """Some items, narrowed by parameters of the document."""
        path = draw.of([path for path in self._paths if path.endswith("/items")])
        collection = path.split("/")[2]
        names = draw.some(self._paths[path], 3)
        query = [(name, self._value(draw, words, collection, name)) for name in names]
        told = {41} if dict(query).get("f") in FORMATS else set()
        return self._get(path, query, {3, 5, 6, 13} | told | self._reached(collection, names, words))

    def _reached(self, collection: str, names: list[str], words: Words) -> set[int]:
        grant = words.grants.get(collection)
        reached = {11} if "bbox" in names else set()
        reached |= {23, 24} if grant is not None and grant.figures is not None else set()
        reached |= {46} if "datetime" in names or (grant is not None and grant.embargo) else set()
        return reached | ({9} if set(names) - PARAMETERS else set())

    def _any_route(self, draw: Draw, words: Words) -> Request:
        route = draw.of(self._routes)
        path, reached = self._filled(draw, words, route.path)
        known = self._paths.get(re.sub(r"/items/[^/]+$", "/items/{id}", path), ["f"])
        names = draw.some(known, 1)
        query = [(name, self._value(draw, words, "", name)) for name in names if name != "id"]
        return self._get(path, query, reached | _of_route(route.path))

    def _filled(self, draw: Draw, words: Words, template: str) -> tuple[str, set[int]]:
        path, reached = template, set[int]()
        for name in re.findall(r"{(\w+)}", template):
            match name:
                case "collection":
                    word = draw.of([*words.grants, *words.grants, *words.hidden_collections, *MADE_UP])
                    reached |= set() if word in words.grants else {34}
                case "id":
                    visible, hidden = words.ids
                    word = draw.of([*visible, *hidden, "00000000-0000-4000-8000-000000000000", "1"])
                    reached |= {34} if word in hidden else {5}
                case _:
                    raise Undrawn(f"the route `{template}` has a parameter `{name}` that nobody draws")
            path = path.replace(f"{{{name}}}", quote(word, safe=""))
        return path, reached

    def _hidden_parameter(self, draw: Draw, words: Words) -> Request:
        """A hidden name, or one a letter short of it, which a hint would complete."""
        pages = [path for path in self._paths if path.endswith("/items")]
        path = draw.of(pages if draw.once_in(2) else list(self._paths)).replace("{id}", draw.of([*words.ids[0], *words.ids[1], "1"]))
        short = [name[:-1] for name in words.hidden_names]
        name = draw.of(draw.of((words.hidden_names, short, [*UNKNOWN, *MADE_UP])))
        value = draw.of(draw.of((words.any_values, words.hidden_names, [draw.text])))
        if draw.once_in(2):
            name, value = "sortby", draw.of(draw.of((words.hidden_names, words.hidden_names, short)))
        return self._get(path, [(name, value)], {8, 33} | ({10} if name == "sortby" else set()))

    def _filtered(self, draw: Draw, words: Words) -> Request:
        """Items narrowed by a filter, sometimes by other parameters too."""
        path = draw.of([path for path in self._paths if path.endswith("/items")])
        collection = path.split("/")[2]
        text, reached = draw_filter(draw, words, collection)
        names = [name for name in draw.some(self._paths[path], 1) if name != "filter"]
        query = [("filter", text), *((name, self._value(draw, words, collection, name)) for name in names)]
        return self._get(path, query, reached | self._reached(collection, names, words))

    def _exported(self, draw: Draw, words: Words) -> Request:
        """A page in a format for files; seldom a GeoPackage, which a process of its own writes."""
        path = draw.of([path for path in self._paths if path.endswith("/items")])
        collection = path.split("/")[2]
        format = "gpkg" if draw.once_in(GEOPACKAGE_ONCE_IN) else draw.of(CHEAP_FORMATS)
        names = [name for name in draw.some(self._paths[path], 1) if name != "f" and (format != "gpkg" or name not in ("limit", "cursor"))]
        query = [("f", format), *((name, self._value(draw, words, collection, name)) for name in names)]
        return self._get(path, query, {3, 5, 6, 13, 41} | self._reached(collection, names, words))

    def _further(self, draw: Draw, words: Words) -> Request:
        """The next page, or a cursor that somebody made up from an id."""
        if self._cursors and draw.once_in(2):
            path, cursor = draw.of(self._cursors)
            return Request(f"{path}?cursor={cursor}", token=self._token, channels=frozenset({5, 28}))
        path = draw.of([path for path in self._paths if path.endswith("/items")])
        raw = draw.of(words.keys) + draw.of([b"", b"u0y", b"u0yj2k8w9z", b"zzzz", b"\xff"])
        return self._get(path, [("cursor", base64.urlsafe_b64encode(raw).decode().rstrip("="))], {5})

    def _again(self, draw: Draw, words: Words) -> Request:
        """A request of before once more, with the tag that it was answered with then, or with a condition that only writers need."""
        if not self._tagged:
            return self._any_route(draw, words)
        request, tag = draw.of(self._tagged)
        name, channel = draw.of([("If-None-Match", 7), ("If-None-Match", 7), ("If-Match", 48), ("", 14), ("", 14), ("", 14)])
        told = draw.of([tag, tag, f"W/{tag}", '"x", ' + tag, "*", '"x"'])
        kept: Headers = tuple((n, v) for n, v in request.headers if n not in ("If-None-Match", "If-Match"))
        return replace(request, headers=(*kept, (name, told)) if name else kept, channels=request.channels | {14, channel})

    def _after_others(self, draw: Draw, words: Words) -> Request:
        """An address that another role asks for first, who sees more there."""
        pages = [path for path in self._paths if path.endswith("/items")]
        path, reached = (draw.of(pages), set[int]()) if draw.once_in(2) else self._filled(draw, words, draw.of(self._routes).path)
        query = [("limit", str(draw.random.randint(4, 4000)))] if path.endswith("/items") else []
        return self._get(path, query, reached | {19})

    def _once_visible(self, draw: Draw, withdrawn: Sequence[str]) -> Request:
        path = draw.of([path for path in self._paths if path.endswith("{id}")])
        return self._get(path.replace("{id}", draw.of(withdrawn)), [], {45, 34})

    def _in_one_town(self, draw: Draw, words: Words) -> Request:
        """An item that is there, hidden, in one of the towns and not in the other."""
        path = draw.of([path for path in self._paths if path.endswith("{id}")])
        return self._get(path.replace("{id}", draw.of(words.ids_of_one_town or words.ids[1] or ["1"])), [], {34})

    def _outside(self, draw: Draw, words: Words) -> Request:
        """What belongs to no role, or to another: with this role's token, with none, with a broken one."""
        other = draw.of([*self._others, "citizen", "council/unbekannt", "administration/unbekannt"])
        path, _ = self._filled(draw, words, draw.of(self._routes).path)
        mine = draw.of([self._token, self._token, None, "twin_xxxxxxxx_broken"])
        target = draw.of(["/", "/healthz", "/readyz", "/metrics", "/docs", *[f"/{other}{quote(path, safe='/%')}"] * 6])
        if other == "citizen" or target.count("/") == 1:
            return Request(target, token=mine, channels=frozenset({38}))
        return Request(target, token=None if mine == other else mine, channels=frozenset({34}))

    def _writing(self, draw: Draw, words: Words) -> Request:
        path, reached = self._filled(draw, words, draw.of(self._routes).path)
        headers = (("If-Match", draw.of(["*", '"x"'])),) if draw.once_in(2) else ()
        told = self._get(path, [], reached | {47} | ({48} if headers else set()))
        return replace(told, method=draw.of(METHODS), headers=headers)

    # -- their parts

    @property
    def _token(self) -> str | None:
        return None if self._role == "citizen" else self._role

    def _get(self, path: str, query: list[tuple[str, str]], channels: set[int]) -> Request:
        told = f"?{urlencode(query)}" if query else ""
        return Request(f"/{self._role}{path}{told}", token=self._token, channels=frozenset(channels))

    def _value(self, draw: Draw, words: Words, collection: str, name: str) -> str:  # noqa: C901  # one case per parameter
        match name:
            case "f":
                return draw.of(["json", "json31", "html", "geojson", "xml", "", *FORMATS])
            case "limit":
                return draw.of(["1", "2", "5", "10000", "0", "x"])
            case "bbox":
                return _box(draw, words)
            case "datetime":
                day, end = (draw.of(words.days) for _ in range(2))
                return draw.of([day, f"{day}/{end}", f"../{day}", f"{day}/..", f"{day}T00:00:00Z", "x"])
            case "profile":
                return draw.of(["codelist-inline", "codelist-ref", "a b", draw.text])
            case "sortby" | "properties":
                shown = sorted(words.grants[collection].attributes) if collection in words.grants else []
                words_drawn = draw.some([*shown, *shown, *words.hidden_names[:2], *MADE_UP[:1]], 3)
                return ",".join(word if name == "properties" else draw.of(["", "-"]) + word for word in words_drawn)
            case "crs" | "bbox-crs":
                return draw.of([*(crs.uri for crs in COMMON), "EPSG:25832"])
            case "cursor":
                return draw.of([cursor for _, cursor in self._cursors] or ["x"])
            case "filter":
                return draw_filter(draw, words, collection)[0]
            case "filter-lang":
                return draw.of(["cql2-text", "cql2-text", "cql2-json", "x"])
            case "filter-crs":
                return draw.of([*(crs.uri for crs in COMMON), "x"])
        if collection and name not in (grant := words.grants[collection]).attributes and grant.figures is None:
            raise Undrawn(f"the parameter `{name}` of `{collection}` has no values")
        return draw.of(draw.of((words.values(name), words.values(name), EDGES, [draw.text])))

    def _with_manners(self, draw: Draw, request: Request) -> Request:
        """The headers that clients send of their own accord."""
        if draw.once_in(2):
            return request
        told = [("Accept", draw.of(ACCEPT)), ("Accept-Encoding", draw.of(CODINGS))]
        told += [("Accept-Language", draw.of(LANGUAGES))]
        if draw.once_in(6):
            told += [("Origin", draw.of(ORIGINS))]
        headers = (*request.headers, *((name, value) for name, value in told if value is not None))
        method = "HEAD" if request.method == "GET" and draw.once_in(10) else request.method
        reached = {36} | ({37} if told[-1][0] == "Origin" else set()) | ({52} if "html" in str(told[0][1]) else set())
        return replace(request, headers=headers, method=method, channels=request.channels | reached)


Kind = Callable[[Requests, Draw, Words], Request]
KINDS: Final[tuple[Kind, ...]] = (
    *(Requests._page,) * 7,
    *(Requests._filtered,) * 5,
    *(Requests._any_route,) * 10,
    *(Requests._hidden_parameter,) * 6,
    *(Requests._exported,) * 2,
    *(Requests._further,) * 2,
    *(Requests._again,) * 8,
    *(Requests._outside,) * 5,
    *(Requests._after_others,) * 2,
    *(Requests._writing,) * 3,
    *(Requests._in_one_town,) * 2,
)
READING: Final[tuple[Kind, ...]] = (  # what costs the database something
    *(Requests._page,) * 5,
    *(Requests._filtered,) * 3,
    Requests._any_route,
    Requests._exported,
    Requests._further,
    Requests._in_one_town,
)


def _queries(document: Any) -> dict[str, list[str]]:
    """The document's paths and the names of their query parameters. Every operation is a GET: a method that writes needs words first."""
    found = {}
    for path, operations in document["paths"].items():
        if unknown := set(operations) - {"get", "parameters", "summary"}:
            raise Undrawn(f"`{path}` has the methods {sorted(unknown)}, which nobody draws")
        parameters = [resolved(document, told) for told in operations["get"].get("parameters", [])]
        if unknown := {p["in"] for p in parameters} - {"query", "path"}:
            raise Undrawn(f"`{path}` has parameters in {sorted(unknown)}, which nobody draws")
        found[path] = [parameter["name"] for parameter in parameters if parameter["in"] == "query"]
    return found


def _missing(routes: list[Route], paths: dict[str, list[str]]) -> list[str]:
    patterns = {route.path: re.sub(r"{\w+}", "[^/]+", route.path) for route in routes}
    return [
        *(f"the route `{route}` is missing in the OpenAPI document" for route, p in patterns.items() if not any(re.fullmatch(p, path) for path in paths)),
        *(f"`{path}` in the OpenAPI document has no route" for path in paths if not any(re.fullmatch(p, path) for p in patterns.values())),
    ]  # fmt: skip


def _of_route(path: str) -> set[int]:
    if path == "/api":
        return {2}
    if path.endswith("/items/{id}"):
        return {5, 13}
    if path.endswith("/items"):
        return {3, 5, 6}
    if path.endswith("/queryables"):
        return {2}
    return {1, 4, 28} if path.startswith("/collections") else {1}


def _box(draw: Draw, words: Words) -> str:
    """Around a true place, from a millimetre to a kilometre; or around two of them; or nonsense."""
    x, y = draw.of(words.points or [(11.4, 49.6)])
    reach = draw.of([1e-8, 1e-5, 1e-4, 1e-3, 1e-2])
    if draw.once_in(8):
        return draw.of(["-180,-90,180,90", "170,-90,-170,90", "1,2,3", "nan,0,0,0", "5,5,4,4"])
    return f"{x - reach:.9f},{y - reach:.9f},{x + reach:.9f},{y + reach:.9f}"
