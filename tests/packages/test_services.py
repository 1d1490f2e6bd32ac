"""The services of systemd and their installation."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
UNITS = PROJECT / "deploy" / "systemd"
# of `systemd-analyze security`, 10 is wide open; the worker fetches from elsewhere and gives processes namespaces
MOST_EXPOSED = {"twin-serve@.service": 1.1, "twin-work.service": 2.0, "twin-backup.service": 1.5}
wants_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")


def _install(folder: Path) -> None:
    subprocess.run(
        [str(PROJECT / "deploy" / "install")], env={"PATH": "/usr/bin:/bin", "DESTDIR": str(folder)}, capture_output=True, check=True
    )


def test_an_installation_leaves_alone_what_people_have_written(tmp_path: Path) -> None:
    _install(tmp_path)
    citizen = tmp_path / "etc/twin-api/serve/citizen.env"
    assert "ROLES=citizen\n" in citizen.read_text()
    citizen.write_text("ROLES=citizen\nPORT=9001\n")
    (tmp_path / "etc/systemd/system/twin-work.service").write_text("old")
    _install(tmp_path)
    assert "PORT=9001" in citizen.read_text()
    assert "twin work" in (tmp_path / "etc/systemd/system/twin-work.service").read_text()


def test_what_holds_or_leads_to_a_secret_is_closed(tmp_path: Path) -> None:
    _install(tmp_path)
    modes = {str(path.relative_to(tmp_path)): path.stat().st_mode & 0o777 for path in tmp_path.rglob("*")}
    assert modes["etc/twin-api/admin.env"] == 0o600
    assert modes["etc/twin-api/twin.env"] == 0o640
    assert modes["var/lib/twin-api"] == modes["var/backups/twin-api"] == 0o700
    assert not any("password=" in path.read_text() for path in tmp_path.rglob("*.env"))


def test_every_file_that_a_unit_names_is_installed(tmp_path: Path) -> None:
    _install(tmp_path)
    for unit in UNITS.glob("*.service"):
        for path in re.findall(r"^(?:EnvironmentFile=|Exec\w+=\+?)(/\S+)", unit.read_text(), re.M):
            if not path.startswith(("/opt/twin-api/venv/", "/usr/bin/")):
                assert (tmp_path / path.replace("%i", "citizen")[1:]).is_file(), (unit.name, path)


def test_a_server_has_a_user_of_its_own_and_sees_no_folder_of_the_town() -> None:
    unit = (UNITS / "twin-serve@.service").read_text()
    assert "DynamicUser=yes" in unit
    assert re.search(r"^InaccessiblePaths=.*/etc/twin-api .*/var/lib/twin-api .*/srv/twin-api", unit, re.M)


@wants_systemd
def test_the_units_are_well_formed(tmp_path: Path) -> None:
    for unit in UNITS.iterdir():  # the programs that they name stand nowhere on this machine
        text = re.sub(r"^(Exec\w+=\+?)\S+", r"\1/bin/true", unit.read_text(), flags=re.M)
        (tmp_path / unit.name.replace("@", "@citizen")).write_text(text)
    names = [str(path) for path in tmp_path.iterdir()]
    ended = subprocess.run(["systemd-analyze", "verify", *names], capture_output=True, text=True)
    about_ours = [line for line in ended.stderr.splitlines() if "twin-" in line]
    assert (ended.returncode, about_ours) == (0, []), ended.stderr


@wants_systemd
@pytest.mark.parametrize("name", sorted(MOST_EXPOSED))
def test_the_services_are_closed(name: str) -> None:
    command = ["systemd-analyze", "security", "--offline=true", f"--threshold={int(MOST_EXPOSED[name] * 10)}", str(UNITS / name)]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout
