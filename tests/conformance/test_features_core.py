"""OGC API - Features, Part 1: Core corrigendum (OGC 17-069r4): one test for each requirement we claim."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.conformance.openapi_document import check_document, parameters_of, resolved
from tests.door.clients import client_as
from tests.query.asked import walk
from tests.towns import Town

ROLES = ["citizen", "council", "administration", "administration/wasser", "administration/bauhof", "administration/bauamt"]
CONF = "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/"
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
requirement = pytest.mark.requirement


class Twin:
    """One role's API, asked as that role."""

    def __init__(self, town: Town, role: str) -> None:
        self.client, self.base = client_as(town, role), f"/{role}"

    def get(self, path: str = "", **asked: Any) -> httpx.Response:
        return self.client.get(self.base + path, params=asked)

    def json(self, path: str = "", **asked: Any) -> dict[str, Any]:
        answer = self.get(path, **asked)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    @property
    def collections(self) -> list[dict[str, Any]]:
        return list(self.json("/collections")["collections"])

    def items(self) -> Iterator[str]:
        for collection in self.collections:
            yield f"/collections/{collection['id']}/items"


@pytest.fixture(params=ROLES)
def twin(town: Town, request: pytest.FixtureRequest) -> Twin:
    return Twin(town, request.param)


def links(document: dict[str, Any], rel: str) -> list[dict[str, str]]:
    return [link for link in document["links"] if link["rel"] == rel]


FURTHER = ["application/geo+json-seq", "text/csv", "application/geopackage+sqlite3"]  # forms of items


def check_self_and_alternates(document: dict[str, Any], type_: str, further: Sequence[str] = ()) -> None:
    (itself,) = links(document, "self")
    assert itself["type"] == type_
    assert [link["type"] for link in links(document, "alternate")] == ["text/html", *further]
    assert all(link["rel"] and link["type"] and urlsplit(link["href"]).scheme for link in document["links"])


@requirement("/req/core/root-op")
@requirement("/req/core/root-success")
def test_the_landing_page_links_definition_conformance_and_data(twin: Twin) -> None:
    page = twin.json()
    rels = {link["rel"] for link in page["links"]}
    assert rels >= {"self", "alternate", "service-desc", "service-doc", "conformance", "data"}
    check_self_and_alternates(page, "application/json")


@requirement("/req/core/api-definition-op")
@requirement("/req/core/api-definition-success")
def test_the_api_definition_is_where_the_landing_page_says(twin: Twin) -> None:
    page = twin.json()
    assert [link["type"].rpartition("=")[2] for link in links(page, "service-desc")] == ["3.0", "3.1"]
    for link in [*links(page, "service-desc"), *links(page, "service-doc")]:
        answer = twin.client.get(link["href"])
        assert answer.headers["content-type"].startswith(link["type"])


@requirement("/req/core/conformance-op")
@requirement("/req/core/conformance-success")
def test_the_declaration_lists_every_class_of_part_1_that_is_served(twin: Twin) -> None:
    assert set(twin.json("/conformance")["conformsTo"]) >= {CONF + name for name in ("core", "oas30", "html", "geojson")}


@requirement("/req/core/http")
def test_every_address_answers_in_http_1_1_with_status_and_type(twin: Twin) -> None:
    answer = twin.get()
    assert (answer.http_version, answer.status_code) == ("HTTP/1.1", 200)
    assert int(answer.headers["content-length"]) == answer.num_bytes_downloaded


@requirement("/req/core/query-param-unknown")
def test_an_unknown_parameter_is_refused_on_every_page(twin: Twin) -> None:
    one = next(twin.items())
    feature = twin.json(one, limit=1)["features"][0]["id"]
    for path in ("", "/conformance", "/api", "/collections", one.removesuffix("/items"), one, f"{one}/{feature}"):
        assert twin.get(path, nonsense="1").status_code == 400


@requirement("/req/core/query-param-invalid")
def test_an_invalid_value_is_refused_on_every_page(twin: Twin) -> None:
    one = next(twin.items())
    for path in ("", "/conformance", "/api", "/collections", one.removesuffix("/items"), one):
        assert twin.get(path, f="nonsense").status_code == 400


@requirement("/req/core/crs84")
def test_coordinates_are_degrees_in_crs84(twin: Twin) -> None:
    for path in twin.items():
        for feature in twin.json(path)["features"]:
            point = feature["geometry"]["coordinates"]
            while isinstance(point[0], list):
                point = point[0]
            assert 10 < point[0] < 13
            assert 48 < point[1] < 51


@requirement("/req/core/fc-md-op")
@requirement("/req/core/fc-md-success")
@requirement("/req/core/fc-md-links")
@requirement("/req/core/fc-md-items")
def test_the_collections_are_listed_with_links_to_themselves(twin: Twin) -> None:
    page = twin.json("/collections")
    check_self_and_alternates(page, "application/json")
    assert len(page["collections"]) > 0
    assert all({"id", "links"} <= collection.keys() for collection in page["collections"])


@requirement("/req/core/fc-md-items-links")
def test_every_collection_links_its_items_in_every_form(twin: Twin) -> None:
    for collection in twin.collections:
        assert [link["type"] for link in links(collection, "items")] == ["application/geo+json", "text/html", *FURTHER]


@requirement("/req/core/fc-md-extent")
@requirement("/req/core/fc-md-extent-multi")
def test_the_extent_is_exactly_that_of_the_items(twin: Twin) -> None:
    for collection in twin.collections:
        (box,) = collection["extent"]["spatial"]["bbox"]
        assert collection["extent"]["spatial"]["crs"] == CRS84
        assert collection["itemType"] == "feature"
        features = twin.json(f"/collections/{collection['id']}/items", limit=1000)["features"]
        corners = [corner for feature in features for corner in _corners(feature["geometry"]["coordinates"])]
        found = [side([corner[axis] for corner in corners]) for side, axis in ((min, 0), (min, 1), (max, 0), (max, 1))]
        assert box == pytest.approx(found, abs=2e-7)
        _check_interval(collection, [feature["properties"].get("gepflanzt") for feature in features])


def _corners(coordinates: Any) -> Iterator[tuple[float, float]]:
    if isinstance(coordinates[0], float):
        yield coordinates[0], coordinates[1]
    else:
        for part in coordinates:
            yield from _corners(part)


def _check_interval(collection: dict[str, Any], days: list[str | None]) -> None:
    known = sorted(day for day in days if day)
    if known:
        assert collection["extent"]["temporal"]["interval"] == [[f"{day}T00:00:00Z" for day in (known[0], known[-1])]]
    else:
        assert "temporal" not in collection["extent"]


@requirement("/req/core/sfc-md-op")
@requirement("/req/core/sfc-md-success")
def test_a_collection_says_of_itself_what_the_list_says(twin: Twin) -> None:
    for collection in twin.collections:
        assert twin.json(f"/collections/{collection['id']}") == collection


@requirement("/req/core/fc-op")
@requirement("/req/core/fc-response")
@requirement("/req/core/fc-links")
@requirement("/req/core/fc-rel-type")
def test_every_collection_gives_its_items_with_links(twin: Twin) -> None:
    for path in twin.items():
        page = twin.json(path, limit=2)
        check_self_and_alternates(page, "application/geo+json", FURTHER)
        assert len(links(page, "next")) == 1


@requirement("/req/core/fc-limit-definition")
@requirement("/req/core/fc-bbox-definition")
@requirement("/req/core/fc-time-definition")
def test_the_definition_knows_limit_bbox_and_datetime_of_every_collection(twin: Twin) -> None:
    document = twin.json("/api")
    for path in twin.items():
        told = {parameter["name"]: parameter for parameter in parameters_of(document, path)}
        assert told["limit"]["schema"] == {"type": "integer", "minimum": 1, "maximum": 10000, "default": 10}
        assert (told["bbox"]["schema"]["type"], told["bbox"]["schema"]["items"]) == ("array", {"type": "number"})
        assert told["datetime"]["schema"] == {"type": "string"}
        assert {
            (told[name]["in"], told[name]["required"], told[name]["style"], told[name]["explode"]) for name in ("limit", "bbox", "datetime")
        } == {("query", False, "form", False)}


@requirement("/req/core/fc-limit-response-1")
def test_a_page_has_no_more_items_than_the_limit(twin: Twin) -> None:
    for path in twin.items():
        assert [len(twin.json(path, limit=limit)["features"]) for limit in (1, 3)] == [1, 3]


@requirement("/req/core/fc-numberMatched")
@requirement("/req/core/fc-numberReturned")
def test_the_numbers_are_those_of_the_items(twin: Twin) -> None:
    for path in twin.items():
        page = twin.json(path, limit=3)
        assert page["numberReturned"] == len(page["features"])
        assert page["numberMatched"] == len(walk(twin.client, f"{twin.base}{path}?limit=3"))


@requirement("/req/core/fc-timeStamp")
def test_a_page_has_no_time_stamp_that_could_be_wrong(twin: Twin) -> None:
    assert all("timeStamp" not in twin.json(path) for path in twin.items())


@requirement("/req/core/f-op")
@requirement("/req/core/f-success")
@requirement("/req/core/f-links")
def test_an_item_is_the_one_of_the_page_with_links(twin: Twin) -> None:
    for path in twin.items():
        for feature in twin.json(path, limit=3)["features"]:
            one = twin.json(f"{path}/{feature['id']}")
            check_self_and_alternates(one, "application/geo+json")
            assert [link["href"].partition("?")[0] for link in links(one, "collection")] == [
                str(twin.client.base_url).rstrip("/") + twin.base + path.removesuffix("/items")
            ]
            one.pop("links")
            assert one == feature


@requirement("/req/geojson/definition")
def test_features_are_geojson_and_all_else_is_json(twin: Twin) -> None:
    one = next(twin.items())
    assert twin.get(one).headers["content-type"] == "application/geo+json"
    for path in ("", "/conformance", "/collections", one.removesuffix("/items")):
        assert twin.get(path).headers["content-type"] == "application/json"


@requirement("/req/oas30/oas-definition-1")
@requirement("/req/oas30/oas-definition-2")
@requirement("/req/oas30/completeness")
def test_the_definition_is_openapi_3_0(twin: Twin) -> None:
    assert twin.get("/api").headers["content-type"] == "application/vnd.oai.openapi+json;version=3.0"
    check_document(twin.json("/api"))


OPENAPI = "application/vnd.oai.openapi+json"


@pytest.mark.parametrize(
    ("accept", "version"),
    [
        (OPENAPI, "3.0"),
        (f"{OPENAPI};version=3.0", "3.0"),
        (f"{OPENAPI};version=3.0.3", "3.0"),
        ("application/openapi+json;version=3.0", "3.0"),
        ("application/json", "3.0"),
        ("*/*", "3.0"),
        (f"{OPENAPI};version=3.1", "3.1"),
        (f"{OPENAPI}; version=3.1; q=0.5, text/html;q=0.4", "3.1"),
        ("application/openapi+json;version=3.1.0", "3.1"),
        (f"{OPENAPI};version=3.1;q=0.5, {OPENAPI};version=3.0", "3.0"),
        (f"{OPENAPI};version=2.0, {OPENAPI};version=3.1;q=0.1", "3.1"),
        (f"{OPENAPI};version=3.10", None),
        (f"{OPENAPI};version=2.0", None),
    ],
)
def test_the_definition_comes_in_the_version_that_is_asked_for(town: Town, accept: str, version: str | None) -> None:
    answer = client_as(town, "citizen").get("/citizen/api", headers={"Accept": accept})
    if version is None:
        assert answer.status_code == 406
    else:
        assert answer.headers["content-type"] == f"{OPENAPI};version={version}"
        assert answer.json()["openapi"].startswith(version)


def test_only_who_needs_a_token_may_have_one_for_other_roles(twin: Twin) -> None:
    operations = [methods["get"] for methods in twin.json("/api")["paths"].values()]
    assert {"403" in operation["responses"] for operation in operations} == {twin.base != "/citizen"}


def test_every_link_of_the_landing_page_is_a_path_of_the_definition(twin: Twin) -> None:
    paths, base = twin.json("/api")["paths"], str(twin.client.base_url).rstrip("/") + twin.base
    addresses = {link["href"].partition("?")[0] for link in twin.json()["links"]}
    own = [address.removeprefix(base) or "/" for address in addresses if address.startswith(base)]
    assert len(own) >= 4
    assert set(own) <= paths.keys()


def test_the_definition_says_once_what_many_operations_share(twin: Twin) -> None:
    """Parameters that name properties stay where they are asked."""
    document = twin.json("/api")
    operations = [methods["get"] for methods in document["paths"].values()]
    answers = [repr(answer) for told in operations for answer in told["responses"].values() if "$ref" not in answer]
    assert len(answers) == len(set(answers))
    names = {name for collection in twin.collections for name in twin.json(f"/collections/{collection['id']}/queryables")["properties"]}
    written = {told["name"] for operation in operations for told in operation["parameters"] if "$ref" not in told}
    assert written <= {*names, "sortby", "properties"}
    assert len(document["components"]["parameters"]) < 20


@requirement("/req/oas30/oas-impl")
@requirement("/req/oas30/exceptions-codes")
def test_every_operation_answers_as_the_definition_says(twin: Twin) -> None:
    document = twin.json("/api")
    for path, methods in document["paths"].items():
        feature = twin.json(path.removesuffix("/{id}"), limit=1)["features"][0]["id"] if path.endswith("/{id}") else ""
        told = {status: resolved(document, response) for status, response in methods["get"]["responses"].items()}
        for asked, status in (({}, 200), ({"f": "html"}, 200), ({"nonsense": "1"}, 400)):
            answer = twin.get(path.replace("{id}", feature), **asked)
            assert answer.status_code == status
            assert any(answer.headers["content-type"].startswith(media) for media in told[str(status)]["content"])
        if "{id}" in path:
            assert twin.get(path.replace("{id}", "nix")).status_code == 404
            assert "404" in told


@requirement("/req/oas30/security")
def test_the_definition_says_where_a_token_is_needed(twin: Twin) -> None:
    document = twin.json("/api")
    schemes = {scheme["scheme"] for scheme in document["components"].get("securitySchemes", {}).values()}
    assert schemes == (set() if twin.base == "/citizen" else {"bearer"})
    assert ("security" in document) is (twin.base != "/citizen")


def test_every_link_of_every_page_leads_to_what_it_says(twin: Twin) -> None:
    seen: set[str] = set()
    waiting = [f"{twin.base}?f=json"]
    while waiting and len(seen) < 120:
        href = waiting.pop()
        answer = twin.client.get(href)
        assert answer.status_code == 200, href
        if not answer.headers["content-type"].endswith("json") or "paths" in answer.json():
            continue
        document = answer.json()
        for owner in [document, *document.get("collections", [])]:
            for link in owner.get("links", []):
                if link["href"].startswith(str(twin.client.base_url)) and link["href"] not in seen:
                    seen.add(link["href"])
                    waiting += [link["href"]] if link["type"].endswith("json") else []
                    assert twin.client.get(link["href"]).headers["content-type"].startswith(link["type"]), link
    assert len(seen) > 15
