"""systemd's part where there is no systemd: what `systemctl` would start, started as the unit file says, with its environment and its folders."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol

PATIENCE_S: Final = 20
DYNAMIC: Final = 61184  # the first of the users that systemd gives a service of its own


class Machine(Protocol):
    """Where services run: its files, what its places and names are called from outside, and how a program is called there."""

    def file(self, path: str) -> Path: ...

    def here(self, text: str) -> str: ...

    def command(self, words: Sequence[str], user: str = "") -> list[str]: ...

    def process(self, started: subprocess.Popen[bytes]) -> int:
        """The id of the program itself, for signals."""

    @property
    def environment(self) -> Mapping[str, str]: ...


class Units:
    """The units of a machine; what was started is stopped by `stop`."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._users: dict[str, str] = {}  # of services that have one of their own, by their names

    def control(self, words: Sequence[str]) -> None:
        """`systemctl enable --now`, `start` or `restart` and the names after it."""
        verb, *names = [word for word in words if word != "--now"]
        assert verb in ("enable", "start", "restart"), words
        for name in names:
            if name.endswith(".timer"):
                assert "OnCalendar=" in self._file(name).read_text()
                assert self._file(name.replace(".timer", ".service")).is_file()
            else:
                self._stop(name)
                self._start(name)

    def check(self) -> None:
        """Whatever was started and does not end by itself still runs."""
        for name, process in self._running.items():
            assert process.poll() is None, (name, self.output(name))

    def stop(self) -> None:
        for name in list(self._running):
            self._stop(name)

    def output(self, name: str) -> str:
        return self._machine.file(f"/var/log/{name}").read_text(errors="replace")

    def _stop(self, name: str) -> None:
        if process := self._running.pop(name, None):
            if process.poll() is None:
                os.kill(self._machine.process(process), signal.SIGTERM)
            process.wait(PATIENCE_S)

    def _file(self, name: str) -> Path:
        return self._machine.file(f"/etc/systemd/system/{name}")

    def _start(self, name: str) -> None:
        family, at, instance = name.partition("@")
        credentials = self._machine.here(f"/run/credentials/{name}")
        unit = Unit(self._file(f"{family}{at}.service").read_text(), instance, credentials)
        environment = {**self._machine.environment, **unit.environment(self._machine)}
        user = self._users.setdefault(name, str(DYNAMIC + len(self._users))) if unit.one("DynamicUser") == "yes" else unit.one("User")
        self._make_folders(unit, user)
        with self._machine.file(f"/var/log/{name}").open("ab") as log:

            def start(line: str, as_user: str) -> subprocess.Popen[bytes]:
                words = [re.sub(r"\$\{(\w+)\}", lambda found: environment[found[1]], word) for word in shlex.split(line)]
                there = ["env", f"--chdir={unit.one('WorkingDirectory') or '/'}", *words]
                return subprocess.Popen(self._machine.command(there, as_user), env=environment, stdout=log, stderr=log)

            for line in unit.all("ExecStartPre"):
                assert start(line.lstrip("+"), "" if line.startswith("+") else user).wait(60) == 0, self.output(name)
            process = start(unit.one("ExecStart"), user)
        if unit.one("Type") == "oneshot":
            assert process.wait(120) == 0, self.output(name)
        else:
            self._running[name] = process
            time.sleep(0.2)
            assert process.poll() is None, self.output(name)

    def _make_folders(self, unit: Unit, user: str) -> None:
        """What systemd makes for a service before it starts."""
        folders = [f"/run/{name}" for name in unit.all("RuntimeDirectory")]
        for given in unit.all("LoadCredential"):
            name, _, source = given.partition(":")
            folders.append(unit.credentials)
            self._run("install", "-D", "-m", "600", str(source), f"{unit.credentials}/{name}")
            self._own(user, f"{unit.credentials}/{name}")
        for folder in folders:
            self._run("install", "-d", "-m", "700", folder)
            self._own(user, folder)

    def _own(self, user: str, path: str) -> None:
        if self._machine.command(["true"], user) != self._machine.command(["true"]):  # where services have users of their own
            self._run("chown", f"{user}:{user}", path)

    def _run(self, *words: str) -> None:
        subprocess.run(self._machine.command(words), env=dict(self._machine.environment), check=True)


class Unit:
    """One unit file, its specifiers filled in."""

    def __init__(self, text: str, instance: str, credentials: str) -> None:
        self.credentials = credentials
        self._lines = re.findall(r"^(\w+)=(.*)$", text.replace("%i", instance).replace("%d", credentials), re.MULTILINE)

    def all(self, key: str) -> list[str]:
        return [value for found, value in self._lines if found == key]

    def one(self, key: str) -> str:
        return (self.all(key) or [""])[-1]

    def environment(self, machine: Machine) -> dict[str, str]:
        """What stands in the files overrides what stands in the unit (systemd.exec(5))."""
        told = [word for line in self.all("Environment") for word in shlex.split(line)]
        for path in self.all("EnvironmentFile"):
            told += [" ".join(shlex.split(line)) for line in machine.file(path).read_text().splitlines() if re.match(r"\w+=", line)]
        return dict(word.split("=", 1) for word in told)
