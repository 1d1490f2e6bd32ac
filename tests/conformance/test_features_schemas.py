"""OGC API - Features, Part 5: Schemas (OGC 23-058r2): what an item looks like and what it can be sorted by."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from tests.conformance.openapi_document import parameters_of
from tests.conformance.test_features_core import Twin, links, twin
from twin_api.encodings.schemas import returnables, sortables
from twin_api.store.collection import Collection, Description, Property
from twin_api.texts import Text

__all__ = ["twin"]  # a fixture

REL = "http://www.opengis.net/def/rel/ogc/1.0/"
PROFILE = "http://www.opengis.net/def/profile/OGC/0/codelist-inline"
requirement = pytest.mark.requirement
LISTED = Collection(
    "x",
    Description(
        Text("Rohre", "Pipes"),
        (
            Property("zustand", "text", Text("Zustand", "Condition"), enum=("gut", "schlecht")),
            Property("wert", "number", Text("Wert", "Value"), unit="EUR"),
            Property("flaeche", "number", Text("Fläche", "Area"), unit="m²"),
            Property("gebaut", "date", Text("Gebaut", "Built")),
        ),
        "LineStringZ", 25832, "gebaut", "", "",
    ),
    0, None, None, "",
)  # fmt: skip


@requirement("/req/returnables-and-receivables/link")
@requirement("/req/returnables-and-receivables/op")
@requirement("/req/returnables-and-receivables/response")
@requirement("/req/sortables/link")
@requirement("/req/sortables/op")
@requirement("/req/sortables/response")
@requirement("/req/schemas/json-schema")
def test_every_collection_leads_to_schemas_that_its_items_fit(twin: Twin) -> None:
    for collection in twin.collections:
        path = f"/collections/{collection['id']}"
        for rel, name in (("schema", "schema"), ("sortables", "sortables")):
            (link,) = links(collection, REL + rel)
            answer = twin.client.get(link["href"])
            assert answer.headers["content-type"] == link["type"] == "application/schema+json"
            schema = answer.json()
            jsonschema.Draft202012Validator.check_schema(schema)
            assert schema["$id"] == str(twin.client.base_url).rstrip("/") + f"{twin.base}{path}/{name}"
            assert (schema["$schema"], schema["type"]) == ("https://json-schema.org/draft/2020-12/schema", "object")
        _check_items(twin, path)


def _check_items(twin: Twin, path: str) -> None:
    shown, sorted_by = (twin.json(f"{path}/{name}")["properties"] for name in ("schema", "sortables"))
    for feature in twin.json(f"{path}/items", limit=3)["features"]:
        known = {name: schema for name, schema in shown.items() if schema.get("x-ogc-role") not in ("id", "primary-geometry")}
        assert feature["properties"].keys() == known.keys() == sorted_by.keys()
        present = {name: value for name, value in feature["properties"].items() if value is not None}
        jsonschema.validate({"id": feature["id"], **present}, twin.json(f"{path}/schema"))
        assert shown["geometry"]["format"] == f"geometry-{feature['geometry']['type'].lower()}"
    assert twin.get(f"{path}/items", sortby="nix").status_code == 400
    if sorted_by:
        assert twin.get(f"{path}/items", sortby=",".join(list(sorted_by)[:8])).status_code == 200


@requirement("/req/schemas/properties")
@requirement("/req/schemas/role-id")
@requirement("/req/schemas/property-seq")
@requirement("/req/schemas/unit")
@requirement("/req/advanced-property-roles/role-primary-geometry")
@requirement("/req/advanced-property-roles/role-primary-instant")
def test_properties_have_titles_types_roles_and_units() -> None:
    told = returnables("en", "https://x/citizen", LISTED)["properties"]
    assert told["id"] == {"title": "Id", "type": "string", "format": "uuid", "x-ogc-role": "id", "readOnly": True, "x-ogc-propertySeq": 1}
    assert told["geometry"]["format"] == "geometry-linestring"
    assert "type" not in told["geometry"]
    assert told["zustand"]["enum"] == ["gut", "schlecht"]
    assert (told["wert"]["title"], "x-ogc-unit" in told["wert"]) == ("Value [EUR]", False)
    assert (told["flaeche"]["title"], told["flaeche"]["x-ogc-unit"]) == ("Area", "m2")
    assert (told["gebaut"]["format"], told["gebaut"]["x-ogc-role"]) == ("date", "primary-instant")
    assert [schema["x-ogc-propertySeq"] for schema in told.values()] == list(range(1, 7))
    assert list(sortables("de", "https://x/citizen", LISTED)["properties"]) == ["zustand", "wert", "flaeche", "gebaut"]


@requirement("/req/schemas/additional-keywords")
@requirement("/req/schemas/role")
@requirement("/req/schemas/definition")
@requirement("/req/schemas/nullvalues")
@requirement("/req/advanced-property-roles/role-primary-interval-start")
@requirement("/req/advanced-property-roles/role-primary-interval-end")
@requirement("/req/advanced-property-roles/role-primary-interval")
@requirement("/req/advanced-property-roles/primary-temporal-constraints")
@requirement("/req/advanced-property-roles/role-type")
def test_schemas_have_no_keywords_and_no_roles_but_these(twin: Twin) -> None:
    """What is allowed under conditions (intervals, types, definitions, values for NULL, units in other languages) stands nowhere, so nothing of it can be wrong."""
    known = {"title", "type", "format", "enum", "readOnly", "x-ogc-role", "x-ogc-propertySeq", "x-ogc-unit"}
    for collection in twin.collections:
        for name in ("schema", "sortables", "queryables"):
            properties = twin.json(f"/collections/{collection['id']}/{name}")["properties"].values()
            assert {keyword for told in properties for keyword in told} <= known
            roles = [told["x-ogc-role"] for told in properties if "x-ogc-role" in told]
            assert len(roles) == len(set(roles))
            assert set(roles) <= {"id", "primary-geometry", "primary-instant"}
            instants = [told["format"] for told in properties if told.get("x-ogc-role") == "primary-instant"]
            assert set(instants) <= {"date", "date-time"}


@requirement("/req/profile-codelists/codelist-inline")
@requirement("/req/profile-codelists/consistency")
@requirement("/req/profile-codelists/codelist-ref")
def test_a_list_of_values_is_told_inline_on_demand() -> None:
    told = returnables("de", "", LISTED, inline=True)["properties"]["zustand"]
    assert told["oneOf"] == [{"const": "gut", "title": "gut"}, {"const": "schlecht", "title": "schlecht"}]
    assert "enum" not in told
    every = returnables("de", "", LISTED, inline=True)["properties"].values()
    assert not any("enum" in other or "x-ogc-codelistUri" in other for other in every)  # one profile for all; the other is never applied


def test_a_schema_is_a_page_too(town: Any) -> None:
    for name in ("schema", "sortables"):
        for profile in ("codelist-inline", "x"):
            page = Twin(town, "administration").get(f"/collections/kanalschaechte/{name}", f="html", profile=profile)
            assert page.status_code == 200
            assert "gut, mittel, schlecht" in page.text


@requirement("/req/profile-parameter/profile-param")
def test_the_definition_knows_profiles(twin: Twin) -> None:
    document = twin.json("/api")
    for collection in twin.collections:
        for name in ("schema", "sortables"):
            (told,) = (p for p in parameters_of(document, f"/collections/{collection['id']}/{name}") if p["name"] == "profile")
            assert (told["in"], told["required"], told["style"], told["explode"]) == ("query", False, "form", False)
            assert (told["schema"]["type"], told["schema"]["items"]["type"]) == ("array", "string")


@requirement("/req/profile-parameter/profile-param")
@requirement("/req/profile-parameter/profile-param-response")
@pytest.mark.parametrize("name", ["schema", "sortables"])
@pytest.mark.parametrize(
    ("profile", "is_inline"),
    [("codelist-inline", True), (PROFILE, True), (f"x,{PROFILE}", True), ("[ogc-profile:codelist-inline]", True), ("codelist-ref", False)],
)
def test_a_profile_is_named_in_the_answer_where_it_is_applied(town: Any, name: str, profile: str, is_inline: bool) -> None:
    answer = Twin(town, "citizen").get(f"/collections/baeume/{name}", profile=profile)
    assert answer.status_code == 200
    assert answer.headers.get("link") == (f'<{PROFILE}>; rel="profile"' if is_inline else None)


@pytest.mark.parametrize("profile", ["", ",", "a,", "a b", "[a]", "<x>", "javascript:x", "a\x00", "ä", "http://", "x;y", "[a:b:c]"])
def test_what_is_no_profile_is_refused(town: Any, profile: str) -> None:
    refused = Twin(town, "citizen").get("/collections/baeume/schema", profile=profile)
    assert (refused.status_code, refused.json()["parameter"]) == (400, "profile")
