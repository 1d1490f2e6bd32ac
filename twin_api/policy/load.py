"""A folder of policy files becomes `Policies`, or the list of everything that is wrong with it.

Must never return policies that hold a mistake, nor look at anything but the files: no clock, no environment, no database.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from twin_api.policy.approvals import APPROVALS, read_approvals, with_approvals
from twin_api.policy.containment import check_groups, check_replacement
from twin_api.policy.documents import Grant, Layer, Place, Policies, Role, Town
from twin_api.policy.examples import read_examples
from twin_api.policy.finding import Findings, PolicyInvalid, quoted, suggestion
from twin_api.policy.grant import Ground
from twin_api.policy.layer import read_layer
from twin_api.policy.places import Places
from twin_api.policy.proof.check import check_citizens, check_figures
from twin_api.policy.proof.crossing import check_crossings
from twin_api.policy.role import CITIZEN, RoleFile, read_role
from twin_api.policy.town import ROLE_FILES, read_town
from twin_api.policy.yaml_file import MAX_BYTES, Node, read
from twin_api.texts import Text

TOWN: Final = "town.yaml"
LAYERS: Final = "layers"
TESTS: Final = "tests"


def load(folder: Path) -> Policies:
    """All policies in the folder. Raises `PolicyInvalid` with every finding at once."""
    findings = Findings()
    return _loaded(dict(_files(folder, findings)), findings)


def load_texts(texts: Mapping[str, str]) -> Policies:
    """Policies from the texts that `Policies.files` kept, by name within the folder. Raises `PolicyInvalid`."""
    return _loaded({name: text.encode() for name, text in texts.items()}, Findings())


def load_applied(texts: Mapping[str, str]) -> Policies:
    """The policies in force, from the texts kept with them. Raises `PolicyInvalid`.

    They were proved when they were applied: to end a release or withdraw an item nobody waits for a prover, nor for one that is installed.
    """
    return _loaded({name: text.encode() for name, text in texts.items()}, Findings(), are_proved=True)


def _loaded(files: Mapping[str, bytes], findings: Findings, *, are_proved: bool = False) -> Policies:
    nodes = {name: node for name, data in files.items() if (node := read(data, name, findings)) is not None}
    _check_empty(files, nodes, findings)
    if TOWN in nodes:
        policies = _policies(nodes, files, findings)
        if not are_proved:
            check_figures(policies, findings)
        if not are_proved and CITIZEN in policies.roles:
            check_citizens(policies, findings)
        if not findings:
            return policies
    raise PolicyInvalid(findings)


def _policies(nodes: Mapping[str, Node], files: Mapping[str, bytes], findings: Findings) -> Policies:
    town = read_town(nodes[TOWN], findings)
    layers = _layers(nodes, files, town, findings)
    ground = Ground(town, layers, classes_hold=all(finding.place.file != TOWN for finding in findings))
    approvals = read_approvals(nodes[APPROVALS], town, findings) if APPROVALS in nodes else ()
    role_files = {role: read_role(nodes[f"{role}.yaml"], role, ground, findings) for role in ROLE_FILES if f"{role}.yaml" in nodes}
    role_files = {role: file.approved(lambda grant: with_approvals(grant, approvals)) for role, file in role_files.items()}
    roles = dict(_roles(role_files, findings))
    every_grant = [grant for file in role_files.values() for grants in file.grants.values() for grant in grants.values()]
    texts = {name: data.decode("utf-8", errors="replace") for name, data in files.items()}
    check_crossings(every_grant, layers, Places(texts), findings)
    check_groups(roles.values(), layers, findings)
    policies = Policies(town, {name: layer for name, layer in layers.items() if layer is not None}, roles, texts)
    if not findings:  # tests speak of all the rest, and would only repeat what is wrong there
        _check_examples(nodes, policies, findings)
    return policies


def _check_examples(nodes: Mapping[str, Node], policies: Policies, findings: Findings) -> None:
    """What is wrong in a test's own file; whether it passes is for `twin policy test` to say."""
    for name, node in nodes.items():
        if name.startswith(f"{TESTS}/"):
            read_examples(node, policies.layers, policies.roles, findings)


def _layers(nodes: Mapping[str, Node], files: Mapping[str, bytes], town: Town, findings: Findings) -> dict[str, Layer | None]:
    layers: dict[str, Layer | None] = {}
    for file in files:
        if file.startswith(f"{LAYERS}/"):
            name = file.removeprefix(f"{LAYERS}/").removesuffix(".yaml")
            layers[name] = read_layer(nodes[file], name, town, findings) if file in nodes else None
    return layers


def _roles(role_files: Mapping[str, RoleFile], findings: Findings) -> Iterator[tuple[str, Role]]:
    """Every role with its own grants first and the included ones behind them."""
    included = role_files[CITIZEN].grants[CITIZEN] if CITIZEN in role_files else {}
    for file_role, file in role_files.items():
        if file_role != CITIZEN and not file.includes and included:
            what = Text(f"`{file_role}` sähe weniger als die Bürger", f"`{file_role}` would see less than citizens do")
            findings.add(file.place, what, Text("`includes: citizen` ergänzen", "add `includes: citizen`"))
        for name, own in file.grants.items():
            grants = _with_included(own, included if file_role != CITIZEN else {}, findings)
            yield name, Role(name, file.access, grants, file.announce)


def _with_included(own: Mapping[str, Grant], included: Mapping[str, Grant], findings: Findings) -> dict[str, tuple[Grant, ...]]:
    grants: dict[str, tuple[Grant, ...]] = {collection: (grant,) for collection, grant in own.items()}
    for collection, grant in included.items():
        if collection in own:
            check_replacement(own[collection], grant, findings)
        grants[collection] = (*grants.get(collection, ()), grant)
    return grants


def _files(folder: Path, findings: Findings) -> Iterator[tuple[str, bytes]]:
    """The policy files of the folder by their relative names; what looks like one and is none is a finding."""
    expected = (TOWN, APPROVALS, *(f"{role}.yaml" for role in ROLE_FILES))
    for path in _listing(folder, findings):
        if path.name in expected:
            yield from _bytes(path, path.name, findings)
        elif path.suffix.lower() in (".yaml", ".yml"):
            what = Text(f"eine Datei {quoted(path.name)} kennt dieser Ordner nicht", f"this folder knows no file {quoted(path.name)}")
            findings.add(Place(_shown(path.name), 1), what, suggestion(path.name, expected))
    for shelf in (LAYERS, TESTS):
        for path in _listing(folder / shelf, findings) if (folder / shelf).is_dir() else ():
            if path.suffix == ".yaml":
                yield from _bytes(path, f"{shelf}/{path.name}", findings)
            elif path.suffix.lower() in (".yaml", ".yml"):
                what = Text("die Endung muss `.yaml` sein", "the ending must be `.yaml`")
                findings.add(Place(_shown(f"{shelf}/{path.name}"), 1), what, Text("die Datei umbenennen", "rename the file"))


def _listing(folder: Path, findings: Findings) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError:
        what = Text(f"der Ordner {quoted(folder)} ist nicht lesbar", f"the folder {quoted(folder)} cannot be read")
        findings.add(Place(_shown(folder.name), 1), what, Text("Pfad und Rechte prüfen", "check path and permissions"))
        return []


def _bytes(path: Path, name: str, findings: Findings) -> Iterator[tuple[str, bytes]]:
    try:
        if path.is_file():
            with path.open("rb") as file:
                yield _shown(name), file.read(MAX_BYTES + 1)
            return
    except OSError:
        pass
    what = Text("die Datei ist nicht lesbar", "the file cannot be read")
    findings.add(Place(_shown(name), 1), what, Text("eine gewöhnliche, lesbare Datei hinlegen", "put an ordinary, readable file there"))


def _shown(name: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in name)


def _check_empty(files: Mapping[str, bytes], nodes: Mapping[str, Node], findings: Findings) -> None:
    broken = {finding.place.file for finding in findings}
    for name in (TOWN, f"{CITIZEN}.yaml"):
        if name not in files and name not in broken:
            what = Text("die Datei fehlt", "the file is missing")
            findings.add(Place(name, 1), what, Text("anlegen; ohne sie gilt keine Richtlinie", "create it; no policy holds without it"))
    for name in files:
        if name not in nodes and name not in broken:
            findings.add(
                Place(name, 1), Text("die Datei ist leer", "the file is empty"), Text("ausfüllen oder löschen", "fill it or delete it")
            )
