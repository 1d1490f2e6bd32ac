"""`twin sources …`: data that come by themselves: what there is, how it stands, whether the files hold, and one of them now."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Final, NoReturn
from zoneinfo import ZoneInfo

import psycopg
import structlog
import typer
from rich.table import Column, Table

from twin_api.cli import context
from twin_api.imports.fetching.reach import Reach, Url
from twin_api.imports.finding import FileRefused
from twin_api.imports.run import ImportOutcome
from twin_api.imports.sources.file import SourceFile, read_sources
from twin_api.policy.documents import Policies
from twin_api.policy.finding import Findings, quoted, render, suggestion
from twin_api.seeing import logs
from twin_api.texts import Text
from twin_api.work.schedule import Condition, condition, next_run
from twin_api.work.source_state import SourceState, read_states
from twin_api.work.sources import SETTLED_S, Run, policies_in_force, run_source, said_by

app = typer.Typer(no_args_is_help=True, help="Data that come by themselves: list, check and run their sources.")
_log = structlog.get_logger(__name__)
NOT_APPLIED: Final = Text(
    "Noch gilt keine Richtlinie. Zuerst `twin policy apply` aufrufen.",
    "No policy is in force yet. Run `twin policy apply` first.",
)
COUNTS: Final = ("read", "inserted", "updated", "unchanged", "deleted")
CONDITIONS: Final[Mapping[Condition, Text]] = {
    "by hand": Text("von Hand", "by hand"),
    "waiting": Text("wartet", "waiting"),
    "running": Text("läuft", "running"),
    "good": Text("in Ordnung", "good"),
    "failing": Text("scheitert", "failing"),
    "stale": Text("VERALTET", "STALE"),
}
OUTCOMES: Final = {
    "unchanged": Text("unverändert, nichts zu tun", "unchanged, nothing to do"),
    "running": Text("läuft bereits", "is running already"),
}
RHYTHMS: Final = {
    "hourly": Text("stündlich", "hourly"),
    "daily": Text("täglich", "daily"),
    "weekly": Text("wöchentlich", "weekly"),
    "monthly": Text("monatlich", "monthly"),
}


@app.command(name="list")
def list_(
    strict: Annotated[bool, typer.Option("--strict", help="exit code 1 if one is stale, fails or holds a mistake")] = False,
) -> None:
    """List all sources: when each was last good, when it is asked next, and what is wrong."""
    now = datetime.now(UTC)
    with context.owner() as connection:
        policies, states = policies_in_force(connection), read_states(connection)
    if policies is None:
        context.fail(NOT_APPLIED)
    sources, findings = read_sources(context.settings().sources_folder, policies)
    conditions = {name: condition(source, states.get(name), now) for name, source in sources.items()}
    context.console.print(_table(sources, states, policies, now))
    for name in sources:
        _say_reasons(name, states.get(name))
    _say_mistakes(findings)
    if strict and (findings or {"stale", "failing"} & set(conditions.values())):
        raise typer.Exit(1)


@app.command()
def check() -> None:
    """Say everything that is wrong with the source files, and which addresses nothing may be fetched from."""
    sources, findings = read_sources(context.settings().sources_folder, context.policies())
    _say_mistakes(findings)
    closed = [*filter(None, (_closed(source) for source in sources.values()))]
    for text in closed:
        context.errors.print(text.say(context.settings().lang), markup=False)
    if findings or closed:
        raise typer.Exit(1)
    context.say(Text(f"In Ordnung: {len(sources)} Quellen.", f"All is well: {len(sources)} sources."))


@app.command()
def run(
    name: Annotated[str, typer.Argument(help="the source: the name of its file without `.yaml`")],
    log: Annotated[bool, typer.Option("--log", hidden=True, help="write to the log instead of talking to people")] = False,
) -> None:
    """Fetch and import one source now, whatever the clock says."""
    if log:
        logs.configure(context.settings().log_level)
    with context.owner() as connection:
        policies = policies_in_force(connection)
    if policies is None:
        context.fail(NOT_APPLIED)
    source = _source(name, policies)
    settled_s = SETTLED_S if log else 0.0
    try:
        ended = run_source(source, policies, context.settings(), context.owner_connection, datetime.now(UTC), settled_s=settled_s)
    except psycopg.Error as error:
        _fail_database(source, error)
    _note(source, ended) if log else _say(source, ended)
    if ended.outcome == "refused":
        raise typer.Exit(1)


def _fail_database(source: SourceFile, error: psycopg.Error) -> NoReturn:
    """Without the database's own text, which may hold values."""
    _log.error("source_failed", source=source.name, layer=source.layer, error=type(error).__name__, sqlstate=error.sqlstate)
    context.fail(Text("Die Datenbank hat abgebrochen.", "The database gave up."))


def _source(name: str, policies: Policies) -> SourceFile:
    sources, findings = read_sources(context.settings().sources_folder, policies)
    if name not in sources:
        _say_mistakes(Findings(finding for finding in findings if finding.place.file == f"sources/{name}.yaml"))
        hint = suggestion(name, sources)
        context.fail(Text(f"Eine Quelle {quoted(name)} gibt es nicht; {hint.de}", f"There is no source {quoted(name)}; {hint.en}"))
    if sources[name].whence.address is None and sources[name].whence.files is None:
        what = Text(f"Die Quelle {quoted(name)} sagt nicht, woher; ", f"The source {quoted(name)} does not say where from; ")
        how = Text(f"mit `twin import --source {name} DATEI` einlesen.", f"import it with `twin import --source {name} FILE`.")
        context.fail(Text(what.de + how.de, what.en + how.en))
    return sources[name]


def _say(source: SourceFile, ended: Run) -> None:
    for reason in ended.reasons if ended.outcome == "refused" else ():
        context.errors.print(f"✗ {reason.say(context.settings().lang)}", markup=False)
    if ended.outcome == "refused":
        context.fail(Text("Nichts wurde geändert.", "Nothing has changed."))
    if ended.done is None:
        said = OUTCOMES[ended.outcome]
        context.say(Text(f"{source.name}: {said.de}", f"{source.name}: {said.en}"))
        return
    counted = _counted(ended.done)
    context.say(Text(f"{source.name}: {counted.de}", f"{source.name}: {counted.en}"))


def _counted(done: ImportOutcome) -> Text:
    numbers = done.read, done.inserted, done.updated, done.unchanged, done.deleted
    words = Text("gelesen neu geändert gleich gelöscht", "read new changed unchanged deleted")
    de, en = (", ".join(f"{n} {word}" for n, word in zip(numbers, each.split(), strict=True)) for each in (words.de, words.en))
    return Text(de, en)


def _note(source: SourceFile, ended: Run) -> None:
    """The same for the log."""
    if ended.outcome == "refused":
        # their texts may hold values of the data: `twin sources list` shows them
        _log.error("source_refused", source=source.name, layer=source.layer, reasons=len(ended.reasons))
        return
    counts = (
        {} if ended.done is None else {word: getattr(ended.done, word) for word in ("read", "inserted", "updated", "unchanged", "deleted")}
    )
    _log.info(f"source_{ended.outcome}", source=source.name, layer=source.layer, **counts)


def _closed(source: SourceFile) -> Text | None:
    """Why nothing may be fetched from the source's address."""
    settings = context.settings()
    if source.whence.address is None:
        return None
    try:
        Reach.of(settings.source_hosts, settings.source_networks).check(Url.of(source.whence.address))
    except FileRefused as refused:
        text = refused.findings[0].text()
        return Text(f"{source.place.file}: {text.de}", f"{source.place.file}: {text.en}")
    return None


def _table(
    sources: Mapping[str, SourceFile],
    states: Mapping[str, SourceState],
    policies: Policies,
    now: datetime,
) -> Table:
    zone, lang = ZoneInfo(policies.town.time_zone), context.settings().lang
    heads = (Text("Quelle", "Source"), Text("Layer", "Layer"), Text("Rhythmus", "Rhythm"), Text("zuletzt gut", "last good"),
             Text("nächstes Mal", "next"), Text("Zustand", "State"))  # fmt: skip
    table = Table(*(Column(head.say(lang), overflow="fold") for head in heads))
    for name, source in sources.items():
        state = states.get(name)
        times = (state.good_at if state else None, next_run(source, state, said_by(source, policies), now, zone))
        shown = [time.astimezone(zone).strftime("%Y-%m-%d %H:%M") if time else "–" for time in times]
        rhythm = RHYTHMS[source.rhythm.every].say(lang) if source.rhythm else "–"
        table.add_row(name, source.layer, rhythm, *shown, CONDITIONS[condition(source, state, now)].say(lang))
    return table


def _say_reasons(name: str, state: SourceState | None) -> None:
    for reason in state.reasons if state else ():
        context.errors.print(f"✗ {name}: {Text(**reason).say(context.settings().lang)}", markup=False)


def _say_mistakes(findings: Findings) -> None:
    if findings:
        context.errors.print(render(findings.in_order(), context.settings().lang), markup=False)
