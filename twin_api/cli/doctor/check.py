"""One check, and what becomes of it: it finds something, or cannot look, or fails itself; nothing of that holds up another check."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

import psycopg

from twin_api.cli.doctor.finding import Finding, Severity, Unseen, fault
from twin_api.cli.doctor.patient import Patient
from twin_api.texts import Text

_ORDER: Final[tuple[Severity, ...]] = ("fault", "warning")


@dataclass(frozen=True, slots=True)
class Check:
    """`look` yields what is to be said; `about` says what it looks at. `is_slow` ones are left out by `--quick`."""

    name: str
    title: Text
    about: Text
    look: Callable[[Patient], Iterable[Finding]]
    is_slow: bool = False


@dataclass(frozen=True, slots=True)
class Examined:
    """What a check came to; `unseen` says why it could not look to its end, `left_out` that nobody wanted it to."""

    check: Check
    findings: tuple[Finding, ...] = ()
    unseen: Text | None = None
    left_out: bool = False

    @property
    def is_sound(self) -> bool:
        """What could not be seen is not known to be sound."""
        return self.worst != "fault" and self.unseen is None

    @property
    def worst(self) -> Severity | None:
        found = {finding.severity for finding in self.findings}
        return next((severity for severity in _ORDER if severity in found), None)

    def as_json(self) -> dict[str, Any]:
        outcome = self.worst or ("unseen" if self.unseen else "left out" if self.left_out else "sound")
        told = {"name": self.check.name, "title": self.check.title.as_json(), "outcome": outcome}
        because = {"unseen": self.unseen.as_json()} if self.unseen else {}
        return told | because | {"findings": [finding.as_json() for finding in self.findings]}


def examine(check: Check, patient: Patient) -> Examined:
    """Look; whatever goes wrong meanwhile is a finding, and what was found before stays."""
    findings: list[Finding] = []
    try:
        for finding in check.look(patient):
            findings.append(finding)
    except Unseen as unseen:
        return Examined(check, tuple(findings), Text(f"nicht zu sehen: {unseen.what.de}", f"not to be seen: {unseen.what.en}"))
    except Exception as error:
        findings.append(_failed(error))
    return Examined(check, tuple(findings))


def _failed(error: Exception) -> Finding:
    """Without the error's own text, which may hold values or an address with its password."""
    kind = type(error).__name__
    if isinstance(error, psycopg.Error):
        kind += f" {error.sqlstate or ''}".rstrip()
    elif isinstance(error, OSError) and error.filename:
        kind += f" `{error.filename}`"
    return fault(
        Text(f"diese Prüfung kam nicht zu Ende: {kind}", f"this check did not come to its end: {kind}"),
        Text("was sie finden würde, bleibt unbemerkt", "what it would find goes unnoticed"),
        Text(
            "zuerst beheben, was andere Prüfungen melden, dann noch einmal `twin doctor`",
            "mend what other checks report first, then `twin doctor` again",
        ),
    )
