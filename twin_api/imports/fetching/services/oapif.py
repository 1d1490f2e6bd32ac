"""OGC API Features: the items of one collection, page by page along the links `next` (OGC 17-069r4, 18-058r1 for other CRSs)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, Final
from urllib.parse import quote

import orjson

from twin_api.imports.fetching.fetch import Fetcher
from twin_api.imports.fetching.reach import Url
from twin_api.imports.fetching.services.asked import Asked, Gathered, Walk, choose, with_query
from twin_api.imports.finding import FileRefused, refuse
from twin_api.policy.finding import quoted
from twin_api.texts import Text

PAGE: Final = 1000
PAGE_BYTES: Final = 64 << 20
ACCEPT: Final = {"accept": "application/geo+json, application/json;q=0.9"}
EPSG: Final = "http://www.opengis.net/def/crs/EPSG/0/"


CRS84: Final = "http://www.opengis.net/def/crs/OGC/"
DATA: Final = ("data", "http://www.opengis.net/def/rel/ogc/1.0/data")
KEPT: Final = ("type", "id", "geometry", "properties")


def gather(asked: Asked, fetcher: Fetcher, folder: Path) -> Gathered:
    """All items, one a line. Raises `FileRefused` where they cannot be all, or some come twice."""
    reading, walk = _Reading(fetcher, asked.url.host), Walk(asked.url.host)
    items, offered = _find(reading, asked)
    crs = f"{EPSG}{asked.epsg}" if f"{EPSG}{asked.epsg}" in offered else None
    url: Url | None = with_query(items, {"limit": str(PAGE)} | ({"crs": crs} if crs else {}))
    digest, file = hashlib.sha256(), folder / "items.geojsonl"
    with file.open("xb") as lines:
        while url is not None:
            page = reading.get(url, crs)
            digest.update(_take(page, walk, lines))
            url = reading.next(page, url)
    walk.finish()
    return Gathered((file,), digest.hexdigest(), crs=f"EPSG:{asked.epsg}" if crs else None)


class _Reading:
    """One server's JSON documents."""

    def __init__(self, fetcher: Fetcher, host: str) -> None:
        self._fetcher, self._host, self._seen = fetcher, host, set[Url]()

    def get(self, url: Url, crs: str | None = None) -> dict[str, Any]:
        """The document, in whose coordinates no other CRS may be than the one asked for."""
        self._seen.add(url)
        answer = self._fetcher.get(url, f"page_{len(self._seen):05d}.json", ACCEPT)
        if answer.size > PAGE_BYTES:
            raise refuse(Text("eine Seite ist zu groß", "a page is too large"))
        said = answer.headers.get("content-crs", "").strip("<> ")
        if said != (crs or said) or (crs is None and said and not said.startswith(CRS84)):
            what = Text(
                f"{quoted(self._host)} liefert Koordinaten in {quoted(said)}",
                f"{quoted(self._host)} delivers coordinates in {quoted(said)}",
            )
            raise refuse(what, Text(f"verlangt ist {quoted(crs or CRS84)}", f"{quoted(crs or CRS84)} is required"))
        data = answer.path.read_bytes()
        answer.path.unlink()
        try:
            document = orjson.loads(data)
        except orjson.JSONDecodeError:
            document = None
        if not isinstance(document, dict):
            raise self._is_none()
        return document

    def next(self, page: dict[str, Any], url: Url) -> Url | None:
        """The next page, on the same host and not seen before."""
        href = _link(page, ("next",))
        following = url.join(href) if href else None
        if following is not None and (following.host != self._host or following in self._seen):
            what = Text(
                f"der Verweis `next` von {quoted(self._host)} führt nicht weiter", f"the link `next` of {quoted(self._host)} leads nowhere"
            )
            raise refuse(what, Text("den Betreiber fragen", "ask whoever runs it"))
        return following

    def _is_none(self) -> FileRefused:
        return refuse(
            Text(f"{quoted(self._host)} antwortet nicht in JSON", f"{quoted(self._host)} does not answer in JSON"),
            Text("Adresse und `service` prüfen", "check the address and `service`"),
        )


def _find(reading: _Reading, asked: Asked) -> tuple[Url, Sequence[str]]:
    """Where the items are, and the CRSs they are offered in; the address may be the landing page or anything below."""
    url, document = asked.url, reading.get(asked.url)
    if _link(document, DATA) and "collections" not in document:
        url = url.join(_link(document, DATA))
        document = reading.get(url)
    if document.get("type") == "FeatureCollection":
        return url, ()
    if isinstance(document.get("collections"), list):
        known = {str(each.get("id")): each for each in document["collections"] if isinstance(each, dict)}
        collection = known[choose(list(known), asked.collection, url.host)]
        own = Url(url.scheme, url.host, url.port, f"{url.path.rstrip('/')}/{quote(str(collection['id']), safe='')}")
        return _items(collection, own, document.get("crs"))
    return _items(document, url, None)


def _items(collection: dict[str, Any], own: Url, everywhere: object) -> tuple[Url, Sequence[str]]:
    if not isinstance(collection.get("id"), str):
        raise refuse(
            Text(
                f"{quoted(own.host)} antwortet nicht wie eine OGC API Features",
                f"{quoted(own.host)} does not answer like an OGC API Features",
            ),
            Text("die Adresse der Startseite oder der Sammlung eintragen", "give the address of the landing page or the collection"),
        )
    href = _link(collection, ("items",))
    items = own.join(href) if href else Url(own.scheme, own.host, own.port, f"{own.path.rstrip('/')}/items")
    listed = [*_texts(collection.get("crs")), *(_texts(everywhere) if "#/crs" in _texts(collection.get("crs")) else ())]
    return items, listed


def _texts(value: object) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _link(document: dict[str, Any], rels: Sequence[str]) -> str:
    """The first link of that kind, those to JSON before all others; empty if there is none."""
    links = document.get("links")
    fitting = [each for each in links if isinstance(each, dict) and str(each.get("rel")) in rels] if isinstance(links, list) else []
    fitting.sort(key=lambda each: "json" not in str(each.get("type", "json")))
    return str(fitting[0].get("href", "")) if fitting else ""


def _take(page: dict[str, Any], walk: Walk, lines: IO[bytes]) -> bytes:
    """Write the features of the page, a line each; says their digest."""
    features = page.get("features")
    if page.get("type") != "FeatureCollection" or not isinstance(features, list) or not all(isinstance(each, dict) for each in features):
        what = Text("eine Seite ist keine FeatureCollection", "a page is no FeatureCollection")
        raise refuse(what, Text("Adresse und `service` prüfen", "check the address and `service`"))
    text = b"".join(orjson.dumps({name: each[name] for name in KEPT if name in each}) + b"\n" for each in features)
    ids = [hash(str(each["id"])) for each in features if each.get("id") is not None]
    matched = page.get("numberMatched")
    digest = hashlib.sha256(text)
    walk.page(len(features), len(ids), set(ids), matched if isinstance(matched, int) else None, digest.hexdigest())
    lines.write(text)
    return digest.digest()
