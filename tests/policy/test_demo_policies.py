"""The demo town's own policies: they load, and show what their comments promise."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from twin_api.policy.documents import Grant, Policies
from twin_api.policy.load import load
from twin_api.policy.masks import Grid, KeepGeometry, Xy
from twin_api.policy.rule import shows

FOLDER = Path(__file__).parents[2] / "policies"
OPEN_DAY = date(2027, 12, 31)
INSPECTION = {"zustand", "geprueft_am", "maengel", "pruefer", "schaden_eur", "zustandsnote", "bemerkung"}


@pytest.fixture(scope="module")
def demo() -> Policies:
    return load(FOLDER)


def seen(demo: Policies, role: str, day: date = OPEN_DAY) -> dict[str, Grant]:
    return dict(demo.roles[role].open_on(day))


def test_citizens_see_no_manhole_and_nothing_of_an_inspection(demo: Policies) -> None:
    grants = seen(demo, "citizen")
    assert set(grants) == {"gebaeude", "strassen", "landnutzung", "freizeitflaechen"}
    assert not {name for grant in grants.values() for name in grant.attributes} & INSPECTION


@pytest.mark.parametrize(("kind", "shown"), [("house", True), (None, True), ("garage", False), ("hut", False)])
def test_citizens_see_houses_and_no_sheds(demo: Policies, kind: str | None, shown: bool) -> None:
    assert shows(seen(demo, "citizen")["gebaeude"].rows, {"art": kind}) is shown


def test_the_council_sees_manholes_on_a_grid_until_the_release_ends(demo: Policies) -> None:
    assert seen(demo, "council")["kanalschaechte"].geometry == Grid(100)
    assert "kanalschaechte" not in seen(demo, "council", date(2028, 1, 1))


def test_only_the_building_office_sees_who_inspected(demo: Policies) -> None:
    assert [role for role in demo.roles if "pruefer" in seen(demo, role)["gebaeude"].attributes] == ["administration/bauamt"]


def test_the_yard_finds_manholes_without_their_height(demo: Policies) -> None:
    assert seen(demo, "administration/bauhof")["kanalschaechte"].geometry == Xy()
    assert seen(demo, "administration/wasser")["kanalschaechte"].geometry == KeepGeometry()


def test_every_role_sees_every_collection_of_the_citizens(demo: Policies) -> None:
    assert all(set(seen(demo, "citizen")) <= set(seen(demo, role)) for role in demo.roles)
