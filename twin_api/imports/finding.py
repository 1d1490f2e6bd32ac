"""What is wrong with a file: where, what, and what would be right. A file with one finding is not imported at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from twin_api.policy.finding import quoted
from twin_api.texts import Text

SHOWN: Final = 100
NOTHING: Final = Text("", "")
TOO_COSTLY: Final = Text("die Geometrie ist zu aufwendig zu prüfen", "the geometry is too costly to check")
SIMPLER: Final = Text("in der Quelle vereinfachen oder aufteilen", "simplify or divide it at the source")


@dataclass(frozen=True, slots=True)
class Finding:
    """`feature` counts from 1 through the files of the import; `row` is that of a table, `fid` the file's own number of it."""

    what: Text
    remedy: Text = NOTHING
    feature: int | None = None
    fid: int | None = None
    attribute: str | None = None
    column: str | None = None
    row: int | None = None
    file: str | None = None

    def text(self) -> Text:
        return Text(self._say("de"), self._say("en"))

    def reason(self) -> Text:
        """Without the place."""
        return Text(self._reason("de"), self._reason("en"))

    def _say(self, language: str) -> str:
        place = ", ".join(self._where(language == "de"))
        return (f"{place}: " if place else "") + self._reason(language)

    def _where(self, de: bool) -> list[str]:
        where = [] if self.file is None else [quoted(self.file)]
        if self.row is not None:
            where.append(f"{'Zeile' if de else 'row'} {self.row}")
        elif self.feature is not None:
            where.append(f"{'Objekt' if de else 'feature'} {self.feature}")
        where += [] if self.fid is None or self.row is not None else [f"fid {self.fid}"]
        where += [f"{'Spalte' if de else 'column'} {quoted(self.column)}"] if self.column not in (None, self.attribute) else []
        return where + ([] if self.attribute is None else [f"`{self.attribute}`"])

    def _reason(self, language: str) -> str:
        what, remedy = (self.what.de, self.remedy.de) if language == "de" else (self.what.en, self.remedy.en)
        return what + (f" → {remedy}" if remedy else "")

    def as_data(self) -> dict[str, Any]:
        """For the way between processes; `from_data` is the way back."""
        texts = {"what": [self.what.de, self.what.en], "remedy": [self.remedy.de, self.remedy.en]}
        places = {"feature": self.feature, "fid": self.fid, "attribute": self.attribute, "column": self.column}
        return texts | places | {"row": self.row, "file": self.file}


def from_data(data: dict[str, Any]) -> Finding:
    what, remedy = (Text(str(de), str(en)) for de, en in (data.pop("what"), data.pop("remedy")))
    return Finding(what, remedy, **data)


Group = tuple[str, Text]  # the attribute, or nothing, and what would be right


@dataclass(slots=True)
class Findings:
    """Counts every finding, keeps the first hundred, and counts the others by attribute and remedy."""

    shown: list[Finding] = field(default_factory=list)
    total: int = 0
    groups: Counter[Group] = field(default_factory=Counter)

    def add(self, finding: Finding) -> None:
        self.total += 1
        self.groups[(finding.attribute or "", finding.remedy)] += 1
        if len(self.shown) < SHOWN:
            self.shown.append(finding)

    def take(self, others: Findings) -> None:
        """Add what was found elsewhere."""
        self.shown.extend(others.shown[: SHOWN - len(self.shown)])
        self.total += others.total
        self.groups.update(others.groups)

    def raise_any(self) -> None:
        if self.total:
            raise FileRefused(self.shown, self.total, self.groups)


class FileRefused(Exception):
    """The file is not imported, and nothing has changed. `total` may exceed the findings kept; `groups` counts them all."""

    def __init__(self, findings: Iterable[Finding], total: int | None = None, groups: Counter[Group] | None = None) -> None:
        self.findings = tuple(findings)
        self.total = len(self.findings) if total is None else total
        self.groups = groups or Counter((finding.attribute or "", finding.remedy) for finding in self.findings)
        super().__init__("\n".join(finding.text().say("en") for finding in self.findings))


def refuse(what: Text, remedy: Text = NOTHING) -> FileRefused:
    """A refusal of the whole file for one reason."""
    return FileRefused([Finding(what, remedy)])
