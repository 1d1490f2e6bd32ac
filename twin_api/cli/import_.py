"""`twin import`: files, or what lies at an address, into a layer; every finding if they are refused."""

from __future__ import annotations

import re
import signal
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace as with_fields
from pathlib import Path
from typing import Annotated, Final

import psycopg
import typer

from twin_api.cli import context, next_steps
from twin_api.cli.import_words import (
    NOTHING_CHANGED,
    bar,
    complain,
    described_for_layer,
    fail_database,
    fail_refused,
    say_done,
    say_unseen,
)
from twin_api.imports.description import ColumnRule, Description
from twin_api.imports.fetching.services.asked import Gathered
from twin_api.imports.finding import FileRefused
from twin_api.imports.publishing import placing, publishing
from twin_api.imports.run import ImportRequest, run_import
from twin_api.imports.sources.file import SourceFile, read_sources
from twin_api.imports.sources.whence import Service, Whence
from twin_api.imports.tables.returned import is_returned
from twin_api.imports.workshop import Bench
from twin_api.policy.documents import Layer, Policies
from twin_api.policy.finding import quoted, render, suggestion
from twin_api.store.journal import Journal, Origin
from twin_api.texts import Text

ADDRESS: Final = re.compile(r"https?://", re.IGNORECASE)
INTERRUPTED: Final = 130


Files = Annotated[
    list[str] | None, typer.Argument(metavar="[FILE]...", help="One file, several of one form, or an address (docs/imports.md).")
]
LayerName = Annotated[str | None, typer.Option("--layer", help="The layer that is filled.")]
SourceName = Annotated[
    str | None, typer.Option("--source", metavar="NAME", help="Read as sources/NAME.yaml says; without FILE also what it names.")
]
Pairs = Annotated[
    list[str] | None, typer.Option("--map", metavar="COLUMN=ATTRIBUTE", help="Which column fills which attribute; repeatable.")
]
From = Annotated[str | None, typer.Option("--from", metavar="LAYER", help="Which layer of the file, if it has several.")]
ByService = Annotated[Service, typer.Option("--service", help="What answers at the address: a file, WFS, or OGC API Features.")]
Where = Annotated[str | None, typer.Option("--where", help="Only features that fulfil this OGR SQL condition.")]
Crs = Annotated[str | None, typer.Option("--crs", help="The coordinate reference system, instead of what the file says.")]
Replace = Annotated[bool, typer.Option("--replace", help="Delete what the file does not have.")]
MayShrink = Annotated[bool, typer.Option("--may-shrink", help="Let --replace delete more than half of the layer.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Do everything, then undo it.")]
RejectsFile = Annotated[
    Path | None, typer.Option("--rejects", metavar="FILE", help="Import what is right and write what is not to this table.")
]


def import_file(
    ctx: typer.Context, files: Files = None, layer: LayerName = None, source: SourceName = None, map_: Pairs = None, from_: From = None,
    service: ByService = "file", where: Where = None, crs: Crs = None, replace: Replace = False, may_shrink: MayShrink = False,
    dry_run: DryRun = False, rejects: RejectsFile = None,
) -> None:  # fmt: skip
    """Import files into a layer: all of it, or nothing."""
    ready = ctx.with_resource(closing(Bench()))  # it begins while policies are read
    described = _source(source) if source else None
    town = context.policies()
    target = _layer(town, layer or (described.layer if described else ""))
    whence = _whence(files or [], described, service, from_)
    within = None if whence.address is not None and whence.service != "file" else from_  # a service has been told already
    description = _with(described.description if described else Description(), _pairs(map_ or []), within, where, crs)
    with _ending_clearly(target, described), _gathered(files or [], whence, target, description) as gathered:
        request = ImportRequest(
            gathered.files,
            with_fields(description, crs=description.crs or gathered.crs),
            replace=replace or _replaces(described, gathered.files),
            dry_run=dry_run,
            rejects=rejects,
            source=source,
            extent=town.town.extent,
            grids=context.settings().proj_data,
            language=context.settings().lang,
            holder=described.holder if described else None,
            licence=described.licence if described else None,
            may_shrink=may_shrink or bool(described and described.may_shrink),
        )
        with bar() as on_progress:
            outcome = run_import(
                request, target, context.owner_connection, on_progress, journal=LastStep(), around=publishing, placing=placing, ready=ready
            )
    say_done(outcome, rejects, replace=request.replace and bool(target.key))
    say_unseen(outcome)


@contextmanager
def _ending_clearly(target: Layer, described: SourceFile | None) -> Iterator[None]:
    """Whatever ends the import early is said in words, with its exit code."""
    on_interrupt = signal.getsignal(signal.SIGINT)
    try:
        yield
    except FileRefused as refused:
        fail_refused(refused, None if described else described_for_layer(target.name))
    except KeyboardInterrupt:
        complain(Text(f"Abgebrochen. {NOTHING_CHANGED.de}", f"Interrupted. {NOTHING_CHANGED.en}"))
        raise typer.Exit(INTERRUPTED) from None
    except psycopg.Error as error:
        fail_database(error, target)
    finally:
        signal.signal(signal.SIGINT, on_interrupt)


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


def _whence(files: Sequence[str], described: SourceFile | None, service: Service, collection: str | None) -> Whence:
    """What is said on the command line, or else what the source names."""
    addresses = [file for file in files if ADDRESS.match(file)]
    if addresses and len(files) > 1:
        raise typer.BadParameter("one address, or files")
    if addresses:
        return Whence(address=addresses[0], service=service, collection=collection if service != "file" else None)
    if not files and described is None:
        raise typer.BadParameter("FILE, or --source NAME")
    return Whence() if files or described is None else described.whence


@contextmanager
def _gathered(files: Sequence[str], whence: Whence, layer: Layer, description: Description) -> Iterator[Gathered]:
    """The files themselves; those of an address are fetched into a folder that goes afterwards."""
    if whence.address is not None:
        from twin_api.imports.fetching.collect import collect  # what fetches, which no file waits for
        from twin_api.imports.fetching.errands import errand_for

        with tempfile.TemporaryDirectory(prefix="twin-fetch-") as folder:
            yield collect(errand_for(whence, layer, description, context.settings(), Path(folder), {}))
        return
    found = [Path(file) for file in files] or whence.found(context.settings().sources_folder.parent)
    if not found:
        context.fail(next_steps.without_file(whence))
    yield Gathered(tuple(found), "")


def _replaces(described: SourceFile | None, files: Sequence[Path]) -> bool:
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
