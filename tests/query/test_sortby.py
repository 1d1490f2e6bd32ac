"""`sortby` and `properties`: any order is total and paged through, each item once; less of an item is the same item with less in it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import cmp_to_key
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.door.clients import client_of
from tests.query.asked import ask, found, ids, walk
from tests.query.test_injection import TREES
from tests.towns import Town
from twin_api.problems import InvalidParameter
from twin_api.query.page import Pages
from twin_api.query.window import bind, cursor
from twin_api.store.twin import Key, _written

ORDERS = [
    "art", "-art", "+gepflanzt", "-gepflanzt", "anzahl,-hoehe_m", "-geschuetzt,art,-anzahl", "geschuetzt", "-hoehe_m,art", " anzahl", "anzahl,gepflanzt",
]  # fmt: skip
MOMENT = datetime(2026, 1, 17, 11, 22, 33, 5, tzinfo=UTC)


def in_order(features: list[Any], order: str) -> list[str]:
    """What has no value stands at the end; what is equal stays in the collection's own order, which `features` are in."""
    steps = [(word.strip(" +-"), -1 if word.startswith("-") else 1) for word in order.split(",")]

    def compare(one: Any, other: Any) -> int:
        for name, sign in steps:
            a, b = one["properties"][name], other["properties"][name]
            if a != b:
                return 1 if a is None else -1 if b is None else sign * (1 if a > b else -1)
        return 0

    return ids(sorted(features, key=cmp_to_key(compare)))


@pytest.mark.parametrize("order", ORDERS)
def test_items_come_in_the_order_asked_for_on_one_page_and_on_many(town: Town, order: str) -> None:
    wanted = in_order(found(town), order)
    assert ids(found(town, sortby=order)) == wanted
    assert ids(walk(client_of(town), str(ask(town, sortby=order, limit=7).request.url))) == wanted


@pytest.mark.parametrize("asked", [{"bbox": "11.3825,49.6285,11.385,49.6295"}, {"datetime": "1960-01-01/.."}], ids=str)
def test_what_is_narrowed_is_sorted_and_counted(town: Town, asked: dict[str, str]) -> None:
    wanted = in_order(found(town, **asked), "-anzahl,art")
    page = ask(town, sortby="-anzahl,art", limit=4, **asked)
    assert (page.json()["numberMatched"], page.json()["numberReturned"]) == (len(wanted), 4)
    assert ids(walk(client_of(town), str(page.request.url))) == wanted


def test_every_type_is_walked_through_with_a_step_of_one(town: Town) -> None:
    for order in ("geprueft,-baum_nr", "-hoehe_m"):
        wanted = in_order(found(town, "administration"), order)
        address = str(ask(town, "administration", sortby=order, limit=13).request.url)
        assert ids(walk(client_of(town, "administration"), address)) == wanted


def test_the_first_characters_of_a_text_decide(town: Town) -> None:
    """The cursor holds what the last item shows, and no address becomes too long for it."""
    shown = bind(TREES, [("sortby", "a_text")])
    after = cursor(Key("u0yj", UUID(int=1), ("𝔄" * 128,)))
    assert len(after) < 800
    assert bind(TREES, [("sortby", "a_text"), ("cursor", after)]).params == {"after0": "𝔄" * 128}
    assert "left(" in Pages(TREES, shown).statement("citizen").sql


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["text", "integer", "number", "boolean", "date", "datetime"]), st.booleans()),
        min_size=1, max_size=6, unique_by=lambda told: told[0],
    ),
    st.data(),
)  # fmt: skip
def test_a_cursor_says_the_values_that_it_was_given(told: list[tuple[str, bool]], data: st.DataObject) -> None:
    values = {
        "text": st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=128).map(str.encode),
        "integer": st.integers(-(2**63), 2**63 - 1),
        "number": st.floats(allow_nan=False, allow_infinity=False),
        "boolean": st.booleans(),
        "date": st.dates(),
        "datetime": st.datetimes(timezones=st.just(UTC)),
    }
    drawn = [data.draw(st.none() | values[type_]) for type_, _ in told]
    asked = [("sortby", ",".join(f"{'-' if falls else ''}a_{type_}" for type_, falls in told))]
    after = Key("u0yj", UUID(int=7), tuple(map(_written, drawn)))
    params = bind(TREES, [*asked, ("cursor", cursor(after))]).params
    assert [params[f"after{number}"] for number in range(len(told))] == [v.decode() if isinstance(v, bytes) else v for v in drawn]


@pytest.mark.parametrize(("value", "text"), [(None, None), (True, "true"), (date(2026, 1, 2), "2026-01-02"), (0.1, "0.1"), (7, "7")])
def test_a_value_is_written_as_a_query_string_writes_it(value: Any, text: str | None) -> None:
    assert _written(value) == text


KEY = Key("u0yj", UUID(int=1))


@pytest.mark.parametrize(
    "asked",
    [
        *([("sortby", order)] for order in (
            "", ",", "art,", ",art", "-", "+", "--art", "art,art", "art,-art", "Art", "art desc", "art;gepflanzt", "nix", "id", "_place", "_feature",
            "geometry", "art\x00", "1", "*", "art'", "(art)", "pate", "vermerk", "'; DROP TABLE x--", "a" * 3000, "-+art", "~art", "art:asc", "ａrt",
        )),
        *([("properties", names)] for names in (
            "", ",", "art,", "nix", "Art", "art,art", "geometry", "id", "*", "-art", "art;anzahl", "pate", "vermerk", "art\x00", "_geometry", "a" * 3000,
            "art,nix", "properties.art", "[art]", '"art"',
        )),
    ],
    ids=str,
)  # fmt: skip
def test_what_is_no_property_is_refused(town: Town, asked: list[tuple[str, str]]) -> None:
    refused = client_of(town).get("/citizen/collections/baeume/items", params=asked)
    assert (refused.status_code, refused.json()["parameter"]) == (400, asked[0][0])


@pytest.mark.parametrize(
    ("order", "after"),
    [
        ("", Key("u0yj", KEY.id, ("x",))), ("a_text", KEY), ("a_text", Key("u0yj", KEY.id, ("x", "y"))), ("a_integer", Key("u0yj", KEY.id, ("x",))),
        ("a_integer", Key("u0yj", KEY.id, ("99999999999999999999",))), ("a_number", Key("u0yj", KEY.id, ("nan",))),
        ("a_date", Key("u0yj", KEY.id, ("2026-02-30",))), ("a_datetime", Key("u0yj", KEY.id, ("2026-02-03",))),
        ("a_boolean", Key("u0yj", KEY.id, ("TRUE",))), ("a_text", Key("u0yj", KEY.id, ("x" * 129,))), ("a_text", Key("u0yj", KEY.id, ("\x00",))),
        ("a_text", Key("u'--", KEY.id, ("x",))), ("a_text", Key("u" * 21, KEY.id, ("x",))),
    ],
)  # fmt: skip
def test_a_cursor_of_another_order_is_refused(order: str, after: Key) -> None:
    asked = [*([("sortby", order)] if order else []), ("cursor", cursor(after))]
    with pytest.raises(InvalidParameter) as refused:
        bind(TREES, asked)
    assert refused.value.extra == {"parameter": "cursor"}


@pytest.mark.parametrize("parameter", ["sortby", "properties"])
def test_a_hidden_name_is_as_unknown_as_one_that_never_was(town: Town, parameter: str) -> None:
    hidden, absent = (ask(town, **{parameter: name}).content.replace(name.encode(), b"?") for name in ("vermerk", "vqrzxrk"))
    assert hidden == absent


def test_less_of_an_item_is_the_same_item(town: Town) -> None:
    for names in ("art", "anzahl, art", "geschuetzt,gepflanzt,hoehe_m,anzahl,art"):
        kept = [name.strip() for name in names.split(",")]
        wanted = [f | {"properties": {k: v for k, v in f["properties"].items() if k in kept}} for f in found(town)]
        assert found(town, properties=names) == wanted
        assert list(found(town, properties=names)[0]["properties"]) == [name for name in found(town)[0]["properties"] if name in kept]


def test_less_of_an_item_in_another_crs_in_another_order(town: Town) -> None:
    crs = "http://www.opengis.net/def/crs/EPSG/0/25832"
    wanted = {f["id"]: f["geometry"] for f in found(town, crs=crs)}
    features = found(town, crs=crs, properties="art", sortby="-anzahl")
    assert {f["id"]: f["geometry"] for f in features} == wanted
    assert ids(features) == in_order(found(town), "-anzahl")
    assert {tuple(f["properties"]) for f in features} == {("art",)}


def test_a_page_for_people_shows_the_columns_asked_for(town: Town) -> None:
    page = ask(town, f="html", properties="art").text
    assert ">Art</th>" in page
    assert ">Gepflanzt</th>" not in page
