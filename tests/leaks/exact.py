"""What a role's twin answers, compared cell by cell with what it must see: nothing more, nothing finer, and no figure of anything else."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import httpx
import shapely

from tests.leaks.seen import Item, Seen, as_json
from tests.leaks.walk import Asked
from twin_api.encodings.components import resolved

CENTIMETRE: Final = 2e-7  # of a degree
PARAMETERS: Final = {
    "limit",
    "bbox",
    "datetime",
    "cursor",
    "crs",
    "bbox-crs",
    "sortby",
    "properties",
    "f",
    "filter",
    "filter-lang",
    "filter-crs",
}  # that narrow nothing by an attribute


def check_collections(seen: Seen, role: str, client: httpx.Client, document: Any) -> Iterator[str]:
    """The list of collections, their figures, and the OpenAPI document."""
    told = {c["id"]: c for c in client.get(f"/{role}/collections").json()["collections"]}
    if told.keys() != seen.grants(role).keys():
        yield f"lists the collections {sorted(told)} instead of {sorted(seen.grants(role))}"
    for collection in told.keys() & seen.grants(role).keys():
        yield from (f"{collection}: {what}" for what in _check_extent(seen, role, collection, told[collection].get("extent", {})))
        yield from (
            f"{collection}: {what}" for what in _check_described(document, collection, set(seen.grants(role)[collection].attributes))
        )
        matched = client.get(f"/{role}/collections/{collection}/items?limit=1").json()["numberMatched"]
        if matched != len(seen.items(role, collection)):
            yield f"{collection}: counts {matched} items instead of {len(seen.items(role, collection))}"


def _check_described(document: Any, collection: str, attributes: set[str]) -> Iterator[str]:
    told = document["paths"][f"/collections/{collection}/items"]["get"]["parameters"]
    if surplus := {resolved(document, p)["name"] for p in told} - PARAMETERS - attributes:
        yield f"offers the parameters {sorted(surplus)}"
    described = document["components"]["schemas"][f"feature.{collection}"]["properties"]["properties"]["properties"]
    if surplus := described.keys() - attributes:
        yield f"describes the properties {sorted(surplus)}"


def _check_extent(seen: Seen, role: str, collection: str, extent: Any) -> Iterator[str]:
    box = extent.get("spatial", {}).get("bbox", [None])[0]
    wanted = box_of(seen.items(role, collection))
    if (box is None) != (wanted is None) or (box and wanted and any(abs(a - b) > CENTIMETRE for a, b in zip(box, wanted, strict=True))):
        yield f"its box is {box} instead of {wanted}"
    interval = extent.get("temporal", {}).get("interval", [None])[0]
    wanted_interval = interval_of(seen, role, collection)
    if interval != wanted_interval:
        yield f"its interval is {interval} instead of {wanted_interval}"


def box_of(items: list[Item]) -> tuple[float, ...] | None:
    points = [point for item in items for point in item.coordinates or ()]
    if not points:
        return None
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    return min(xs), min(ys), max(xs), max(ys)


def interval_of(seen: Seen, role: str, collection: str) -> list[str] | None:
    attribute = seen.layer(role, collection).datetime
    if attribute not in seen.grants(role)[collection].attributes:
        return None
    values = [item.row.values[attribute] for item in seen.items(role, collection) if item.row.values[attribute] is not None]
    if not values:
        return None
    return [as_json(end) + ("" if as_json(end).endswith("Z") else "T00:00:00Z") for end in (min(values), max(values))]


def check_features(seen: Seen, role: str, collection: str, client: httpx.Client, cursors: list[str]) -> Iterator[str]:
    """All pages of a collection from first to last. The cursors on the way are added to `cursors`."""
    wanted = {str(item.row.id): item for item in seen.items(role, collection)}
    address, found = f"/{role}/collections/{collection}/items?limit=11", []
    while address:
        page = client.get(address).json()
        if "features" not in page:
            yield f"{collection}: {address} is no page"
            return
        found += page["features"]
        address = next((link["href"] for link in page["links"] if link["rel"] == "next"), "")
        cursors += parse_qs(urlsplit(address).query).get("cursor", [])
    ids = [feature["id"] for feature in found]
    if sorted(ids) != sorted(wanted):
        yield f"{collection}: {len(set(ids) - wanted.keys())} items too many, {len(wanted.keys() - set(ids))} missing, {len(ids) - len(set(ids))} twice"
    for feature in found:
        if feature["id"] in wanted:
            yield from (f"{collection}/{feature['id']}: {what}" for what in check_feature(feature, wanted[feature["id"]]))


def check_feature(feature: Any, item: Item) -> Iterator[str]:
    if list(feature["properties"]) != list(item.properties) and feature["properties"].keys() ^ item.properties.keys():
        yield f"shows the properties {sorted(feature['properties'])} instead of {sorted(item.properties)}"
    for name, value in item.properties.items():
        if not _equal(feature["properties"].get(name), value):
            yield f"shows another {name} than its mask leaves"
    if not _same_place(feature["geometry"], item):
        yield "shows another geometry than its mask leaves"


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, (int, float)) and isinstance(b, (int, float)) and not isinstance(a, bool):
        return math.isclose(a, b, rel_tol=1e-12)
    return bool(a == b)


def _same_place(geometry: Any, item: Item) -> bool:
    if geometry is None or item.coordinates is None:
        return geometry is None and item.coordinates is None
    shown = shapely.get_coordinates(shapely.geometry.shape(geometry), include_z=True).tolist()
    found = sorted(tuple(n for n in point if n == n) for point in shown)
    wanted = sorted(item.coordinates)
    if [len(p) for p in found] != [len(p) for p in wanted]:
        return False
    # sorted by numbers that differ in the last digits: look for each point's partner
    return all(any(all(abs(a - b) <= CENTIMETRE for a, b in zip(p, q, strict=True)) for q in wanted) for p in found)


def check_page(seen: Seen, role: str, asked: Asked, response: httpx.Response) -> Iterator[str]:
    """What a narrowed collection counts and shows, as far as this file understands the request."""
    parts = asked.path.strip("/").split("/")
    if (
        response.status_code != 200
        or len(parts) != 3
        or parts[2] != "items"
        or len(asked.query) != 1
        or "json" not in response.headers["content-type"]
    ):
        return
    if parts[1] not in seen.grants(role):
        yield "answers for a collection that the role does not have"
        return
    (name, value), items = asked.query[0], seen.items(role, parts[1])
    if name == "bbox":
        wanted = [item for item in items if _meets(item, [float(n) for n in value.split(",")])]
    elif name in seen.grants(role)[parts[1]].attributes:
        wanted = [item for item in items if item.properties[name] is not None and _reads_as(value, item.properties[name])]
    elif name in PARAMETERS:
        return
    else:
        yield f"takes `{name}` as a parameter"
        return
    matched = response.json()["numberMatched"]
    if matched != len(wanted):
        yield f"{matched} items match instead of {len(wanted)}"


def _meets(item: Item, box: list[float]) -> bool:
    west, south, east, north = box
    if not item.coordinates:
        return False
    shape = shapely.MultiPoint(item.coordinates) if len(item.coordinates) < 4 else shapely.Polygon([p[:2] for p in item.coordinates])
    boxes = [(west, east)] if west <= east else [(west, 180.0), (-180.0, east)]
    return any(shape.intersects(shapely.box(left, south, right, north)) for left, right in boxes)


def _reads_as(value: str, shown: Any) -> bool:
    match shown:
        case bool():
            return value == str(shown).lower()
        case int() | float():
            try:
                return float(value) == float(shown)
            except ValueError:
                return False
        case _:
            return bool(value == shown)
