"""What `twin import` says: a bar meanwhile, and what came of it or stands in the way."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, NoReturn

import psycopg
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text as RichText

from twin_api.cli import context, next_steps
from twin_api.imports.finding import FileRefused
from twin_api.imports.run import ImportOutcome
from twin_api.imports.run import Progress as OnProgress
from twin_api.imports.sources.file import read_sources
from twin_api.policy.documents import Layer
from twin_api.policy.finding import listed
from twin_api.texts import Text

READING: Final = Text("lesen und prüfen", "reading and checking")
SETTLING: Final = Text("übernehmen und veröffentlichen", "taking over and publishing")
NOTHING_CHANGED: Final = Text("Nichts wurde geändert.", "Nothing has changed.")


class Rate(ProgressColumn):
    """Features per second."""

    def render(self, task: Task) -> RichText:
        return RichText(f"{task.speed:,.0f}/s" if task.speed else "")


@contextmanager
def bar() -> Iterator[OnProgress]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Rate(), TimeRemainingColumn())
    with Progress(*columns, console=context.errors, disable=not sys.stderr.isatty()) as progress:
        lang = context.settings().lang
        task = progress.add_task(READING.say(lang), total=None)

        def show(done: int, total: int | None) -> None:
            now = SETTLING if done and done == total else READING
            progress.update(task, completed=done, total=total, description=now.say(lang))

        yield show


def fail_refused(refused: FileRefused, hint: Text | None) -> NoReturn:
    for finding in refused.findings:
        text = finding.text()
        complain(Text(f"✗ {text.de}", f"✗ {text.en}"))
    if refused.total > len(refused.findings):
        _complain_groups(refused)
    if hint is not None:
        complain(hint)
    more = refused.total - len(refused.findings)
    counted = Text("1 Befund", "1 finding") if refused.total == 1 else Text(f"{refused.total} Befunde", f"{refused.total} findings")
    hidden = Text(f", {more} davon nicht gezeigt", f", {more} of them not shown") if more else Text("")
    context.fail(Text(f"{counted.de}{hidden.de}. {NOTHING_CHANGED.de}", f"{counted.en}{hidden.en}. {NOTHING_CHANGED.en}"))


def described_for_layer(layer: str) -> Text | None:
    sources, _ = read_sources(context.settings().sources_folder, context.policies())
    return next_steps.described_for(layer, sources)


def _complain_groups(refused: FileRefused) -> None:
    """All of them, counted by attribute and by what would be right."""
    complain(Text("Alle Befunde nach Art:", "All findings by kind:"))
    for (attribute, remedy), number in refused.groups.most_common():
        name = f"`{attribute}`: " if attribute else ""
        complain(Text(f"  {number:>9} × {name}{remedy.de}", f"  {number:>9} × {name}{remedy.say('en')}"))


def fail_database(error: psycopg.Error, layer: Layer) -> NoReturn:
    """Without the database's own text, which may hold values. A connection lost during the commit leaves its end unknown."""
    if error.sqlstate is None:
        context.fail(
            Text(
                "Die Verbindung zur Datenbank ist abgerissen. Entweder ist alles übernommen oder nichts; ein neuer Lauf schadet nicht.",
                "The connection to the database was lost. Either all of it was imported or nothing; running it again does no harm.",
            )
        )
    if error.sqlstate in next_steps.STORE_LACKS:
        with context.owner() as connection:
            context.fail_all(next_steps.what_the_store_lacks(connection, layer))
    context.fail(
        Text(
            f"Die Datenbank hat abgebrochen ({error.sqlstate}). {NOTHING_CHANGED.de}",
            f"The database gave up ({error.sqlstate}). {NOTHING_CHANGED.en}",
        )
    )


def complain(text: Text) -> None:
    context.errors.print(text.say(context.settings().lang), markup=False)


def say_done(outcome: ImportOutcome, rejects: Path | None, *, replace: bool) -> None:
    rate = f"{outcome.read / outcome.total_s:,.0f}" if outcome.total_s else "–"
    context.say(
        Text(
            f"{outcome.layer}: {outcome.read} gelesen, {outcome.inserted} neu, {outcome.updated} geändert, {outcome.unchanged} gleich, "
            f"{outcome.deleted} gelöscht ({outcome.total_s:.1f} s, {rate}/s)",
            f"{outcome.layer}: {outcome.read} read, {outcome.inserted} new, {outcome.updated} changed, {outcome.unchanged} unchanged, "
            f"{outcome.deleted} deleted ({outcome.total_s:.1f} s, {rate}/s)",
        )
    )
    if outcome.rejected:
        context.say(
            Text(
                f"{outcome.rejected} nicht übernommen, mit Gründen in {rejects}",
                f"{outcome.rejected} not imported, with reasons in {rejects}",
            )
        )
        if replace:
            context.say(Text("Solange etwas fehlt, wird nichts gelöscht.", "As long as something is missing, nothing is deleted."))
    if outcome.ignored_columns:
        names = listed(outcome.ignored_columns)
        context.say(Text(f"Nicht übernommene Spalten: {names}", f"Columns not imported: {names}"))
    if outcome.dry_run:
        context.say(Text(f"Probelauf. {NOTHING_CHANGED.de}", f"Dry run. {NOTHING_CHANGED.en}"))


def say_unseen(outcome: ImportOutcome) -> None:
    """What has been imported stays so, whether this can be told or not."""
    with suppress(psycopg.Error), context.owner() as connection:
        hint = None if outcome.dry_run else next_steps.after_import(connection, outcome.layer)
        if hint is not None:
            context.say(hint)
