"""The table of requirements and of the tests that show them: `python -m tests.conformance.table --write docs`.

Read from the tests' text (`@requirement("/req/…")`), so that no test has to be run or imported.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ruamel.yaml import YAML

PROJECT: Final = Path(__file__).parents[2]
_HEAD: Final = """# Konformität · Conformance

Diese Tabelle schreibt `python -m tests.conformance.table --write docs` aus den Tests. · `python -m tests.conformance.table --write docs` writes this
table from the tests.

Jede Anforderung der Klassen, die `/conformance` nennt, und der Test, der sie zeigt. Eine Anforderung ohne Test, eine Klasse ohne
Anforderungen und ein Test, der eine unbekannte Anforderung nennt, lassen die Tests scheitern.

Every requirement of the classes that `/conformance` names, and the test that shows it. A requirement without a test, a class without
requirements, and a test that names an unknown requirement fail the suite.
"""


@dataclass(frozen=True)
class Requirement:
    part: str
    classes: tuple[str, ...]  # the URIs of its conformance class
    id: str
    words: str


def requirements() -> list[Requirement]:
    """All of `requirements.yaml`, in its order."""
    listed = YAML(typ="safe").load(Path(__file__).with_name("requirements.yaml"))
    return [
        Requirement(part["part"], tuple(prefix + name for prefix in part["conformance"]), f"/req/{name}/{requirement}", words)
        for part in listed
        for name, told in part["classes"].items()
        for requirement, words in told.items()
    ]


def shown() -> dict[str, list[str]]:
    """The tests that are marked with each requirement, as `folder/file.py::test`."""
    found: dict[str, list[str]] = {}
    for path in sorted((PROJECT / "tests").rglob("test_*.py")):
        text = path.read_text(encoding="utf-8")
        if "requirement(" in text:
            for test, id in _marks(ast.parse(text)):
                found.setdefault(id, []).append(f"{path.relative_to(PROJECT)}::{test}")
    return found


def _marks(module: ast.Module) -> Iterator[tuple[str, str]]:
    for node in module.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            for call in (inner for decorator in node.decorator_list for inner in ast.walk(decorator)):
                if isinstance(call, ast.Call) and ast.unparse(call.func) in ("requirement", "pytest.mark.requirement"):
                    yield from ((node.name, str(ast.literal_eval(argument))) for argument in call.args)


def document() -> str:
    """`docs/conformance.md`."""
    lines, tests, part = [_HEAD], shown(), ""
    for requirement in requirements():
        if requirement.part != part:
            part = requirement.part
            lines.append(f"\n## {part}\n\n| Anforderung · requirement | was sie verlangt · what it asks | Test · test |\n|---|---|---|\n")
        told = "<br>".join(f"`{test}`" for test in tests.get(requirement.id, []))
        lines.append(f"| `{requirement.id}` | {requirement.words} | {told} |\n")
    return "".join(lines)


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] != "--write":
        sys.exit("usage: python -m tests.conformance.table --write docs")
    (Path(sys.argv[2]) / "conformance.md").write_text(document(), encoding="utf-8")
