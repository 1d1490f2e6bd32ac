"""Generated files are what the code says, and text for people speaks both languages."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import orjson

PROJECT = Path(__file__).parents[2]
TWIN = [sys.executable, "-m", "twin_api.cli"]


def test_the_committed_openapi_documents_are_those_of_the_program(tmp_path: Path) -> None:
    subprocess.run([*TWIN, "openapi", "--write", str(tmp_path)], check=True, capture_output=True, cwd=PROJECT)
    written = {path.name: orjson.loads(path.read_bytes()) for path in tmp_path.glob("*.json")}
    committed = {path.name: orjson.loads(path.read_bytes()) for path in (PROJECT / "openapi").glob("*.json")}
    assert written == committed, "run `make openapi` and commit the result"


def test_the_committed_list_of_problems_is_that_of_the_program(tmp_path: Path) -> None:
    subprocess.run([*TWIN, "problems", "--write", str(tmp_path)], check=True, capture_output=True, cwd=PROJECT)
    written, committed = ((folder / "problems.md").read_text() for folder in (tmp_path, PROJECT / "docs"))
    assert written == committed, "run `twin problems --write docs` and commit the result"


def test_the_committed_editor_schemas_are_those_of_the_program(tmp_path: Path) -> None:
    subprocess.run([*TWIN, "policy", "schema", "--write", str(tmp_path)], check=True, capture_output=True, cwd=PROJECT)
    written = {path.name: orjson.loads(path.read_bytes()) for path in tmp_path.glob("*.json")}
    committed = {path.name: orjson.loads(path.read_bytes()) for path in (PROJECT / "policies" / ".schema").glob("*.json")}
    assert written == committed, "run `twin policy schema` and commit the result"


def test_every_make_target_is_explained_and_runs_something() -> None:
    text = (PROJECT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z][a-z-]*):", text, re.M))
    listed = subprocess.run(["make", "help"], cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    wanted = {"fast", "lint", "test-long", "leaks", "acceptance", "bench", "openapi"}
    assert wanted <= targets
    assert [target for target in targets - {"help"} if target not in listed] == []


def test_shell_scripts_are_posix() -> None:
    files = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "bin", "deploy"], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    scripts = [name for name in files.stdout.split() if (PROJECT / name).read_bytes().startswith(b"#!/bin/sh")]
    assert {"bin/setup", "deploy/install", "deploy/store/start"} <= set(scripts)
    for script in scripts:
        subprocess.run(["sh", "-n", script], cwd=PROJECT, check=True)
    shellcheck = shutil.which("shellcheck", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if shellcheck:
        subprocess.run([shellcheck, *scripts], cwd=PROJECT, check=True)


def test_every_text_for_people_is_in_german_and_english() -> None:
    """`Text("…")` with one argument that holds a word is a text without English."""
    lonely = []
    for path in (PROJECT / "twin_api").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id == "Text"
                and len(node.args) + len(node.keywords) == 1
            ):
                only = node.args[0] if node.args else node.keywords[0].value
                if isinstance(only, ast.Constant | ast.JoinedStr) and re.search(r"[a-zäöüß]{4}", ast.unparse(only)):
                    lonely.append(f"{path.name}:{node.lineno}")
    assert lonely == []


def test_no_address_of_a_package_registry_is_committed() -> None:
    files = subprocess.run(["git", "ls-files"], cwd=PROJECT, capture_output=True, text=True, check=True).stdout.split()
    hosts = re.compile("|".join(("pypi" + r"\.org", "pythonhosted" + r"\.org", "npmjs" + r"\.(org|com)", "deb" + r"\.debian\.org")))
    assert [name for name in files if (PROJECT / name).is_file() and hosts.search((PROJECT / name).read_text(errors="ignore"))] == []
