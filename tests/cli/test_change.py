"""What changes with the policies, as a data officer sees it: diff, preview, apply, history, revert, withdraw, init."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.approving import approve_all
from tests.cli.test_commands import twin
from tests.towns import Town
from twin_api.policy.load import load

NewTown = Callable[..., Town]
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"


@pytest.fixture
def own(new_town: NewTown) -> Town:
    return new_town()


def test_diff_counts_rows_on_the_live_store_and_marks_what_widens(own: Town) -> None:
    assert "Keine Rolle sieht mehr oder weniger" in twin(own, "policy", "diff").stdout
    own.edit("citizen.yaml", "rows: {status: [steht]}", "rows: {status: [steht, geplant]}")
    own.edit("council.yaml", "{grid_m: 100}", "{grid_m: 500}")
    said = twin(own, "policy", "diff").stdout
    assert "Geänderte Dateien: citizen.yaml, council.yaml" in said
    assert re.search(r"citizen\n  ▲ baeume: geändert  \(citizen\.yaml:\d+\)\n      \+ 2 Zeilen, etwa " + UUID, said), said
    assert "kanalschaechte: entfällt" in said  # its release has to be approved anew
    assert re.search(r"Anwenden baut \d+ Tabellen mit etwa \d+ Zeilen", said)
    approve_all(own.policies_folder)
    said = twin(own, "policy", "diff", TWIN_LANG="en").stdout
    assert "− geometry coarser: grid_m 100 → grid_m 500" in said
    assert "CANARY" not in said


def test_diff_tells_attributes_gained_and_lost_and_precision(own: Town) -> None:
    own.edit("citizen.yaml", "art: keep, ", "status: keep, ")
    own.edit("council.yaml", "baujahr: {round: 10}", "baujahr: keep")
    approve_all(own.policies_folder)
    said = twin(own, "policy", "diff").stdout
    assert "+ Attribut `status` (keep)" in said
    assert "− Attribut `art`" in said
    assert "+ `baujahr` genauer: round 10 → keep" in said


def test_a_preview_shows_what_is_not_applied_to_nobody_else_and_leaves_nothing(own: Town) -> None:
    own.edit("citizen.yaml", "art: keep, ", "")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    told = {
        "TWIN_DATABASE_URL": own.admin, "TWIN_SECRETS": str(own.secrets.folder), "TWIN_POLICIES": str(own.policies_folder),
        "TWIN_HOME": str(own.folder), "PATH": "/usr/bin:/bin", "PYTHONUNBUFFERED": "1",
    }  # fmt: skip
    command = [sys.executable, "-m", "twin_api.cli", "policy", "preview", "--as", "council", "--port", str(port)]
    process = subprocess.Popen(command, env=told, stdout=subprocess.PIPE, text=True, cwd=own.folder)
    try:
        items = _until_there(f"http://127.0.0.1:{port}/council/collections/baeume/items?limit=1")
        assert "art" not in items["features"][0]["properties"]
        assert httpx.get(f"http://127.0.0.1:{port}/council/collections/kanalschaechte/items").json()["numberMatched"] > 0
        assert httpx.get(f"http://127.0.0.1:{port}/administration").status_code == 404
        assert "art" in own.client_for("citizen").get("collections/baeume/items").json()["features"][0]["properties"]
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(20)
        assert process.stdout is not None
        process.stdout.close()
    with own.superuser() as connection:
        assert connection.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE '%preview%'").fetchall() == []
        assert connection.execute("SELECT relname FROM pg_class WHERE relname LIKE 'preview%'").fetchall() == []
        login = f"{own.database}_council_preview"
        assert connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [login]).fetchall() == []


def _until_there(address: str) -> dict[str, list[dict[str, dict[str, object]]]]:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            return httpx.get(address).raise_for_status().json()  # type: ignore[no-any-return]
        except httpx.HTTPError:
            time.sleep(0.1)
    raise AssertionError(f"nothing answers at {address}")


def test_history_tells_every_apply_and_revert_goes_back_with_the_files(own: Town) -> None:
    before = (own.policies_folder / "citizen.yaml").read_text()
    own.edit("citizen.yaml", "rows: {status: [steht]}", "rows: all")
    assert twin(own, "policy", "apply").returncode == 0
    citizen = own.client_for("citizen")
    assert citizen.get("collections/baeume/items").json()["numberMatched"] == 59
    history = twin(own, "policy", "history").stdout.splitlines()
    assert "▲ 5 ▽ 0  citizen.yaml" in history[0]  # citizens and the four that include what they see
    said = twin(own, "policy", "revert", "--write").stdout
    assert "− 18 Zeilen" in said
    assert citizen.get("collections/baeume/items").json()["numberMatched"] == 41
    assert (own.policies_folder / "citizen.yaml").read_text() == before
    assert own.drift() == []
    assert twin(own, "policy", "revert", "99").returncode == 1


def test_control_keeps_matrix_reasons_and_differences(own: Town) -> None:
    own.edit("citizen.yaml", "art: keep, ", "")
    assert twin(own, "policy", "apply").returncode == 0
    with own.login("owner") as connection:
        row = connection.execute("SELECT matrix, reasons, diff, outcome FROM control.policy ORDER BY id DESC LIMIT 1").fetchone()
    assert row is not None
    matrix, reasons, diff, outcome = row
    assert {"citizen", "council"} <= {entry["role"] for entry in matrix}
    assert [entry["collection"] for entry in reasons] == ["kanalschaechte"]
    assert reasons[0]["approve"]
    assert {entry["lost"][0]["de"] for entry in diff if entry["role"] == "citizen"} == {"Attribut `art`"}
    assert outcome["rows"] > 0
    assert outcome["bytes"] > 0


def test_a_withdrawal_needs_one_command_and_lasts_until_it_is_lifted(own: Town) -> None:
    citizen = own.client_for("citizen")
    said = twin(own, "withdraw", "baeume")
    assert said.returncode == 0, said.stderr
    assert "Kein Zwilling zeigt es mehr" in said.stdout
    assert citizen.get("collections/baeume").status_code == 404
    assert twin(own, "policy", "apply").returncode == 0
    assert citizen.get("collections/baeume").status_code == 404
    assert "baeume" in twin(own, "withdraw").stdout
    with own.login("owner") as connection:
        assert connection.execute("SELECT count(*) FROM control.audit WHERE action = 'twin.withdraw'").fetchone() == (1,)
    assert twin(own, "withdraw", "baeume", "--lift").returncode == 0
    assert citizen.get("collections/baeume").status_code == 200
    assert "Nichts ist zurückgezogen" in twin(own, "withdraw").stdout
    wrong = twin(own, "withdraw", "bäume")
    assert (wrong.returncode, "Kein Zwilling zeigt" in wrong.stderr) == (1, True)


def test_reading_what_is_critical_is_noted_and_nothing_else(own: Town) -> None:
    own.edit("town.yaml", "seen_by: [administration, ", "audited: true, seen_by: [administration, ")
    assert twin(own, "policy", "apply").returncode == 0
    for path in ("collections/baeume/items", "collections/kanalschaechte/items", "collections/kanalschaechte/items?limit=2"):
        assert own.client_for("administration").get(path).status_code == 200
    own.client_for("citizen").get("collections/baeume/items")
    with own.login("owner") as connection:
        noted = connection.execute("SELECT what ->> 'role', what ->> 'collection' FROM control.audit WHERE action = 'read'").fetchall()
    assert set(noted) == {("administration", "kanalschaechte")}


@pytest.mark.parametrize("source", [None, "policies"])
def test_a_new_town_begins_with_a_folder_that_loads(tmp_path: Path, source: str | None) -> None:
    project = Path(__file__).parents[2]
    more = ["--from", str(project / source)] if source else []
    command = [
        sys.executable,
        "-m",
        "twin_api.cli",
        "init",
        str(tmp_path / "neustadt"),
        "--name",
        "Markt Neustadt",
        "--ags",
        "09123456",
        *more,
    ]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    town = load(tmp_path / "neustadt" / "policies")
    assert (town.town.name, town.town.ags) == ("Markt Neustadt", "09123456")
    assert town.town.extent is None, "it lies elsewhere than the town it was made from"
    assert all(not grant.missing or grant.release for role in town.roles.values() for grants in role.grants.values() for grant in grants)
    again = subprocess.run(command, capture_output=True, text=True)
    assert again.returncode == 1
    assert "nicht leer" in again.stderr
