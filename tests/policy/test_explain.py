"""Why something is shown or not, and who may approve it: in words of the files, never with a value of a row."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import shapely

from tests.approving import approve_all
from twin_api.policy.approvals import APPROVALS, ApprovalsUnwritable, add_approval, seal
from twin_api.policy.consent import ConsentRefused, consent
from twin_api.policy.documents import Policies
from twin_api.policy.explain import NothingToExplain, explain, explain_row, grant_of
from twin_api.policy.load import load
from twin_api.policy.masks import Reviewed
from twin_api.policy.rule import World
from twin_api.texts import Text

FULL = Path(__file__).parent / "full"
DAY = date(2026, 11, 25)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FULL, tmp_path / "policies"))


@pytest.fixture
def full(folder: Path) -> Policies:
    return load(folder)


def read(lines: Sequence[Text]) -> str:
    assert all(line.en for line in lines)
    return "\n".join(line.de for line in lines)


def test_a_grant_is_named_with_its_place_its_release_and_its_masks(full: Policies) -> None:
    said = read(explain(full, "council", "schaechte", DAY))
    for part in (
        "council.yaml:16: eigener Grant, gilt am 2026-11-25.",
        "council.yaml:20: Freigabe für `existence`, `geometry` bis 2027-03-31: Haushalt",
        "Zeilen (council.yaml:16): zustand = 'schlecht' OR baujahr < 1970",
        "Geometrie: grid_m 100; Klasse kritis (layers/schaechte.yaml), freigegeben in council.yaml:20",
        "`baujahr`: gezeigt, Maske round 10; Klasse public (layers/schaechte.yaml:12)",
        "`nr`: nicht gezeigt: es verriete den Ort, den `geometry` (grid_m 100) verbirgt; Klasse internal",
        "`tiefe_m`: nicht gezeigt, der Grant nennt es nicht; Klasse internal (layers/schaechte.yaml:14)",
    ):
        assert part in said


def test_an_own_grant_goes_before_an_included_one(full: Policies) -> None:
    said = read(explain(full, "council", "baeume", DAY, "notiz")).splitlines()
    assert said == [
        "council.yaml:5: eigener Grant, gilt am 2026-11-25.",
        "citizen.yaml:6: durch `includes` von citizen, gilt nicht, weil ein eigener Grant vorgeht.",
        "`notiz`: gezeigt, Maske keep; Klasse public (layers/baeume.yaml:19)",
    ]


def test_a_release_that_is_over_or_waits_says_so(full: Policies) -> None:
    late = read(explain(full, "council", "schaechte", date(2028, 1, 1)))
    assert "gilt nicht mehr: die Freigabe endete am 2027-03-31." in late
    assert "council sieht `schaechte` am 2028-01-01 nicht." in late
    council = full.roles["council"]
    waiting = replace(council.grants["schaechte"][0], missing=("wasser",))
    changed = replace(full, roles={**full.roles, "council": replace(council, grants={**council.grants, "schaechte": (waiting,)})})
    said = read(explain(changed, "council", "schaechte", DAY))
    assert "gilt noch nicht: es fehlt die Zustimmung von `wasser`." in said
    assert "twin policy approve council schaechte --department wasser" in said


def test_figures_say_which_attributes_go_into_them(full: Policies) -> None:
    said = read(explain(full, "citizen", "schachtzahlen", DAY))
    assert "Zahlen statt Objekten: anzahl count, schlecht share zustand in ('schlecht') round 10" in said
    assert "`zustand`: geht in Zahlen ein: `schlecht`; Klasse internal (layers/schaechte.yaml:13), freigegeben in citizen.yaml:22" in said
    assert "Geometrie: keine, nur Flächen" in said


def test_a_collection_that_is_not_granted_says_who_has_it_and_what_it_would_take(full: Policies) -> None:
    assert read(explain(full, "citizen", "schaechte", DAY)).splitlines() == [
        "citizen sieht `schaechte` nicht: in citizen.yaml gewährt das niemand.",
        "Es sehen sie: council (council.yaml:16), administration (administration.yaml:6), administration/wasser (administration.yaml:9).",
        "Nötig wäre ein Grant in citizen.yaml.",
        "Dazu eine Freigabe (`release`), soweit er davon etwas zeigt: `existence`, `geometry`, `nr`, `zustand`, `tiefe_m`.",
        "Die Klasse `kritis` (layers/schaechte.yaml) sehen höchstens: `administration`, `administration/wasser`.",
        "Die Klasse `internal` (layers/schaechte.yaml) sehen höchstens: `council`, `council/*`, `administration`, `administration/*`.",
    ]
    nobody = read(explain(full, "citizen", "zonen", DAY))
    assert "Es sehen sie" not in nobody
    assert "release" not in nobody


@pytest.mark.parametrize(
    ("question", "said"),
    [
        (("counsil", "baeume", None), "Eine Rolle `counsil` gibt es nicht; gemeint ist wohl `council`."),
        (("council", "baueme", None), "Eine Collection `baueme` gibt es nicht; gemeint ist wohl `baeume`."),
        (("council", "baeume", "hohe_m"), "Ein Attribut `hohe_m` gibt es nicht; gemeint ist wohl `hoehe_m`."),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(full: Policies, question: tuple[str, str, str | None], said: str) -> None:
    role, collection, attribute = question
    with pytest.raises(NothingToExplain) as nothing:
        explain(full, role, collection, DAY, attribute)
    assert nothing.value.why.de == said
    assert nothing.value.why.en


def test_each_term_of_a_rule_is_told_for_a_row_and_no_value_of_it(full: Policies) -> None:
    grant = grant_of(full, "citizen", "baeume", DAY)
    assert grant is not None
    row = {
        **dict.fromkeys(full.layers["baeume"].attributes),
        "art": "Buche",
        "freigabe_ab": date(2026, 1, 2),
        "nr": "KANARIE",
        "geometry": shapely.Point(50, 5),
    }
    world = World({"ortsteile": [{"name": "Nord", "geometry": shapely.box(0, 0, 10, 10)}]}, datetime(2026, 6, 1, tzinfo=UTC))
    said = read(explain_row(grant, row, world))
    assert said.splitlines() == [
        "  alle von: falsch",
        "    inside ortsteile.name IN ('Nord'): unbekannt (kein Wert), also nicht gezeigt",
        "    art IN ('Linde', 'Eiche'): falsch",
        "    freigabe_ab <= TODAY: wahr",
        "Der Grant zeigt dieses Objekt nicht.",
    ]
    council = grant_of(full, "council", "schaechte", DAY)
    assert council is not None
    manhole = {**dict.fromkeys(full.layers["schaechte"].attributes), "zustand": "gut", "baujahr": 1950, "geometry": None}
    assert read(explain_row(council, manhole, world)).splitlines()[0] == "  eines von: wahr"


def refused(full: Policies, role: str, collection: str, department: str, by: str = "M. Beispiel") -> str:
    with pytest.raises(ConsentRefused) as refusal:
        consent(full, role, collection, department, by, DAY)
    assert refusal.value.why.en
    return refusal.value.why.de


def test_a_department_that_is_asked_approves_once(folder: Path) -> None:
    (folder / APPROVALS).unlink()
    for department, left in (("wasser", ("isb",)), ("isb", ())):
        add_approval(folder / APPROVALS, consent(load(folder), "citizen", "schachtzahlen", department, 'Dr.  Ä. "Beispiel": #1', DAY)[1])
        assert load(folder).roles["citizen"].grants["schachtzahlen"][0].missing == left
    assert "schon zugestimmt" in refused(load(folder), "citizen", "schachtzahlen", "wasser")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("citizn", "schachtzahlen", "wasser"), "gemeint ist wohl `citizen`"),
        (("citizen", "schachtzahl", "wasser"), "gemeint ist wohl `schachtzahlen`"),
        (("citizen", "schachtzahlen", "waser"), "gemeint ist wohl `wasser`"),
        (("citizen", "schachtzahlen", "dsb"), "nur gehört"),
        (("citizen", "schachtzahlen", "bauhof"), "nicht um Zustimmung gefragt, sondern `wasser`, `isb`"),
        (("citizen", "baeume", "bauhof"), "keine Freigabe"),
        (("council", "schachtzahlen", "wasser"), "twin policy approve citizen schachtzahlen"),
    ],
)
def test_an_approval_that_nobody_asked_for_is_refused(full: Policies, asked: tuple[str, str, str], said: str) -> None:
    assert said in refused(full, *asked)


@pytest.mark.parametrize("name", ["", "   ", "a\u202eb", "a\0b", "x" * 201])
def test_an_approval_has_a_name_that_can_be_read(folder: Path, name: str) -> None:
    (folder / APPROVALS).unlink()
    assert "lesbaren Namen" in refused(load(folder), "citizen", "schachtzahlen", "wasser", name)


@pytest.mark.parametrize("text", ["approvals: []\n", "# leer\napprovals: []", "approvals: [] \n\n"])
def test_the_first_approval_goes_into_an_empty_list(folder: Path, text: str) -> None:
    (folder / APPROVALS).write_text(text, encoding="utf-8")
    approve_all(folder)
    assert load(folder).roles["council"].grants["schaechte"][0].missing == ()


def test_a_file_that_would_break_stays_as_it_is(folder: Path) -> None:
    line = (folder / APPROVALS).read_text(encoding="utf-8").splitlines()[-1].strip()
    odd = f"approvals:\n{line}\n"
    (folder / APPROVALS).write_text(odd, encoding="utf-8")
    approval = consent(load(folder), "citizen", "schachtzahlen", "wasser", "M. Beispiel", DAY)[1]
    with pytest.raises(ApprovalsUnwritable):
        add_approval(folder / APPROVALS, approval)
    assert (folder / APPROVALS).read_text(encoding="utf-8") == odd


def test_an_approval_ends_where_another_attribute_says_that_a_text_has_been_read() -> None:
    language = load(Path(__file__).parents[1] / "language" / "policies")
    grant = language.roles["citizen"].grants["baeume"][0]
    assert grant.missing == ()
    other = replace(grant, attributes={**grant.attributes, "befund": Reviewed("another")})
    assert seal(other) != seal(grant)
