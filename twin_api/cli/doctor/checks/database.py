"""Whether the database answers at all: most of the other checks look through it."""

from __future__ import annotations

from collections.abc import Iterator

from twin_api.cli.doctor.check import Check
from twin_api.cli.doctor.finding import Finding, Unseen, fault, warning
from twin_api.cli.doctor.patient import Patient
from twin_api.texts import Text

_AWAY = Text(
    "ohne sie antwortet kein Zwilling, und fast alles andere ist nicht zu sehen",
    "without it no twin answers, and almost nothing else can be looked at",
)
_SPARE = 20  # for the worker, imports and whoever administers


def look(patient: Patient) -> Iterator[Finding]:
    try:
        connection, _ = patient.administrator, patient.owner
    except Unseen as unseen:
        yield fault(unseen.what, _AWAY, unseen.remedy)
        return
    row = connection.execute("SELECT current_setting('max_connections')::int").fetchone()
    most, wanted = int(row[0]) if row else 0, len(patient.twins) * patient.settings.pool_size + _SPARE
    if most < wanted:
        yield warning(
            Text(
                f"`max_connections` ist {most}, ein Server für alle Rollen kann {wanted} brauchen",
                f"`max_connections` is {most}, one server for all roles may want {wanted}",
            ),
            Text("unter Last bekommen Anfragen 503", "under load requests are answered 503"),
            f"ALTER SYSTEM SET max_connections = {wanted + _SPARE};",
        )


CHECK = Check(
    "database",
    Text("Datenbank: sie antwortet", "Database: it answers"),
    Text(
        "ob Verwalter und Eigentümer hineinkommen und die Verbindungen reichen",
        "whether administrator and owner get in, and there are connections enough",
    ),
    look,
)
