"""Whether PostgreSQL keeps what it acknowledges, lets nobody in without a password, and writes no row's value into its log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

import psycopg

from twin_api.cli.doctor.check import Check
from twin_api.cli.doctor.finding import Finding, Severity, fault, named, said, warning
from twin_api.cli.doctor.patient import Connection, Patient
from twin_api.texts import Text

LOST: Final = Text("ein Absturz kostet, was schon bestätigt war", "a crash costs what was already acknowledged")
TORN: Final = Text("nach einem Stromausfall kann die Datenbank zerstört sein", "after a power failure the database may be destroyed")
IN_LOG: Final = Text("Werte verborgener Zeilen können im Log der Datenbank stehen", "values of hidden rows may stand in the database's log")


class Wish(NamedTuple):
    """A setting, and whether its value will do."""

    name: str
    good: str
    why: Text
    severity: Severity
    does: Callable[[str], bool]


def _is(value: str) -> Callable[[str], bool]:
    return lambda found: found == value


WISHES: Final = (
    Wish("fsync", "on", TORN, "fault", _is("on")),
    Wish("full_page_writes", "on", TORN, "fault", _is("on")),
    Wish("synchronous_commit", "on", LOST, "fault", lambda found: found != "off"),
    Wish(
        "autovacuum",
        "on",
        Text("Tabellen wachsen, bis die Datenbank stehen bleibt", "tables grow until the database stops"),
        "fault",
        _is("on"),
    ),
    Wish(
        "password_encryption",
        "scram-sha-256",
        Text("md5-Kennwörter lassen sich erraten", "md5 passwords can be guessed"),
        "fault",
        _is("scram-sha-256"),
    ),
    Wish("log_statement", "none", IN_LOG, "warning", _is("none")),
    Wish("log_min_error_statement", "panic", IN_LOG, "warning", lambda found: found in ("fatal", "panic", "log")),
    Wish("log_error_verbosity", "terse", IN_LOG, "warning", _is("terse")),
    Wish("log_parameter_max_length", "0", IN_LOG, "warning", _is("0")),
    Wish("log_parameter_max_length_on_error", "0", IN_LOG, "warning", _is("0")),
    Wish("log_min_duration_statement", "-1", IN_LOG, "warning", _is("-1")),
)
_HBA: Final = "SELECT type, database, user_name, address, auth_method, error, line_number FROM pg_hba_file_rules ORDER BY line_number"


def setting_of(connection: Connection, name: str) -> str | None:
    row = connection.execute("SELECT setting FROM pg_settings WHERE name = %s", [name]).fetchone()
    return None if row is None else str(row[0])


def look(patient: Patient) -> Iterator[Finding]:
    connection = patient.administrator
    for wish in WISHES:
        setting = setting_of(connection, wish.name)
        if setting is not None and not wish.does(setting):
            what = f"`{wish.name}` = {setting}"
            yield Finding(
                wish.severity, Text(what, what), wish.why, said(f"ALTER SYSTEM SET {wish.name} = '{wish.good}'; SELECT pg_reload_conf();")
            )
    row = connection.execute("SELECT current_setting('data_checksums')").fetchone()
    if row is not None and row[0] != "on":
        yield warning(
            Text("die Datenbank prüft ihre Seiten nicht (data_checksums)", "the database does not check its pages (data_checksums)"),
            Text("Fehler der Platte bleiben unbemerkt, auch in Sicherungen", "errors of the disk go unnoticed, in backups too"),
            "pg_checksums --enable -D DATA",
        )
    yield from _encrypted(connection)
    yield from _doors(patient)
    yield from _administrator(patient)


def _encrypted(connection: Connection) -> Iterator[Finding]:
    host = connection.info.host
    if not (host.startswith("/") or host in ("localhost", "127.0.0.1", "::1") or connection.pgconn.ssl_in_use):
        yield fault(
            Text(f"die Verbindung zu {named(host)} ist nicht verschlüsselt", f"the connection to {named(host)} is not encrypted"),
            Text("wer im Netz mithört, liest alle Zwillinge", "whoever listens on the network reads all twins"),
            "TWIN_DATABASE_URL=…?sslmode=verify-full",
        )


def _doors(patient: Patient) -> Iterator[Finding]:
    """The lines of pg_hba.conf that let somebody in too easily."""
    try:
        lines = patient.administrator.execute(_HBA).fetchall()
    except psycopg.errors.InsufficientPrivilege:
        yield warning(
            Text("`pg_hba.conf` ist für diesen Verwalter nicht zu sehen", "`pg_hba.conf` cannot be seen by this administrator"),
            Text("ob jemand ohne Kennwort hineinkommt, bleibt offen", "whether anybody gets in without a password stays open"),
            Text(
                "wer die Datenbank betreibt, sieht nach: SELECT * FROM pg_hba_file_rules;",
                "whoever runs the database looks: SELECT * FROM pg_hba_file_rules;",
            ),
        )
        return
    for kind, databases, users, address, method, error, number in lines:
        where = f"pg_hba.conf:{number} ({kind} {','.join(databases or ())} {','.join(users or ())} {address or ''})".replace(" )", ")")
        if error is not None:
            yield warning(
                Text(f"{where} ist fehlerhaft", f"{where} holds a mistake"),
                Text("beim nächsten Start kommt niemand mehr hinein", "at the next start nobody gets in"),
                "SELECT * FROM pg_hba_file_rules;",
            )
        elif method == "trust":
            yield fault(
                Text(f"{where} lässt ohne Kennwort hinein", f"{where} lets in without a password"),
                Text("jede Rolle, auch der Eigentümer, steht dort jedem offen", "every role, the owner too, is open to anybody there"),
                "ALTER … trust → scram-sha-256; SELECT pg_reload_conf();",
            )
        elif method in ("password", "md5"):
            yield warning(
                Text(f"{where} nimmt `{method}`", f"{where} takes `{method}`"),
                Text("das Kennwort ist mitzulesen oder zu erraten", "the password can be read or guessed on its way"),
                f"{method} → scram-sha-256; SELECT pg_reload_conf();",
            )


def _administrator(patient: Patient) -> Iterator[Finding]:
    if not patient.is_superuser:
        yield warning(
            Text("der Verwalter ist kein Superuser", "the administrator is no superuser"),
            Text(
                "er kann nicht nehmen, was PostgreSQL und PostGIS jedem erlauben, nicht jede Grenze setzen, nicht alles sehen",
                "he cannot take what PostgreSQL and PostGIS allow everybody, nor set every limit, nor see everything",
            ),
            Text(
                "wer die Datenbank betreibt, ruft einmal in ihr: SELECT control.harden();",
                "whoever runs the database calls once in it: SELECT control.harden();",
            ),
        )


CHECK = Check(
    "server",
    Text("PostgreSQL: behält, schließt ab, verrät nichts im Log", "PostgreSQL: keeps, locks, betrays nothing in its log"),
    Text(
        "Einstellungen für Dauerhaftigkeit, Kennwörter und Log; Verschlüsselung; `pg_hba.conf`; was der Verwalter darf",
        "settings of durability, passwords and log; encryption; `pg_hba.conf`; what the administrator may do",
    ),
    look,
)
