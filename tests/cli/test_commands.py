"""The commands of a data officer and of an administrator, as they type them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.towns import Town

NewTown = Callable[..., Town]
PROJECT = str(Path(__file__).parents[2])  # the tree that these tests stand in, wherever the command is installed from


def twin(town: Town, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command `twin` in an environment that knows the town and nothing else."""
    told = {
        "TWIN_DATABASE_URL": town.admin, "TWIN_SECRETS": str(town.secrets.folder), "TWIN_POLICIES": str(town.policies_folder),
        "TWIN_HOME": str(town.folder), "PATH": "/usr/bin:/bin", "COLUMNS": "200", "PYTHONPATH": PROJECT, **environment,
    }  # fmt: skip
    return subprocess.run([sys.executable, "-m", "twin_api.cli", *arguments], env=told, capture_output=True, text=True, cwd=town.folder)


def test_a_wrong_policy_is_told_whole_with_file_line_and_remedy_and_nothing_changes(new_town: NewTown) -> None:
    town = new_town()
    town.edit("citizen.yaml", "art: keep", "artt: keep, vermerk: keep")
    for command in ("check", "apply"):
        ended = twin(town, "policy", command)
        assert ended.returncode == 1
        assert "citizen.yaml:7" in ended.stderr
        assert "`artt`" in ended.stderr
        assert "Traceback" not in ended.stderr
    assert "art" in town.client_for("citizen").get("collections/baeume/items").json()["features"][0]["properties"]


def test_a_release_without_all_its_approvals_shows_nothing_and_is_told(new_town: NewTown) -> None:
    town = new_town()
    council = town.client_for("council")
    assert council.get("collections/kanalschaechte").status_code == 200
    town.edit("council.yaml", "{grid_m: 100}", "{grid_m: 200}")
    said = twin(town, "policy", "check").stdout
    assert "`kanalschaechte` wird noch nicht gezeigt, es fehlt die Zustimmung von" in said
    assert "twin policy approve council kanalschaechte" in said
    assert twin(town, "policy", "apply").returncode == 0
    assert council.get("collections/kanalschaechte").status_code == 404


def test_check_names_the_approval_that_is_missing_and_how_it_is_given(new_town: NewTown) -> None:
    town = new_town(apply=False)
    (town.policies_folder / "approvals.yaml").write_text("approvals: []\n", encoding="utf-8")
    assert "es fehlt die Zustimmung von" in twin(town, "policy", "check").stdout
    assert "`twin policy approve council " in twin(town, "policy", "check", TWIN_LANG="en").stdout


def test_a_changed_policy_is_live_at_once(new_town: NewTown) -> None:
    town = new_town()
    citizen = town.client_for("citizen")
    assert "art" in citizen.get("collections/baeume/items").json()["features"][0]["properties"]
    town.edit("citizen.yaml", "art: keep, ", "")
    assert twin(town, "policy", "apply").returncode == 0
    assert "art" not in citizen.get("collections/baeume/items").json()["features"][0]["properties"]
    assert citizen.get("collections/baeume/items?art=Linde").status_code == 400
    assert "keine abweichung" in twin(town, "policy", "drift").stdout.lower()


def test_drift_is_told_with_exit_code_1_and_rebuild_mends_it(new_town: NewTown) -> None:
    town = new_town()
    with town.superuser() as connection:
        connection.execute("ALTER TABLE store.baeume DISABLE TRIGGER USER")
        connection.execute("DELETE FROM store.baeume WHERE status = 'steht'")
        connection.execute("ALTER TABLE store.baeume ENABLE TRIGGER USER")
    assert twin(town, "policy", "drift").returncode == 1
    assert twin(town, "policy", "rebuild").returncode == 0
    assert twin(town, "policy", "drift").returncode == 0
    assert town.client_for("citizen").get("collections/baeume").json().get("extent", {}) == {}


def test_the_matrix_shows_three_different_twins(town: Town) -> None:
    shown = twin(town, "policy", "matrix").stdout
    for word in ("citizen", "council", "administration/bauhof", "grid_m 100", "round 10", "status"):
        assert word in shown


def test_layers_alone_grow_and_leave_what_is_published_to_the_policies(new_town: NewTown) -> None:
    town = new_town()
    town.edit("layers/baeume.yaml", "  pate:", "  kronen_m: {title: {de: Krone, en: Crown}, type: number, unit: m, class: public}\n  pate:")
    assert twin(town, "layers", "apply").stdout == "baeume: neues Attribut `kronen_m`\n"
    town.edit("layers/baeume.yaml", "type: integer", "type: text")
    refused = twin(town, "layers", "apply")
    assert refused.returncode == 1
    assert "baeume.anzahl" in refused.stderr
    assert "twin policy apply" in refused.stderr
    applied = twin(town, "policy", "apply")
    assert applied.stdout.splitlines()[0] == "baeume: `anzahl` ist jetzt `text`, bisher `integer`"
    assert "entspricht" in twin(town, "layers", "apply").stdout


def test_an_earlier_version_stands_on_a_store_that_has_grown_but_not_on_one_that_lacks_something(new_town: NewTown) -> None:
    town = new_town()
    town.edit("layers/baeume.yaml", "  pate:", "  kronen_m: {title: {de: Krone, en: Crown}, type: number, unit: m, class: public}\n  pate:")
    town.edit("citizen.yaml", "art: keep", "art: keep, kronen_m: keep")
    assert twin(town, "policy", "apply").returncode == 0
    assert twin(town, "policy", "revert").returncode == 0
    assert "kronen_m" not in town.client_for("citizen").get("collections/baeume/items").text
    town.edit("layers/baeume.yaml", "  vermerk:   {", "  notiz: {was: vermerk, ")
    assert twin(town, "policy", "apply").returncode == 0
    refused = twin(town, "policy", "revert")
    assert refused.returncode == 1
    assert refused.stderr.startswith("baeume.vermerk fehlt im Speicher")
    assert town.drift() == []


def test_what_the_store_cannot_follow_is_refused_with_every_reason(new_town: NewTown) -> None:
    town = new_town()
    town.edit("layers/baeume.yaml", "type: boolean", "type: date")
    town.edit("layers/baeume.yaml", "  vermerk:", "  notiz:")
    refused = twin(town, "policy", "apply")
    assert refused.returncode == 1
    assert [line.split()[0] for line in refused.stderr.split("\n") if line] == ["baeume.vermerk", "baeume.geschuetzt"]
    assert town.drift() == []


def test_a_layer_without_a_file_is_left_in_the_store_and_shown_to_nobody(new_town: NewTown) -> None:
    town = new_town()
    (town.policies_folder / "layers" / "bauantraege.yaml").unlink()
    town.edit("administration.yaml", "  bauamt: {bauantraege: {rows: all, geometry: keep, attributes: all}}\n", "")
    assert "bauantraege" in twin(town, "layers", "apply").stdout
    assert twin(town, "policy", "apply").returncode == 0
    assert town.client("administration/bauamt").get("/administration/bauamt").status_code == 404
    assert town.drift() == []


def test_drift_says_that_files_are_not_applied_yet(new_town: NewTown) -> None:
    town = new_town()
    town.edit("citizen.yaml", "art: keep, ", "")
    ended = twin(town, "policy", "drift")
    assert ended.returncode == 0
    assert "citizen.yaml" in ended.stdout


def test_a_broken_address_is_refused_without_printing_its_password(town: Town) -> None:
    for address in ("chef:geheim123@db.example/gemeinde", "host=db user=chef password=geh eim123", "host=db user=chef password=geheim123"):
        ended = twin(town, "migrate", TWIN_DATABASE_URL=address)
        assert ended.returncode == 1
        assert "TWIN_DATABASE_URL" in ended.stderr
        assert "eim123" not in ended.stderr + ended.stdout


def test_a_wrong_setting_is_named(town: Town) -> None:
    for name, value in (("TWIN_LANG", "fr"), ("TWIN_POOL_SIZE", "x")):
        ended = twin(town, "policy", "check", **{name: value})
        assert ended.returncode == 1
        assert name in ended.stderr
        assert "Traceback" not in ended.stderr


def test_a_command_in_the_wrong_folder_leaves_nothing_behind(town: Town) -> None:
    empty = town.folder / "elsewhere"
    told = {"TWIN_HOME": str(empty), "TWIN_POLICIES": str(town.policies_folder), "PATH": "/usr/bin:/bin"}
    ended = subprocess.run(
        [sys.executable, "-m", "twin_api.cli", "token", "list"], env=told, capture_output=True, text=True, cwd=town.folder
    )
    assert ended.returncode == 1
    assert "twin migrate" in ended.stderr
    assert not empty.exists()


def test_serving_a_role_that_is_none_is_refused_in_one_line(town: Town) -> None:
    for roles in ("bürger", "council/", "citizen,../x"):
        ended = twin(town, "serve", "--roles", roles, PORT="0")
        assert ended.returncode != 0
        assert "Traceback" not in ended.stderr


def test_applying_policies_makes_the_layers_too(new_town: NewTown) -> None:
    town = new_town(apply=False)
    ended = twin(town, "policy", "apply")
    assert ended.returncode == 0
    assert "baeume: neuer Layer" in ended.stdout.splitlines()


def test_a_token_is_made_listed_without_its_secret_and_revoked(new_town: NewTown) -> None:
    town = new_town()
    made = twin(town, "token", "create", "--role", "council", "--role", "administration/bauhof", "--name", "Tablet", "--expires", "8h")
    token = made.stdout.strip()
    client = town.client(Authorization=f"Bearer {token}")
    assert client.get("/council/collections").status_code == 200
    listed = twin(town, "token", "list").stdout
    assert "Tablet" in listed
    assert token.split("_")[2] not in listed
    assert twin(town, "token", "revoke", "Tablet").returncode == 0
    assert twin(town, "token", "revoke", "nobody").returncode == 1


def test_a_database_that_is_away_is_said_in_one_line(town: Town) -> None:
    for arguments in (["token", "list"], ["policy", "drift"], ["migrate"]):
        ended = twin(town, *arguments, TWIN_DATABASE_URL="host=/nonexistent dbname=x user=y password=geheim")
        assert ended.returncode == 1
        assert "Die Datenbank antwortet nicht" in ended.stderr
        assert "Traceback" not in ended.stderr
        assert "geheim" not in ended.stderr


@pytest.mark.parametrize("expires", ["0d", "366d", "90", "soon", "-1d", "99999h"])
def test_a_token_lasts_a_year_at_most(town: Town, expires: str) -> None:
    ended = twin(town, "token", "create", "--role", "council", "--name", "x", f"--expires={expires}")
    assert ended.returncode == 1
    assert ended.stdout == ""


def test_a_token_for_an_unknown_role_is_refused(town: Town) -> None:
    ended = twin(town, "token", "create", "--role", "administration/feuerwehr", "--name", "x")
    assert ended.returncode == 1
    assert "administration/bauhof" in ended.stderr
