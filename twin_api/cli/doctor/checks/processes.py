"""Whether processes that hold different roles' secrets run as different users of the operating system."""

from __future__ import annotations

import pwd
from collections import defaultdict
from collections.abc import Iterator

import psycopg
from psycopg import conninfo

from twin_api.cli.doctor.check import Check
from twin_api.cli.doctor.finding import Finding, Unseen, named, warning
from twin_api.cli.doctor.patient import Patient
from twin_api.cli.doctor.running import Process, running
from twin_api.texts import Text

_UNITS = Text(
    "je Prozess ein Nutzer: systemd-Einheiten oder Container, jeder mit `twin serve --roles …` und seinem Ordner",
    "one user per process: systemd units or containers, each with `twin serve --roles …` and its folder",
)


def look(patient: Patient) -> Iterator[Finding]:
    by_user: dict[int, list[Process]] = defaultdict(list)
    for process in running():
        if _is_of(process, patient):
            by_user[process.uid].append(process)
    for uid, processes in sorted(by_user.items()):
        held = sorted({process.holds for process in processes})
        if len(held) > 1 or held == ["all"]:
            yield _shared(uid, held)
    yield from _owners(patient, by_user)


def _is_of(process: Process, patient: Patient) -> bool:
    """Whether it serves this town; where that cannot be told, it counts."""
    if not process.environment:
        return True
    if process.kind == "work":
        return process.home is not None and process.home.resolve() == patient.settings.home.resolve()
    try:
        ours = conninfo.conninfo_to_dict(patient.server.address)
        theirs = conninfo.conninfo_to_dict(process.environment.get("TWIN_SERVER", ""))
    except (Unseen, psycopg.ProgrammingError):
        return True
    return all(ours.get(key) == theirs.get(key) for key in ("host", "dbname"))


def _shared(uid: int, held: list[str]) -> Finding:
    who = ", ".join(named(each) for each in held)
    return warning(
        Text(f"unter dem Nutzer {named(user_name(uid))} laufen: {who}", f"as the user {named(user_name(uid))} run: {who}"),
        Text(
            "die Trennung ist hier nur logisch: fremder Code in einem dieser Prozesse könnte die Geheimnisse der anderen lesen",
            "separation is but logical here: foreign code in one of these processes could read the others' secrets",
        ),
        _UNITS,
    )


def _owners(patient: Patient, by_user: dict[int, list[Process]]) -> Iterator[Finding]:
    """A server whose user owns the folder of all secrets can read the owner's, whatever it was handed."""
    folder = patient.secrets.folder
    if not folder.is_dir():
        return
    uid = folder.stat().st_uid
    servers = sorted({process.holds for process in by_user.get(uid, ()) if process.kind == "serve"})
    if servers:
        yield warning(
            Text(
                f"{named(folder)} gehört demselben Nutzer {named(user_name(uid))} wie der Server für {', '.join(map(named, servers))}",
                f"{named(folder)} belongs to the same user {named(user_name(uid))} as the server for {', '.join(map(named, servers))}",
            ),
            Text(
                "fremder Code im Server könnte das Geheimnis des Eigentümers lesen, und damit alles",
                "foreign code in the server could read the owner's secret, and with it everything",
            ),
            _UNITS,
        )


def user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


CHECK = Check(
    "processes",
    Text("Prozesse: jede Rolle unter ihrem Nutzer des Betriebssystems", "Processes: each role as its own user of the operating system"),
    Text(
        "laufende Server und Arbeiter dieses Rechners, ihre Rollen und ihre Nutzer",
        "servers and workers running on this machine, their roles and users",
    ),
    look,
)
