"""Proof 9: an embargo ends when its day begins in the town's own time, by the database's clock, and not before."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from tests.towns import Town

ZONES: Final = ("Pacific/Kiritimati", "Pacific/Pago_Pago")  # at any moment it is another day in one of them than in Greenwich
LANGUAGES: Final = "languages: [de, en]}"


def find_early(town: Town) -> list[str]:
    """Trees shown before their day or hidden on it, in a town whose day is not that of Greenwich. Of the town with every word."""
    zone = next(zone for zone in ZONES if _today(zone) != datetime.now(UTC).date())
    town.edit("town.yaml", LANGUAGES, f"{LANGUAGES[:-1]}, time_zone: {zone}}}")
    town.apply()
    today = _today(zone)
    for days in (-1, 0, 1, 2):
        town.insert("baeume", [{"nr": f"due {days}", "art": "linde", "freigabe_ab": today + timedelta(days)}])
    with town.login("citizen") as connection:
        shown = {nr for (nr,) in connection.execute("SELECT nr FROM citizen.baeume WHERE nr LIKE 'due %'").fetchall()}
    early = [f"a tree is shown {days} days before its day" for days in (1, 2) if f"due {days}" in shown]
    return early + [f"a tree is hidden {-days} days after its day came" for days in (-1, 0) if f"due {days}" not in shown]


def _today(zone: str) -> date:
    return datetime.now(ZoneInfo(zone)).date()
