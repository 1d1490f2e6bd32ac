"""The table of checks in `docs/doctor.md`; `python -m tests.doctor.table --write` writes it anew."""

from __future__ import annotations

import sys
from pathlib import Path

from twin_api.cli.doctor.checks import CHECKS

PAGE = Path(__file__).parents[2] / "docs" / "doctor.md"
BEGIN, END = "<!-- checks: generated -->\n", "<!-- /checks -->"


def table() -> str:
    rows = [f"| `{check.name}` | {check.about.de} | {check.about.en} |" for check in CHECKS]
    return "\n".join(["| Name | was sie ansieht | what it looks at |", "|---|---|---|", *rows]) + "\n"


def with_table(page: str) -> str:
    before, _, rest = page.partition(BEGIN)
    return before + BEGIN + table() + END + rest.partition(END)[2]


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit(__doc__)
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
