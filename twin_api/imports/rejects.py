"""Features that are wrong, written to a table of their own with the reasons: to be mended and imported again."""

from __future__ import annotations

import csv
import os
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, TextIO

from twin_api.imports.finding import Finding, refuse
from twin_api.imports.job import Job
from twin_api.imports.request import ImportRequest
from twin_api.imports.tables.returned import FEATURE, REASON, SEPARATOR
from twin_api.imports.workshop import workshop
from twin_api.policy.finding import quoted
from twin_api.texts import Text

MOST: Final = 100_000
NAMELESS: Final = "/proc/self/fd/"
REASONS: Final = 10  # of one feature


class Rejects:
    """Collects what is wrong by feature. The file is CSV in UTF-8 with `;`, readable by its owner alone: it holds values of every class."""

    def __init__(self, request: ImportRequest, job: Job) -> None:
        self._request, self._path, self._job = request, request.rejects, job
        self._written = False
        self._reasons: dict[int, list[Finding]] = {}

    def __len__(self) -> int:
        return len(self._reasons)

    def add(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            reasons = self._reasons.setdefault(finding.feature or 0, [])
            reasons += [finding] if len(reasons) < REASONS else []
        if len(self._reasons) > MOST:
            raise refuse(
                Text(f"mehr als {MOST} Objekte sind nicht in Ordnung", f"more than {MOST} features are not right"),
                Text("passt die Datei zum Layer? fehlt ihre Beschreibung?", "does the file fit the layer? is its description missing?"),
            )

    def write(self) -> None:
        """Read the files once more for just these features. The file is there in whole, or not at all; none is overwritten."""
        if self._path is None or not self._reasons:
            return
        draft = ""
        try:
            handle, draft = _draft(self._path)
            with os.fdopen(handle, "w", encoding="utf-8-sig", newline="") as file:
                self._write_to(file)
                file.flush()
                os.fsync(file.fileno())
                os.link(draft, self._path, src_dir_fd=0, follow_symlinks=True)
            self._written = True
        except FileExistsError:
            raise exists(self._path) from None
        except OSError as error:
            raise refuse(Text(f"{quoted(str(self._path))} lässt sich nicht schreiben: {error.strerror}",
                              f"{quoted(str(self._path))} cannot be written: {error.strerror}")) from None  # fmt: skip
        finally:
            if draft and not draft.startswith(NAMELESS):
                os.unlink(draft)

    def remove(self) -> None:
        """Nothing was imported after all."""
        if self._path is not None and self._written:
            self._path.unlink(missing_ok=True)

    def _write_to(self, file: TextIO) -> None:
        quote = replace(self._job, quote=frozenset(self._reasons))
        table: csv.DictWriter[str] | None = None
        with workshop(quote, self._request.limits) as messages:
            for message in messages:
                for feature, values in message.told.get("features", ()):
                    table = table or _table(file, values)
                    table.writerow({**values, FEATURE: feature, REASON: self._reason(feature)})

    def _reason(self, feature: int) -> str:
        texts = [(finding.attribute, finding.reason().say(self._request.language)) for finding in self._reasons[feature]]
        return " | ".join(f"{attribute}: {reason}" if attribute else reason for attribute, reason in texts)


def _draft(path: Path) -> tuple[int, str]:
    """An open file and what it is called: nothing at all where the file system can, so that a kill leaves nothing of it."""
    try:
        handle = os.open(path.parent, os.O_TMPFILE | os.O_WRONLY, 0o600)
    except OSError:
        return tempfile.mkstemp(".part", f".{path.name}.", path.parent)  # nobody else can have laid it there
    return handle, f"{NAMELESS}{handle}"


def exists(path: Path) -> Exception:
    return refuse(
        Text(f"{quoted(str(path))} gibt es schon", f"{quoted(str(path))} exists already"),
        Text("anders nennen, oder die alte Datei erst abarbeiten", "choose another name, or deal with the old file first"),
    )


def _table(file: TextIO, values: Mapping[str, Any]) -> csv.DictWriter[str]:
    table = csv.DictWriter(file, [FEATURE, REASON, *values], delimiter=SEPARATOR, extrasaction="ignore")
    table.writeheader()
    return table
