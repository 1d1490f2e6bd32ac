"""The bill of materials: every Python package that Twin API runs with, as CycloneDX, from what is pinned in `constraints/`."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import Any, NamedTuple

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = Path(__file__).resolve().parents[1]
# how packages say it in classifiers, where they know no SPDX expression
NAMED = {
    "Apache 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD": "BSD-3-Clause",
    "BSD License": "BSD-3-Clause",
    "BSD-2-Clause": "BSD-2-Clause",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
    "GNU Library or Lesser General Public License (LGPL)": "LGPL-3.0-or-later",
    "ISC License (ISCL)": "ISC",
    "MIT": "MIT",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
}


# packages whose description says nothing, or in a place where no expression is looked for; read in the licence file that they bring
BROUGHT = {"blake3": "CC0-1.0 OR Apache-2.0", "pyrage": "MIT"}


class Pinned(NamedTuple):
    name: str
    version: str
    hashes: tuple[str, ...]


def pinned(lock_file: Path) -> Iterator[Pinned]:
    """What a file of constraints installs on this kind of machine."""
    for block in re.split(r"\n(?=[a-z0-9])", lock_file.read_text(encoding="utf-8")):
        requirement = Requirement(block.split("\\")[0].split("\n")[0].strip())
        if requirement.marker is None or requirement.marker.evaluate():
            version = str(requirement.specifier).removeprefix("==")
            yield Pinned(canonicalize_name(requirement.name), version, tuple(re.findall(r"--hash=sha256:([0-9a-f]{64})", block)))


def licence_of(package: Distribution) -> str | None:
    """The licence as an SPDX expression, None where the package does not say it in words we know."""
    told = package.metadata
    expression, named = told.get("License-Expression"), str(told.get("License", "")).strip()
    if expression or named in NAMED.values():
        return str(expression or named)
    classified = [line.rpartition(" :: ")[2] for line in told.get_all("Classifier") or () if line.startswith("License :: ")]
    found = {NAMED[name] for name in (*classified, named) if name in NAMED}
    return " AND ".join(sorted(found)) or BROUGHT.get(canonicalize_name(package.name))


def component(package: Pinned) -> dict[str, Any]:
    licence = licence_of(distribution(package.name))
    return {
        "type": "library",
        "bom-ref": package.name,
        "name": package.name,
        "version": package.version,
        "purl": f"pkg:pypi/{package.name}@{package.version}",
        "licenses": [{"expression": licence}] if licence else [],
        # of every file of this version, one for each kind of machine
        "properties": [{"name": "twin-api:sha256", "value": value} for value in package.hashes],
    }


def needs(name: str, known: Mapping[str, Pinned]) -> list[str]:
    """Which of the known packages a package asks for on this kind of machine, with the extras that Twin API wants of it."""
    extras = [extra for each in requirements("twin-api") if canonicalize_name(each.name) == name for extra in each.extras]
    names = {
        canonicalize_name(each.name)
        for each in requirements(name)
        if each.marker is None or any(each.marker.evaluate({"extra": extra}) for extra in ("", *extras))
    }
    return sorted(names & known.keys())


def requirements(name: str) -> list[Requirement]:
    return [Requirement(text) for text in distribution(name).requires or ()]


def bill(lock_file: Path) -> dict[str, Any]:
    """CycloneDX 1.6. The same constraints give the same bytes: no clock, no serial number."""
    known = {package.name: package for package in sorted(pinned(lock_file))}
    own = {"type": "application", "bom-ref": "twin-api", "name": "twin-api", "version": distribution("twin-api").version,
           "purl": f"pkg:pypi/twin-api@{distribution('twin-api').version}", "licenses": [{"expression": "EUPL-1.2"}]}  # fmt: skip
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": own},
        "components": [component(package) for package in known.values()],
        "dependencies": [{"ref": name, "dependsOn": needs(name, known)} for name in ("twin-api", *known)],
    }


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(bill(PROJECT / "constraints" / "run.txt"), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
