"""Two keys: what leaves its class needs a release that lists exactly that."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from tests.approving import approve_all
from twin_api.policy.documents import Policies
from twin_api.policy.finding import Finding, render
from twin_api.policy.load import load
from twin_api.policy.masks import Grid, Keep, KeepGeometry
from twin_api.policy.matrix import matrix

Spoil = Callable[[str, str, str], tuple[Finding, ...]]

RELEASE = "    release: {of: [existence, geometry], reason: Haushalt, approve: [wasser], until: 2027-03-31}\n"
OF = "of: [existence, geometry]"
TREES = "    attributes: {art: keep, hoehe_m: {round: 5}}\n"
TREE_LIST = "  baumliste: {from: baeume, rows: all, geometry: keep, attributes: all}\n"
TREE_RELEASE = "    release: {of: [art], reason: x, approve: [isb], until: 2027-03-31}\n"


@pytest.mark.parametrize(
    ("file", "old", "new", "where", "said"),
    [
        ("council.yaml", RELEASE, "", 9, "mehr, als die Klasse erlaubt: `existence`, `geometry`"),
        ("council.yaml", OF, "of: [existence]", 13, "fehlt `geometry`. `of: [existence, geometry]` schreiben"),
        ("council.yaml", OF, "of: [existence, geometry, zustand]", 13, "nennt zu viel: `zustand`"),
        ("council.yaml", OF, "of: []", 13, "die Liste `of` ist leer"),
        ("council.yaml", OF, "of: [existence, geometri]", 13, "Gemeint ist wohl `geometry`"),
        ("council.yaml", "reason: Haushalt", "reason: ''", 13, "hier fehlt der Wert"),
        ("council.yaml", "approve: [wasser]", "approve: [waser]", 13, "Gemeint ist wohl `wasser`"),
        ("council.yaml", "approve: [wasser]", "approve: []", 13, "die Liste `approve` ist leer"),
        ("council.yaml", "until: 2027-03-31", "until: 31.03.2027", 13, "`31.03.2027` ist kein Datum"),
        ("council.yaml", "geometry: {grid_m: 100}", "geometry: hide", 13, "nennt zu viel: `geometry`"),
        ("council.yaml", "rows: {zustand: [schlecht]}", "rows: {sohle_m: {to: 400}}", 13, "fehlt `sohle_m`"),
        ("council.yaml", "rows: {zustand: [schlecht]}", "rows: sohle_m < 400", 13, "fehlt `sohle_m`"),
        ("council.yaml", "{zustand: keep}", "{zustand: keep, sohle_m: {round: 10}}", 13, "fehlt `sohle_m`"),
        ("citizen.yaml", TREES, TREES + TREE_RELEASE, 8, "überflüssig: nichts verlässt seine Klasse"),
        ("citizen.yaml", "{art: keep,", "{art: keep, gesehen: keep,", 4, "mehr, als die Klasse erlaubt: `gesehen`"),
        ("citizen.yaml", "{art: keep,", "{art: keep, neu: keep,", 7, "`neu` ist ungeprüft"),
        ("citizen.yaml", TREES, "    attributes: {neu: keep}\n" + TREE_RELEASE.replace("art", "neu"), 7, "`neu` ist ungeprüft"),
        ("citizen.yaml", "{art: [Linde]}", "{neu: [x]}", 5, "`neu` ist ungeprüft"),
        ("layers/satzungen.yaml", "existence: public", "existence: unreviewed", 8, "`existence` ist ungeprüft"),
        ("layers/satzungen.yaml", "text, class: public", "text, class: public, free_text: true", 10, "Freitext wie `titel` kann Namen"),
        (
            "citizen.yaml",
            "  satzungen:\n",
            "  schaechte: {rows: all, geometry: hide, attributes: {}}\n  satzungen:\n",
            8,
            "internen Gebrauch",
        ),
    ],
)
def test_a_release_lists_exactly_what_leaves_its_class(spoil: Spoil, file: str, old: str, new: str, where: int, said: str) -> None:
    findings = spoil(file, old, new)
    role_file = file if not file.startswith("layers/") else "citizen.yaml"
    assert {str(finding.place) for finding in findings} == {f"{role_file}:{where}"}, render(findings, "de")
    assert said in render(findings, "de")


def changed(small: Path, file: str, old: str, new: str) -> Policies:
    path = small / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    return load(small)


def test_a_part_is_judged_by_its_own_name(small: Path) -> None:
    """`administration/wasser` sees class kritis, `administration/bauhof` does not."""
    assert load(small).roles["administration/wasser"].grants["schaechte"][0].release is None
    with pytest.raises(Exception, match="`administration/bauhof` more than the class allows: `existence`, `geometry`, `sohle_m`"):
        changed(
            small,
            "administration.yaml",
            "  wasser:\n",
            "  bauhof:\n    schaechte: {rows: all, geometry: xy, attributes: {sohle_m: keep}}\n  wasser:\n",
        )


def test_all_attributes_are_those_whose_class_the_role_sees(small: Path) -> None:
    policies = changed(small, "administration.yaml", "collections:\n", f"collections:\n{TREE_LIST}")
    grant = policies.roles["administration"].grants["baumliste"][0]
    assert "notiz" in grant.attributes
    assert "neu" not in grant.attributes
    assert set(grant.attributes.values()) == {Keep()}


def test_an_included_grant_keeps_the_release_of_its_own_file(small: Path) -> None:
    """`titel` leaves its class for citizens only; council includes the grant and needs no release for it."""
    layer = small / "layers/satzungen.yaml"
    layer.write_text(layer.read_text(encoding="utf-8").replace("class: public", "class: internal"), encoding="utf-8")
    titles = "    attributes: {titel: keep}\n"
    policies = changed(small, "citizen.yaml", titles, titles + TREE_RELEASE.replace("art", "titel"))
    (included,) = policies.roles["council"].grants["satzungen"]
    assert included.release is not None
    assert included.file_role == "citizen"
    assert "satzungen" not in policies.roles["council"].open_on(date(2028, 1, 1))


def test_an_expired_release_closes_the_collection_and_nothing_else(small: Path) -> None:
    council = load(small).roles["council"]
    assert "schaechte" in council.open_on(date(2027, 3, 31))
    assert set(council.open_on(date(2027, 4, 1))) == {"baeume", "satzungen"}


def test_when_an_own_release_expires_the_included_grant_is_in_force(small: Path) -> None:
    trees = "    attributes: {art: keep, hoehe_m: keep}\n"
    release = "    release: {of: [existence], reason: x, approve: [isb], until: 2027-03-31}\n"
    (small / "layers/baeume.yaml").write_text(
        (small / "layers/baeume.yaml").read_text(encoding="utf-8").replace("existence: public", "existence: open"), encoding="utf-8"
    )
    classes = "  open: {title: Offen, ground: x, seen_by: [citizen]}\n  internal:"
    town = small / "town.yaml"
    town.write_text(town.read_text(encoding="utf-8").replace("  internal:", classes), encoding="utf-8")
    changed(small, "council.yaml", trees, trees + release)
    approve_all(small)
    council = load(small).roles["council"]
    assert council.open_on(date(2027, 3, 31))["baeume"].geometry == KeepGeometry()
    assert council.open_on(date(2027, 4, 1))["baeume"].geometry == Grid(10)


def test_the_matrix_tells_who_sees_what_on_a_day(small: Path) -> None:
    rows = {(row.role, row.collection): row for row in matrix(load(small), date(2027, 3, 31))}
    manholes = rows["council", "schaechte"]
    assert (manholes.rows, manholes.geometry, manholes.attributes) == ("zustand IN ('schlecht')", "grid_m 100", "zustand keep")
    assert manholes.until == date(2027, 3, 31)
    assert rows["council/bauausschuss", "baeume"].attributes == "art keep, hoehe_m round 5"
    assert ("citizen", "schaechte") not in rows
