"""Seeded mistakes are refused with a row that shows them and the two lines at fault; what is right is accepted, however it is said."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
import sqlalchemy as sa

from tests.policy.proof.cases import cases, files_of, marked_lines
from tests.towns import Connection, Town
from twin_api.layers.table import COLUMN_TYPES, STORE
from twin_api.policy.documents import Grant, Policies
from twin_api.policy.finding import Finding, PolicyInvalid
from twin_api.policy.load import load, load_applied, load_texts
from twin_api.policy.proof import solver
from twin_api.policy.proof.check import check_council
from twin_api.policy.proof.claim import claims
from twin_api.policy.proof.prover import Prover, Verdict
from twin_api.publish.layers import apply_layers
from twin_api.publish.predicate import Place, predicate
from twin_api.publish.statement import PlainGeometry, sql_text
from twin_api.settings import PROJECT

BAD, GOOD = cases("bad"), cases("good")
SPOT = "SRID=25832;POINT(5 5)"


def findings_of(texts: Mapping[str, str]) -> tuple[Finding, ...]:
    try:
        return check_council(load_texts(texts)).in_order()
    except PolicyInvalid as invalid:
        return invalid.findings


def refuted(policies: Policies) -> list[Verdict]:
    prover = Prover(policies)
    return [verdict for verdict in map(prover.decide, claims(policies)) if not verdict.holds]


def good_files(name: str) -> dict[str, str]:
    grants = {
        role: "baeume:\n" + "".join(f"  {word}: {said}\n" for word, said in {**grant, "geometry": "keep", "attributes": "{}"}.items())
        for role, grant in GOOD[name].items()
    }
    return files_of(grants)


def test_there_are_enough_of_either() -> None:
    assert len(BAD) >= 20
    assert len(GOOD) >= 10


def written(value: Any) -> str:
    return "NULL" if value is None else "false" if value is False else str(value)


@pytest.mark.parametrize("name", BAD)
def test_a_bad_policy_is_refused_with_a_counterexample_and_the_lines_at_fault(name: str) -> None:
    texts = files_of(BAD[name])
    found = findings_of(texts)
    assert len(found) == 1, found
    shown = [line.say("en") for line in found[0].shown]
    assert shown[0].startswith("Counterexample")
    assert set(marked_lines(texts)) <= set(shown)
    for attribute, value in BAD[name].get("row", {}).items():
        assert f"{attribute} = {written(value)}" in f"{shown[0]},".replace("'", "")


@pytest.mark.parametrize("name", BAD)
def test_the_thorough_proof_refutes_it_too(name: str) -> None:
    assert [verdict.result for verdict in refuted(load_applied(files_of(BAD[name])))][:1] == ["refuted"]


@pytest.mark.parametrize("name", GOOD)
def test_a_good_policy_is_accepted_though_its_words_do_not_show_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    policies = load_texts(good_files(name))
    assert refuted(policies) == []
    monkeypatch.setattr(solver, "is_installed", lambda: False)
    (found,) = findings_of(good_files(name))
    assert ": not proved: `council` sees of `baeume` at least what `citizen` sees (rows)" in found.render("en")
    assert "pip install 'twin-api[proof]'" in found.render("de")


def counting(name: str, rows: str) -> str:
    return f"{name}: {{from: baeume, rows: {rows}, group_by: ortsteile, figures: {{n: count}}, at_least: 5, refresh: yearly}}\n"


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("stamm_cm > 4", "stamm_cm >= 5", True),
        ("NOT (art = 'Linde' OR gesund = TRUE)", "NOT (gesund = TRUE) AND NOT (art = 'Linde')", True),
        ("stamm_cm > 4", "stamm_cm >= 4", False),
        ("stamm_cm >= 4", "stamm_cm > 4", False),
    ],
)
def test_figures_count_the_same_rows_in_whatever_words(one: str, other: str, is_same: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = files_of({"citizen": counting("zahlen", f'"{one}"'), "council": counting("andere", f'"{other}"')})
    assert [finding.what.say("en").partition(" than ")[0] for finding in findings_of(texts)] == (
        [] if is_same else ["the figures over `baeume` count other rows"]
    )
    monkeypatch.setattr(solver, "is_installed", lambda: False)
    assert len(findings_of(texts)) == 1


def test_figures_whose_rows_stand_in_the_same_words_need_no_prover(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solver, "is_installed", lambda: False)
    rows = "{art: [Linde], stamm_cm: {from: 5}}"
    assert findings_of(files_of({"citizen": counting("zahlen", rows), "council": counting("andere", rows)})) == ()


def test_without_the_prover_what_words_show_is_accepted_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solver, "is_installed", lambda: False)
    said = {name: [finding.render("en") for finding in findings_of(files_of(case))] for name, case in BAD.items()}
    assert all(len(found) == 1 for found in said.values())
    assert "the attribute `art` is missing. Show at least" in said["an attribute is forgotten"][0]
    assert "not proved" in said["a range begins one later"][0]
    plain = {
        "citizen": "baeume: {rows: {art: [Linde]}, geometry: keep, attributes: {}}\n",
        "council": "baeume: {rows: {art: [Linde, Eiche]}, geometry: keep, attributes: {}}\n",
    }
    assert findings_of(files_of(plain)) == ()


def test_the_sample_town_holds_with_and_without_the_prover(monkeypatch: pytest.MonkeyPatch) -> None:
    policies = load(PROJECT / "policies")
    assert refuted(policies) == []
    monkeypatch.setattr(solver, "is_installed", lambda: False)
    assert check_council(load(PROJECT / "policies")) == []


COUNCIL_ONLY = {
    "citizen": "ortsteile: {rows: all, geometry: keep, attributes: {}}\n",
    "administration": "ortsteile: {rows: all, geometry: keep, attributes: all}\n",
}


def test_an_exception_is_declared_by_a_reason_at_the_end_of_the_line_or_by_the_class() -> None:
    grant = "baeume: {rows: all, geometry: keep, attributes: {art: keep}}"
    assert findings_of(files_of({**COUNCIL_ONLY, "council": f"{grant}\n"}))
    assert findings_of(files_of({**COUNCIL_ONLY, "council": f"{grant}  # geprüft: Sache des Rats, 12.11.2026\n"})) == ()
    kept = "baeume: {rows: all, geometry: keep, attributes: {beratung: keep}}\n"
    assert findings_of(files_of({"citizen": COUNCIL_ONLY["citizen"], "council": kept})) == ()


def test_a_grant_of_the_administration_that_ends_with_its_release_does_not_count() -> None:
    seen = {**COUNCIL_ONLY, "council": "baeume: {rows: all, geometry: keep, attributes: {art: keep}}\n"}
    lasting = "baeume: {rows: all, geometry: keep, attributes: {art: keep}}\n"
    release = "release: {of: [beratung], reason: Haushalt, approve: [bauhof], until: 2027-12-31}"
    ending = f"baeume: {{rows: all, geometry: keep, attributes: {{art: keep, beratung: keep}}, {release}}}\n"
    assert findings_of(files_of({**seen, "administration": lasting})) == ()
    assert "more than the administration sees" in findings_of(files_of({**seen, "administration": ending}))[0].render("en")


def test_a_question_left_open_is_no_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(*_: Any) -> None:
        raise solver.Undecided("timeout")

    monkeypatch.setattr(solver, "_answer", silent)
    name = next(iter(GOOD))
    assert findings_of(good_files(name))
    assert {verdict.result for verdict in refuted(load_applied(good_files(name)))} == {"open"}


@pytest.fixture(scope="module")
def store(new_town: Callable[..., Town]) -> Iterator[Connection]:
    town = new_town(rows=False, apply=False)
    with town.login("owner") as connection:
        apply_layers(connection, load_applied(files_of(next(iter(BAD.values())))).layers)
        yield connection


def sees(store: Connection, grant: Grant, policies: Policies) -> bool:
    """Whether the database finds the one row of the table by the grant's rule."""
    types = {name: a.type for name, a in policies.layers["baeume"].attributes.items()}
    columns: list[Any] = [sa.column(name, COLUMN_TYPES[type_]) for name, type_ in types.items()]
    table = sa.table("baeume", sa.column("geometry", PlainGeometry()), *columns, schema=STORE).alias("r")
    asked = sa.select(sa.func.count()).select_from(table).where(predicate(grant.shown_rows, table, Place(True, policies.town.time_zone)))
    row = store.execute(sql_text(asked).encode()).fetchone()
    return row == (1,)


@pytest.mark.parametrize("name", BAD)
def test_the_database_agrees_with_every_counterexample(store: Connection, name: str) -> None:
    policies = load_applied(files_of(BAD[name]))
    verdict = refuted(policies)[0]
    if verdict.pair is not None:
        return check_pair(store, verdict)
    assert verdict.witness is not None
    row, areas = verdict.witness.row, verdict.witness.areas
    store.execute("DELETE FROM store.baeume")
    store.execute("DELETE FROM store.ortsteile")
    store.execute(
        f"INSERT INTO store.baeume ({', '.join(row)}, geometry) VALUES ({', '.join(['%s'] * len(row))}, %s)".encode(), [*row.values(), SPOT]
    )
    for district in (value for value in areas.values() if value is not None):
        store.execute(
            "INSERT INTO store.ortsteile (ortsteil, geometry) VALUES (%s, postgis.ST_Buffer(%s::postgis.geometry, 1))", [district, SPOT]
        )
    assert sees(store, verdict.claim.lower, policies)
    assert not any(sees(store, upper, policies) for upper in verdict.able)
    return None


def check_pair(store: Connection, verdict: Verdict) -> None:
    """The upper role's mask shows both values alike in the database, the lower one's tells them apart."""
    assert verdict.pair is not None
    subject = verdict.claim.subject
    for grant, is_alike in ((verdict.claim.uppers[0], True), (verdict.claim.lower, False)):
        shown = [masked(store, grant, subject, value) for value in (verdict.pair.one, verdict.pair.other)]
        assert (shown[0] == shown[1]) is is_alike


def masked(store: Connection, grant: Grant, subject: str, value: Any) -> Any:
    mask: Any = grant.geometry if subject == "geometry" else grant.attributes[subject]
    if subject == "geometry":
        point = sa.func.ST_MakePoint(sa.literal(value[0]), sa.literal(value[1]))
        asked: Any = sa.select(sa.func.ST_AsText(mask.sql(point)))
    else:
        type_ = {"hoehe_m": "number", "stamm_cm": "integer", "gepflanzt": "date"}[subject]
        text = sa.literal(value.isoformat() if hasattr(value, "isoformat") else repr(value))
        given = sa.select(sa.cast(text, COLUMN_TYPES[type_]).label("v")).subquery("s")
        asked = sa.select(mask.sql(given.c.v))
    row = store.execute(sql_text(asked).encode()).fetchone()
    assert row is not None
    return row[0]
