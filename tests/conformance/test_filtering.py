"""OGC API Features Part 3 (19-079r2) and CQL2 (21-065r2): one test per requirement, marked with it."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from tests.conformance.openapi_document import parameters_of
from tests.conformance.test_features_core import ROLES, requirement
from tests.door.clients import client_as
from tests.query.asked import ask, found
from tests.query.reference import TEMPORAL
from tests.towns import Town
from twin_api.query.crs import CRS84, WGS84

QUERYABLES = "http://www.opengis.net/def/rel/ogc/1.0/queryables"
TREES = "/citizen/collections/baeume"


def get(town: Town, path: str, role: str = "citizen", **asked: Any) -> httpx.Response:
    answer = client_as(town, role).get(path, params=asked)
    assert answer.status_code == 200, answer.text
    return answer


def numbers(town: Town, *texts: str) -> list[int]:
    return [len(found(town, filter=text)) for text in texts]


@pytest.mark.parametrize("role", ROLES)
@requirement("/req/features-filter/get-queryables-op")
@requirement("/req/queryables/get-queryables-op")
@requirement("/req/queryables/get-queryables-response")
def test_every_collection_has_queryables_that_are_what_its_items_show(town: Town, role: str) -> None:
    for collection in get(town, f"/{role}/collections", role).json()["collections"]:
        answer = get(town, f"/{role}/collections/{collection['id']}/queryables", role)
        schema = answer.json()
        Draft202012Validator.check_schema(schema)
        assert answer.headers["content-type"] == "application/schema+json"
        assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        assert (schema["$id"], schema["type"]) == (str(answer.url).partition("?")[0], "object")
        feature = get(town, f"/{role}/collections/{collection['id']}/items", role, limit=1).json()["features"][0]
        assert schema["properties"].keys() == {*feature["properties"], "geometry"}
        assert schema["properties"]["geometry"]["format"] == f"geometry-{feature['geometry']['type'].lower()}"
        assert all(told["title"] for told in schema["properties"].values())


@requirement("/req/features-filter/queryables-link")
@requirement("/req/queryables/queryables-link")
def test_the_queryables_are_linked_from_the_collection_and_its_items(town: Town) -> None:
    (link,) = (link for link in get(town, TREES).json()["links"] if link["rel"] == QUERYABLES)
    assert get(town, link["href"]).headers["content-type"] == link["type"] == "application/schema+json"
    assert get(town, f"{TREES}/items").headers["link"] == f'<{link["href"]}>; rel="{QUERYABLES}"; type="application/schema+json"'


@requirement("/req/queryables/expression-construction")
def test_a_filter_knows_queryables_and_nothing_else(town: Town) -> None:
    names = get(town, f"{TREES}/queryables").json()["properties"]
    assert all(ask(town, filter=f"{name} IS NULL").status_code == 200 for name in names)
    assert ask(town, filter="nix IS NULL").status_code == 400


@requirement("/req/queryables-query-parameters/parameters")
def test_every_queryable_but_the_geometry_is_a_parameter_too(town: Town) -> None:
    """As QGIS reads them: with style and explode, and the largest page as `components/parameters/limit`."""
    names = get(town, f"{TREES}/queryables").json()["properties"].keys() - {"geometry"}
    document = get(town, "/citizen/api").json()
    told = {parameter["name"]: parameter for parameter in parameters_of(document, "/collections/baeume/items")}
    assert {(told[name]["in"], told[name]["style"], told[name]["explode"], told[name]["required"]) for name in names} == {
        ("query", "form", False, False)
    }
    assert all("type" in told[name]["schema"] for name in names)
    assert document["components"]["parameters"]["limit"]["schema"]["maximum"] == 10000


@requirement("/req/features-filter/filter-param")
@requirement("/req/features-filter/filter-lang-param")
@requirement("/req/features-filter/filter-crs-param")
@requirement("/req/filter/filter-param")
@requirement("/req/filter/filter-lang-param")
@requirement("/req/filter/filter-crs-param")
def test_the_definition_knows_the_parameters_of_filters(town: Town) -> None:
    document = get(town, "/citizen/api").json()
    told = {parameter["name"]: parameter for parameter in parameters_of(document, "/collections/baeume/items")}
    assert told["filter"]["schema"] == {"type": "string"}
    assert told["filter-lang"]["schema"] == {"type": "string", "enum": ["cql2-text", "cql2-json"], "default": "cql2-text"}
    assert (told["filter-crs"]["schema"]["type"], told["filter-crs"]["schema"]["format"]) == ("string", "uri")
    assert all(ask(town, **{"filter": "TRUE", "filter-crs": uri}).status_code == 200 for uri in told["filter-crs"]["schema"]["enum"])
    assert {(told[name]["in"], told[name]["required"]) for name in ("filter", "filter-lang", "filter-crs")} == {("query", False)}


@requirement("/req/filter/filter-crs-wgs84")
@requirement("/req/filter/filter-crs-param")
def test_coordinates_are_degrees_unless_another_crs_is_named(town: Town) -> None:
    text = "S_INTERSECTS(geometry, BBOX(11,49,12,50))"
    assert len(found(town, filter=text)) == len(found(town, filter=text, **{"filter-crs": CRS84.uri})) == 41
    assert len(found(town, filter=text, **{"filter-crs": WGS84.uri})) == 0
    assert ask(town, filter=text, **{"filter-crs": "http://www.opengis.net/def/crs/EPSG/0/2056"}).status_code == 400


@requirement("/req/filter/mixing-expressions")
@requirement("/req/filter/response")
@requirement("/req/features-filter/response")
def test_all_that_narrows_holds_together(town: Town) -> None:
    west = sorted(feature["geometry"]["coordinates"][0] for feature in found(town))[20]
    narrowing = {"filter": "art = 'Linde'", "bbox": f"{west},49,12,50"}
    both = {feature["id"] for feature in found(town, **narrowing)}
    each = [{feature["id"] for feature in found(town, **{name: text})} for name, text in narrowing.items()]
    assert both == each[0] & each[1]
    assert set() < both < each[0]


@requirement("/req/filter/get-functions-operation")
@requirement("/req/filter/get-functions-response-json")
def test_every_function_is_listed_and_can_be_called(town: Town) -> None:
    arguments = {"string": "art", "number": "hoehe_m", "date": "gepflanzt", "geometry": "geometry"}
    listed = get(town, "/citizen/functions").json()["functions"]
    assert len(listed) > 5
    for function in listed:
        assert function.keys() == {"name", "description", "arguments", "returns"}
        called = ", ".join(arguments[argument["type"][0]] for argument in function["arguments"])
        assert ask(town, filter=f"{function['name']}({called}) IS NULL").status_code == 200


@requirement("/req/cql2-text/basic-cql2")
@requirement("/req/cql2-json/basic-cql2")
def test_both_encodings_are_read(town: Town) -> None:
    tree = {"op": ">", "args": [{"property": "hoehe_m"}, 20]}
    assert found(town, filter=json.dumps(tree), **{"filter-lang": "cql2-json"}) == found(
        town, filter="hoehe_m > 20", **{"filter-lang": "cql2-text"}
    )


@requirement("/req/cql2-text/escaping")
def test_quotes_and_controls_are_escaped(town: Town) -> None:
    assert numbers(town, "art LIKE 'Späth''s%'", "art LIKE 'Späth\\'s%'", "art = 'a\\tb\\n'") == [1, 1, 0]


@requirement("/req/basic-cql2/cql2-filter")
@requirement("/req/basic-cql2/binary-comparison-predicate")
@requirement("/req/basic-cql2/null-predicate")
@requirement("/req/basic-cql2/property")
def test_comparisons_null_and_logic(town: Town) -> None:
    assert numbers(town, "anzahl = 1", "anzahl <> 1", "anzahl < 2", "anzahl >= 1", "anzahl IS NULL", "anzahl IS NOT NULL") == [
        20,
        20,
        20,
        40,
        1,
        40,
    ]
    assert numbers(town, "anzahl = 1 AND geschuetzt", "NOT (anzahl = 1 OR anzahl = 2)", "geschuetzt = FALSE", "FALSE OR TRUE") == [
        20,
        0,
        20,
        41,
    ]


@requirement("/req/cql2-text/advanced-comparison-operators")
@requirement("/req/advanced-comparison-operators/like-predicate")
@requirement("/req/advanced-comparison-operators/between-predicate")
@requirement("/req/advanced-comparison-operators/in-predicate")
def test_like_between_and_in(town: Town) -> None:
    assert numbers(
        town, "art LIKE 'L_nde'", "art NOT LIKE '%e'", "art LIKE '\\%'", "anzahl BETWEEN 1 AND 1", "art IN ('Linde','Ahorn')"
    ) == [14, 14, 0, 20, 27]


@requirement("/req/cql2-text/case-insensitive-comparison")
@requirement("/req/cql2-text/accent-insensitive-comparison")
@requirement("/req/case-insensitive-comparison/casei-function")
@requirement("/req/accent-insensitive-comparison/accenti-function")
def test_case_and_accents_can_be_left_out(town: Town) -> None:
    assert numbers(
        town,
        "CASEI(art) = CASEI('lINDE')",
        "ACCENTI(art) LIKE 'Spath%'",
        "CASEI(ACCENTI(art)) LIKE CASEI('SPATH%')",
        "CASEI(art) LIKE 'spath%'",
    ) == [14, 1, 1, 0]


@requirement("/req/cql2-text/basic-spatial-functions")
@requirement("/req/cql2-text/basic-spatial-functions-plus")
@requirement("/req/cql2-text/spatial-functions")
@requirement("/req/basic-spatial-functions/spatial-predicate")
@requirement("/req/basic-spatial-functions/spatial-functions")
@requirement("/req/basic-spatial-functions-plus/spatial-data-types")
@requirement("/req/spatial-functions/spatial-functions")
@requirement("/req/spatial-functions/spatial-data-types")
def test_spatial_functions_read_every_kind_of_geometry(town: Town) -> None:
    square = "((11 49,12 49,12 50,11 50,11 49))"
    lon, lat = found(town)[0]["geometry"]["coordinates"]
    shapes = [
        f"POINT({lon} {lat})",
        f"MULTIPOINT(({lon} {lat}),(0 0))",
        f"LINESTRING({lon} {lat},0 0)",
        f"MULTILINESTRING(({lon} {lat},0 0))",
    ]
    assert numbers(town, *(f"S_INTERSECTS(geometry, {shape})" for shape in shapes)) == [1, 1, 1, 1]
    areas = [f"POLYGON{square}", f"MULTIPOLYGON({square})", "BBOX(11,49,12,50)", f"GEOMETRYCOLLECTION(POINT(0 0),POLYGON{square})"]
    assert numbers(town, *(f"S_INTERSECTS(geometry, {shape})" for shape in areas)) == [41, 41, 41, 41]
    said = [
        f"S_{name}(geometry, POLYGON{square})" for name in ("WITHIN", "DISJOINT", "TOUCHES", "OVERLAPS", "CROSSES", "CONTAINS", "EQUALS")
    ]
    assert numbers(town, *said) == [41, 0, 0, 0, 0, 0, 0]


@requirement("/req/cql2-text/temporal-functions")
@requirement("/req/temporal-functions/temporal-functions")
@pytest.mark.parametrize("function", TEMPORAL)
def test_temporal_functions_take_instants_and_intervals(town: Town, function: str) -> None:
    spans = ["INTERVAL('1950-01-01','1959-12-31')", "INTERVAL(gepflanzt,'..')", "gepflanzt", "DATE('1960-03-01')"]
    assert all(ask(town, filter=f"{function.upper()}(gepflanzt, {span})").status_code == 200 for span in spans)


@requirement("/req/cql2-text/array-functions")
@requirement("/req/array-functions/array-predicates")
def test_array_functions_compare_sets(town: Town) -> None:
    assert numbers(
        town, "A_EQUALS((art, 'Linde'), ('Linde'))", "A_CONTAINS((art, 'b'), ('x'))", "A_CONTAINEDBY((art), ('Linde','Ahorn'))",
        "A_OVERLAPS((anzahl, 7), (1, 9))",
    ) == [14, 0, 27, 20]  # fmt: skip


@requirement("/req/cql2-text/property-property")
@requirement("/req/property-property/withdraw-permissions")
def test_properties_are_compared_with_each_other(town: Town) -> None:
    assert numbers(town, "hoehe_m > anzahl", "'Linde' = art", "anzahl IN (anzahl, 7)", "art LIKE 'L%' AND 10 < hoehe_m") == [40, 14, 40, 13]


@requirement("/req/cql2-text/functions")
@requirement("/req/functions/functions")
def test_functions_stand_wherever_a_value_may(town: Town) -> None:
    assert numbers(town, "year(gepflanzt) BETWEEN 1960 AND 1961", "length(art) IN (5, 6)", "abs(hoehe_m) + 1 > round(hoehe_m)") == [
        2,
        40,
        41,
    ]


@requirement("/req/cql2-text/arithmetic")
@requirement("/req/arithmetic/arithmetic")
def test_arithmetic_is_that_of_school(town: Town) -> None:
    assert numbers(
        town, "anzahl + 1 = 2 * 3 - 4", "anzahl * 2 ^ 3 div 3 = 2", "7 % 4 = anzahl + 1", "anzahl / 0 = 1", "-anzahl = 0 - 1"
    ) == [20, 20, 20, 0, 20]
