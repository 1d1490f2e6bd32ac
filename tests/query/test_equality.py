"""`property=value`: equality by the property's own type; a name is known only if the collection shows it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.query.asked import ask, found
from tests.town.rows import ROWS
from tests.towns import Town

ODD = 'Späth\'s "Erle" \\ %s :x 0x41 ß☃'
STANDING = [row for row in ROWS["baeume"] if row["status"] == "steht"]


@pytest.mark.parametrize(
    ("name", "text", "number"),
    [
        ("art", "Linde", sum(row["art"] == "Linde" for row in STANDING)),
        ("art", ODD, 1),
        ("art", "linde", 0),
        ("art", "Linde ", 0),
        ("art", "", 0),
        ("art", "' OR true --", 0),
        ("gepflanzt", "1960-03-01", 1),
        ("hoehe_m", "20", 1),
        ("hoehe_m", "20.0", 1),
        ("hoehe_m", "2e1", 1),
        ("hoehe_m", "-1", 1),
        ("hoehe_m", "1e308", 0),
        ("anzahl", "1", sum(row["anzahl"] == 1 for row in STANDING)),
        ("anzahl", "+2", sum(row["anzahl"] == 2 for row in STANDING)),
        ("anzahl", str(2**63 - 1), 0),
        ("geschuetzt", "true", sum(row["geschuetzt"] for row in STANDING)),
        ("geschuetzt", "false", sum(not row["geschuetzt"] for row in STANDING)),
    ],
)
def test_a_property_finds_the_items_that_have_the_value(town: Town, name: str, text: str, number: int) -> None:
    features = found(town, **{name: text})
    assert len(features) == number
    assert len({str(feature["properties"][name]) for feature in features}) <= 1


def test_a_moment_is_found_in_any_offset(town: Town) -> None:
    there, here = (found(town, "administration", geprueft=text) for text in ("2026-01-17T11:22:33Z", "2026-01-17T12:22:33+01:00"))
    assert there == here != []


def test_properties_and_boxes_narrow_together(town: Town) -> None:
    both = found(town, art="Linde", geschuetzt="true", datetime="1950-01-01/1960-12-31", bbox="11,49,12,50")
    wanted = [row for row in STANDING if row["art"] == "Linde" and row["geschuetzt"] and row["gepflanzt"] and row["gepflanzt"].year <= 1960]
    assert len(both) == len(wanted) > 0


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("anzahl", "1.0"), ("anzahl", "one"), ("anzahl", ""), ("anzahl", str(2**63)), ("anzahl", "9" * 400), ("anzahl", "1_0"), ("anzahl", "١"),
        ("hoehe_m", "NaN"), ("hoehe_m", "inf"), ("hoehe_m", "1e999"), ("hoehe_m", "1,5"), ("hoehe_m", "0x1p3"), ("hoehe_m", ""),
        ("geschuetzt", "TRUE"), ("geschuetzt", "1"), ("geschuetzt", "yes"), ("gepflanzt", "1960"), ("gepflanzt", "1960-03-01T00:00:00Z"),
        ("gepflanzt", "1960-02-30"), ("art", "a\x00b"),
    ],
)  # fmt: skip
def test_a_value_of_another_type_is_refused_with_what_would_be_right(town: Town, name: str, text: str) -> None:
    refused = ask(town, **{name: text})
    assert (refused.status_code, refused.json()["parameter"]) == (400, name)
    assert refused.json()["detail"].startswith(f"`{name}` verlangt ")


@pytest.mark.requirement("/req/queryables-query-parameters/parameters")
def test_a_value_that_a_list_does_not_show_is_refused_whether_or_not_it_is_hidden(town: Town) -> None:
    assert len(found(town, "council", "kanalschaechte", zustand="schlecht")) > 0
    assert len(found(town, "administration", "kanalschaechte", zustand="gut")) > 0
    hidden, never = (ask(town, "council", "kanalschaechte", zustand=value) for value in ("gut", "xyz"))
    assert (hidden.status_code, hidden.json()) == (400, never.json())
    assert hidden.json()["detail"] == "`zustand` verlangt eines von `mittel`, `schlecht`"


def test_a_filter_may_name_a_value_that_a_list_does_not_show_and_finds_nothing_of_it(town: Town) -> None:
    """A filter is total: what was valid before a list of values changed goes on being valid, and hidden values are like those that never were."""
    asked = ("zustand = '{}'", "zustand IN ('{}')", "casei(zustand) LIKE casei('{}%')", "zustand BETWEEN '{0}' AND '{0}'")
    for text in asked:
        hidden, never = (ask(town, "council", "kanalschaechte", filter=text.format(value)) for value in ("gut", "xyz"))
        assert (hidden.status_code, hidden.json()["features"]) == (never.status_code, never.json()["features"]) == (200, [])
    every = len(found(town, "council", "kanalschaechte"))
    assert len(found(town, "council", "kanalschaechte", filter="NOT zustand = 'xyz'")) == every > 0


@pytest.mark.parametrize(("name", "near"), [("arte", "art"), ("Art", "art"), ("limitt", "limit"), ("bbx", "bbox"), ("hoehe", "hoehe_m")])
@pytest.mark.requirement("/req/core/query-param-unknown")
def test_an_unknown_name_is_refused_with_a_close_one(town: Town, name: str, near: str) -> None:
    refused = ask(town, **{name: "1"})
    assert (refused.status_code, refused.json()["parameter"]) == (400, name)
    assert f"meinten Sie `{near}`?" in refused.json()["detail"]


@pytest.mark.parametrize("hidden", ["status", "pate", "vermerk", "baum_nr", "_place", "_feature", "_mercator", "_geometry", "id"])
def test_a_hidden_name_is_as_unknown_as_one_that_never_was(town: Town, hidden: str) -> None:
    never = "qqq" + hidden
    one, other = (ask(town, **{name: "1"}).text for name in (hidden, never))
    assert one == other.replace(never, hidden)


@pytest.mark.parametrize("name", ["limit", "bbox", "datetime", "art", "f", "cursor", "nix"])
def test_a_parameter_is_given_once(town: Town, name: str) -> None:
    twice: dict[str, Any] = {name: ["1", "1"]}
    refused = ask(town, **twice)
    assert (refused.status_code, refused.json()["parameter"]) == (400, name)
