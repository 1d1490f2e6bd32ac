"""One source from its address or its files into its layer: nothing if nothing has changed, all of it, or none of it.

Must never import by policy files that nobody applied: layers are those in force.
"""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from twin_api.imports.fetching.collect import collect
from twin_api.imports.fetching.errands import errand_for
from twin_api.imports.fetching.services.asked import Gathered
from twin_api.imports.finding import FileRefused, refuse
from twin_api.imports.fingerprint import parts_of
from twin_api.imports.publishing import placing, publishing
from twin_api.imports.run import ImportOutcome, ImportRequest, run_import
from twin_api.imports.sources.file import SourceFile
from twin_api.policy.documents import Extent, Layer, Policies
from twin_api.policy.finding import quoted
from twin_api.policy.load import load_applied
from twin_api.publish.apply import applied_files
from twin_api.settings import Settings
from twin_api.store.journal import Journal, Origin
from twin_api.texts import Text
from twin_api.work.source_state import Connection, Outcome, SourceState, begin, fail, succeed, take

REASONS: Final = 20
SETTLED_S: Final = 60.0  # for those who run by the clock
BUSY: Final = Text("ein anderer Prozess holt sie gerade", "another process is at it")
Connect = Callable[[], Connection]


@dataclass(frozen=True, slots=True)
class Run:
    """How one run ended; `done` where something was imported."""

    outcome: Outcome
    done: ImportOutcome | None = None
    reasons: tuple[Text, ...] = ()


def policies_in_force(connection: Connection) -> Policies | None:
    """The policies that were applied last; None before the first time."""
    files = applied_files(connection)
    return load_applied(files) if files else None


def said_by(source: SourceFile, policies: Policies) -> str:
    """A digest of all that decides how the data are read: the source file and its layer."""
    layer = policies.files.get(f"layers/{source.layer}.yaml", "")
    return hashlib.sha256(f"{source.digest} {layer}".encode()).hexdigest()


def run_source(
    source: SourceFile, policies: Policies, settings: Settings, connect: Connect, now: datetime, *, settled_s: float = 0.0
) -> Run:  # fmt: skip
    """Run it now, whatever the clock says. What is wrong with the data is noted and returned; anything else is noted and raised.

    Files that were written to less than `settled_s` ago are not taken: somebody may not be done with them.
    """
    with connect() as connection:
        if not take(connection, source.name):
            return Run("running", reasons=(BUSY,))
        task = _Task(
            source, policies.layers[source.layer], policies.town.extent, said_by(source, policies), settings, connect, now, settled_s
        )
        try:
            run = task.run(connection, begin(connection, source.name, task.said, now))
        except FileRefused as refused:
            run = Run("refused", reasons=tuple(finding.text() for finding in refused.findings[:REASONS]))
            fail(connection, source.name, run.outcome, run.reasons)
        except Exception as error:
            fail(connection, source.name, "failed", [Text(type(error).__name__)])
            raise
        return run


@dataclass(frozen=True, slots=True)
class _Task:
    source: SourceFile
    layer: Layer
    extent: Extent | None
    said: str
    settings: Settings
    connect: Connect
    now: datetime
    settled_s: float

    def run(self, connection: Connection, before: SourceState) -> Run:
        same = before.said == self.said
        folder = self.settings.home.resolve() / "fetched" / self.source.name
        shutil.rmtree(folder, ignore_errors=True)  # of a run that was killed
        folder.mkdir(mode=0o700, parents=True)
        try:
            gathered = self._gather(folder, before.known if same else {})
            if not gathered.files or (same and gathered.digest == before.content):
                succeed(connection, self.source.name, "unchanged", self.now, before.content or "", self.said, gathered.known)
                return Run("unchanged")
            return Run("imported", self._import(gathered))
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _gather(self, folder: Path, known: Mapping[str, str]) -> Gathered:
        whence = self.source.whence
        if whence.address is None:
            return self._files()
        return collect(errand_for(whence, self.layer, self.source.description, self.settings, folder, known))

    def _files(self) -> Gathered:
        files = self.source.whence.found(self.settings.sources_folder.parent)
        if not files:
            what = Text(f"keine Datei passt zu {quoted(self.source.whence.files)}", f"no file fits {quoted(self.source.whence.files)}")
            raise refuse(what, Text("Muster und Ordner prüfen", "check pattern and folder"))
        digest = hashlib.sha256()
        for file in (part for path in files for part in parts_of(path)):
            if time.time() - file.stat().st_mtime < self.settled_s:
                what = Text(f"{quoted(file.name)} wird vielleicht noch geschrieben", f"{quoted(file.name)} may still be being written")
                raise refuse(what, Text("sie wird beim nächsten Mal gelesen", "it is read the next time"))
            with file.open("rb") as stream:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
        return Gathered(tuple(files), digest.hexdigest())

    def _import(self, gathered: Gathered) -> ImportOutcome:
        source = self.source
        description = replace(source.description, crs=source.description.crs or gathered.crs)

        request = ImportRequest(
            gathered.files, description, source.replace, source=source.name, extent=self.extent, grids=self.settings.proj_data,
            holder=source.holder, licence=source.licence, may_shrink=source.may_shrink,
        )  # fmt: skip
        return run_import(request, self.layer, self.connect, journal=_Noted(self, gathered), around=publishing, placing=placing)

    def note(self, connection: Connection, gathered: Gathered) -> None:
        succeed(connection, self.source.name, "imported", self.now, gathered.digest, self.said, gathered.known)


class _Noted(Journal):
    """An import's last line, and with it what became of the source: both are true, or neither."""

    def __init__(self, task: _Task, gathered: Gathered) -> None:
        self._task, self._gathered = task, gathered

    def end(self, connection: Connection, id: int, origin: Origin, counts: Mapping[str, int]) -> None:
        super().end(connection, id, origin, counts)
        self._task.note(connection, self._gathered)
