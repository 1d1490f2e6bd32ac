"""`twin import`: a file into a layer, with a bar, counts, and every finding if the file is refused."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace as with_fields
from pathlib import Path
from typing import Annotated, NoReturn

import psycopg
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text as RichText

from twin_api.cli import context, next_steps
from twin_api.imports.description import ColumnRule, Description
from twin_api.imports.finding import FileRefused
from twin_api.imports.publishing import publishing
from twin_api.imports.run import ImportOutcome, ImportRequest, run_import
from twin_api.imports.run import Progress as OnProgress
from twin_api.imports.sources.file import SourceFile, read_sources
from twin_api.imports.tables.returned import is_returned
from twin_api.policy.documents import Layer, Policies
from twin_api.policy.finding import listed, quoted, render, suggestion
from twin_api.store.journal import Journal, Origin
from twin_api.texts import Text

NOTHING_CHANGED = Text("Nichts wurde geändert.", "Nothing has changed.")
INTERRUPTED = 130


def import_file(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="[FILE]...", help="One file, or several of one form, of any format in docs/imports.md.")
    ] = None,
    layer: Annotated[str | None, typer.Option("--layer", help="The layer that is filled.")] = None,
    source: Annotated[
        str | None, typer.Option("--source", metavar="NAME", help="Read as sources/NAME.yaml says; without FILE also what it names.")
    ] = None,
    map_: Annotated[
        list[str] | None, typer.Option("--map", metavar="COLUMN=ATTRIBUTE", help="Which column fills which attribute; repeatable.")
    ] = None,
    from_: Annotated[str | None, typer.Option("--from", metavar="LAYER", help="Which layer of the file, if it has several.")] = None,
    where: Annotated[str | None, typer.Option("--where", help="Only features that fulfil this OGR SQL condition.")] = None,
    crs: Annotated[str | None, typer.Option("--crs", help="The coordinate reference system, instead of what the file says.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Delete what the file does not have.")] = False,
    may_shrink: Annotated[bool, typer.Option("--may-shrink", help="Let --replace delete more than half of the layer.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Do everything, then undo it.")] = False,
    rejects: Annotated[
        Path | None, typer.Option("--rejects", metavar="FILE", help="Import what is right and write what is not to this table.")
    ] = None,
) -> None:
    """Import files into a layer: all of it, or nothing."""
    described = _source(source) if source else None
    town = context.policies()
    target = _layer(town, layer or (described.layer if described else ""))
    description = _with(described.description if described else Description(), _pairs(map_ or []), from_, where, crs)
    found = files or _found(described)
    request = ImportRequest(
        found, description, replace or _replaces(described, found), dry_run, rejects, source,
        town.town.extent, context.settings().proj_data, context.settings().lang,
        described.holder if described else None, described.licence if described else None,
        may_shrink or bool(described and described.may_shrink),
    )  # fmt: skip
    on_interrupt = signal.getsignal(signal.SIGINT)
    try:
        with _bar() as on_progress:
            outcome = run_import(request, target, context.owner_connection, on_progress, journal=LastStep(), around=publishing)
    except FileRefused as refused:
        _fail_refused(refused, None if source else _described(target.name))
    except KeyboardInterrupt:
        _complain(Text(f"Abgebrochen. {NOTHING_CHANGED.de}", f"Interrupted. {NOTHING_CHANGED.en}"))
        raise typer.Exit(INTERRUPTED) from None
    except psycopg.Error as error:
        _fail_database(error, target)
    finally:
        signal.signal(signal.SIGINT, on_interrupt)
    _say_done(outcome, rejects, replace=request.replace and bool(target.key))
    _say_unseen(outcome)


class LastStep(Journal):
    """From the journal's last line on Ctrl-C comes too late: only the commit is left and nobody could say how it ended."""

    def end(self, connection: psycopg.Connection, id: int, origin: Origin, counts: Mapping[str, int]) -> None:
        super().end(connection, id, origin, counts)
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def _source(name: str) -> SourceFile:
    sources, findings = read_sources(context.settings().sources_folder, context.policies())
    if name not in sources and findings:
        context.errors.print(render(list(findings), context.settings().lang), markup=False)
        raise typer.Exit(1)
    if name not in sources:
        remedy = suggestion(name, sources)
        context.fail(Text(f"Eine Quelle {quoted(name)} gibt es nicht; {remedy.de}", f"There is no source {quoted(name)}; {remedy.en}"))
    return sources[name]


def _found(described: SourceFile | None) -> list[Path]:
    """The files that the source names."""
    if described is None:
        raise typer.BadParameter("FILE, or --source NAME")
    found = described.whence.found(context.settings().sources_folder.parent)
    if not found:
        context.fail(next_steps.instead_of_file(described))
    return found


def _replaces(described: SourceFile | None, files: list[Path]) -> bool:
    """As the source says, but for rejects that come back mended: they are a part only."""
    return bool(described and described.replace) and not any(path.is_file() and is_returned(path) for path in files)


def _with(described: Description, pairs: Mapping[str, str], from_: str | None, where: str | None, crs: str | None) -> Description:
    """What is said on the command line goes before what the source says."""
    rules = {column: ColumnRule(attribute, described.reading) for column, attribute in pairs.items()}
    return with_fields(
        described, columns={**described.columns, **rules}, source_layer=from_ or described.source_layer, where=where or described.where,
        crs=crs or described.crs,
    )  # fmt: skip


def _layer(policies: Policies, name: str) -> Layer:
    layers = policies.layers
    if name not in layers:
        remedy = suggestion(name, layers)
        context.fail(Text(f"Einen Layer {quoted(name)} gibt es nicht; {remedy.de}", f"There is no layer {quoted(name)}; {remedy.en}"))
    return layers[name]


def _pairs(written: list[str]) -> Mapping[str, str]:
    pairs: dict[str, str] = {}
    for pair in written:
        column, equals, attribute = pair.rpartition("=")
        if not (equals and column and attribute):
            raise typer.BadParameter(f"{quoted(pair)}: --map COLUMN=ATTRIBUTE")
        if column in pairs:
            raise typer.BadParameter(f"{quoted(column)}: --map twice")
        pairs[column] = attribute
    return pairs


class Rate(ProgressColumn):
    """Features per second."""

    def render(self, task: Task) -> RichText:
        return RichText(f"{task.speed:,.0f}/s" if task.speed else "")


@contextmanager
def _bar() -> Iterator[OnProgress]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Rate(), TimeRemainingColumn())
    with Progress(*columns, console=context.errors, disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("", total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def _fail_refused(refused: FileRefused, hint: Text | None) -> NoReturn:
    for finding in refused.findings:
        text = finding.text()
        _complain(Text(f"✗ {text.de}", f"✗ {text.en}"))
    if refused.total > len(refused.findings):
        _complain_groups(refused)
    if hint is not None:
        _complain(hint)
    more = refused.total - len(refused.findings)
    counted = Text("1 Befund", "1 finding") if refused.total == 1 else Text(f"{refused.total} Befunde", f"{refused.total} findings")
    hidden = Text(f", {more} davon nicht gezeigt", f", {more} of them not shown") if more else Text("")
    context.fail(Text(f"{counted.de}{hidden.de}. {NOTHING_CHANGED.de}", f"{counted.en}{hidden.en}. {NOTHING_CHANGED.en}"))


def _described(layer: str) -> Text | None:
    sources, _ = read_sources(context.settings().sources_folder, context.policies())
    return next_steps.described_for(layer, sources)


def _complain_groups(refused: FileRefused) -> None:
    """All of them, counted by attribute and by what would be right."""
    _complain(Text("Alle Befunde nach Art:", "All findings by kind:"))
    for (attribute, remedy), number in refused.groups.most_common():
        name = f"`{attribute}`: " if attribute else ""
        _complain(Text(f"  {number:>9} × {name}{remedy.de}", f"  {number:>9} × {name}{remedy.say('en')}"))


def _fail_database(error: psycopg.Error, layer: Layer) -> NoReturn:
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


def _complain(text: Text) -> None:
    context.errors.print(text.say(context.settings().lang), markup=False)


def _say_done(outcome: ImportOutcome, rejects: Path | None, *, replace: bool) -> None:
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


def _say_unseen(outcome: ImportOutcome) -> None:
    """What has been imported stays so, whether this can be told or not."""
    with suppress(psycopg.Error), context.owner() as connection:
        hint = None if outcome.dry_run else next_steps.after_import(connection, outcome.layer)
        if hint is not None:
            context.say(hint)
