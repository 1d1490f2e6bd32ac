"""What runs out: in order, with who must act and what happens then."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from tests.policy.editing import edit, reload
from twin_api.policy.due import deadlines, horizon_of, waiting
from twin_api.policy.load import load

UNTIL = date(2027, 3, 31)


def test_nothing_is_due_long_before(small: Path) -> None:
    assert deadlines(load(small), date(2026, 6, 1)) == []


def test_the_most_urgent_comes_first_and_the_last_day_is_not_overdue(small: Path) -> None:
    found = deadlines(load(small), UNTIL)
    assert [due.day for due in found] == [date(2027, 1, 1)] * 3 + [UNTIL]
    assert [due.is_overdue for due in found] == [True, True, True, False]
    assert all(due.is_overdue for due in deadlines(load(small), date(2027, 4, 1)))


def test_a_release_tells_its_line_who_acts_and_what_closes(small: Path) -> None:
    (due,) = (due for due in deadlines(load(small), date(2027, 3, 25)) if due.kind == "release")
    assert (str(due.place), due.days_left, horizon_of(due)) == ("council.yaml:13", 6, 7)
    assert due.who == ("Wasser",)
    assert due.collections == ("schaechte (council)",)
    assert due.then.de == "die Collection verschwindet für council"


def test_a_release_over_an_included_grant_falls_back_to_what_citizens_see(small: Path) -> None:
    trees = "    attributes: {art: keep, hoehe_m: keep}\n"
    release = "    release: {of: [gesehen], reason: x, approve: [isb, bauhof], until: 2027-03-31}\n"
    edit(small, "layers/baeume.yaml", "type: datetime, class: internal", "type: datetime, class: kritis")
    edit(small, "council.yaml", trees, trees.replace("hoehe_m: keep", "hoehe_m: keep, gesehen: keep") + release)
    (due,) = (due for due in deadlines(reload(small), UNTIL) if due.kind == "release" and due.subject == "baeume")
    assert due.who == ("Bauhof", "Sicherheit")
    assert due.then.en == "council sees of `baeume` only what remains without this release"


def test_the_end_of_a_citizens_release_concerns_nobody_whose_own_grant_goes_on(small: Path) -> None:
    trees = "    attributes: {art: keep, hoehe_m: {round: 5}}\n"
    release = "    release: {of: [gesehen], reason: x, approve: [bauhof], until: 2027-03-31}\n"
    edit(small, "citizen.yaml", trees, trees.replace("art: keep", "art: keep, gesehen: keep") + release)
    edit(small, "council.yaml", "hoehe_m: keep}", "hoehe_m: keep, gesehen: keep}")
    (due,) = (due for due in deadlines(reload(small), UNTIL) if due.kind == "release" and due.subject == "baeume")
    assert due.collections == ("baeume (citizen, council/bauausschuss, administration, administration/wasser)",)
    assert due.then.en.startswith("the collection disappears for citizen, council/bauausschuss")


def test_a_review_names_the_collections_of_its_layer_and_the_department(small: Path) -> None:
    due = next(due for due in deadlines(load(small), date(2026, 12, 1)) if due.subject == "schaechte")
    assert (due.kind, str(due.place), due.days_left, horizon_of(due)) == ("review", "layers/schaechte.yaml:6", 31, 60)
    assert due.collections == ("schaechte (council, administration, administration/wasser)",)


def test_how_far_to_look_can_be_said(small: Path) -> None:
    assert deadlines(load(small), date(2026, 12, 1), within_days=30) == []
    assert len(deadlines(load(small), date(2026, 12, 2), within_days=30)) == 3


def test_releases_that_wait_for_approval_are_listed_once(small: Path) -> None:
    assert waiting(load(small)) == []
    (small / "approvals.yaml").write_text("approvals: []\n", encoding="utf-8")
    assert [(grant.collection, grant.missing) for grant in waiting(load(small))] == [("schaechte", ("wasser",))]
