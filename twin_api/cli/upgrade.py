"""`twin upgrade`: a backup first, then the database follows the program, and what is shown is proved."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import psycopg
import typer

from twin_api.backup.in_force import NotTheSame
from twin_api.backup.upgrade import TooNew, Way, find_way, upgrade
from twin_api.cli import context
from twin_api.cli.backup import For, To, make, recipients
from twin_api.cli.backup_words import bar, ending_clearly
from twin_api.policy.finding import PolicyInvalid
from twin_api.publish.layer_plan import LayersRefused
from twin_api.publish.switch import StoreBusy, SwitchBlocked
from twin_api.texts import Text

_FAILURES = (NotTheSame, PolicyInvalid, LayersRefused, StoreBusy, SwitchBlocked, psycopg.Error)


def upgrade_town(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
    to: To = None,
    recipient: For = None,
    without_backup: Annotated[bool, typer.Option("--without-backup", help="You have one of your own.")] = False,
) -> None:
    """Bring database and twins to this version of the program, backed up first; servers go on serving."""
    with ending_clearly():
        way = _way()
        _say_way(way)
        if dry_run or not way:
            return
        saved = None if without_backup else make(to, recipients(recipient)).path
        if saved is not None:
            context.say(Text(f"Gesichert: {saved}", f"Backed up: {saved}"))
        try:
            with bar() as show:
                tables = upgrade(context.administrator(), context.secrets(), datetime.now(UTC), show)
        except _FAILURES:
            context.errors.print(_way_back(way, saved).say(context.settings().lang), markup=False)
            raise
    context.say(Text(f"Auf dem Stand: {tables} Tabellen neu veröffentlicht, keine Abweichung.",
                     f"Up to date: {tables} tables published anew, no drift."))  # fmt: skip


def _way() -> Way:
    admin = context.administrator()
    try:
        return find_way(admin, context.secrets(), datetime.now(UTC))
    except TooNew:
        context.fail(Text("Die Datenbank ist nicht eingerichtet oder von einer neueren Version des Programms.",
                          "The database is not set up, or of a newer version of the program."))  # fmt: skip


def _say_way(way: Way) -> None:
    if not way:
        context.say(Text("Nichts zu tun.", "Nothing to do."))
        return
    steps = ", ".join(way.ahead) or "–"
    tables = "?" if way.tables is None else str(way.tables)
    context.say(Text(f"Stand {way.revision}; Schritte: {steps}; neu zu veröffentlichen: {tables} Tabellen.",
                     f"Revision {way.revision}; steps: {steps}; to be published anew: {tables} tables."))  # fmt: skip


def _way_back(way: Way, saved: Path | None) -> Text:
    down = f"twin migrate --down --to {way.revision}"
    if saved is None:
        return Text(f"Nicht fertig geworden. Noch einmal versuchen, oder zurück: `{down}`, dann mit der vorigen `twin policy apply`.",
                    f"Not finished. Try again, or go back: `{down}`, then `twin policy apply` of the version before.")  # fmt: skip
    back = f"twin restore {saved} --replace --key …"
    return Text(f"Nicht fertig geworden. Noch einmal versuchen, oder zurück mit der vorigen Version: `{back}`.",
                f"Not finished. Try again, or go back with the previous version: `{back}`.")  # fmt: skip
