"""`datetime`: instants and intervals over a collection's temporal property; what has no time always matches."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from tests.query.asked import ask, found
from tests.towns import Town
from twin_api.query.window import bind
from twin_api.store.collection import Collection, Description, Property
from twin_api.texts import Text

UNDATED = 1  # the trees stand planted from 1950-03-01 to 1989-03-01, one a year; one has no date


@pytest.mark.requirement("/req/core/fc-time-response")
@pytest.mark.parametrize(
    ("asked", "dated"),
    [
        ("1960-03-01", 1),
        ("1960-03-02", 0),
        ("1960-03-01T00:00:00Z", 1),
        ("1960-03-01T23:59:59.999999Z", 1),
        ("1960-03-01t23:59:59z", 1),
        ("1960-03-02T01:00:00+02:00", 1),  # still the first of March in UTC
        ("1960-03-02T01:00:00-02:00", 0),
        ("1960-03-01/1960-03-01", 1),
        ("1960-03-01/1962-03-01", 3),
        ("1960-03-02/1962-02-28", 1),
        ("1960-03-01T12:00:00Z/1961-03-01T00:00:00Z", 2),
        ("../1959-12-31", 10),
        ("/1959-12-31", 10),
        ("1980-01-01/..", 10),
        ("1980-01-01/", 10),
        ("0001-01-01/9999-12-31", 40),
        ("0001-01-01T00:00:00Z/9999-12-31T23:59:59.999999Z", 40),
        ("1800-01-01/1900-01-01", 0),
        ("2100-01-01/..", 0),
    ],
)
def test_a_time_finds_what_lies_in_it_and_what_has_no_date(town: Town, asked: str, dated: int) -> None:
    features = found(town, datetime=asked)
    assert len(features) == dated + UNDATED
    assert sum(feature["properties"]["gepflanzt"] is None for feature in features) == UNDATED


@pytest.mark.parametrize(
    "asked",
    [
        "", "/", "../..", "..", "../", "/..", "1960", "1960-03", "1960-02-30", "1960-13-01", "0000-01-01", "10000-01-01", "1960-03-01T00:00:00",
        "1960-03-01T24:00:01Z", "1960-03-01T00:00Z", "1960-03-01T00:00:00+25:00", "1960-03-01T00:00:00.1234567Z", "1960-03-01 00:00:00Z",
        "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "1960-03-01/1960-02-29", "1960-03-01/1960-03-02/1960-03-03", "1960-03-01//1960-03-02",
        "1960-03-01/P1D", "yesterday", "1960-03-01\x00", "١٩٦٠-03-01", "1960-03-01/NaN", "-1960-03-01", "1960-W09-1", "1960-03-01T00:00:00ZZ", "9" * 4000,
    ],
)  # fmt: skip
def test_a_time_that_is_none_is_refused(town: Town, asked: str) -> None:
    refused = ask(town, datetime=asked)
    assert (refused.status_code, refused.json()["parameter"]) == (400, "datetime")


@pytest.mark.requirement("/req/core/fc-time-definition")
def test_a_collection_without_times_matches_every_time_but_no_nonsense(town: Town) -> None:
    assert len(found(town, "administration", "kanalschaechte", datetime="1960-01-01")) == 24
    assert ask(town, "administration", "kanalschaechte", datetime="soon").status_code == 400


@pytest.mark.parametrize(
    ("asked", "bounds"),
    [
        ("2026-01-02", ("2026-01-02T00:00:00", "2026-01-02T23:59:59.999999")),
        ("2026-01-02T03:04:05+01:00", ("2026-01-02T02:04:05", "2026-01-02T02:04:05")),
        ("2026-01-02/2026-01-03T00:00:00Z", ("2026-01-02T00:00:00", "2026-01-03T00:00:00")),
    ],
)
def test_a_day_is_all_its_moments_where_the_property_is_a_moment(asked: str, bounds: tuple[str, str]) -> None:
    told = Description(Text("x"), (Property("at", "datetime", Text("At")),), None, None, "at", "", "")
    params = bind(Collection("x", told, 0, None, None, ""), [("datetime", asked)]).params
    assert (params["time_from"], params["time_to"]) == tuple(datetime.fromisoformat(bound).replace(tzinfo=UTC) for bound in bounds)


def test_moments_are_found_by_the_day_and_by_the_second(new_town: Callable[..., Town]) -> None:
    town = new_town(apply=False)
    town.edit("layers/baeume.yaml", "datetime: gepflanzt", "datetime: geprueft")
    town.settle()
    role = "administration"
    assert len(found(town, role, datetime="2026-01-17")) == len(found(town, role, datetime="2026-01-17T11:22:33Z")) > 0
    assert len(found(town, role, datetime="2026-01-17T11:22:34Z")) == 0
    assert len(found(town, role, datetime="2026-01-17T12:22:33+01:00/..")) == 59
