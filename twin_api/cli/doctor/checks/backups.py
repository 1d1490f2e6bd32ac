"""Whether there is a backup, and a young one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from twin_api.backup.folder import newest_backup
from twin_api.cli.doctor.check import Check
from twin_api.cli.doctor.finding import Finding, fault, named, note, warning
from twin_api.cli.doctor.patient import Patient
from twin_api.texts import Text

FRESH: Final = timedelta(hours=36)  # a nightly one that failed once
STALE: Final = timedelta(days=8)
_LOST = Text("geht die Platte verloren, ist alles seither verloren", "if the disk is lost, everything since is lost")


def look(patient: Patient) -> Iterator[Finding]:
    folder = patient.settings.backups_folder
    newest = newest_backup(folder)
    if newest is None:
        yield warning(Text(f"in {named(folder)} liegt keine Sicherung", f"there is no backup in {named(folder)}"), _LOST, "twin backup")
        return
    age, name = patient.clock() - newest.at, named(newest.path.name)
    hours = int(age.total_seconds() // 3600)
    if age > STALE:
        yield fault(
            Text(f"die neueste Sicherung {name} ist {hours // 24} Tage alt", f"the newest backup {name} is {hours // 24} days old"),
            _LOST,
            "twin backup",
        )
    elif age > FRESH:
        yield warning(
            Text(f"die neueste Sicherung {name} ist {hours} Stunden alt", f"the newest backup {name} is {hours} hours old"),
            _LOST,
            "twin backup",
        )
    else:
        yield note(Text(f"{name}, {hours} Stunden alt", f"{name}, {hours} hours old"))


CHECK = Check(
    "backups",
    Text("Sicherungen: es gibt eine, und sie ist jung", "Backups: there is one, and it is young"),
    Text("Alter der neuesten Sicherung in `TWIN_BACKUPS`", "age of the newest backup in `TWIN_BACKUPS`"),
    look,
)
