"""Pages: a walk meets every item once, in one order, whatever happens to its neighbours; counts are true."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.door.clients import client_as, client_of
from tests.query.asked import ask, found, ids, walk
from tests.query.test_injection import TREES
from tests.towns import Town
from twin_api.query import page as pages

FILTERS: list[dict[str, str]] = [
    {}, {"art": "Linde"}, {"bbox": "11,49,12,50"}, {"bbox": "11.3825,49.6285,11.385,49.6295"}, {"datetime": "1960-01-01/.."},
    {"geschuetzt": "true", "datetime": "1960-01-01/1980-01-01"}, {"art": "nix"}, {"bbox": "11.5,49,11,50"},
]  # fmt: skip


@pytest.mark.parametrize("role", ["citizen", "council", "administration", "administration/bauamt"])
def test_a_walk_of_any_step_meets_every_item_once_in_the_same_order(town: Town, role: str) -> None:
    client = client_as(town, role)
    for collection in client.get(f"/{role}/collections").json()["collections"]:
        items = f"/{role}/collections/{collection['id']}/items"
        order = ids(client.get(f"{items}?limit=10000").json()["features"])
        assert len(order) == len(set(order)) > 0
        for limit in range(1, len(order) + 2):
            assert ids(walk(client, f"{items}?limit={limit}")) == order


@pytest.mark.parametrize("asked", FILTERS, ids=str)
def test_the_number_matched_is_the_truth_on_every_page_of_a_walk(town: Town, asked: dict[str, str]) -> None:
    whole = found(town, **asked)
    steps = [ask(town, **asked, limit=limit).json() for limit in (1, 3, 40)]
    assert [page["numberMatched"] for page in steps] == [len(whole)] * 3
    address = str(ask(town, **asked, limit=3).request.url)
    assert ids(walk(client_of(town), address)) == ids(whole)


def test_the_last_page_has_no_next_link_even_if_it_is_full(town: Town) -> None:
    rels = [link["rel"] for link in ask(town, limit=41).json()["links"]]
    assert "next" not in rels


def test_a_next_link_keeps_what_was_asked(town: Town) -> None:
    odd = found(town, art='Späth\'s "Erle" \\ %s :x 0x41 ß☃', limit=1)
    assert len(odd) == 1
    page = ask(town, datetime="1950-01-01/1990-01-01", bbox="11,49,12,50", limit=2, f="json").json()
    following = client_of(town).get(next(link["href"] for link in page["links"] if link["rel"] == "next")).json()
    assert following["numberMatched"] == page["numberMatched"] == 41
    assert not set(ids(page["features"])) & set(ids(following["features"]))


def test_a_cursor_tells_nothing_but_what_the_page_shows(town: Town) -> None:
    page = ask(town, limit=3).json()
    last = page["features"][-1]
    href = next(link["href"] for link in page["links"] if link["rel"] == "next")
    assert last["id"].replace("-", "") == _decoded(href)[:16].hex()


def _decoded(href: str) -> bytes:
    word = parse_qs(urlsplit(href).query)["cursor"][0]
    return urlsafe_b64decode(word + "=" * (-len(word) % 4))


@pytest.fixture(scope="module")
def busy_town(new_town: Callable[..., Town]) -> Town:
    return new_town()


@pytest.mark.parametrize("limit", [1, 2, 5])
@pytest.mark.parametrize("asked", ["", "&bbox=11,49,12,50"])
def test_an_unchanged_item_appears_once_while_others_come_and_go(busy_town: Town, limit: int, asked: str) -> None:
    town, numbers = busy_town, count()
    steady = set(ids(found(town)))

    def disturb() -> None:
        number = next(numbers)
        key = f"busy-{limit}-{asked}-{number}"
        place = f"SRID=25832;POINT({672000 + 37 * (number % 9)} {5500000 + 53 * (number % 6)})"
        town.insert("baeume", [{"baum_nr": key, "art": "Gast", "status": ["steht", "gefaellt"][number % 2], "geometry": place}])
        if number % 3 == 0:
            town.write("DELETE FROM store.baeume WHERE art = 'Gast' AND baum_nr <> %s", key)

    seen = Counter(ids(walk(client_of(town), f"/citizen/collections/baeume/items?limit={limit}{asked}", disturb)))
    town.write("DELETE FROM store.baeume WHERE art = 'Gast'")
    assert {id: seen[id] for id in steady} == dict.fromkeys(steady, 1)
    assert max(seen.values()) == 1


@pytest.fixture
def counted_to_five(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(pages, "COUNTED", 5)
    pages._compile.cache_clear()
    pages._compile_own.cache_clear()
    yield
    pages._compile.cache_clear()
    pages._compile_own.cache_clear()


@pytest.mark.parametrize("asked", [a for a in FILTERS if a], ids=str)
def test_beyond_what_is_counted_the_pages_stay_the_same(town: Town, asked: dict[str, str], request: pytest.FixtureRequest) -> None:
    whole = found(town, **asked)
    request.getfixturevalue("counted_to_five")
    page = ask(town, **asked, limit=3).json()
    assert page.get("numberMatched") == (None if len(whole) > 5 else len(whole))
    assert ids(walk(client_of(town), str(ask(town, **asked, limit=3).request.url))) == ids(whole)
    assert ("mehr als gezählt" in ask(town, **asked, f="html").text) is (len(whole) > 5)


def test_a_whole_collection_is_counted_however_large(town: Town, counted_to_five: None) -> None:
    assert ask(town, limit=1).json()["numberMatched"] == 41


@pytest.mark.parametrize("asked", [a for a in FILTERS if a] + [{"sortby": "-art", "datetime": "../2000-01-01"}], ids=str)
def test_pages_are_the_same_whether_few_or_many_are_expected(town: Town, asked: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    def seen() -> list[Any]:
        return [ask(town, **asked, limit=limit, f="json").json() for limit in (1, 5, 14, 1000)]

    whole = found(town, **asked)
    answers = []
    for way, near in ((pages._near, pages.NEAR), (pages._near, 1), (pages._general, 0)):  # enough, too few expected, not tried
        monkeypatch.setattr(pages.Pages, "_way", lambda self, way=way: way)
        monkeypatch.setattr(pages, "NEAR", near)
        answers.append(seen())
        assert ids(walk(client_of(town), str(ask(town, **asked, limit=4).request.url))) == ids(whole)
    assert answers[0] == answers[1] == answers[2]
    assert {page["numberMatched"] for page in answers[0]} == {len(whole)}


@pytest.mark.parametrize(("box", "is_few"), [("11.3,49.6,11.5,49.7", False), ("11.3825,49.6285,11.3827,49.6287", True)])
def test_few_are_expected_by_how_much_of_the_extent_is_asked_for(box: str, is_few: bool) -> None:
    trees = replace(TREES, count=1000, bbox=(11.3, 49.6, 11.5, 49.7))
    assert ("near" in pages.Pages.of(trees, [("bbox", box)]).statement("citizen").params) is is_few


_FEATURES = """
SELECT id::text, ST_AsGeoJSON(ST_Transform(geometry, 4326), 7)::json, art, gepflanzt::text, sign(hoehe_m) * floor(abs(hoehe_m) + 0.5), anzahl, geschuetzt
FROM store.baeume WHERE status = 'steht'
"""


@pytest.mark.requirement("/req/geojson/content")
def test_a_page_is_the_geojson_that_the_store_gives_for_citizens(town: Town) -> None:
    with town.superuser() as connection:
        connection.execute("SET search_path = postgis")
        rows = connection.execute(_FEATURES).fetchall()
    wanted = {id: _feature(id, geometry, values) for id, geometry, *values in rows}
    page = json.loads(ask(town, limit=1000).content, parse_constant=lambda _: pytest.fail("no JSON"))
    assert page.keys() == {"type", "numberMatched", "numberReturned", "links", "features"}
    assert page["type"] == "FeatureCollection"
    assert {feature["id"]: feature for feature in page["features"]} == wanted
    for id, feature in wanted.items():
        one = client_of(town).get(f"/citizen/collections/baeume/items/{id}").json()
        assert [link["rel"] for link in one.pop("links")] == ["self", "alternate", "collection", "license"]
        assert one == feature


def _feature(id: str, geometry: Any, values: list[Any]) -> dict[str, Any]:
    names = ("art", "gepflanzt", "hoehe_m", "anzahl", "geschuetzt")
    return {"type": "Feature", "id": id, "geometry": geometry, "properties": dict(zip(names, values, strict=True))}


@pytest.fixture
def pages_of_2_kib(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(pages, "PAGE_BYTES", 2048)
    pages._compile.cache_clear()
    pages._compile_own.cache_clear()
    yield
    pages._compile.cache_clear()
    pages._compile_own.cache_clear()


@pytest.mark.parametrize("asked", FILTERS, ids=str)
def test_a_page_ends_with_the_item_that_passes_its_bytes_and_the_walk_goes_on(
    town: Town, asked: dict[str, str], request: pytest.FixtureRequest
) -> None:
    whole = found(town, **asked)
    request.getfixturevalue("pages_of_2_kib")
    page = ask(town, **asked, limit=1000).json()
    lengths = [len(json.dumps(feature, separators=(",", ":"), ensure_ascii=False).encode()) for feature in whole]
    fitting = next((n for n in range(len(lengths) + 1) if sum(lengths[:n]) >= 2048), len(lengths))
    assert (page["numberReturned"], page["numberMatched"]) == (fitting, len(whole))
    assert ids(walk(client_of(town), str(ask(town, **asked, limit=1000).request.url))) == ids(whole)
