"""Policy tests: what they judge, how a difference reads, and what they have seen of the grants."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.approving import approve_all
from twin_api.policy.load import load
from twin_api.policy.trial import Trial, run_examples

FULL = Path(__file__).parent / "full"

# the example of the design, as printed there
TOWN = """\
town: {name: Musterdorf, ags: "09572999", epsg: 25832, languages: [de, en]}
pages: {imprint: https://musterdorf.example}
departments: {wasser: Wasser und Abwasser, bauhof: Bauhof, bauamt: Bauamt, feuerwehr: Feuerwehr, isb: Informationssicherheit, dsb: Datenschutz}
classes:
  public:   {title: Öffentlich,        ground: "…", seen_by: [citizen, council, council/*, administration, administration/*]}
  internal: {title: Intern,            ground: "…", seen_by: [council, council/*, administration, administration/*]}
  personal: {title: Personenbezogen,   ground: "…", seen_by: [administration/bauamt]}
  kritis:   {title: Kritische Anlagen, ground: "…", seen_by: [administration, administration/wasser, administration/bauhof, administration/feuerwehr]}
"""
MANHOLES = """\
layer: kanalschaechte
title: {de: Kanalschächte, en: Manholes}
owner: wasser
source: {holder: Markt Musterdorf, licence: dl-de/by-2-0, terms: own}     # own | open | internal-only
purpose: Betrieb und Sanierung der Kanalisation, § 56 WHG
classified: {by: wasser, on: 2026-11-20, review: 2027-11-30}
group: abwassernetz          # layers of one group must not betray each other's place
existence: kritis            # that this one is there, and how many there are
geometry: {type: PointZ, epsg: 25832, heights: DHHN2016, class: kritis}
attributes:
  schacht_nr: {title: {de: Schachtnummer, en: Manhole number}, type: text, class: internal, key: true, locates: true}
  baujahr:    {title: {de: Baujahr, en: Year built}, type: integer, class: public}
  sohle_m:    {title: {de: Sohlhöhe, en: Invert level}, type: number, unit: m, class: kritis, locates: true}
  zustand:    {title: {de: Zustand, en: Condition}, type: text, class: internal, enum: {gut: good, mittel: fair, schlecht: poor}}
  bemerkung:  {title: {de: Bemerkung, en: Remark}, type: text, class: internal, free_text: true}
"""
CITIZEN = """\
role: citizen
access: anonymous
collections:
  kanalzustand:                                   # no manhole leaves the house: one figure per district
    from: kanalschaechte
    rows: all
    group_by: ortsteile
    figures: {schaechte: count, sanierungsbedarf: {share: {zustand: [schlecht]}, round: 10}}
    at_least: 20
    refresh: yearly
    release: {of: [existence, geometry, zustand], reason: "Marktgemeinderat 12.11.2026, TOP 7", approve: [wasser, isb], heard: [dsb], until: 2027-12-31}
"""
COUNCIL = """\
role: council
access: login
includes: citizen                                 # one level; an own grant of the same name replaces it and must show at least as much
collections:
  kanalschaechte:
    rows: {zustand: [mittel, schlecht]}
    geometry: {grid_m: 100}                       # the cell's centre, no height
    attributes: {baujahr: {round: 10}, zustand: keep}
    release: {of: [existence, geometry], reason: "Haushalt 2027", approve: [wasser, isb], heard: [dsb], until: 2027-03-31}
"""
ADMINISTRATION = """\
role: administration
access: token
includes: citizen
collections: {kanalschaechte: {rows: all, geometry: keep, attributes: all}}
parts:
  bauhof: {kanalschaechte: {rows: all, geometry: xy, attributes: {schacht_nr: keep, zustand: keep}}}
"""
TESTS = """\
layer: kanalschaechte
rows:
  K1: {schacht_nr: K-014, baujahr: 1987, sohle_m: 412.37, zustand: schlecht, geometry: [631512.4, 5498020.9, 415.02]}
  K2: {schacht_nr: K-015, baujahr: 2004, sohle_m: 411.90, zustand: gut, geometry: [631560.0, 5498031.5, 414.60]}
expect:
  citizen: {kanalzustand: nothing}
  council: {K1: {baujahr: 1990, zustand: schlecht, geometry: [631550, 5498050]}, K2: hidden}
  administration/bauhof: {K1: {schacht_nr: K-014, zustand: schlecht, geometry: [631512.4, 5498020.9]}, K2: {schacht_nr: K-015, zustand: gut, geometry: [631560.0, 5498031.5]}}
"""


@pytest.fixture
def printed(tmp_path: Path) -> Path:
    """A folder of what the design prints."""
    districts = (FULL / "layers/ortsteile.yaml").read_text(encoding="utf-8").replace("bauhof", "bauamt")
    files = {
        "town": TOWN,
        "citizen": CITIZEN,
        "council": COUNCIL,
        "administration": ADMINISTRATION,
        "layers/kanalschaechte": MANHOLES,
        "layers/ortsteile": districts,
        "tests/kanalschaechte": TESTS,
    }
    for name, text in files.items():
        (tmp_path / f"{name}.yaml").parent.mkdir(exist_ok=True)
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    return tmp_path


@pytest.fixture
def full(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FULL, tmp_path / "policies"))


def tried(folder: Path, file: str = "", old: str = "", new: str = "") -> Trial:
    """The tests of the folder after one change."""
    if file:
        text = (folder / file).read_text(encoding="utf-8")
        assert text.count(old) == 1, f"`{old}` stands {text.count(old)} times in {file}"
        (folder / file).write_text(text.replace(old, new), encoding="utf-8")
    return run_examples(load(folder))


def differences(trial: Trial) -> list[str]:
    return [failure.say().de for failure in trial.failures]


def test_the_example_of_the_design_passes_as_printed(printed: Path) -> None:
    trial = tried(printed)
    assert differences(trial) == []
    assert {result.subject for result in trial.results} == {
        ("citizen", "kanalzustand"), ("council", "kanalzustand"), ("administration/bauhof", "kanalzustand"),
        *((role, "kanalschaechte", row) for role in ("council", "administration/bauhof") for row in ("K1", "K2")),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("file", "old", "new", "difference"),
    [
        ("council.yaml", "{round: 10}", "{round: 5}", "tests/kanalschaechte.yaml:7: council · kanalschaechte · K1: `baujahr`: erwartet 1990, gefunden 1985"),
        ("council.yaml", "[mittel, schlecht]", "[mittel]", "K1: erwartet {baujahr: 1990, zustand: schlecht, geometry: [631550.0, 5498050.0]}, gefunden `hidden`"),
        ("council.yaml", "[mittel, schlecht]", "[gut, schlecht]", "K2: erwartet `hidden`, gefunden {baujahr: 2000, zustand: gut, geometry: [631550.0, 5498050.0]}"),
        ("council.yaml", "{grid_m: 100}", "{grid_m: 50}", "`geometry`: erwartet [631550.0, 5498050.0], gefunden [631525.0, 5498025.0]"),
        ("administration.yaml", "zustand: keep}", "zustand: keep, baujahr: keep}", "`baujahr` wird gezeigt ("),
        ("administration.yaml", "{schacht_nr: keep, ", "{", "`schacht_nr` wird nicht gezeigt"),
        ("tests/kanalschaechte.yaml", "}, K2: hidden}", "}}", None),
        ("tests/kanalschaechte.yaml", "schlecht, geometry: [631550, 5498050]}, K2: hidden}", "schlecht}}", "`geometry` wird gezeigt ([631550.0, 5498050.0]), steht aber nicht im Test"),
        ("tests/kanalschaechte.yaml", "citizen: {kanalzustand: nothing}", "citizen: {K1: hidden, kanalschaechte: nothing}", None),
        ("tests/kanalschaechte.yaml", "citizen: {kanalzustand: nothing}", "citizen: {K1: {baujahr: 1987}}", "citizen · kanalschaechte · K1: die Rolle hat keine solche Collection"),
        ("tests/kanalschaechte.yaml", "citizen: {kanalzustand: nothing}", "citizen: {kanalzustand: {Nord: {schaechte: 1}}}", "citizen · kanalzustand · Nord: diese Gruppe gibt es nicht"),
    ],
)  # fmt: skip
def test_a_change_of_what_is_shown_fails_and_says_how(printed: Path, file: str, old: str, new: str, difference: str | None) -> None:
    found = differences(tried(printed, file, old, new))
    assert [difference in text for text in found if difference] == ([True] * len(found) if difference else []), found
    assert bool(found) is bool(difference)


def test_a_role_with_two_collections_over_the_layer_wants_rows_under_one_of_them(full: Path) -> None:
    found = differences(
        tried(full, "council.yaml", "parts:", "  baumliste: {from: baeume, rows: all, geometry: keep, attributes: {art: keep}}\nparts:")
    )
    assert len(found) == 4, "rows named without a collection belong to the one called like the layer; in the other, all four are shown"
    assert all("council · baumliste" in text and "erwartet `hidden`" in text for text in found)


def test_figures_are_judged_group_by_group(full: Path) -> None:
    tests = "layer: baeume\nrows:\n" + "".join(f"  L{n}: {{art: Linde}}\n" for n in range(8)) + "expect:\n  citizen: {}\n"
    seen = ", ".join(f"L{n}: {{art: Linde, hoehe_m: null, gepflanzt: null, notiz: null, geometry: null}}" for n in range(8))
    tests += f"  council: {{baeume: {{{seen}}}, baumarten: nothing}}\n"
    (full / "tests/baeume.yaml").write_text(tests, encoding="utf-8")
    assert differences(tried(full)) == ["tests/baeume.yaml:13: council · baumarten · Linde: `anzahl`: erwartet keine, gefunden 10"]
    assert differences(tried(full, "tests/baeume.yaml", "baumarten: nothing", "baumarten: {Linde: {anzahl: 10}, Eiche: {anzahl: 0}}")) == []


def test_the_clock_stands_at_the_day_of_the_file(full: Path) -> None:
    found = differences(tried(full, "tests/baeume.yaml", "day: 2026-06-15", "day: 2026-06-16"))
    assert len(found) == 1
    assert "citizen · baeume · Neu: erwartet `hidden`" in found[0]
    (gone,) = differences(tried(full, "tests/baeume.yaml", "day: 2026-06-16\n", ""))
    assert "Alt" in gone, "without a day it is that of the classification, before the embargo ends"


def test_a_release_that_waits_or_is_over_counts_as_open(full: Path) -> None:
    tests = "layer: schaechte\nrows: {N1: {baujahr: 1987, zustand: schlecht, geometry: [5, 5, 1]}}\nexpect:\n  council: {N1: {baujahr: 1990, zustand: schlecht, geometry: [50, 50]}}\n"
    (full / "tests/schaechte.yaml").write_text(tests, encoding="utf-8")
    (full / "approvals.yaml").unlink(missing_ok=True)
    assert differences(tried(full, "council.yaml", "until: 2027-03-31", "until: 2020-03-31")) == []


def test_coverage_tells_what_no_test_has_seen(full: Path) -> None:
    covered = {(c.role, c.collection): c for c in tried(full).coverage}
    trees = covered["citizen", "baeume"]
    assert (trees.seen, [claim.de for claim in trees.missing]) == (11, ["ein Wert, den die Maske ändert: geometry area ortsteile"])
    manholes = {claim.en for claim in covered["council", "schaechte"].missing}
    assert "a row for which this does not hold: baujahr < 1970" in manholes
    assert covered["council", "schaechte"].seen == 0
    assert [claim.de for claim in covered["council", "baumarten"].missing] == ["eine Gruppe mit Zahlen"]
    assert ("council", "ortsteile") not in covered, "an included grant is covered where it stands"


def test_a_difference_reads_in_english_too(full: Path) -> None:
    (failure,) = tried(full, "tests/baeume.yaml", "hoehe_m: 10 bis unter 20", "hoehe_m: unter 5").failures
    assert failure.say().say("en") == "tests/baeume.yaml:14: citizen · baeume · Alt: `hoehe_m`: expected unter 5, found 10 bis unter 20"


def test_the_full_folder_holds_every_approval_asked_for(full: Path) -> None:
    approve_all(full)
    assert not [g for role in load(full).roles.values() for many in role.grants.values() for g in many if g.missing]
