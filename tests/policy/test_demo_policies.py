"""The sample town's own policies: they load, their tests hold, they show what their comments promise, and use every word once."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from twin_api.policy.documents import Grant, Policies
from twin_api.policy.lint import lint
from twin_api.policy.load import load
from twin_api.policy.masks import GEOMETRY_MASKS, VALUE_MASKS, Area, Grid, KeepGeometry, Xy
from twin_api.policy.rule import All, And, Due, In, Inside, shows
from twin_api.policy.trial import run_examples

FOLDER = Path(__file__).parents[2] / "policies"
OPEN_DAY = date(2027, 6, 1)
KRITIS = {"kanalschaechte", "kanalhaltungen", "wassernetz", "stromnetz", "hydranten", "hochwasser_gebaeude"}


@pytest.fixture(scope="module")
def demo() -> Policies:
    return load(FOLDER)


def seen(demo: Policies, role: str, day: date = OPEN_DAY) -> dict[str, Grant]:
    return dict(demo.roles[role].open_on(day))


def test_citizens_see_nothing_of_what_is_critical_but_figures(demo: Policies) -> None:
    critical = [grant for grant in seen(demo, "citizen").values() if grant.layer in KRITIS]
    assert {grant.collection for grant in critical} == {"kanalzustand", "hochwasserzahlen"}
    assert all(grant.figures is not None and grant.figures.at_least >= 10 for grant in critical)


def test_nobody_but_the_departments_in_charge_sees_an_owner(demo: Policies) -> None:
    who = {role for role in demo.roles for grant in seen(demo, role).values() if "eigentuemer" in grant.attributes}
    assert who == {"administration/bauamt", "administration/kaemmerei"}


@pytest.mark.parametrize(("use", "shown"), [("wohnen", True), (None, False), ("garage", False)])
def test_citizens_see_houses_and_no_garages(demo: Policies, use: str | None, shown: bool) -> None:
    assert shows(seen(demo, "citizen")["gebaeude"].rows, {"nutzung": use}) is shown


def test_the_council_sees_manholes_on_a_grid_until_the_release_ends(demo: Policies) -> None:
    assert seen(demo, "council")["kanalschaechte"].geometry == Grid(100)
    assert seen(demo, "council")["leerstand_ortsteile"].geometry == Area("ortsteile", True, ("name",))
    assert "kanalschaechte" not in seen(demo, "council", date(2027, 11, 1))


def test_the_yard_finds_manholes_without_their_height(demo: Policies) -> None:
    assert seen(demo, "administration/bauhof")["kanalschaechte"].geometry == Xy()
    assert seen(demo, "administration/wasser")["kanalschaechte"].geometry == KeepGeometry()


def test_every_role_sees_every_collection_of_the_citizens(demo: Policies) -> None:
    assert all(set(seen(demo, "citizen")) <= set(seen(demo, role)) for role in demo.roles)


def test_every_word_of_the_language_is_used(demo: Policies) -> None:
    grants = [grant for role in demo.roles.values() for grants in role.grants.values() for grant in grants]
    assert {grant.geometry.word for grant in grants} == {mask.word for mask in GEOMETRY_MASKS}
    assert {mask.word for grant in grants for mask in grant.attributes.values()} == {mask.word for mask in VALUE_MASKS}
    assert {figure.kind for grant in grants if grant.figures for figure in grant.figures.figures} == {"count", "share", "sum", "mean"}
    terms = [term for grant in grants for term in (grant.shown_rows.terms if isinstance(grant.shown_rows, And) else (grant.shown_rows,))]
    assert {All, In, Inside, Due} <= {type(term) for term in terms}
    assert any(attribute.reviewed for layer in demo.layers.values() for attribute in layer.attributes.values())
    assert {layer.theme for layer in demo.layers.values()} == set(demo.town.themes)
    assert any(class_.audited for class_ in demo.town.classes.values())
    assert demo.roles["citizen"].announce


def test_its_tests_hold_and_nothing_gives_concern(demo: Policies) -> None:
    assert run_examples(demo).failures == ()
    assert lint(demo) == []


def test_every_release_has_its_approvals(demo: Policies) -> None:
    assert [grant.place for role in demo.roles.values() for grants in role.grants.values() for grant in grants if grant.missing] == []
