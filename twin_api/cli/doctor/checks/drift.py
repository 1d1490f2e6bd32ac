"""Whether every published table still holds exactly what its definition yields."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg

from twin_api.cli.doctor.check import Check
from twin_api.cli.doctor.finding import NOTHING, Finding, fault, warning
from twin_api.cli.doctor.patient import Patient
from twin_api.layers.table import STORE
from twin_api.publish.drift import find_drift
from twin_api.publish.statement import quoted
from twin_api.texts import Text


def look(patient: Patient) -> Iterator[Finding]:
    try:
        found = find_drift(patient.owner)
    except psycopg.errors.QueryCanceled:
        yield warning(
            Text(
                "der Vergleich dauert länger als fünf Minuten und wurde abgebrochen",
                "the comparison takes more than five minutes and was given up",
            ),
            Text("ob die Zwillinge zeigen, was sie sollen, ist offen", "whether the twins show what they should is open"),
            "twin policy drift",
        )
        return
    off = sorted({entry.layer for entry in found if entry.triggers_off})
    for layer in off:
        yield fault(
            Text(f"`{layer}`: Auslöser sind aus oder andere", f"`{layer}`: triggers are off, or others"),
            Text("was geschrieben wird, kommt in keinem Zwilling an", "what is written reaches no twin"),
            f"ALTER TABLE {quoted(STORE, layer)} ENABLE TRIGGER USER;",
        )
    for entry in found:
        if entry.missing or entry.surplus or entry.figures_wrong:
            counts = Text(", Anzahl und Ausdehnung sind falsch", ", count and extent are wrong") if entry.figures_wrong else NOTHING
            yield fault(
                Text(
                    f"`{entry.layer}`: {entry.missing} Zeilen fehlen, {entry.surplus} sind zu viel{counts.de}",
                    f"`{entry.layer}`: {entry.missing} rows are missing, {entry.surplus} are surplus{counts.en}",
                ),
                Text("ein Zwilling zeigt anderes, als die Richtlinien sagen", "a twin shows something else than the policies say"),
                "twin policy rebuild",
            )


CHECK = Check(
    "drift",
    Text("Zwillinge: sie zeigen, was die Richtlinien ergeben", "Twins: they show what the policies yield"),
    Text(
        "jede veröffentlichte Tabelle gegen ihre Definition, samt Auslösern",
        "each published table against its definition, triggers included",
    ),
    look,
    is_slow=True,
)
