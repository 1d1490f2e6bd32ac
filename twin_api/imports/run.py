"""One import from beginning to end, once more where a geometry had to be found that is too costly to check."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Final

from twin_api.imports.attempt import Around, Attempt, Connect, Placing, Progress
from twin_api.imports.finding import SIMPLER, TOO_COSTLY, FileRefused, Finding, refuse
from twin_api.imports.job import Job
from twin_api.imports.request import ImportOutcome, ImportRequest
from twin_api.imports.tables.returned import is_returned
from twin_api.imports.workshop import Bench, TooCostly
from twin_api.policy.documents import Layer
from twin_api.policy.finding import quoted
from twin_api.store.journal import Journal
from twin_api.texts import Text

__all__ = ["ImportOutcome", "ImportRequest", "Progress", "run_import"]

MOST_COSTLY: Final = 20


def run_import(
    request: ImportRequest,
    layer: Layer,
    connect: Connect,
    on_progress: Progress = lambda done, total: None,
    *,
    journal: Journal | None = None,
    around: Around = lambda connection, layer, rows: nullcontext(),
    placing: Placing = lambda connect, layer, rows: nullcontext(),
    ready: Bench | None = None,
) -> ImportOutcome:
    """Import files into a layer, or raise `FileRefused` with all findings and leave everything as it was.

    `connect` opens a connection of the database's owner. `around` is entered with the number of rows about to change,
    before the first does, and left before the commit; not at all if nothing changes. Where `placing` yields a place for the rows,
    they lie there, and `around` is told so. `ready` is a process that has begun already, while the caller still read policies.
    """
    _check_request(request, layer)
    slowly, unreadable = frozenset[int](), frozenset[int]()
    for _ in range(MOST_COSTLY):
        job = Job(
            [path.absolute() for path in request.files], request.description, layer, Path(), request.extent, request.grids,
            sorting=request.rejects is not None, slowly=slowly, unreadable=unreadable,
        )  # fmt: skip
        try:
            return Attempt(request, layer, job, journal, around, placing, on_progress).run(connect, ready)
        except TooCostly as costly:
            ready = None
            if len(costly.features) > 1:
                slowly |= frozenset(costly.features)  # once more, to see which of them it is
            elif request.rejects is None:
                raise FileRefused([Finding(TOO_COSTLY, SIMPLER, costly.features.start)]) from None
            else:
                unreadable |= {costly.features.start}
    raise refuse(
        Text(f"mehr als {MOST_COSTLY} Geometrien sind zu aufwendig", f"more than {MOST_COSTLY} geometries are too costly"),
        Text("Datei prüfen", "check the file"),
    )


def _check_request(request: ImportRequest, layer: Layer) -> None:
    """What can be refused before a file is opened."""
    if not layer.key and not request.replace:
        raise refuse(
            Text(f"der Layer `{layer.name}` hat keinen Schlüssel, seine Zeilen lassen sich nicht wiedererkennen",
                 f"the layer `{layer.name}` has no key, its rows cannot be recognised"),
            Text("mit `--replace` den ganzen Bestand ersetzen", "replace everything with `--replace`"),
        )  # fmt: skip
    for path in request.files:
        if not path.is_file():
            raise refuse(
                Text(f"eine Datei {quoted(str(path))} gibt es nicht", f"there is no file {quoted(str(path))}"),
                Text("Name und Ordner prüfen", "check its name and folder"),
            )
        if request.replace and is_returned(path):
            raise refuse(
                Text(f"{quoted(path.name)} enthält, was nicht übernommen wurde, und ist nie der ganze Bestand",
                     f"{quoted(path.name)} holds what was not imported, and is never everything there is"),
                Text("ohne `--replace` einlesen", "import it without `--replace`"),
            )  # fmt: skip
