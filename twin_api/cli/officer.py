"""What a data officer asks of the policy files themselves: concerns, deadlines, help for the editor, a report to print."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import Annotated, Final

import orjson
import typer

from twin_api.cli import context
from twin_api.encodings.report import render as render_report
from twin_api.imports.sources.schema import source_schema
from twin_api.policy.approvals import missing_text
from twin_api.policy.documents import Policies
from twin_api.policy.due import HORIZONS, Deadline, deadlines, horizon_of, waiting
from twin_api.policy.finding import Finding, PolicyInvalid, render
from twin_api.policy.lint import lint as concerns_of
from twin_api.policy.load import load
from twin_api.policy.report.build import build
from twin_api.policy.schema import schemas
from twin_api.texts import Language, Text

NO_CONCERN: Final = Text("Keine Bedenken.", "No concerns.")
ANSWER: Final = Text(
    "Wer ein Bedenken geprüft hat, schreibt den Grund an das Ende der Zeile: `# geprüft: …`",
    "Whoever has looked into a concern writes the reason at the end of its line: `# checked: …`",
)


def lint() -> None:
    """Print the concerns: what is allowed, but often a thing forgotten."""
    say_concerns(concerns_of(context.policies()))


def say_concerns(concerns: list[Finding], *, strict: bool = False) -> None:
    """A line each and how to answer them; with `strict`, ends with exit code 1 if there are any."""
    if not concerns:
        context.say(NO_CONCERN)
        return
    one = len(concerns) == 1
    context.say(Text(f"{len(concerns)} Bedenken:", f"{len(concerns)} {'concern' if one else 'concerns'}:"))
    context.console.print(render(concerns, context.settings().lang), markup=False)
    context.say(ANSWER)
    if strict:
        raise typer.Exit(1)


def schema(
    write: Annotated[Path | None, typer.Option(metavar="DIR", help="write there instead of `.schema` in the policy folder")] = None,
) -> None:
    """Write a JSON Schema per kind of file, by which editors complete and explain what is typed."""
    folder = write or context.settings().policies / ".schema"
    try:
        loaded = load(context.settings().policies)
    except PolicyInvalid:  # help is wanted most while something is wrong
        loaded = None
        context.say(Text("Die Richtlinien sind fehlerhaft (`twin policy check`); die Namen der Gemeinde fehlen in den Schemata.",
                         "The policies hold mistakes (`twin policy check`); the schemas lack the town's own names."))  # fmt: skip
    try:
        write_schemas(loaded, folder)
    except OSError:
        context.fail(Text(f"Der Ordner `{folder}` ist nicht beschreibbar.", f"The folder `{folder}` cannot be written to."))
    context.console.print(str(folder), markup=False)


def write_schemas(loaded: Policies | None, folder: Path) -> None:
    """One file per kind of policy file, with the town's own names where the policies load. Raises `OSError`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in (schemas(loaded) | {"source": source_schema(loaded)}).items():
        (folder / f"{name}.schema.json").write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2) + b"\n")


def report(
    out: Annotated[Path, typer.Option(metavar="FILE", help="write it there")] = Path("report.html"),
    lang: Annotated[Language | None, typer.Option(help="its language, if not yours")] = None,
) -> None:
    """Write a page to print: what every role sees, what nobody sees, and the fields of the record of processing activities."""
    loaded = context.policies()
    page = render_report(build(loaded, context.today(loaded)), lang or context.settings().lang)
    try:
        out.write_bytes(page)
    except OSError:
        context.fail(Text(f"`{out}` ist nicht beschreibbar.", f"`{out}` cannot be written."))
    context.console.print(str(out.resolve()), markup=False)


def due(
    days: Annotated[int | None, typer.Option(min=0, help="look so many days ahead instead of 60")] = None,
) -> None:
    """List releases and reviews that have run out or soon will, and releases that wait; exit code 1 if anything is overdue."""
    loaded = context.policies()
    within = HORIZONS[-1] if days is None else days
    found = deadlines(loaded, context.today(loaded), within)
    horizons = tuple(sorted({*(n for n in HORIZONS if n < within), within}))
    for horizon, group in groupby(found, key=lambda deadline: horizon_of(deadline, horizons)):
        _say_group(horizon, group)
    for grant in waiting(loaded):
        context.say(missing_text(grant))
    if not found:
        context.say(Text(f"Nichts läuft in den nächsten {within} Tagen ab.", f"Nothing runs out within the next {within} days."))
    if any(deadline.is_overdue for deadline in found):
        raise typer.Exit(1)


def _say_group(horizon: int | None, group: Iterable[Deadline]) -> None:
    if horizon is None:
        context.say(Text("Überfällig:", "Overdue:"))
    else:
        context.say(Text(f"In den nächsten {horizon} Tagen:", f"Within the next {horizon} days:"))
    for deadline in group:
        context.say(_deadline(deadline))


def _deadline(deadline: Deadline) -> Text:
    who, shown = ", ".join(deadline.who), ", ".join(deadline.collections) or "–"
    kind = Text("Freigabe", "release") if deadline.kind == "release" else Text("Überprüfung der Einstufung", "review of the classes")
    return Text(
        f"  {deadline.place}: {kind.de} `{deadline.subject}`, {deadline.day} ({_when(deadline).de})\n"
        f"    zuständig: {who}\n    betrifft:  {shown}\n    danach:    {deadline.then.de}",
        f"  {deadline.place}: {kind.en} `{deadline.subject}`, {deadline.day} ({_when(deadline).en})\n"
        f"    to act:   {who}\n    concerns: {shown}\n    then:     {deadline.then.en}",
    )


def _when(deadline: Deadline) -> Text:
    days = abs(deadline.days_left)
    unit = Text("Tag" if days == 1 else "Tagen", "day" if days == 1 else "days")
    if deadline.days_left == 0:
        return Text("heute", "today")
    if deadline.is_overdue:
        return Text(f"seit {days} {unit.de}", f"{days} {unit.en} ago")
    return Text(f"in {days} {unit.de}", f"in {days} {unit.en}")
