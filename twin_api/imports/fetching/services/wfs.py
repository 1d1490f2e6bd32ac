"""Web Feature Service 2.0.0 and 1.1.0: one feature type as GML, page by page where the server can (OGC 09-025r2, 04-094)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

from twin_api.imports.fetching.fetch import Fetcher
from twin_api.imports.fetching.reach import Url
from twin_api.imports.fetching.services.asked import Asked, Gathered, Walk, choose, with_query
from twin_api.imports.fetching.xml_answer import XmlAnswer, read_answer
from twin_api.imports.finding import FileRefused, refuse
from twin_api.imports.guards.xml import check_xml
from twin_api.policy.finding import quoted
from twin_api.texts import Text

PAGE: Final = 5000
CAPABILITIES_BYTES: Final = 32 << 20
GML: Final = ("application/gml+xml; version=3.2", "text/xml; subtype=gml/3.2", "text/xml; subtype=gml/3.1.1")  # the best first
_STAMP: Final = re.compile(rb"""timeStamp=("[^"]*"|'[^']*')""")


@dataclass(frozen=True, slots=True)
class Capabilities:
    """`types` leads from feature types to the CRSs they are offered in; `page` is None where the server has no pages."""

    version: str
    types: Mapping[str, tuple[str, ...]]
    formats: tuple[str, ...]
    page: int | None


def gather(asked: Asked, fetcher: Fetcher, folder: Path) -> Gathered:
    """All features of the type, a `.gml` file per page. Raises `FileRefused` where they cannot be all, or some come twice."""
    able = read_capabilities(fetcher, asked.url)
    type_ = choose(list(able.types), asked.collection, asked.url.host)
    query = _query(able, type_, asked.epsg)
    walk, files, digest = Walk(asked.url.host), list[Path](), hashlib.sha256()
    while True:
        more = {} if able.page is None else {"count": str(able.page), "startIndex": str(walk.seen)}
        file, page = _get(fetcher, asked.url, f"page_{len(files):05d}.gml", query | more)
        content = _digest(file)
        walk.page(page.members, page.named, page.ids, page.number("numberMatched"), content)
        _check_returned(page, asked.url.host)
        if page.members:
            files.append(file)
            digest.update(content.encode())
        if able.page is None or not page.members or walk.seen == walk.matched:
            break
    if able.page is None and walk.matched is None:
        walk.matched = _hits(fetcher, asked.url, query)
    walk.finish()
    return Gathered(tuple(files), digest.hexdigest())


def read_capabilities(fetcher: Fetcher, url: Url) -> Capabilities:
    query = {"service": "WFS", "request": "GetCapabilities", "acceptVersions": "2.0.0,1.1.0"}
    answer = fetcher.get(with_query(url, query), "capabilities.xml")
    read_answer(answer.path, url.host, "WFS_Capabilities")
    if answer.size > CAPABILITIES_BYTES:
        raise refuse(Text("die Selbstauskunft des Dienstes ist zu groß", "the capabilities are too large"))
    check_xml(answer.path, url.host)
    root = ElementTree.parse(answer.path).getroot()  # noqa: S314  # has just been looked through
    version = next((known for known in ("2.0.0", "1.1.0") if root.get("version", "").startswith(known[:4])), None)
    if version is None:
        said = quoted(root.get("version", "?"))
        raise refuse(
            Text(f"WFS in der Version {said}", f"WFS in version {said}"),
            Text("verlangt ist 2.0.0 oder 1.1.0", "2.0.0 or 1.1.0 is required"),
        )
    types = {
        name: crs
        for type_ in root.iterfind(".//{*}FeatureType")
        if (name := (type_.findtext("{*}Name") or "").strip())
        for crs in [_crs(type_)]
    }
    operation = next((each for each in root.iterfind(".//{*}Operation") if each.get("name") == "GetFeature"), root)
    formats = [parameter for parameter in operation.iterfind("{*}Parameter") if parameter.get("name") == "outputFormat"]
    values = tuple((value.text or "").strip() for parameter in formats for value in parameter.iterfind(".//{*}Value"))
    return Capabilities(version, types, values, _page(root) if version == "2.0.0" else None)


def _crs(type_: ElementTree.Element) -> tuple[str, ...]:
    words = ("DefaultCRS", "OtherCRS", "DefaultSRS", "OtherSRS")
    return tuple((each.text or "").strip() for word in words for each in type_.iterfind(f"{{*}}{word}"))


def _page(root: ElementTree.Element) -> int | None:
    """How many features to ask for at once, where the server says that it can be asked for a part."""
    said = {each.get("name"): (each.findtext("{*}DefaultValue") or "").strip() for each in root.iterfind(".//{*}Constraint")}
    if said.get("ImplementsResultPaging", "").upper() != "TRUE":
        return None
    most = said.get("CountDefault", "")
    return min(PAGE, int(most)) if most.isdecimal() and int(most[:9]) > 0 else PAGE


def _query(able: Capabilities, type_: str, epsg: int | None) -> dict[str, str]:
    names = "typeNames" if able.version == "2.0.0" else "typeName"
    query = {"service": "WFS", "version": able.version, "request": "GetFeature", names: type_}
    format_ = next((gml for gml in GML if gml in able.formats), None)
    crs = next((crs for crs in able.types[type_] if epsg is not None and re.fullmatch(rf".*EPSG.*[:/#]{epsg}", crs)), None)
    return query | ({"outputFormat": format_} if format_ else {}) | ({"srsName": crs} if crs else {})


def _get(fetcher: Fetcher, url: Url, name: str, query: Mapping[str, str]) -> tuple[Path, XmlAnswer]:
    answer = fetcher.get(with_query(url, query), name)
    return answer.path, read_answer(answer.path, url.host, "FeatureCollection")


def _check_returned(page: XmlAnswer, host: str) -> None:
    returned = page.number("numberReturned")
    if returned is not None and returned != page.members:
        raise refuse(
            Text(f"eine Seite von {quoted(host)} sagt {returned} Objekte und enthält {page.members}",
                 f"a page of {quoted(host)} says {returned} features and holds {page.members}"),
            Text("später noch einmal versuchen", "try again later"),
        )  # fmt: skip


def _hits(fetcher: Fetcher, url: Url, query: Mapping[str, str]) -> int | None:
    """How many features there are by the server's own count; None where it does not count."""
    try:
        _, page = _get(fetcher, url, "hits.xml", {**query, "resultType": "hits"})
    except FileRefused:
        return None
    return page.number("numberMatched") or page.number("numberOfFeatures")


def _digest(file: Path) -> str:
    """Of the page without the moment at which it was made."""
    with file.open("rb") as stream:
        head = _STAMP.sub(b"", stream.read(1 << 16), count=1)
        digest = hashlib.sha256(head)
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()
