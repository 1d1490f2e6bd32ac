"""What Twin API runs with, under which licences, and what it says about itself."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import orjson
import pytest
from ruamel.yaml import YAML

PROJECT = Path(__file__).parents[2]
# may be distributed beside a work under EUPL-1.2: permissive, or weak copyleft that keeps to its own files
COMPATIBLE = {
    "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "EUPL-1.2", "ISC", "LGPL-3.0-only", "LGPL-3.0-or-later", "MIT", "MIT-0",
    "MPL-2.0", "PSF-2.0", "Unlicense", "Zlib",
}  # fmt: skip


@pytest.fixture(scope="module")
def bill(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    target = tmp_path_factory.mktemp("bill") / "dist" / "bill.json"
    subprocess.run([sys.executable, str(PROJECT / "deploy" / "sbom.py"), str(target)], check=True)
    return orjson.loads(target.read_bytes())  # type: ignore[no-any-return]


def _may_stand_beside_ours(expression: str) -> bool:
    """Every part of an AND, and one of an OR; brackets stand only around an OR in an AND."""
    return all(
        any(licence in COMPATIBLE for licence in part.strip("() ").split(" OR ")) for part in re.split(r" AND (?![^(]*\))", expression)
    )


def test_every_package_we_run_with_has_a_licence_that_may_stand_beside_ours(bill: dict[str, Any]) -> None:
    said = {part["name"]: (part["licenses"] or [{"expression": "says nothing"}])[0]["expression"] for part in bill["components"]}
    assert {name: licence for name, licence in said.items() if not _may_stand_beside_ours(licence)} == {}


@pytest.mark.parametrize(
    ("expression", "may"),
    [
        ("MIT", True),
        ("GPL-3.0-only", False),
        ("MIT OR GPL-3.0-only", True),
        ("MIT AND GPL-3.0-only", False),
        ("MPL-2.0 AND (Apache-2.0 OR SSPL-1.0)", True),
    ],
)
def test_a_licence_expression_is_read_as_it_is_meant(expression: str, may: bool) -> None:
    assert _may_stand_beside_ours(expression) is may


def test_the_bill_names_everything_that_is_pinned_and_what_asks_for_it(bill: dict[str, Any]) -> None:
    lock = (PROJECT / "constraints" / "run.txt").read_text()
    everywhere = {name.replace("_", "-") for name in re.findall(r"^([a-z0-9._-]+)==\S+ \\", lock, re.M)}
    named = {part["name"] for part in bill["components"]}
    assert everywhere <= named
    assert all(part["properties"] and part["version"] in part["purl"] for part in bill["components"])
    asked = {name for each in bill["dependencies"] for name in each["dependsOn"]}
    builders = {"hatchling", "editables"}  # nobody asks for them at run time
    assert named - asked <= builders
    assert {"fastapi", "psycopg"} <= set(bill["dependencies"][0]["dependsOn"])


def test_publiccode_says_what_the_standard_asks_for() -> None:
    """https://yml.publiccode.tools, version 0.5: keys that must be there, and their limits."""
    told = YAML(typ="safe").load(PROJECT / "publiccode.yml")
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    assert {"publiccodeYmlVersion", "name", "url", "platforms", "developmentStatus", "softwareType", "description", "legal"} <= told.keys()
    assert (told["softwareVersion"], told["legal"]["license"]) == (project["version"], project["license"])
    assert told["localisation"] == {"localisationReady": True, "availableLanguages": ["de", "en"]}
    assert told["maintenance"]["type"] == "community"
    assert all(contact["name"] for contact in told["maintenance"]["contacts"])
    for language in ("de", "en"):
        text = told["description"][language]
        assert len(text["shortDescription"]) <= 150
        assert 150 <= len(text["longDescription"]) <= 10_000
        assert all(len(feature) <= 100 for feature in text["features"])


def test_people_are_told_how_to_report_a_leak_in_both_languages() -> None:
    german, english = (PROJECT / "SECURITY.md").read_text(encoding="utf-8").split("\n---\n")
    assert german.count("## ") == english.count("## ") == 3
    assert (PROJECT / "LICENSE").read_text(encoding="utf-8").lstrip().startswith("EUROPEAN UNION PUBLIC LICENCE")
