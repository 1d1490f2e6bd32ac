"""What is wrong with a file: where, what, and what would be right. A file with one finding is not imported at all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from twin_api.texts import Text

SHOWN: Final = 100
NOTHING: Final = Text("", "")


@dataclass(frozen=True, slots=True)
class Finding:
    """`feature` counts from 1 in the order of the file; `fid` is the file's own number of it."""

    what: Text
    remedy: Text = NOTHING
    feature: int | None = None
    fid: int | None = None
    attribute: str | None = None

    def text(self) -> Text:
        return Text(self._say("de"), self._say("en"))

    def _say(self, language: str) -> str:
        de = language == "de"
        what, remedy = (self.what.de, self.remedy.de) if de else (self.what.en, self.remedy.en)
        where = [] if self.feature is None else [f"{'Objekt' if de else 'feature'} {self.feature}"]
        where += [] if self.fid is None else [f"fid {self.fid}"]
        where += [] if self.attribute is None else [f"`{self.attribute}`"]
        place = ", ".join(where)
        return (f"{place}: " if place else "") + what + (f" → {remedy}" if remedy else "")


@dataclass(slots=True)
class Findings:
    """Counts every finding and keeps the first hundred."""

    shown: list[Finding] = field(default_factory=list)
    total: int = 0

    def add(self, finding: Finding) -> None:
        self.total += 1
        if len(self.shown) < SHOWN:
            self.shown.append(finding)

    def take(self, others: Findings) -> None:
        """Add what was found elsewhere."""
        self.shown.extend(others.shown[: SHOWN - len(self.shown)])
        self.total += others.total

    def raise_any(self) -> None:
        if self.total:
            raise FileRefused(self.shown, self.total)


class FileRefused(Exception):
    """The file is not imported, and nothing has changed. `total` may exceed the findings kept."""

    def __init__(self, findings: Iterable[Finding], total: int | None = None) -> None:
        self.findings = tuple(findings)
        self.total = len(self.findings) if total is None else total
        super().__init__("\n".join(finding.text().say("en") for finding in self.findings))


def refuse(what: Text, remedy: Text = NOTHING) -> FileRefused:
    """A refusal of the whole file for one reason."""
    return FileRefused([Finding(what, remedy)])
