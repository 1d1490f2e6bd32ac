"""OGC API - Features, Part 2: Coordinate Reference Systems by Reference (OGC 18-058r1): what collections and the definition say."""

from __future__ import annotations

import pytest

from tests.conformance.openapi_document import parameters_of
from tests.conformance.test_features_core import Twin, twin

__all__ = ["twin"]  # a fixture

OGC = "http://www.opengis.net/def/crs/OGC/"
EPSG = "http://www.opengis.net/def/crs/EPSG/0/"
requirement = pytest.mark.requirement


def test_the_declaration_lists_part_2(twin: Twin) -> None:
    assert "http://www.opengis.net/spec/ogcapi-features-2/1.0/conf/crs" in twin.json("/conformance")["conformsTo"]


@requirement("/req/crs/crs-uri")
@requirement("/req/crs/fc-md-crs-list")
@requirement("/req/crs/fc-md-crs-list-global")
@requirement("/req/crs/fc-md-storageCrs")
def test_every_collection_lists_its_crs_with_the_default_first(twin: Twin) -> None:
    page = twin.json("/collections")
    common = {f"{OGC}1.3/CRS84", *(f"{EPSG}{code}" for code in (4326, 3857, 25832, 25833))}
    assert set(page["crs"]) == common
    for collection in page["collections"]:
        assert set(collection["crs"]) >= common
        assert collection["storageCrs"] == f"{EPSG}25832"
        has_heights = any(len(f["geometry"]["coordinates"]) == 3 for f in twin.json(f"/collections/{collection['id']}/items")["features"])
        assert collection["crs"][0] == (f"{OGC}0/CRS84h" if has_heights else f"{OGC}1.3/CRS84")


@requirement("/req/crs/fc-crs-definition")
def test_the_definition_knows_the_crs_of_every_collection(twin: Twin) -> None:
    document = twin.json("/api")
    for collection in twin.collections:
        for path in (f"/collections/{collection['id']}/items", f"/collections/{collection['id']}/items/{{id}}"):
            (told,) = (parameter for parameter in parameters_of(document, path) if parameter["name"] == "crs")
            assert (told["in"], told["required"], told["style"], told["explode"]) == ("query", False, "form", False)
            assert (told["schema"]["type"], told["schema"]["enum"]) == ("string", collection["crs"])


@requirement("/req/crs/fc-bbox-crs-definition")
def test_the_definition_knows_the_crs_of_boxes(twin: Twin) -> None:
    document = twin.json("/api")
    for path in twin.items():
        (told,) = (parameter for parameter in parameters_of(document, path) if parameter["name"] == "bbox-crs")
        assert (told["in"], told["required"], told["style"], told["explode"]) == ("query", False, "form", False)
        assert (told["schema"]["type"], told["schema"]["format"]) == ("string", "uri")
        assert all(twin.get(path, **{"bbox-crs": uri, "limit": 1}).status_code == 200 for uri in told["schema"]["enum"])
