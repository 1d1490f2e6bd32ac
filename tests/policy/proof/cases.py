"""Towns of a few trees: the folder of a case, written as it stands in `bad_containment`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

FOLDER = Path(__file__).parent.parent / "bad_containment"
WHOLE = "baeume: {rows: all, geometry: keep, attributes: all}\n"
MARK = "# here"


def cases(name: str) -> Mapping[str, Mapping[str, Any]]:
    return YAML(typ="safe", pure=True).load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def files_of(case: Mapping[str, Any]) -> dict[str, str]:
    """The texts of the case's policies by file name."""
    base = FOLDER / "base"
    texts = {str(path.relative_to(base)): path.read_text(encoding="utf-8") for path in base.rglob("*.yaml")}
    texts["citizen.yaml"] = _role("citizen", "anonymous", case["citizen"])
    texts["council.yaml"] = _role("council", "login", case.get("council", ""))
    texts["administration.yaml"] = _role("administration", "token", case.get("administration", WHOLE))
    if "parts" in case:
        texts["administration.yaml"] += "parts:\n" + _indented(case["parts"])
    return texts


def _role(name: str, access: str, collections: str) -> str:
    includes = "includes: citizen\n" if name != "citizen" else ""
    return f"role: {name}\naccess: {access}\n{includes}" + (f"collections:\n{_indented(collections)}" if collections else "")


def _indented(text: str) -> str:
    return "".join(f"  {line}\n" for line in text.splitlines())


def marked_lines(texts: Mapping[str, str]) -> Iterator[str]:
    """`file:line: text` of every line that carries the mark."""
    for file, text in texts.items():
        for number, line in enumerate(text.splitlines(), 1):
            if line.endswith(MARK):
                yield f"{file}:{number}: {line.strip()}"
