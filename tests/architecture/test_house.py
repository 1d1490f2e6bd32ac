"""The house's own rules: who may import what, what stands on which shelf, which words we do not use."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from twin_api import main
from twin_api.cli.doctor import checks
from twin_api.imports import formats
from twin_api.policy import masks
from twin_api.policy.names import RESERVED_PARTS
from twin_api.problems import PROBLEMS, Problem
from twin_api.seeing.logs import FIELDS
from twin_api.settings import Settings

PROJECT = Path(__file__).parents[2]
HOUSE = PROJECT / "twin_api"

SINGLE_IMPORTERS = {
    "ruamel": "policy/yaml_file.py",
    "cql2": "cql2_text.py",
    "jose": "identity/tokens.py",
    "passlib": "identity/passwords.py",
    "alembic": "publish/migrate.py",
    "jinja2": "encodings/html.py",
    "pyrage": "backup/sealed.py",
    "z3": "policy/proof/solver.py",
}
# words with another meaning or none: style.md of the project says what we say instead
FORBIDDEN_WORDS = r"^(\w*_)?(manager|helper|helpers|util|utils|common|core|misc|service|repository|tenant|clearance|declassify)(_\w*)?$"


def _sources() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(HOUSE.rglob("*.py")):
        yield str(path.relative_to(HOUSE)), ast.parse(path.read_text())


def _imported(tree: ast.Module) -> set[str]:
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    return {name.partition(".")[0] for name in names}


def test_dependencies_point_down_the_house() -> None:
    found = subprocess.run([Path(sys.executable).with_name("lint-imports"), "--no-cache"], cwd=PROJECT, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.parametrize(("library", "place"), SINGLE_IMPORTERS.items())
def test_a_library_with_one_doorway_has_no_other(library: str, place: str) -> None:
    importers = {name for name, tree in _sources() if library in _imported(tree)}
    assert importers <= {place}


def test_only_settings_reads_the_environment() -> None:
    readers = {
        name for name, tree in _sources() if any(isinstance(n, ast.Attribute) and n.attr in ("environ", "getenv") for n in ast.walk(tree))
    }
    # `twin serve` hands its environment on to the server, less everything of ours: it reads no setting from it
    assert readers == {"cli/serve.py"}


def test_every_block_is_in_the_tuple() -> None:
    blocks = {import_module(f"twin_api.blocks.{path.stem}").BLOCK for path in (HOUSE / "blocks").glob("[!_]*.py")}
    assert blocks == set(main.BLOCKS)


def test_every_mask_is_in_a_registry() -> None:
    shelf = {path.stem for path in (HOUSE / "policy" / "masks").glob("[!_]*.py")} - {"mask"}
    registered = {mask.__module__.rpartition(".")[2] for mask in (*masks.GEOMETRY_MASKS, *masks.VALUE_MASKS)}
    assert registered == shelf


def test_every_source_format_is_in_the_registry() -> None:
    shelf = [import_module(f"twin_api.imports.formats.{path.stem}").FORMAT for path in (HOUSE / "imports" / "formats").glob("[!_]*.py")]
    assert sorted(format.name for format in shelf) == sorted(format.name for format in formats.FORMATS)


def test_every_check_of_the_doctor_is_in_the_registry_under_its_files_name() -> None:
    shelf = {path.stem for path in (HOUSE / "cli" / "doctor" / "checks").glob("[!_]*.py")}
    assert [check.name for check in checks.CHECKS] == [check.look.__module__.rpartition(".")[2] for check in checks.CHECKS]
    assert {check.name for check in checks.CHECKS} == shelf
    assert len(checks.CHECKS) == len(shelf)


def test_every_problem_is_in_the_closed_list() -> None:
    assert set(Problem.__subclasses__()) == set(PROBLEMS)
    assert len({problem.type for problem in PROBLEMS}) == len(PROBLEMS)


def test_a_line_of_the_log_is_made_of_listed_fields() -> None:
    """What is not listed is left out when it is written: it should not be there in the first place."""
    told = [
        (name, keyword.arg)
        for name, tree in _sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value) in ("_log", "self._log")
        for keyword in node.keywords
        if keyword.arg is not None
    ]
    assert len(told) > 10
    assert [(name, field) for name, field in told if field not in FIELDS] == []


def test_no_room_is_named_with_an_empty_word() -> None:
    modules = [(name, Path(name).stem) for name, _ in _sources()]
    functions = [
        (name, node.name) for name, tree in _sources() for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)
    ]
    assert [found for found in modules + functions if re.match(FORBIDDEN_WORDS, found[1].lower())] == []


def test_every_module_says_what_it_is_for() -> None:
    silent = [name for name, tree in _sources() if tree.body and not ast.get_docstring(tree)]
    assert silent == []


@pytest.mark.parametrize("room", ["policy", "publish", "store", "identity"])
def test_rooms_that_guard_say_what_they_must_never_do(room: str) -> None:
    vows = [
        tree
        for name, tree in _sources()
        if name.startswith(f"{room}/") and re.search(r"must never|INVARIANT", (ast.get_docstring(tree) or ""), re.I)
    ]
    assert len(vows) >= 2


def test_importing_the_house_opens_nothing() -> None:
    quiet = "import sys; sys.addaudithook(lambda e, a: sys.exit(3) if e == 'socket.connect' else None); import twin_api.main, twin_api.cli"
    subprocess.run([sys.executable, "-c", quiet], check=True, cwd="/", env={"PATH": "/usr/bin:/bin"})


def test_every_setting_is_documented() -> None:
    documented = (PROJECT / "docs" / "settings.md").read_text()
    assert [name for name in Settings.model_fields if f"`TWIN_{name.upper()}`" not in documented] == []
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_no_part_of_a_role_is_called_like_a_page_of_every_twin() -> None:
    """`/administration/functions` is one or the other."""
    pages = {route.path.split("/")[1] for block in main.BLOCKS for route in block.routes} - {""}
    assert pages - RESERVED_PARTS == set()
