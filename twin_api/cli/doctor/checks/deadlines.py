"""Whether releases and reviews are in time, and no approval is missing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from twin_api.cli.doctor.check import Check
from twin_api.cli.doctor.finding import Finding, fault, warning
from twin_api.cli.doctor.patient import Patient
from twin_api.policy.approvals import missing_text
from twin_api.policy.due import HORIZONS, Deadline, deadlines, waiting
from twin_api.texts import Text

KINDS: Final = {
    "release": Text("die Freigabe", "the release"),
    "review": Text("die Überprüfung der Einstufung", "the review of the classes"),
}


def look(patient: Patient) -> Iterator[Finding]:
    policies = patient.policies
    for deadline in deadlines(policies, patient.today, HORIZONS[1]):
        yield _finding(deadline)
    for grant in waiting(policies):
        yield warning(missing_text(grant), Text("bis dahin wird sie nicht gezeigt", "until then it is not shown"), "twin policy due")


def _finding(deadline: Deadline) -> Finding:
    kind, who, where = KINDS[deadline.kind], ", ".join(deadline.who), str(deadline.place)
    named = Text(f"{kind.de} von `{deadline.subject}`", f"{kind.en} of `{deadline.subject}`")
    act = Text(f"{who}: {where} neu fassen, dann twin policy apply", f"{who}: renew {where}, then twin policy apply")
    if deadline.is_overdue:
        return fault(
            Text(f"{named.de} ist seit {deadline.day} überfällig", f"{named.en} is overdue since {deadline.day}"), deadline.then, act
        )
    return warning(Text(f"{named.de} läuft am {deadline.day} ab", f"{named.en} runs out on {deadline.day}"), deadline.then, act)


CHECK = Check(
    "deadlines",
    Text("Fristen: Freigaben, Überprüfungen, Zustimmungen", "Deadlines: releases, reviews, approvals"),
    Text(
        "was überfällig ist oder in 30 Tagen abläuft, und was noch auf Zustimmung wartet",
        "what is overdue or runs out within 30 days, and what waits for an approval",
    ),
    look,
)
