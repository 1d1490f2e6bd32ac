"""`twin policy test | explain | approve`, as a data officer types them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.cli.test_commands import twin
from tests.towns import Town

NewTown = Callable[..., Town]
FULL = Path(__file__).parents[1] / "policy" / "full"


def test_tests_are_run_and_a_failing_one_ends_with_exit_code_1(new_town: NewTown) -> None:
    town = new_town(FULL, apply=False)
    passed = twin(town, "policy", "test", "--coverage")
    assert passed.returncode == 0, passed.stderr
    assert "Alle 27 Erwartungen stimmen." in passed.stdout
    assert "91 %  citizen · baeume (citizen.yaml:6)" in passed.stdout
    assert "es fehlt ein Wert, den die Maske ändert: geometry area ortsteile" in passed.stdout
    town.edit("tests/baeume.yaml", "10 bis unter 20", "unter 5")
    failed = twin(town, "policy", "test", TWIN_LANG="en")
    assert failed.returncode == 1
    assert "tests/baeume.yaml:14: citizen · baeume · Alt: `hoehe_m`: expected unter 5, found 10 bis unter 20" in failed.stdout
    assert "1 of 27 expectations do not hold." in failed.stderr


def test_an_item_is_explained_term_by_term_without_its_values(town: Town) -> None:
    with town.login("owner") as connection:
        row = connection.execute("SELECT id, baum_nr FROM store.baeume WHERE status = 'gefaellt' LIMIT 1").fetchone()
    assert row is not None
    said = twin(town, "policy", "explain", "citizen", "baeume", "--id", str(row[0]))
    assert said.returncode == 0, said.stderr
    assert "status IN ('steht'): falsch" in said.stdout
    assert "Der Grant zeigt dieses Objekt nicht." in said.stdout
    assert row[1] not in said.stdout
    nowhere = twin(town, "policy", "explain", "citizen", "baeume", "--id", "00000000-0000-4000-8000-000000000000")
    assert nowhere.returncode == 1
    assert "kein Objekt" in nowhere.stderr


def test_a_withdrawn_item_is_said_to_be_withdrawn(new_town: NewTown) -> None:
    town = new_town()
    with town.superuser() as connection:
        row = connection.execute("SELECT id FROM store.baeume WHERE status = 'steht' LIMIT 1").fetchone()
        assert row is not None
        asked = ("policy", "explain", "citizen", "baeume", "--id", str(row[0]))
        assert "zurückgezogen" not in twin(town, *asked).stdout
        connection.execute("CREATE TABLE IF NOT EXISTS published.withdrawn (collection text, layer text, item uuid)")
        connection.execute(f"ALTER TABLE published.withdrawn OWNER TO {town.database}_owner".encode())
        connection.execute("INSERT INTO published.withdrawn (collection, layer, item) VALUES ('baeume', 'baeume', %s)", [row[0]])
    assert "zurückgezogen" in twin(town, *asked).stdout


def test_a_question_about_nothing_is_answered_with_the_nearest_name(town: Town) -> None:
    ended = twin(town, "policy", "explain", "citizn", "baeume")
    assert ended.returncode == 1
    assert "gemeint ist wohl `citizen`" in ended.stderr


def test_departments_approve_one_after_the_other(new_town: NewTown) -> None:
    town = new_town(apply=False)
    (town.policies_folder / "approvals.yaml").unlink()
    approve = ("policy", "approve", "council", "kanalschaechte", "--by", "M. Beispiel", "--department")
    first = twin(town, *approve, "wasser")
    assert first.returncode == 0, first.stderr
    assert "es fehlt die Zustimmung von isb" in first.stdout
    assert twin(town, *approve, "wasser").returncode == 1
    assert "nur gehört" in twin(town, *approve, "dsb").stderr
    assert "Alle Zustimmungen liegen vor" in twin(town, *approve, "isb").stdout
    assert "noch nicht" not in twin(town, "policy", "check").stdout
