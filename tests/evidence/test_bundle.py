"""`twin evidence`: whole, of the same bytes for the same state, without anything that is hidden, and telling what changed."""

from __future__ import annotations

import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner, Result

from tests.doctor.examining import settings
from tests.leaks.told import find_told
from tests.towns import Town
from twin_api.cli import app, context
from twin_api.cli.evidence import rights
from twin_api.cli.evidence.bundle import MANIFEST, SUMS, read_bundle

Call = Callable[..., Result]
STANDING = {"bericht.md", "index.html", MANIFEST, SUMS} | {
    f"{name}.json"
    for name in (
        "approvals", "contradictions", "doctor", "drift", "hardening", "policies", "program", "rights", "theorems", "twins",
    )
}  # fmt: skip


@pytest.fixture(scope="module")
def mine(new_town: Callable[..., Town]) -> Town:
    """A town that these tests change."""
    return new_town()


def set_up(patch: pytest.MonkeyPatch, town: Town) -> None:
    patch.setattr(context, "settings", lambda: settings(town, lang="en"))
    # towns of other tests come and go on this cluster
    patch.setattr(rights, "CHECKED", tuple(name for name in rights.CHECKED if name != "neighbours"))


@pytest.fixture
def call(mine: Town, monkeypatch: pytest.MonkeyPatch) -> Call:
    set_up(monkeypatch, mine)
    return lambda *words: CliRunner().invoke(app, ["evidence", *map(str, words)])


@pytest.fixture(scope="module")
def taken(mine: Town, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The town as it was founded."""
    path = tmp_path_factory.mktemp("evidence") / "before.zip"
    with pytest.MonkeyPatch.context() as patch:
        set_up(patch, mine)
        ended = CliRunner().invoke(app, ["evidence", "--to", str(path)])
    assert ended.exit_code == 0, ended.output
    return path


def told(path: Path, name: str) -> Any:
    return orjson.loads(read_bundle(path)[f"{name}.json"])


def test_a_town_as_it_was_founded_contradicts_itself_nowhere(taken: Path, call: Call) -> None:
    files = read_bundle(taken)
    assert set(files) - {"sbom.cdx.json"} == STANDING
    assert told(taken, "contradictions") == []
    assert call("--check", taken).exit_code == 0
    assert taken.stat().st_mode & 0o777 == 0o600


def test_what_each_role_sees_is_told_by_policy_and_database(taken: Path, mine: Town) -> None:
    twins = told(taken, "twins")
    assert set(twins) == set(mine.policies.roles)
    trees = twins["citizen"]["baeume"]
    assert trees["policy"]["attributes"]["hoehe_m"] == "round 1"
    assert "vermerk" not in trees["database"]["columns"]
    assert sorted(trees["policy"]["columns"]) == sorted(trees["database"]["columns"])
    assert trees["database"]["reads"] == [trees["policy"]["table"]]
    held = told(taken, "rights")
    assert held["logins"]["citizen"]["attributes"] == []
    tables = ("_closed", "about", "baeume", "collection")
    assert held["grants"]["citizen"] == {
        "schema citizen": ["USAGE"], "schema postgis": ["USAGE"], "table postgis.spatial_ref_sys": ["SELECT"],
        **{f"table citizen.{table}": ["SELECT"] for table in tables},
    }  # fmt: skip
    assert held["functions"]["citizen"]["count"] == len(held["functions"]["citizen"]["list"]) > 0
    assert held["everybody_still_holds"] == []


def test_who_agreed_to_a_release_is_told_by_department_and_day(taken: Path) -> None:
    release = told(taken, "approvals")["council"]["kanalschaechte"]
    assert release["agreed"] == {"wasser": "2026-11-20", "isb": "2026-11-20"}
    assert release["missing"] == []


def test_no_hidden_value_no_secret_and_no_name_is_in_it(taken: Path, mine: Town) -> None:
    assert find_told(mine, {**read_bundle(taken), "the whole": taken.read_bytes()}) == []


def test_the_same_state_gives_the_same_bytes_but_for_the_time(taken: Path, call: Call, tmp_path: Path) -> None:
    assert call("--to", tmp_path / "again.zip").exit_code == 0
    assert call("--to", tmp_path / "again").exit_code == 0
    first, *others = (read_bundle(path) for path in (taken, tmp_path / "again.zip", tmp_path / "again"))
    for files in others:
        assert {name for name in files if files[name] != first[name]} <= {MANIFEST}
        assert {**orjson.loads(files[MANIFEST]), "taken_at": ""} == {**orjson.loads(first[MANIFEST]), "taken_at": ""}
    assert call("--compare", taken, tmp_path / "again").exit_code == 0


def test_nothing_is_written_over(taken: Path, call: Call) -> None:
    before = taken.read_bytes()
    assert call("--to", taken).exit_code == 1
    assert taken.read_bytes() == before


def test_a_bundle_that_somebody_touched_is_told_file_by_file(taken: Path, call: Call, tmp_path: Path) -> None:
    files = read_bundle(taken)
    spoilt = {**files, "rights.json": files["rights.json"].replace(b"SELECT", b"SELEKT", 1), "more.txt": b"more"}
    del spoilt["drift.json"]
    path = tmp_path / "spoilt.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in spoilt.items():
            archive.writestr(name, content)
    ended = call("--check", path)
    assert ended.exit_code == 1
    assert ended.stderr.splitlines() == ["missing: drift.json", "surplus: more.txt", "changed: rights.json"]
    assert call("--compare", taken, path).exit_code == 1


def test_a_bundle_is_checked_without_this_program_too(taken: Path, call: Call, tmp_path: Path) -> None:
    files = read_bundle(taken)
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    assert _sha256sum(tmp_path, "--check", "--strict", "--quiet", SUMS) == (0, "")
    assert {*files} == {MANIFEST, SUMS, *(line.split("  ")[1] for line in files[SUMS].decode().splitlines())}
    assert _sha256sum(tmp_path, SUMS)[1].split()[0] == orjson.loads(files[MANIFEST])["state"]
    (tmp_path / "rights.json").write_bytes(files["rights.json"].replace(b"SELECT", b"SELEKT", 1))
    assert _sha256sum(tmp_path, "--check", "--quiet", SUMS) == (1, "rights.json: FAILED\n")
    (tmp_path / SUMS).write_bytes(files[SUMS].replace(b"rights.json", b"lefts.json"))
    (tmp_path / "rights.json").write_bytes(files["rights.json"])
    assert call("--check", tmp_path).stderr == f"changed: {SUMS}\n"


def _sha256sum(folder: Path, *words: str) -> tuple[int, str]:
    ended = subprocess.run(["sha256sum", *words], cwd=folder, env={"LC_ALL": "C"}, check=False, capture_output=True, text=True)
    return ended.returncode, ended.stdout


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"{}", b"x" * 5000])
def test_what_is_no_bundle_is_said_in_one_line(content: bytes, call: Call, tmp_path: Path) -> None:
    path = tmp_path / "odd.zip"
    path.write_bytes(content)
    ended = call("--check", path)
    assert ended.exit_code == 1
    assert ended.stderr == f"`{path}` is no evidence that `twin evidence` wrote.\n"


def test_a_right_a_column_and_a_policy_that_changed_are_told(taken: Path, mine: Town, call: Call, tmp_path: Path) -> None:
    with mine.superuser() as connection:
        connection.execute(f"GRANT SELECT ON store.baeume TO {mine.database}_citizen".encode())
        connection.execute("CREATE VIEW council.neu AS SELECT vermerk FROM store.baeume")
    mine.edit("citizen.yaml", "hoehe_m: {round: 1}, ", "")
    mine.apply()
    with mine.superuser() as connection:
        row = connection.execute("SELECT rtrim(pg_get_viewdef('citizen.baeume'::regclass), ';')").fetchone()
        assert row is not None
        more = "(SELECT s.vermerk FROM store.baeume s WHERE s.id = v.id) AS vermerk"
        connection.execute(f"CREATE OR REPLACE VIEW citizen.baeume AS SELECT v.*, {more} FROM ({row[0]}) v".encode())
    ended = call("--to", tmp_path / "after.zip")
    assert ended.exit_code == 1
    assert "council · neu: stands in the database, but nobody granted it" in ended.stderr
    assert "citizen · baeume: column `vermerk` stands in the database alone" in ended.stderr
    assert ", store.baeume instead of published.t_" in ended.stderr
    assert "`twin doctor --only grants` complains" in ended.stderr
    compared = call("--compare", taken, tmp_path / "after.zip")
    assert compared.exit_code == 1
    lines = compared.stdout.splitlines()
    assert '+ rights.json: grants › citizen › table store.baeume = "SELECT"' in lines
    assert '+ twins.json: council › neu › database › columns › vermerk = "text"' in lines
    assert '- twins.json: citizen › baeume › policy › attributes › hoehe_m = "round 1"' in lines
    assert [line for line in lines if line.startswith("+ policies.json: in_force › files › citizen.yaml")] != []
    assert [line for line in lines if "layers/baeume.yaml" in line] == []
