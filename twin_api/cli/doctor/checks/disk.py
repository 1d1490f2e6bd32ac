"""Whether there is room: for the database, an apply that builds all anew, imports, and backups."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psycopg

from twin_api.cli.doctor.check import Check
from twin_api.cli.doctor.finding import Finding, Unseen, fault, named, note, warning
from twin_api.cli.doctor.patient import Patient
from twin_api.texts import Text

MIB: Final = 1 << 20
LEAST: Final = 256 * MIB  # below it the next large write may stop the database
SCARCE: Final = 1024 * MIB
INODES: Final = 10_000
_WAL: Final = "SELECT coalesce(sum(size), 0)::bigint, pg_size_bytes(current_setting('max_wal_size')) FROM pg_ls_waldir()"
_SLOTS: Final = "SELECT slot_name::text FROM pg_replication_slots WHERE NOT active"
_FULL = Text("eine volle Platte hält die Datenbank an", "a full disk stops the database")


def look(patient: Patient) -> Iterator[Finding]:
    size = _size(patient)
    for folder in _folders(patient):
        yield from _room(folder, size if folder == _data(patient) else 0)
    yield from _wal(patient)


def _room(folder: Path, wanted: int) -> Iterator[Finding]:
    """`wanted` is what an apply may need besides: as much again as the database holds."""
    free, told = shutil.disk_usage(folder).free, os.statvfs(folder)
    mib = free // MIB
    if free < LEAST:
        yield fault(
            Text(f"{named(folder)}: nur noch {mib} MiB frei", f"{named(folder)}: {mib} MiB free"),
            _FULL,
            f"du -xh {folder} | sort -h | tail",
        )
    elif free < max(SCARCE, wanted):
        yield warning(
            Text(
                f"{named(folder)}: {mib} MiB frei, nötig wären {max(SCARCE, wanted) // MIB}",
                f"{named(folder)}: {mib} MiB free, {max(SCARCE, wanted) // MIB} are wanted",
            ),
            Text(
                "wer alles neu baut, braucht so viel noch einmal, wie die Datenbank hat",
                "building all anew takes as much again as the database holds",
            ),
            f"du -xh {folder} | sort -h | tail",
        )
    if told.f_files and told.f_favail < INODES:
        yield warning(
            Text(f"{named(folder)}: nur noch {told.f_favail} Dateien möglich", f"{named(folder)}: room for {told.f_favail} files only"),
            _FULL,
            f"du -x --inodes {folder} | sort -n | tail",
        )


def _folders(patient: Patient) -> list[Path]:
    """One folder for each file system that we write to, the data of the database first."""
    wanted = [_data(patient), patient.settings.home, patient.settings.backups_folder, Path(tempfile.gettempdir())]
    by_device: dict[int, Path] = {}
    for folder in filter(None, wanted):
        found = next((step for step in (folder.absolute(), *folder.absolute().parents) if step.exists()), None)
        if found is not None:
            by_device.setdefault(found.stat().st_dev, found)
    return list(by_device.values())


def _data(patient: Patient) -> Path | None:
    """The data folder of a cluster of ours; that of another machine cannot be seen from here."""
    data = patient.cluster.data if patient.cluster is not None else None
    return data if data is not None and data.exists() else None


def _size(patient: Patient) -> int:
    try:
        row = patient.administrator.execute("SELECT pg_database_size(current_database())").fetchone()
    except (Unseen, psycopg.Error):
        return 0
    return int(row[0]) if row else 0


def _wal(patient: Patient) -> Iterator[Finding]:
    try:
        row = patient.administrator.execute(_WAL).fetchone()
    except Unseen:
        return  # told elsewhere
    except psycopg.errors.InsufficientPrivilege:
        yield note(Text("das WAL ist für diesen Verwalter nicht zu sehen", "the WAL cannot be seen by this administrator"))
        return
    if row is not None and row[0] > 2 * row[1] + 64 * MIB:
        yield warning(
            Text(
                f"das WAL belegt {row[0] // MIB} MiB, gedacht sind {row[1] // MIB}",
                f"the WAL takes {row[0] // MIB} MiB, {row[1] // MIB} are meant",
            ),
            Text(
                "etwas hält es fest: ein Slot, ein Archiv, eine lange Transaktion",
                "something holds it: a slot, an archive, a long transaction",
            ),
            "SELECT * FROM pg_replication_slots; SELECT * FROM pg_stat_archiver;",
        )
    for (slot,) in patient.administrator.execute(_SLOTS).fetchall():
        yield warning(
            Text(f"niemand liest den Slot {named(slot)}", f"nobody reads the slot {named(slot)}"),
            Text(
                "solange er da ist, wächst das WAL, bis die Platte voll ist", "as long as it is there the WAL grows until the disk is full"
            ),
            f"SELECT pg_drop_replication_slot('{slot}');",
        )


CHECK = Check(
    "disk",
    Text("Platten: genug Platz für das, was kommt", "Disks: room for what is to come"),
    Text(
        "freier Platz für Daten, Ablage, Sicherungen und Vorläufiges; WAL und verwaiste Slots",
        "free room for data, home, backups and temporary files; WAL and slots that nobody reads",
    ),
    look,
)
