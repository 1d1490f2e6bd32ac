"""`twin doctor` itself: which checks, and how what they find is told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Any, Final

import orjson
import typer

from twin_api.cli import context
from twin_api.cli.doctor.check import Check, Examined, examine
from twin_api.cli.doctor.checks import CHECKS
from twin_api.cli.doctor.checks.versions import installed
from twin_api.cli.doctor.finding import NOTHING, Finding
from twin_api.cli.doctor.patient import Patient
from twin_api.policy.finding import quoted, suggestion
from twin_api.texts import Text

MARKS: Final = {"fault": "✗", "warning": "!", "note": "·"}
SOUND: Final = "✓"
UNSEEN: Final = "–"
LEFT_OUT: Final = Text("ausgelassen (--quick)", "left out (--quick)")


def doctor(
    only: Annotated[list[str] | None, typer.Option(metavar="NAME", help="this check alone; can be given again")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="leave out what takes long on much data")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="exit code 1 for warnings too")] = False,
    json: Annotated[bool, typer.Option("--json", help="one JSON document, for monitoring")] = False,
    list_: Annotated[bool, typer.Option("--list", help="say which checks there are, and look at nothing")] = False,
) -> None:
    """Look for what is wrong and say what would mend it; writes nothing. Exit code 1 if there is a fault."""
    checks = _chosen(only or [])
    if list_:
        for check in checks:
            context.say(Text(f"{check.name:<12} {check.about.de}", f"{check.name:<12} {check.about.en}"))
        return
    patient = Patient(context.settings())
    try:
        examined = list(_examine(checks, patient, quick=quick, aloud=not json))
    finally:
        patient.close()
    if json:
        typer.echo(orjson.dumps(document(examined, strict=strict), option=orjson.OPT_INDENT_2))
    else:
        context.say(_summary(examined))
        if any(finding.remedy.de.endswith(";") for each in examined for finding in each.findings):
            context.say(Text(f"SQL so: {patient.psql}", f"SQL like this: {patient.psql}"))
    if not is_sound(examined, strict=strict):
        raise typer.Exit(1)


def is_sound(examined: Iterable[Examined], *, strict: bool) -> bool:
    return all(each.is_sound and not (strict and each.worst == "warning") for each in examined)


def document(examined: Sequence[Examined], *, strict: bool = False) -> dict[str, Any]:
    """Everything as data, in both languages."""
    return {
        "sound": is_sound(examined, strict=strict),
        "version": installed("twin-api"),
        **{f"{severity}s": _count(examined, severity) for severity in ("fault", "warning")},
        "checks": [each.as_json() for each in examined],
    }


def _chosen(names: Sequence[str]) -> list[Check]:
    known = {check.name: check for check in CHECKS}
    for name in names:
        if name not in known:
            hint = suggestion(name, known)
            context.fail(Text(f"Eine Prüfung {quoted(name)} gibt es nicht; {hint.de}.", f"There is no check {quoted(name)}; {hint.en}."))
    return [check for check in CHECKS if not names or check.name in names]


def _examine(checks: Iterable[Check], patient: Patient, *, quick: bool, aloud: bool) -> Iterator[Examined]:
    for check in checks:
        examined = Examined(check, left_out=True) if quick and check.is_slow else examine(check, patient)
        if aloud:
            _tell(examined)
        yield examined


def _tell(examined: Examined) -> None:
    title, worst = examined.check.title, examined.worst
    unseen = LEFT_OUT if examined.left_out else examined.unseen
    mark = MARKS[worst] if worst else SOUND if unseen is None else UNSEEN
    more = NOTHING if unseen is None else Text(f" – {unseen.de}", f" – {unseen.en}")
    context.say(Text(f"{mark} {title.de}{more.de}", f"{mark} {title.en}{more.en}"))
    for finding in examined.findings:
        context.say(_lines(finding))


def _lines(finding: Finding) -> Text:
    mark, what, why, remedy = MARKS[finding.severity], *map(_printable, (finding.what, finding.why, finding.remedy))
    if finding.severity == "note":
        return Text(f"    {mark} {what.de}", f"    {mark} {what.say('en')}")
    return Text(
        f"    {mark} {what.de}\n      {why.de}\n      → {remedy.de}",
        f"    {mark} {what.say('en')}\n      {why.say('en')}\n      → {remedy.say('en')}",
    )


def _printable(text: Text) -> Text:
    """A name in the database may hold what a terminal would obey."""
    de, en = ("".join(letter if letter.isprintable() else "?" for letter in said) for said in (text.de, text.en))
    return Text(de, en)


def _count(examined: Iterable[Examined], severity: str) -> int:
    return sum(finding.severity == severity for each in examined for finding in each.findings)


def _summary(examined: Sequence[Examined]) -> Text:
    faults, warnings = _count(examined, "fault"), _count(examined, "warning")
    if not faults and not warnings and all(each.unseen is None for each in examined):
        return Text("Alles in Ordnung.", "All is well.")
    return Text(f"{faults} Fehler, {warnings} Warnungen.", f"{faults} faults, {warnings} warnings.")
