"""Whether data that come by themselves do come."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from twin_api.cli.doctor.check import Check
from twin_api.cli.doctor.finding import NOTHING, Finding, fault, warning
from twin_api.cli.doctor.patient import Patient
from twin_api.imports.sources.file import SourceFile, read_sources
from twin_api.texts import Text
from twin_api.work.schedule import condition
from twin_api.work.source_state import SourceState, read_states


def look(patient: Patient) -> Iterator[Finding]:
    policies, now = patient.in_force, patient.clock()
    sources, findings = read_sources(patient.settings.sources_folder, policies)
    for finding in findings.in_order():
        yield fault(
            Text(f"{finding.place}: {finding.what.de}", f"{finding.place}: {finding.what.en}"),
            Text("diese Quelle wird nicht geholt", "this source is not fetched"),
            finding.remedy,
        )
    states = read_states(patient.owner)
    for name, source in sources.items():
        state = states.get(name)
        found = condition(source, state, now)
        if found == "stale":
            good = _good(state)
            yield fault(
                Text(f"`{name}` ist veraltet: zuletzt gut {good.de}", f"`{name}` is stale: last good {good.en}"),
                Text(f"`{source.layer}` zeigt den alten Stand", f"`{source.layer}` shows the old state"),
                _run(source),
            )
        elif found == "failing":
            reason = _reason(state)
            yield warning(
                Text(f"`{name}` scheitert{reason.de}", f"`{name}` fails{reason.en}"),
                Text("noch gilt der letzte gute Stand; er altert", "the last good state still holds; it ages"),
                _run(source),
            )


def _run(source: SourceFile) -> str:
    return f"twin sources check && twin sources run {source.name}"


def _good(state: SourceState | None) -> Text:
    return Text(state.good_at.date().isoformat()) if state and state.good_at else Text("nie", "never")


def _reason(state: SourceState | None) -> Text:
    reasons: list[Mapping[str, str]] = list(state.reasons) if state else []
    if not reasons:
        return NOTHING
    return Text(f": {reasons[0].get('de', '')}", f": {reasons[0].get('en', '')}")


CHECK = Check(
    "sources",
    Text("Quellen: Daten kommen, wenn sie kommen sollen", "Sources: data come when they should"),
    Text("veraltete, scheiternde und fehlerhafte Quellen", "sources that are stale, fail, or hold mistakes"),
    look,
)
