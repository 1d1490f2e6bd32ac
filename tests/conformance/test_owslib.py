"""OWSLib reads every collection of every role completely, and asks what it can ask."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from owslib.ogcapi.features import Features

from tests.conformance.recorded import Recorded, recorded_server
from tests.door.clients import client_as
from tests.towns import Town

ROLES = ["citizen", "council", "administration", "administration/bauamt"]


@pytest.fixture(scope="module")
def record(town: Town) -> Iterator[Recorded]:
    with recorded_server(town) as record:
        yield record


def features(town: Town, record: Recorded, role: str) -> Features:
    token = client_as(town, role).headers.get("authorization")
    return Features(f"{record.address}/{role}", headers={"Authorization": token} if token else None)


def walk(twin: Features, name: str) -> Iterator[dict[str, Any]]:
    """All items, page by page: OWSLib leaves the way to the next page to whoever calls it."""
    page = twin.collection_items(name, limit=7)
    while True:
        yield from page["features"]
        following = [link["href"] for link in page["links"] if link["rel"] == "next"]
        if not following:
            return
        page = twin._request(path=following[0].partition(twin.url)[2])


@pytest.mark.parametrize("role", ROLES)
def test_owslib_reads_all_collections_of_a_role(town: Town, record: Recorded, role: str) -> None:
    twin = features(town, record, role)
    client = client_as(town, role)
    names = [collection["id"] for collection in client.get(f"/{role}/collections").json()["collections"]]
    assert [collection["id"] for collection in twin.collections()["collections"]] == names
    assert sorted(twin.feature_collections()) == sorted(names)
    for name in names:
        told = client.get(f"/{role}/collections/{name}/items?limit=1000").json()
        read = list(walk(twin, name))
        assert read == told["features"]
        assert len(read) == twin.collection_items(name, limit=1)["numberMatched"] == told["numberMatched"]
        assert {key for item in read for key in item["properties"]} <= twin.collection_queryables(name)["properties"].keys()
        assert twin.collection_schema(name)["title"]
        one = twin.collection_item(name, read[0]["id"])
        assert {key: one[key] for key in ("id", "geometry", "properties")} == {
            key: read[0][key] for key in ("id", "geometry", "properties")
        }


def test_owslib_finds_what_the_twin_conforms_to_and_its_description(town: Town, record: Recorded) -> None:
    twin = features(town, record, "citizen")
    assert "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core" in twin.conformance()["conformsTo"]
    assert twin.api()["openapi"].startswith("3.0")
    assert twin.collection("baeume")["id"] == "baeume"


def test_what_owslib_asks_is_narrowed_by_the_server(town: Town, record: Recorded) -> None:
    twin = features(town, record, "citizen")
    whole = twin.collection_items("baeume", limit=1000)["features"]
    kind, (lon, lat) = whole[0]["properties"]["art"], whole[0]["geometry"]["coordinates"]
    box = [lon - 0.001, lat - 0.001, lon + 0.001, lat + 0.001]
    for asked in ({"art": kind}, {"filter": f"art = '{kind}' AND anzahl > 0"}, {"bbox": box}, {"datetime_": "1970-01-01/.."}):
        record.clear()
        found = twin.collection_items("baeume", limit=1000, **asked)["features"]
        assert 0 < len(found) < len(whole), asked
        (params,) = record.items("baeume")
        assert len(params) == 2
    rising = [item["properties"]["art"] for item in twin.collection_items("baeume", limit=1000, sortby=("art", "desc"))["features"]]
    assert [art for art in rising if art] == sorted((art for art in rising if art), reverse=True)
    assert {httpx.codes(status) for status in record.statuses} == {httpx.codes.OK}
