"""A page of documentation done as it is written: its commands by a shell, its edits in the policy folder, its answers compared."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.policy.test_docs_policies import BLOCK, put_below
from tests.towns import Town

PROJECT: Final = Path(__file__).parents[2]
TOWN: Final = "meine-stadt"
PLACES: Final = {"citizen.yaml/collections": "collections:\n", "administration.yaml/bauhof": "  bauhof:\n"}
SERVES: Final = "twin serve"  # does not end by itself


class Walk:
    """Where a new user stands: in a folder with files, an empty database, the command `twin`."""

    def __init__(self, town: Town) -> None:
        self.folder, self._exports, self.said = town.folder, "", ""
        bin_ = town.folder / "bin"
        bin_.mkdir()
        (bin_ / "twin").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m twin_api.cli "$@"\n')
        (bin_ / "twin").chmod(0o755)
        self._environment = {
            "TWIN_DATABASE_URL": town.admin, "TWIN_SECRETS": str(town.secrets.folder), "PATH": f"{bin_}:/usr/bin:/bin", "COLUMNS": "200",
            "PYTHONPATH": str(PROJECT), "HOME": os.environ.get("HOME", "/"),
        }  # fmt: skip

    def take(self, page: str) -> None:
        """Every block of the page in its order."""
        refusal = ""
        for kind, info, text in BLOCK.findall(page):
            if kind == "sh" and info == "refused":
                refusal = self.run(text, code=1).stderr
            elif kind == "sh":
                self.run(text, code=0)
            elif kind == "text" and info == "refused":
                assert refusal == text
            elif kind == "yaml":
                self._edit(info, text)

    def run(self, text: str, *, code: int, **environment: str) -> subprocess.CompletedProcess[str]:
        lines = [line for line in text.splitlines() if not line.startswith(SERVES)]
        script = "\n".join(["set -eu", self._exports, *lines])
        ended = subprocess.run(
            ["/bin/bash", "-c", script], env={**self._environment, **environment}, cwd=self.folder, capture_output=True, text=True
        )
        assert ended.returncode == code, (text, ended.stdout, ended.stderr)
        self._exports += "".join(f"{line}\n" for line in lines if line.startswith("export "))
        self.said += ended.stdout
        return ended

    def _edit(self, info: str, text: str) -> None:
        policies = self.folder / TOWN / "policies"
        if info in PLACES:
            put_below(policies / info.partition("/")[0], PLACES[info], text)
        elif info.startswith("drafted "):
            assert lines_without_remarks(text) <= lines_without_remarks((policies.parent / info.split()[1]).read_text(encoding="utf-8"))
        else:
            for name in info.split():
                replace_lines(policies / name, text)


def lines_without_remarks(text: str) -> set[str]:
    return {line.partition("  #")[0] for line in text.splitlines()}


def replace_lines(path: Path, text: str) -> None:
    """Each line of the text takes the place of the one that begins with the same word, which must be there."""
    content = path.read_text(encoding="utf-8")
    for line in text.splitlines():
        begins = line.partition(":")[0]
        content, count = re.subn(rf"^{re.escape(begins)}:.*$", lambda _, line=line: line, content, count=1, flags=re.MULTILINE)  # type: ignore[misc]
        assert count == 1, (path.name, begins)
    path.write_text(content, encoding="utf-8")
