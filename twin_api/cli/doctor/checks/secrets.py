"""Whether each login's secret lies closed, opens its login, and no other lies beside it. It must never print one."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import psycopg

from twin_api.cli.doctor.check import Check
from twin_api.cli.doctor.finding import Finding, Unseen, fault, named, warning
from twin_api.cli.doctor.patient import CONNECT_S, Patient
from twin_api.policy.finding import listed
from twin_api.publish.migrate import BASE_LOGINS
from twin_api.store.secrets import FOLLOWERS, HANDED, SecretExposed, SecretMissing
from twin_api.texts import Text

OTHERS: Final = ("superuser", "pepper")
KEPT: Final = (".lock", FOLLOWERS, HANDED)
_LOST = Text("wer sie gelesen hat, kann sich als diese Rolle anmelden", "whoever has read it can log in as that role")


def look(patient: Patient) -> Iterator[Finding]:
    folder = patient.secrets.folder
    if not folder.is_dir():
        yield fault(
            Text(f"den Ordner {named(folder)} gibt es nicht", f"there is no folder {named(folder)}"),
            Text("ohne Geheimnisse kommt niemand in die Datenbank", "without secrets nobody gets into the database"),
            "twin migrate",
        )
        return
    handed = sorted(path for path in (patient.settings.home / "serve").glob("*") if path.is_dir())
    for each in (folder, *handed):
        yield from _closed(each)
    yield from _roll(patient)


def _closed(folder: Path) -> Iterator[Finding]:
    told = folder.stat()
    if stat.S_IMODE(told.st_mode) & 0o077:
        yield fault(Text(f"{named(folder)} steht anderen offen", f"{named(folder)} is open to others"), _LOST, f"chmod 700 {folder}")
    for path in sorted(folder.iterdir()):
        found = path.lstat()
        if path.name in KEPT or stat.S_ISDIR(found.st_mode):
            continue
        if not stat.S_ISREG(found.st_mode) or found.st_mode & 0o177:
            yield fault(
                Text(f"{named(path)} können andere lesen, oder es ist keine Datei", f"{named(path)} can be read by others, or is no file"),
                _LOST,
                f"rm {path} && twin migrate && twin policy apply",
            )
        elif found.st_uid != told.st_uid:
            yield fault(
                Text(
                    f"{named(path)} gehört einem anderen Nutzer als sein Ordner", f"{named(path)} belongs to another user than its folder"
                ),
                _LOST,
                f"chown {told.st_uid}:{told.st_gid} {path}",
            )


def _roll(patient: Patient) -> Iterator[Finding]:
    secrets, names = patient.secrets, {path.name for path in patient.secrets.folder.iterdir()}
    if "pepper" not in names and _has_tokens(patient):
        yield fault(
            Text("der Pfeffer der Token fehlt", "the tokens' pepper is missing"),
            Text("kein Token gilt ohne ihn", "no token holds without it"),
            Text(
                "aus der letzten Sicherung holen; sonst macht `twin serve` einen neuen, und alle Token sind neu auszugeben",
                "take it from the last backup; else `twin serve` makes a new one, and all tokens have to be handed out anew",
            ),
        )
    with suppress(Unseen):  # told elsewhere; the files have been looked at
        wanted = (*BASE_LOGINS, *patient.twins)
        stray = sorted(names - {*wanted, *OTHERS, *KEPT})
        if stray:
            yield warning(
                Text(f"was liegt da noch: {listed(stray)}", f"what else lies there: {listed(stray)}"),
                Text(
                    "Geheimnisse von Rollen, die es nicht mehr gibt, oder Fremdes",
                    "secrets of roles that are no more, or somebody else's things",
                ),
                f"rm {' '.join(str(secrets.folder / name) for name in stray)}",
            )
        for role in wanted:
            yield from _opens(patient, role)


def _has_tokens(patient: Patient) -> bool:
    """Whether any token is out that would be worth nothing."""
    try:
        row = patient.owner.execute("SELECT EXISTS (SELECT FROM control.token WHERE revoked_at IS NULL AND expires_at > now())").fetchone()
    except Unseen:
        return False
    return row is not None and bool(row[0])


def _opens(patient: Patient, role: str) -> Iterator[Finding]:
    remedy = "twin migrate" if role in BASE_LOGINS else "twin policy apply"
    try:
        psycopg.connect(patient.server.conninfo(role), connect_timeout=CONNECT_S).close()
    except SecretMissing:
        yield fault(
            Text(f"für {named(role)} liegt kein Geheimnis da", f"there is no secret for {named(role)}"),
            Text("der Zwilling antwortet nicht", "the twin does not answer"),
            remedy,
        )
    except SecretExposed:
        return  # told with the files
    except psycopg.OperationalError:
        yield fault(
            Text(f"das Geheimnis von {named(role)} öffnet ihre Anmeldung nicht", f"the secret of {named(role)} does not open its login"),
            Text(
                "der Zwilling antwortet nicht; hat jemand das Kennwort geändert?",
                "the twin does not answer; did somebody change the password?",
            ),
            remedy,
        )


CHECK = Check(
    "secrets",
    Text("Geheimnisse: verschlossen, vollständig, gültig", "Secrets: closed, complete, valid"),
    Text(
        "Dateien, Modus und Eigentümer; ob jedes seine Anmeldung öffnet; was übrig ist",
        "files, mode and owner; whether each opens its login; what is left over",
    ),
    look,
)
