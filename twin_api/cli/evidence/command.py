"""`twin evidence` itself: take it, check it, compare two of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from twin_api.cli import context
from twin_api.cli.doctor.finding import Unseen
from twin_api.cli.doctor.patient import Patient
from twin_api.cli.evidence.bundle import (
    BundleInTheWay,
    BundleUnreadable,
    as_json,
    find_damage,
    find_differences,
    read_bundle,
    with_manifest,
    write_bundle,
)
from twin_api.cli.evidence.page import as_html, as_markdown, sections_of
from twin_api.cli.evidence.policies import tell_approvals, tell_policies, tell_theorems
from twin_api.cli.evidence.program import SBOM, tell_program
from twin_api.cli.evidence.results import ResultsUnreadable, tell_results
from twin_api.cli.evidence.rights import DECISIVE, tell_doctor, tell_drift, tell_hardening, tell_rights
from twin_api.cli.evidence.twins import tell_twins
from twin_api.policy.proof.told import ENDS
from twin_api.texts import Text

DAMAGE = {"changed": Text("verändert", "changed"), "missing": Text("fehlt", "missing"), "surplus": Text("zu viel", "surplus")}


def evidence(
    to: Annotated[Path | None, typer.Option("--to", metavar="FILE.zip|FOLDER", help="where to, if not here")] = None,
    tests: Annotated[list[Path] | None, typer.Option("--tests", metavar="JUNIT.xml", help="results to put in; repeatable")] = None,
    check: Annotated[Path | None, typer.Option("--check", metavar="FILE", help="only recompute the checksums of a bundle")] = None,
    compare: Annotated[
        tuple[Path, Path] | None, typer.Option("--compare", metavar="A B", help="only say what differs between two bundles")
    ] = None,
) -> None:
    """Write what an auditor takes along: policies, rights, published columns, proofs, tests. Exit code 1 where they disagree."""
    if check is not None:
        _check(check)
    elif compare is not None:
        _compare(*compare)
    else:
        _take(to, tests or [])


def _take(to: Path | None, tests: Sequence[Path]) -> None:
    if to is not None and to.exists():
        _fail_in_the_way(to)
    now = datetime.now(UTC)
    results = {path.name: _results(path) for path in tests}
    context.administrator()  # starts the private cluster if it rests
    patient = Patient(context.settings(), lambda: now)
    try:
        target = to or Path(f"evidence-{patient.database}-{now:%Y%m%d-%H%M%S}.zip")
        files, contradictions = gather(patient, results)
    except Unseen as unseen:
        _fail_unseen(unseen)
    finally:
        patient.close()
    try:
        write_bundle(with_manifest(files, now), target)
    except BundleInTheWay:
        _fail_in_the_way(target)
    except OSError:
        context.fail(Text(f"`{target}` ist nicht beschreibbar.", f"`{target}` cannot be written."))
    context.console.print(str(target), markup=False)
    if contradictions:
        context.fail_all(contradictions)


def gather(patient: Patient, results: dict[str, Any]) -> tuple[dict[str, bytes], list[Text]]:
    """All files but the manifest, and what contradicts what is promised. Raises `Unseen`."""
    twins, contradictions = tell_twins(patient, patient.clock())
    told: dict[str, Any] = {
        "program": tell_program(patient),
        "policies": tell_policies(patient),
        "approvals": tell_approvals(patient.in_force),
        "twins": twins,
        "rights": tell_rights(patient),
        "theorems": tell_theorems(patient.in_force),
        "drift": tell_drift(patient),
        "hardening": tell_hardening(patient),
        "doctor": tell_doctor(patient),
        **({"tests": results} if results else {}),
    }
    contradictions += _contradictions(told)
    told["contradictions"] = [text.as_json() for text in contradictions]
    sections = sections_of(told, contradictions)
    files = {f"{name}.json": as_json(content) for name, content in told.items()}
    sbom = {"sbom.cdx.json": SBOM.read_bytes()} if SBOM.is_file() else {}
    return {**files, **sbom, "bericht.md": as_markdown(sections), "index.html": as_html(sections)}, contradictions


def _contradictions(told: dict[str, Any]) -> list[Text]:
    found = []
    if told["drift"]["differing"]:
        n = told["drift"]["differing"]
        found.append(Text(f"{n} veröffentlichte Tabellen sind nicht, was ihre Definition ergibt",
                          f"{n} published tables are not what their definitions yield"))  # fmt: skip
    for theorem, result in told["theorems"]["theorems"].items():
        if result in ("refuted", "open"):
            found.append(Text(f"{theorem}: {ENDS[result].de}", f"{theorem}: {ENDS[result].en}"))
    for name in DECISIVE:
        if told["doctor"][name]["outcome"] in ("fault", "unseen"):
            found.append(Text(f"`twin doctor --only {name}` hat Befunde", f"`twin doctor --only {name}` complains"))
    found += [Text(f"Test nicht bestanden: {test}", f"test not passed: {test}")
              for results in told.get("tests", {}).values() for test in results["failed"]]  # fmt: skip
    return found


def _results(path: Path) -> dict[str, Any]:
    try:
        return tell_results(path.read_bytes())
    except (OSError, ResultsUnreadable):
        context.fail(
            Text(
                f"`{path}` ist keine Datei, wie `pytest --junitxml` sie schreibt.", f"`{path}` is no file as `pytest --junitxml` writes it."
            )
        )


def _check(path: Path) -> None:
    damage = find_damage(_read(path))
    if damage:
        context.fail_all([Text(f"{DAMAGE[fate].de}: {name}", f"{DAMAGE[fate].en}: {name}") for fate, name in damage])
    context.say(Text("Unverändert: alle Prüfsummen stimmen.", "Unchanged: all checksums are right."))


def _compare(one: Path, other: Path) -> None:
    for path in (one, other):
        if find_damage(_read(path)):
            context.fail(Text(f"`{path}` ist verändert: `twin evidence --check`", f"`{path}` is changed: `twin evidence --check`"))
    lines = find_differences(_read(one), _read(other))
    for line in lines:
        context.console.print(line, markup=False)
    if lines:
        raise typer.Exit(1)
    context.say(Text("Beide sagen dasselbe.", "Both say the same."))


def _read(path: Path) -> dict[str, bytes]:
    """Ends the command where it is no bundle."""
    try:
        files = read_bundle(path)
        find_damage(files)
    except BundleUnreadable:
        context.fail(
            Text(
                f"`{path}` ist kein Nachweis, den `twin evidence` geschrieben hat.", f"`{path}` is no evidence that `twin evidence` wrote."
            )
        )
    return files


def _fail_in_the_way(path: Path) -> NoReturn:
    context.fail(Text(f"`{path}` gibt es schon.", f"`{path}` is there already."))


def _fail_unseen(unseen: Unseen) -> NoReturn:
    context.fail(
        Text(f"Nicht zu sehen: {unseen.what.de} → {unseen.remedy.de}", f"Not to be seen: {unseen.what.en} → {unseen.remedy.say('en')}")
    )
