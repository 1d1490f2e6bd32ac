"""`twin import`: a file into a layer, with a bar, counts, and every finding if the file is refused."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import psycopg
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text as RichText

from twin_api.cli import context
from twin_api.imports.finding import FileRefused, Finding
from twin_api.imports.run import ImportOutcome, ImportRequest, run_import
from twin_api.imports.run import Progress as OnProgress
from twin_api.policy.documents import Layer
from twin_api.policy.finding import listed, quoted, suggestion
from twin_api.publish.bulk import published_setwise
from twin_api.store.audit import note
from twin_api.texts import Text

NOTHING_CHANGED = Text("Nichts wurde geändert.", "Nothing has changed.")
INTERRUPTED = 130


def import_file(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="GeoPackage, GeoJSON (also one feature per line) or OSM PBF.")],
    layer: Annotated[str, typer.Option("--layer", help="The layer that is filled.")],
    map_: Annotated[
        list[str] | None, typer.Option("--map", metavar="COLUMN=ATTRIBUTE", help="Which column fills which attribute; repeatable.")
    ] = None,
    from_: Annotated[str | None, typer.Option("--from", metavar="LAYER", help="Which layer of the file, if it has several.")] = None,
    where: Annotated[str | None, typer.Option("--where", help="Only features that fulfil this OGR SQL condition.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Delete what the file does not have.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Do everything, then undo it.")] = False,
) -> None:
    """Import a file into a layer: all of it, or nothing."""
    target = _layer(layer)
    request = ImportRequest(file, _pairs(map_ or []), from_, where, replace, dry_run)
    try:
        with _bar() as on_progress:
            outcome = run_import(request, target, context.owner_connection, on_progress, audit=note, around=publishing)
    except FileRefused as refused:
        _say_refused(refused)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        context.say(Text(f"Abgebrochen. {NOTHING_CHANGED.de}", f"Interrupted. {NOTHING_CHANGED.en}"))
        raise typer.Exit(INTERRUPTED) from None
    except psycopg.Error as error:
        code = error.sqlstate or type(error).__name__
        context.say(
            Text(f"Die Datenbank hat abgebrochen ({code}). {NOTHING_CHANGED.de}", f"The database gave up ({code}). {NOTHING_CHANGED.en}")
        )
        raise typer.Exit(1) from None
    _say_done(outcome)


def _layer(name: str) -> Layer:
    layers = context.policies().layers
    if name in layers:
        return layers[name]
    remedy = suggestion(name, layers)
    context.say(Text(f"Eine Schicht {quoted(name)} gibt es nicht; {remedy.de}", f"There is no layer {quoted(name)}; {remedy.en}"))
    raise typer.Exit(1)


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


@contextmanager
def publishing(connection: psycopg.Connection, layer: Layer, rows: int) -> Iterator[None]:
    """Around the change of some rows of a layer: many are published set-wise."""
    with published_setwise(connection, layer.name, rows):
        yield


class Rate(ProgressColumn):
    """Features per second."""

    def render(self, task: Task) -> RichText:
        return RichText(f"{task.speed:,.0f}/s" if task.speed else "")


@contextmanager
def _bar() -> Iterator[OnProgress]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Rate(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("", total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def _say_refused(refused: FileRefused) -> None:
    for finding in refused.findings:
        context.say(_line(finding))
    more = refused.total - len(refused.findings)
    counted = Text(f"{refused.total} Befunde", f"{refused.total} findings")
    hidden = Text(f", {more} davon nicht gezeigt", f", {more} of them not shown") if more else Text("")
    context.say(Text(f"{counted.de}{hidden.de}. {NOTHING_CHANGED.de}", f"{counted.en}{hidden.en}. {NOTHING_CHANGED.en}"))


def _line(finding: Finding) -> Text:
    text = finding.text()
    return Text(f"✗ {text.de}", f"✗ {text.en}")


def _say_done(outcome: ImportOutcome) -> None:
    rate = f"{outcome.read / outcome.total_s:,.0f}" if outcome.total_s else "–"
    context.say(
        Text(
            f"{outcome.layer}: {outcome.read} gelesen, {outcome.inserted} neu, {outcome.updated} geändert, {outcome.unchanged} gleich, "
            f"{outcome.deleted} gelöscht ({outcome.total_s:.1f} s, {rate}/s)",
            f"{outcome.layer}: {outcome.read} read, {outcome.inserted} new, {outcome.updated} changed, {outcome.unchanged} unchanged, "
            f"{outcome.deleted} deleted ({outcome.total_s:.1f} s, {rate}/s)",
        )
    )
    if outcome.ignored_columns:
        names = listed(outcome.ignored_columns)
        context.say(Text(f"Nicht übernommene Spalten: {names}", f"Columns not imported: {names}"))
    if outcome.dry_run:
        context.say(Text(f"Probelauf. {NOTHING_CHANGED.de}", f"Dry run. {NOTHING_CHANGED.en}"))
