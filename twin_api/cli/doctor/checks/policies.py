"""Whether the policy files hold, are those in force, and are published as this version of the program publishes them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from zoneinfo import ZoneInfo

from twin_api.cli.doctor.check import Check
from twin_api.cli.doctor.finding import Finding, Unseen, fault, note, warning
from twin_api.cli.doctor.patient import Connection, Patient
from twin_api.policy.documents import Policies
from twin_api.policy.finding import listed
from twin_api.policy.town import PAGES
from twin_api.publish.apply import find_outdated, make_plan
from twin_api.publish.layers import check_layers
from twin_api.texts import Text


def look(patient: Patient) -> Iterator[Finding]:
    yield from _folder(patient)
    in_force, connection = patient.in_force, patient.owner
    today = patient.clock().astimezone(ZoneInfo(in_force.town.time_zone)).date()
    yield from _pages(in_force)
    yield from _store(connection, in_force)
    yield from _published(connection, in_force, today)
    row = connection.execute("SELECT version, at::date::text FROM control.policy ORDER BY id DESC LIMIT 1").fetchone()
    if row is not None:
        yield note(Text(f"in Kraft: {row[0]}, angewendet am {row[1]}", f"in force: {row[0]}, applied on {row[1]}"))


def _folder(patient: Patient) -> Iterator[Finding]:
    """The files, then what is in force, as far as either can be had."""
    try:
        wanted = patient.policies
    except Unseen as unseen:
        yield fault(unseen.what, Text("der nächste Stand lässt sich nicht anwenden", "the next state cannot be applied"), unseen.remedy)
        return
    patient.owner  # noqa: B018  # where it is away, that is told elsewhere
    try:
        in_force = patient.in_force
    except Unseen as unseen:
        yield fault(unseen.what, Text("kein Zwilling zeigt, was er soll", "no twin shows what it should"), unseen.remedy)
        return
    names = sorted({*wanted.files, *in_force.files})
    changed = [name for name in names if wanted.files.get(name) != in_force.files.get(name)]
    if changed:
        yield warning(
            Text(f"geändert, aber nicht angewendet: {listed(changed)}", f"changed but not applied: {listed(changed)}"),
            Text("die Zwillinge zeigen noch, was vorher galt", "the twins still show what held before"),
            "twin policy diff && twin policy apply",
        )


def _pages(in_force: Policies) -> Iterator[Finding]:
    missing = [page for page in PAGES if page not in in_force.town.pages]
    if missing:
        yield warning(
            Text(f"in town.yaml fehlen unter `pages`: {listed(missing)}", f"missing in town.yaml below `pages`: {listed(missing)}"),
            Text(
                "ein öffentlicher Server braucht Impressum, Datenschutzerklärung und Erklärung zur Barrierefreiheit auf jeder Seite",
                "a public server needs imprint, privacy notice and accessibility statement on every page",
            ),
            Text("die Adressen dort eintragen, dann twin policy apply", "enter the addresses there, then twin policy apply"),
        )


def _store(connection: Connection, in_force: Policies) -> Iterator[Finding]:
    for reason in check_layers(connection, in_force.layers):
        yield fault(
            reason,
            Text(
                "die Richtlinien in Kraft stehen auf etwas, das der Speicher nicht hat",
                "the policies in force stand on something the store lacks",
            ),
            "twin policy apply",
        )


def _published(connection: Connection, in_force: Policies, today: date) -> Iterator[Finding]:
    plan = make_plan(connection, in_force, today)
    if plan.new or plan.moved or plan.gone or plan.new_roles or plan.gone_roles:
        moved = sorted({f"{schema}.{shown.collection}" for schema, shown in plan.moved} | {".".join(key) for key in plan.gone})
        what = listed([*moved, *plan.new_roles, *plan.gone_roles])
        yield fault(
            Text(f"veröffentlicht ist anderes, als gilt: {what}", f"what is published is not what is in force: {what}"),
            Text("Zwillinge zeigen zu viel oder zu wenig", "twins show too much or too little"),
            "twin policy apply",
        )
    elif outdated := find_outdated(connection, plan):
        yield warning(
            Text(
                f"{len(outdated)} veröffentlichte Tabellen hat eine andere Fassung des Programms gebaut",
                f"{len(outdated)} published tables were built by another version of the program",
            ),
            Text("was diese Fassung besser macht, fehlt ihnen", "they lack what this version does better"),
            "twin policy apply",
        )


CHECK = Check(
    "policies",
    Text("Richtlinien: sie gelten, wie sie da stehen", "Policies: in force as they are written"),
    Text(
        "Ordner gegen das Angewendete, Speicher und veröffentlichte Tabellen gegen beides; die Pflichtseiten",
        "the folder against what was applied, the store and the published tables against both; the pages the law asks for",
    ),
    look,
)
