"""Every request worth asking a role's twin: all routes of the application, filled with what is visible, hidden and made up.

INVARIANT: routes and parameters are read from the application itself. One that this file has no words for is a finding, so a new route is
walked from its first day or the suite fails.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final
from urllib.parse import quote, urlencode

import httpx

from tests.leaks.seen import Item, Row, Seen, as_json, to_degrees
from twin_api.encodings.components import resolved
from twin_api.main import BLOCKS
from twin_api.query.crs import COMMON

MEDIA: Final = (None, "application/json", "application/geo+json", "text/html", "application/xhtml+xml;q=0.5, */*;q=0.1", "image/png")
MADE_UP: Final = "xqzvwkxq"
NO_ID: Final = "00000000-0000-4000-8000-000000000000"


@dataclass(frozen=True)
class Asked:
    """A request below a role's path."""

    path: str
    query: tuple[tuple[str, str], ...] = ()
    accept: str | None = None

    @property
    def address(self) -> str:
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path

    @property
    def words(self) -> Sequence[str]:
        return (self.path, *(word for pair in self.query for word in pair))


class Unwalked(Exception):
    """A route or a parameter that nobody told how to walk."""


class Walk:
    """The requests for one role. `document` is that role's own OpenAPI document."""

    def __init__(self, seen: Seen, role: str, document: Any, cursors: Sequence[str] = ()) -> None:
        self._seen = seen
        self._role = role
        self._document = document
        self._cursors = cursors
        self.unwalked: list[str] = []

    @cached_property
    def _visible(self) -> list[Item]:
        return [item for _, item in self._seen.all_items(self._role)]

    @cached_property
    def _hidden(self) -> list[Row]:
        shown = {item.row.id for item in self._visible}
        rows = [row for rows in self._seen.rows.values() for row in rows if row.id not in shown]
        return rows[:: max(1, len(rows) // 8)]

    @cached_property
    def _names(self) -> dict[str, list[str]]:
        """Attribute names by whether this role has ever heard of them."""
        known = {name for grant in self._seen.grants(self._role).values() for name in grant.attributes}
        every = {name for layer in self._seen.policies.layers.values() for name in layer.attributes}
        return {"visible": sorted(known), "hidden": sorted(every - known)}

    def requests(self) -> Iterator[Asked]:
        yield from self._along_routes()
        yield from self._along_parameters()

    def _along_routes(self) -> Iterator[Asked]:
        for route in (route for block in BLOCKS for route in block.routes):
            try:
                paths = self._paths(route.path)
            except Unwalked as unwalked:
                self.unwalked.append(str(unwalked))
                continue
            for path, fully in paths:
                for accept in MEDIA if fully else MEDIA[1:4:2]:
                    yield Asked(path, (), accept)
                for word in ("json", "html", "xml") if fully else ():
                    yield Asked(path, (("f", word),))
            yield Asked(paths[0][0], ((MADE_UP, "1"),))

    def _paths(self, template: str) -> list[tuple[str, bool]]:
        """The route with its parameters filled, and whether to ask for it in all media types."""
        filled = [(template, True)]
        for name in re.findall(r"{(\w+)(?::\w+)?}", template):
            words = self._words(name, template)
            filled = [(re.sub(rf"{{{name}(:\w+)?}}", word, path), fully and often) for path, fully in filled for word, often in words]
        return [(path, fully) for path, fully in filled]

    def _words(self, parameter: str, template: str) -> list[tuple[str, bool]]:
        """Words for a path parameter; those marked are asked in all media types."""
        match parameter:
            case "collection":
                mine = list(self._seen.grants(self._role))
                others = [name for name in self._seen.policies.layers if name not in mine]
                return [
                    *((n, True) for n in mine),
                    *((n, False) for n in (*others, MADE_UP, "collection", "pg_class", "baeume%00", "%2e%2e")),
                ]
            case "id":
                visible = self._visible[:1] + self._visible[-1:]
                ids = [*(str(item.row.id) for item in visible), *(str(row.id) for row in self._hidden)]
                return [*((id, n == 0) for n, id in enumerate(ids)), (NO_ID, False), ("1", False), (quote("' OR 1=1"), False)]
        raise Unwalked(f"the route `{template}` has a parameter `{parameter}` that tests/leaks/walk.py has no words for")

    def _along_parameters(self) -> Iterator[Asked]:
        described = {re.sub(r"{\w+}", "{}", path) for path in self._document["paths"]}
        for route in (route for block in BLOCKS for route in block.routes):
            has_some = "{collection}" not in route.path or self._seen.grants(self._role)
            if has_some and not any(_fits(route.path, path) for path in described):
                self.unwalked.append(f"the route `{route.path}` is missing in the OpenAPI document of {self._role}")
        for path, methods in self._document["paths"].items():
            id = str(self._visible[0].row.id) if self._visible else NO_ID
            for parameter in (resolved(self._document, told) for told in methods["get"]["parameters"]):
                if parameter["in"] == "query":
                    yield from (
                        Asked(path.replace("{id}", id), ((parameter["name"], value),)) for value in self._values(path, parameter["name"])
                    )
            if path.endswith("/items"):
                yield from (Asked(path, pairs) for pairs in self._wild_queries())

    def _values(self, path: str, parameter: str) -> list[str]:  # noqa: C901  # one case per parameter
        match parameter:
            case "f":
                return ["json", "json31", "html", "geojson", "geojsonseq", "csv", "gpkg", ""]
            case "limit":
                return ["1", "7", "10000", "99999999", "0", "-1", "x", "1" * 30]
            case "bbox":
                return ["-180,-90,180,90", "1,2,3", "170,-10,-170,10", "nan,0,0,0", *self._boxes()]
            case "datetime":
                dates = {as_json(v)[:10] for row in self._hidden for v in row.values.values() if hasattr(v, "isoformat")}
                return ["../..", "1900-01-01/2100-01-01", "2000-01-01T00:00:00Z", "yesterday", *(f"{d}/{d}" for d in sorted(dates)[:4])]
            case "profile":
                return ["codelist-inline", "codelist-ref,x", "", "\x00"]
            case "sortby" | "properties":
                names = [*self._names["visible"][:2], *self._names["hidden"][:3], MADE_UP, "_place"]
                return [*names, ",".join(names[:2]), f"-{names[0]}", ""]
            case "crs" | "bbox-crs":
                return [*(crs.uri for crs in COMMON), "EPSG:25832", ""]
            case "cursor":
                return ["", "x", "AAAA", *self._cursors, *self._made_cursors()]
            case "filter":
                return list(self._filters(path.split("/")[2]))
            case "filter-lang":
                return ["cql2-text", "cql2-json", "x", ""]
            case "filter-crs":
                return [*(crs.uri for crs in COMMON), "x", ""]
        collection = path.split("/")[2] if path.startswith("/collections/") else ""
        grant = self._seen.grants(self._role).get(collection)
        if grant is None or parameter not in grant.attributes:
            self.unwalked.append(f"the query parameter `{parameter}` of `{path}` has no words in tests/leaks/walk.py")
            return []
        return self._of_attribute(grant.layer, parameter, collection)

    def _filters(self, collection: str) -> Iterator[str]:
        """Over hidden names, and over visible ones with what is asked of them as parameters; around places that must not be seen."""
        grant = self._seen.grants(self._role)[collection]
        for name in (*self._names["hidden"], "_place", "_feature", "_mercator", "_geometry", "id", MADE_UP):
            yield f"\"{name}\" = 'x'"
        for attribute in grant.attributes if grant.figures is None else ():
            for value in self._of_attribute(grant.layer, attribute, collection)[-3:]:
                yield f"{attribute} = '{value.replace(chr(39), chr(39) * 2)}' OR {attribute} IS NULL"
        for box in [*self._boxes()][::3]:
            west, south, *_ = box.split(",")
            yield f"S_INTERSECTS(geometry, BBOX({box})) OR distance_m(geometry, POINT({west} {south})) < 30"
        yield from ("", "TRUE", "((", "1/0 = 1", "year(geometry) = 1", "x" * 5000)

    def _of_attribute(self, layer: str, attribute: str, collection: str) -> list[str]:
        shown = [item.properties[attribute] for item in self._seen.items(self._role, collection)[:3]]
        hidden = [row.values[attribute] for row in self._hidden if row.layer == layer][:3]
        values = [as_json(value) for value in (*shown, *hidden) if value is not None]
        told = [str(value).lower() if isinstance(value, bool) else str(value) for value in values]
        return sorted({*told, MADE_UP, "", "\x00", "' OR '1'='1", "1e999", "99999999999999999999", "true", "2026-11-22"})

    def _boxes(self) -> Iterator[str]:
        """A metre around places that the role must not see, and around the masked places of what it sees."""
        every = [*self._hidden, *(item.row for item in self._visible[:: max(1, len(self._visible) // 8)])]
        for row in every:
            if row.geometry is not None:
                x, y, *_ = to_degrees(25832, (row.geometry.centroid.x, row.geometry.centroid.y))
                yield f"{x - 1e-5:.7f},{y - 1e-5:.7f},{x + 1e-5:.7f},{y + 1e-5:.7f}"

    def _made_cursors(self) -> list[str]:
        """Cursors that begin at a hidden row: they must lead on among the visible ones only."""
        raw = [row.id.bytes + row.geohash.encode() for row in self._hidden]
        return [base64.urlsafe_b64encode(word).decode().rstrip("=") for word in raw]

    def _wild_queries(self) -> Iterator[tuple[tuple[str, str], ...]]:
        """Parameters that are none: hidden names, near misses, the published table's own columns, and names made up."""
        for name in (
            *self._names["hidden"],
            *(n[:-1] + "x" for n in self._names["hidden"]),
            "_place",
            "_feature",
            "_geometry",
            "_mercator",
        ):
            yield ((name, "1"),)
        for name in (MADE_UP, "id", "geometry", "x" * 3000, "a" * 200, "", "'", "\x00"):
            yield ((name, "1"),)
        yield (("limit", "1"), ("limit", "2"))
        yield (("limit", "3"), ("f", "html"), ("bbox", "-180,-90,180,90"))


def _fits(template: str, described: str) -> bool:
    """Whether a path of the OpenAPI document, its own parameters blanked, is an instance of the route."""
    return re.fullmatch(re.sub(r"{\w+}", "[^/]+", template), described) is not None


def send(client: httpx.Client, role: str, asked: Asked) -> httpx.Response:
    headers = {} if asked.accept is None else {"Accept": asked.accept}
    return client.get(f"/{role}{asked.address}", headers=headers)


def raw_bytes(response: httpx.Response) -> bytes:
    """Status, headers and body; without the date, which is nobody's secret, and the ETag, whose digits are random and proved apart."""
    told = [(name, value) for name, value in response.headers.raw if name.lower() not in (b"date", b"etag")]
    lines = [b"%d" % response.status_code, *(name + b": " + value for name, value in told)]
    return b"\n".join([*lines, response.content])
