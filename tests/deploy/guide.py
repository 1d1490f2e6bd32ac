"""`docs/inbetriebnahme.md` followed on a machine: its commands in one shell, its edits, its outcomes compared, line for line."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.cli.walks import PLACES, replace_lines
from tests.deploy.units import Machine, Units
from tests.policy.test_docs_policies import put_below

PROJECT: Final = Path(__file__).parents[2]
PAGE: Final = PROJECT / "docs" / "inbetriebnahme.md"
# a remark before a block says what becomes of it: `yours` is said by the reader, `server` and `later` want a machine of one's own
BLOCK: Final = re.compile(r"(?:^<!-- (\w+) -->\n)?^```(\w+) ?(.*)\n((?:.*\n)*?)```$", re.MULTILINE)
REFUSED: Final = 22  # what curl says where a server refuses
POLICIES: Final = "/srv/twin-api/policies"


@dataclass(frozen=True)
class Block:
    remark: str
    kind: str
    info: str
    text: str


def blocks() -> list[Block]:
    return [Block(*found) for found in BLOCK.findall(PAGE.read_text(encoding="utf-8"))]


class Reader:
    """Somebody who types what the page says. `restarts` takes over services that need more than their unit, such as the web server."""

    def __init__(
        self, machine: Machine, told: Mapping[str, str], skipped: frozenset[str], restarts: Mapping[str, Callable[[], None]]
    ) -> None:
        self._machine, self._skipped, self._restarts = machine, skipped, restarts
        self._said = [f"{name}={shlex.quote(value)}" for name, value in told.items()]
        self.units = Units(machine)

    def follow(self, upon: Callable[[Block], None] = lambda _: None) -> None:
        """Every block in its order; `upon` is told of each that was done."""
        seen: str | None = None
        for block in blocks():
            if block.remark in self._skipped:
                seen = None
                continue
            if block.kind == "sh":
                seen = self.type(block.text, REFUSED if block.info == "refused" else 0)
            elif block.kind == "text":
                if seen is not None:
                    compare(self._machine.here(block.text), seen)
            else:
                self._edit(block)
            upon(block)
        self.units.check()

    def type(self, text: str, code: int = 0) -> str:
        """What the commands say on both channels; they must end with this exit code."""
        seen = ""
        for part in parts(text):
            if part.startswith("systemctl "):
                self._control(shlex.split(part)[1:])
            else:
                seen += self._run(part, code)
        return seen

    def _control(self, words: list[str]) -> None:
        taken = [name for name in words if name in self._restarts]
        for name in taken:
            self._restarts[name]()
        if not taken:
            self.units.control(words)

    def _run(self, text: str, code: int) -> str:
        """In a shell that knows what earlier ones were told, as one session would."""
        names = re.findall(r"^(\w+)=(?:\$\(.*\)|\S*)$", text, re.MULTILINE)
        script = "\n".join(["set -eu", *self._said, text, *(f"declare -p {name} >&3" for name in names)])
        told = self._machine.file("/root/.said")
        words = self._machine.command(["/bin/bash", "-c", f"exec 3>~/.said\n{script}"])
        ended = subprocess.run(words, env=dict(self._machine.environment), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert ended.returncode == code, (text, ended.stdout)
        self._said += told.read_text(encoding="utf-8").splitlines()
        return ended.stdout

    def _edit(self, block: Block) -> None:
        file, slash, _ = block.info.partition("/collections")
        path = self._machine.file(f"{POLICIES}/{file}")
        if slash:
            put_below(path, PLACES[block.info], block.text)
        else:
            replace_lines(path, block.text)


def parts(text: str) -> Iterator[str]:
    """The commands, those for `systemctl` apart."""
    for part in re.split(r"^(systemctl .*)\n", text, flags=re.MULTILINE):
        if part.strip():
            yield part


def compare(wanted: str, seen: str) -> None:
    """Each line stands in what was seen, `…` for anything."""
    for line in wanted.splitlines():
        pattern = ".*".join(map(re.escape, line.split("…")))
        assert re.search(pattern, seen), (line, seen)
