"""Whether the clocks agree: releases and embargoes end by the database's, tokens by it too, deadlines by this machine's."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

import psycopg

from twin_api.cli.doctor.check import Check
from twin_api.cli.doctor.finding import Finding, Unseen, fault, warning
from twin_api.cli.doctor.patient import Patient
from twin_api.texts import Text

APART_S: Final = 2.0
FAR_APART_S: Final = 60.0
_ENDS = Text("Freigaben, Embargos und Token enden zur falschen Zeit", "releases, embargoes and tokens end at the wrong time")
_NTP = "timedatectl set-ntp true"


def look(patient: Patient) -> Iterator[Finding]:
    yield from _kept()
    yield from _apart(patient)
    yield from _zone(patient)


def _kept() -> Iterator[Finding]:
    """What systemd says about this machine's clock; elsewhere nobody can be asked."""
    program = shutil.which("timedatectl")
    if program is None:
        return
    command = [program, "show", "--property=NTPSynchronized", "--value"]
    try:
        said = subprocess.run(command, check=False, capture_output=True, text=True, timeout=5).stdout.strip()  # noqa: S603 - no shell
    except subprocess.TimeoutExpired:
        return
    if said == "no":
        yield warning(Text("niemand stellt die Uhr dieses Rechners", "nobody sets this machine's clock"), _ENDS, _NTP)


def _apart(patient: Patient) -> Iterator[Finding]:
    before = patient.clock()
    row = patient.administrator.execute("SELECT clock_timestamp()").fetchone()
    after = patient.clock()
    assert row is not None  # noqa: S101  # said to the type checker
    there: datetime = row[0]
    apart = max((before - there).total_seconds(), (there - after).total_seconds())
    if apart > APART_S:
        what = Text(
            f"die Uhr der Datenbank weicht um {apart:.0f} s von der dieses Rechners ab",
            f"the database's clock differs from this machine's by {apart:.0f} s",
        )
        yield (fault if apart > FAR_APART_S else warning)(what, _ENDS, _NTP)


def _zone(patient: Patient) -> Iterator[Finding]:
    try:
        name = patient.policies.town.time_zone
    except Unseen:
        return
    now = patient.clock()
    days = [datetime(now.year + years, month, 15, 12, tzinfo=ZoneInfo(name)) for years in (0, 1) for month in (1, 7)]
    try:
        rows = [patient.administrator.execute("SELECT %s::timestamptz AT TIME ZONE %s", [day, name]).fetchone() for day in days]
    except psycopg.errors.InvalidParameterValue:
        rows = []
    if [row[0] for row in rows if row] != [day.replace(tzinfo=None) for day in days]:
        yield fault(
            Text(
                f"die Datenbank rechnet die Zeitzone {name} anders als dieser Rechner",
                f"the database takes the time zone {name} otherwise than this machine",
            ),
            _ENDS,
            Text(
                "auf beiden Rechnern das Systempaket `tzdata` erneuern, dann die Datenbank neu starten",
                "renew the system's package `tzdata` on both machines, then restart the database",
            ),
        )


CHECK = Check(
    "clock",
    Text("Uhren: Datenbank und Rechner gehen gleich", "Clocks: database and machine agree"),
    Text(
        "Uhr der Datenbank gegen die des Rechners, ob jemand sie stellt, Sommerzeit der Stadt in beiden",
        "the database's clock against the machine's, whether anybody sets it, the town's summer time in both",
    ),
    look,
)
