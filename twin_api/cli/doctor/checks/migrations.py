"""Whether the database is at the revision that this program works with."""

from __future__ import annotations

from collections.abc import Iterator

from twin_api.cli.doctor.check import Check
from twin_api.cli.doctor.finding import Finding, fault
from twin_api.cli.doctor.patient import Patient
from twin_api.publish.migrate import newest_revision, revision_of
from twin_api.texts import Text


def look(patient: Patient) -> Iterator[Finding]:
    wanted, found = newest_revision(), revision_of(patient.administrator)
    if found is not None and found > wanted:  # revisions are numbered
        yield fault(
            Text(
                f"die Datenbank steht auf {found}, dieses Programm kennt {wanted}",
                f"the database is at {found}, this program knows {wanted}",
            ),
            Text(
                "eine neuere Fassung hat sie eingerichtet; diese kann sie beschädigen",
                "a newer version has set it up; this one may damage it",
            ),
            Text("die neuere Fassung des Programms einrichten", "install the newer version of the program"),
        )
    elif found != wanted:
        yield fault(
            Text(
                f"die Datenbank steht auf {found or 'nichts'}, nötig ist {wanted}",
                f"the database is at {found or 'nothing'}, {wanted} is needed",
            ),
            Text(
                "Befehle und Server erwarten Tabellen und Rechte, die es noch nicht gibt",
                "commands and servers expect tables and rights that are not there yet",
            ),
            "twin migrate",
        )


CHECK = Check(
    "migrations",
    Text("Stand der Datenbank: der dieses Programms", "State of the database: that of this program"),
    Text("die Migrationen der Datenbank gegen die des Programms", "the database's migrations against the program's"),
    look,
)
