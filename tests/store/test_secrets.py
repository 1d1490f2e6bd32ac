"""Secrets of database roles: closed files, one value per role, nothing handed over that was not asked for."""

from __future__ import annotations

import multiprocessing
import os
import stat
from pathlib import Path

import pytest

from twin_api.store.secrets import SecretExposed, SecretMissing, Secrets, SecretsNotOurs


@pytest.fixture
def secrets(tmp_path: Path) -> Secrets:
    return Secrets(tmp_path / "secrets")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_secret_is_long_random_and_closed_to_others(secrets: Secrets) -> None:
    secret = secrets.ensure("citizen")
    assert len(secret) == 43
    assert secret != secrets.ensure("council")
    assert mode(secrets.folder / "citizen") == 0o600
    assert mode(secrets.folder) == 0o700


def test_a_secret_is_closed_whatever_the_umask(secrets: Secrets) -> None:
    before = os.umask(0)
    try:
        secrets.ensure("citizen")
    finally:
        os.umask(before)
    assert mode(secrets.folder / "citizen") == 0o600
    assert mode(secrets.folder) == 0o700


def test_a_secret_stays_the_same(secrets: Secrets) -> None:
    assert secrets.ensure("owner") == secrets.ensure("owner") == Secrets(secrets.folder).read("owner")


def test_a_missing_secret_is_named_by_its_role(secrets: Secrets) -> None:
    with pytest.raises(SecretMissing, match="`writer`") as caught:
        secrets.read("writer")
    assert caught.value.role == "writer"


@pytest.mark.parametrize("wide", [0o640, 0o604, 0o660, 0o700])
def test_a_file_open_to_others_is_refused_without_showing_it(secrets: Secrets, wide: int) -> None:
    secret = secrets.ensure("citizen")
    (secrets.folder / "citizen").chmod(wide)
    for ask in (secrets.read, secrets.ensure):
        with pytest.raises(SecretExposed, match="mode 0600") as caught:
            ask("citizen")
        assert secret not in str(caught.value)


def test_a_link_is_refused(secrets: Secrets) -> None:
    secrets.ensure("owner")
    (secrets.folder / "citizen").symlink_to(secrets.folder / "owner")
    with pytest.raises(SecretExposed):
        secrets.read("citizen")


@pytest.mark.parametrize("name", ["", "../owner", "/etc/passwd", ".lock", "Owner", "a b", "citizen\n"])
def test_a_name_that_is_no_role_is_refused(secrets: Secrets, name: str) -> None:
    with pytest.raises(ValueError, match="role name"):
        secrets.read(name)


def ensure_at_once(folder: Path, start: object, answers: object) -> None:
    start.wait()  # type: ignore[attr-defined]
    answers.put([Secrets(folder).ensure(role) for role in ("citizen", "council", "owner")])  # type: ignore[attr-defined]


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_processes_that_ensure_at_once_get_one_value(secrets: Secrets) -> None:
    forked = multiprocessing.get_context("fork")
    start, answers = forked.Barrier(6), forked.SimpleQueue()
    crowd = [forked.Process(target=ensure_at_once, args=(secrets.folder, start, answers)) for _ in range(6)]
    for process in crowd:
        process.start()
    heard = [answers.get() for _ in crowd]
    for process in crowd:
        process.join()
    assert heard == [[secrets.read(role) for role in ("citizen", "council", "owner")]] * 6
    assert secrets.roles() == ("citizen", "council", "owner")


def test_roles_are_listed_and_removed(secrets: Secrets) -> None:
    assert secrets.roles() == ()
    for role in ("pepper", "superuser", "administration_bauhof"):
        secrets.ensure(role)
    secrets.remove("pepper")
    secrets.remove("never_there")
    assert secrets.roles() == ("administration_bauhof", "superuser")


def test_a_handed_folder_holds_only_what_was_asked_for(secrets: Secrets, tmp_path: Path) -> None:
    for role in ("citizen", "council", "owner", "superuser"):
        secrets.ensure(role)
    secrets.hand(["citizen"], tmp_path / "process")
    handed = Secrets(tmp_path / "process")
    assert handed.roles() == ("citizen",)
    assert handed.read("citizen") == secrets.read("citizen")
    assert mode(handed.folder) == 0o700
    assert {mode(file) for file in handed.folder.iterdir()} == {0o600}
    assert str(secrets.folder) not in "".join(file.read_text() for file in handed.folder.iterdir())


def test_handing_again_takes_back_what_is_no_longer_wanted(secrets: Secrets, tmp_path: Path) -> None:
    for role in ("citizen", "council"):
        secrets.ensure(role)
    secrets.hand(["citizen", "council"], tmp_path / "process")
    secrets.hand(["council"], tmp_path / "process")
    assert Secrets(tmp_path / "process").roles() == ("council",)


def test_handing_an_unknown_role_changes_nothing(secrets: Secrets, tmp_path: Path) -> None:
    secrets.ensure("citizen")
    with pytest.raises(SecretMissing):
        secrets.hand(["citizen", "council"], tmp_path / "process")
    assert not (tmp_path / "process").exists()


def test_every_twin_role_means_no_other_role(secrets: Secrets, tmp_path: Path) -> None:
    for role in ("citizen", "council_bauausschuss", "administration_bauhof", "owner", "writer", "audit", "control", "superuser", "pepper"):
        secrets.ensure(role)
    secrets.hand(None, tmp_path / "process")
    assert Secrets(tmp_path / "process").roles() == ("administration_bauhof", "citizen", "council_bauausschuss")


def test_a_folder_of_every_twin_role_follows_new_and_removed_roles(secrets: Secrets, tmp_path: Path) -> None:
    secrets.ensure("citizen")
    secrets.hand(None, tmp_path / "all")
    secrets.hand(["citizen"], tmp_path / "one")
    secrets.ensure("council")
    secrets.ensure("owner")
    assert Secrets(tmp_path / "all").read("council") == secrets.read("council")
    secrets.remove("citizen")
    assert Secrets(tmp_path / "all").roles() == ("council",)
    assert Secrets(tmp_path / "one").roles() == ("citizen",)


def test_a_folder_handed_anew_or_deleted_follows_no_longer(secrets: Secrets, tmp_path: Path) -> None:
    secrets.ensure("citizen")
    secrets.hand(None, tmp_path / "all")
    secrets.hand(["citizen"], tmp_path / "all")
    secrets.ensure("council")
    assert Secrets(tmp_path / "all").roles() == ("citizen",)
    secrets.hand(None, tmp_path / "gone")
    (tmp_path / "gone").rename(tmp_path / "elsewhere")
    secrets.ensure("administration")
    assert not (tmp_path / "gone").exists()


def test_a_folder_with_other_things_is_never_written(secrets: Secrets, tmp_path: Path) -> None:
    secrets.ensure("citizen")
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "to_grandma").touch()
    for folder in (tmp_path / "letters", secrets.folder):
        with pytest.raises(SecretsNotOurs):
            secrets.hand(["citizen"], folder)
    assert (tmp_path / "letters" / "to_grandma").exists()


def test_who_was_handed_a_folder_cannot_make_up_a_secret(secrets: Secrets, tmp_path: Path) -> None:
    secrets.ensure("citizen")
    secrets.hand(["citizen"], tmp_path / "process")
    with pytest.raises(SecretMissing):
        Secrets(tmp_path / "process").ensure("council")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_root_writes_belongs_to_the_owner_of_the_folder(secrets: Secrets, tmp_path: Path) -> None:
    secrets.ensure("citizen")
    (tmp_path / "process").mkdir()
    os.chown(tmp_path / "process", 65534, 65534)
    secrets.hand(["citizen"], tmp_path / "process")
    assert (tmp_path / "process" / "citizen").stat().st_uid == 65534


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_folder_that_root_makes_for_secrets_belongs_to_the_owner_of_the_place(tmp_path: Path) -> None:
    os.chown(tmp_path, 65534, 65534)
    Secrets(tmp_path / "secrets").ensure("pepper")
    assert [(tmp_path / name).stat().st_uid for name in ("secrets", "secrets/pepper")] == [65534, 65534]
    assert mode(tmp_path / "secrets") == 0o700
