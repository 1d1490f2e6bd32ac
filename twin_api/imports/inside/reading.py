"""In the process that opens files: read them, check them, and send on the rows that are right."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import BinaryIO

from twin_api.imports.check import Check
from twin_api.imports.finding import SIMPLER, TOO_COSTLY, Finding, Findings
from twin_api.imports.formats import open_file
from twin_api.imports.job import Job, tell
from twin_api.imports.mapping import ColumnMap, map_columns
from twin_api.imports.places.grids import offer_grids
from twin_api.imports.source import Batch, Source
from twin_api.policy.documents import Layer
from twin_api.policy.finding import listed
from twin_api.texts import Text

APART = Text("Dateien mit anderen Spalten einzeln einlesen", "import files with other columns on their own")


@dataclass(frozen=True, slots=True)
class Part:
    """One file of the import, open and matched with the layer; `name` only where there are several."""

    source: Source
    mapping: ColumnMap
    name: str | None


class Report:
    """Where findings go. Those of single features may wait to be sent with their batch; all others refuse everything in the end."""

    def __init__(self, sorting: bool) -> None:
        self._sorting = sorting
        self.refusing = Findings()
        self._far = Findings()
        self.waiting: list[Finding] = []
        self.heard = 0  # findings of any kind

    def add(self, finding: Finding) -> None:
        self.heard += 1
        if self._sorting and finding.feature is not None:
            self.waiting.append(finding)
        else:
            self.refusing.add(finding)

    def add_astray(self, finding: Finding) -> None:
        """Of a feature far away."""
        self.heard += 1
        if self._sorting:
            self.waiting.append(finding)
        else:
            self._far.add(finding)

    def conclude(self, whole: Finding | None) -> None:
        """Features far away one by one, or one finding in their place."""
        if whole is not None:
            self.refusing.add(whole)
        else:
            self.refusing.take(self._far)
        self._far = Findings()

    @property
    def is_clean(self) -> bool:
        return not self.refusing.total and not self._far.total

    def take(self) -> list[Finding]:
        taken, self.waiting = self.waiting, []
        return taken


def read(job: Job, out: BinaryIO) -> None:
    """Open all files, then read and check one after the other. Raises `FileRefused` with everything that is wrong."""
    if job.grids is not None:
        offer_grids(job.grids)
    report = Report(job.sorting)
    parts = [open_part(job, number, report) for number in range(len(job.files))]
    report.refusing.raise_any()
    parts = _alike(parts, job.layer, report)
    checks = [Check(job, part.source, part.mapping, report.add, report.add_astray, part.name) for part in parts]
    report.refusing.raise_any()
    _tell_opened(parts, out)
    before = 0
    for part, check in zip(parts, checks, strict=True):
        before += _read_part(job, part, check, before, report, out)
    report.refusing.raise_any()
    tell(out, {"kind": "end", "read": before})


def open_nth(job: Job, number: int) -> Source:
    """One of the job's files, with a folder of its own for what has to be unpacked."""
    folder = job.folder / str(number)
    folder.mkdir()
    return open_file(job.files[number], job.description, folder)


def open_part(job: Job, number: int, report: Report) -> Part:
    path, source = job.files[number], open_nth(job, number)
    return Part(
        source,
        map_columns(job.layer, source.columns, job.description, report.refusing),
        path.name.encode(errors="replace").decode() if len(job.files) > 1 else None,
    )


def _alike(parts: list[Part], layer: Layer, report: Report) -> list[Part]:
    """All files fill the same attributes: a form without a list of columns leaves out what is empty, any other does not by chance."""
    filled = tuple(name for name in layer.attributes if any(name in part.mapping.columns for part in parts))
    for part in parts:
        missing = [name for name in filled if name not in part.mapping.columns]
        if missing and not part.source.format.sparse:
            what = Text(
                f"keine Spalte füllt {listed(missing)}, in anderen Dateien schon",
                f"no column fills {listed(missing)}, in other files one does",
            )
            report.refusing.add(Finding(what, APART, file=part.name))
    return [replace(part, mapping=replace(part.mapping, attributes=filled)) for part in parts]


def _tell_opened(parts: list[Part], out: BinaryIO) -> None:
    totals = [part.source.total for part in parts]
    total = None if None in totals else sum(total or 0 for total in totals)
    found = {name: column for part in parts for name, column in part.mapping.columns.items()}
    mapped = {name: found[name] for name in parts[0].mapping.attributes}
    tell(out, {"kind": "opened", "mapped": mapped, "ignored": list(parts[0].mapping.ignored), "total": total})


def _read_part(job: Job, part: Part, check: Check, before: int, report: Report, out: BinaryIO) -> int:
    """How many features that were."""
    tell(out, {"kind": "looking"})
    check.start(before)
    read, heard = 0, report.heard
    tell(out, {"kind": "reading"})
    for batch in part.source.batches(list(dict.fromkeys(part.mapping.columns.values()))):
        for piece in pieces(batch, before, job, report, part.name):
            tell(out, {"kind": "checking", "first": before + piece.first, "count": len(piece.fids)})
            checked = check.batch(piece)
            findings = [finding.as_data() for finding in report.take()]
            wanted = report.is_clean
            told = {"kind": "batch", "read": before + read + len(piece.fids), "rows": checked.count if wanted else 0, "findings": findings}
            tell(out, told, checked.rows if wanted else b"")
        read += len(batch.fids)
        tell(out, {"kind": "reading"})
    check.finish(read)
    report.conclude(check.conclude())
    if report.heard == heard:
        part.source.check_end()
    return read


def pieces(batch: Batch, before: int, job: Job, report: Report, file: str | None) -> Iterator[Batch]:
    """The batch, in parts that leave out what must not be looked at, with single features where it is to go slowly."""
    if not job.unreadable and not job.slowly:
        yield batch
        return
    numbers = [before + batch.first + row for row in range(len(batch.fids))]
    alone = [row for row, number in enumerate(numbers) if number in job.unreadable or number in job.slowly]
    cuts = sorted({0, len(numbers), *alone, *(row + 1 for row in alone)})
    for start, stop in pairwise(cuts):
        if numbers[start] in job.unreadable:
            report.add(Finding(TOO_COSTLY, SIMPLER, numbers[start], batch.fids[start], file=file))
        else:
            yield batch.part(start, stop)
