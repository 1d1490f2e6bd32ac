"""One attempt at an import: what the process that reads sends is staged, compared with the store and merged, or nothing is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

import psycopg

from twin_api.imports.finding import Finding, Findings, from_data
from twin_api.imports.fingerprint import Fingerprint
from twin_api.imports.job import Job
from twin_api.imports.merge import Counts, Merge, compare, lock
from twin_api.imports.rejects import Rejects
from twin_api.imports.request import ImportOutcome, ImportRequest
from twin_api.imports.staging import Staging, drop_features, filling, placed, repeated_keys, temporary
from twin_api.imports.workshop import Bench, Message, workshop
from twin_api.layers.table import GEOMETRY
from twin_api.policy.documents import Layer
from twin_api.publish.bulk_beside import Beside
from twin_api.store.journal import Journal, Origin
from twin_api.texts import Text

Progress = Callable[[int, int | None], None]  # features done, features in all if the files say so
Connect = Callable[[], psycopg.Connection]
Around = Callable[
    ..., AbstractContextManager[None]
]  # connection, layer, rows about to change, and the place where they lie if there is one
Placing = Callable[[Connect, Layer, int], AbstractContextManager[Beside | None]]


class Attempt:
    """May raise `FileRefused` and `TooCostly`; everything is as before then."""

    def __init__(
        self, request: ImportRequest, layer: Layer, job: Job, journal: Journal | None, around: Around, placing: Placing,
        on_progress: Progress,
    ) -> None:  # fmt: skip
        self._request, self._layer, self._job = request, layer, job
        self._journal, self._around, self._placing, self._on_progress = journal, around, placing, on_progress
        self._rejects = Rejects(request, job)
        self._read = 0

    def run(self, connect: Connect, ready: Bench | None = None) -> ImportOutcome:
        begun = time.monotonic()
        prints = Fingerprint.of_all(self._job.files)
        try:
            with workshop(self._job, self._request.limits, ready) as messages:
                sums = [print_.sha256() for print_ in prints]  # while the other process begins
                opened = next(messages).told
                columns = [*opened["mapped"], *([GEOMETRY] if self._layer.geometry is not None else [])]
                with (
                    self._place(connect, opened["total"]) as place,
                    connect() as connection, connection.transaction(force_rollback=self._request.dry_run),
                ):  # fmt: skip
                    lock(connection, self._layer)
                    staging = temporary(connection, self._layer.name, columns) if place is None else placed(place)
                    number = self._stage(staging, columns, messages, opened["total"])
                    staged = time.monotonic()
                    merge = compare(connection, self._layer, staging, columns, number, self._request.replace and not self._keeps)
                    counts = self._write(connection, merge, self._origin(prints, sums), place)
        except BaseException:
            self._rejects.remove()
            raise
        return ImportOutcome(
            self._layer.name, self._read, counts.inserted, counts.updated, counts.unchanged, counts.deleted, len(self._rejects),
            opened["mapped"], tuple(opened["ignored"]), self._request.dry_run, staged - begun, time.monotonic() - begun,
        )  # fmt: skip

    @property
    def _keeps(self) -> bool:
        """Whether what the files lack stays: a row whose new state is among the rejects keeps the last good one."""
        return bool(self._layer.key) and len(self._rejects) > 0

    def _origin(self, prints: list[Fingerprint], sums: list[str]) -> Origin:
        for print_ in prints:
            print_.check()
        layer, asked, files = self._layer, self._request, [print_.as_data(sum_) for print_, sum_ in zip(prints, sums, strict=True)]
        return Origin(layer.name, files, asked.holder or layer.holder, asked.licence or layer.licence, asked.source, asked.replace)

    def _place(self, connect: Connect, total: int | None) -> AbstractContextManager[Beside | None]:
        return nullcontext() if self._request.dry_run or total is None else self._placing(connect, self._layer, total)

    def _stage(self, staging: Staging, columns: list[str], messages: Iterator[Message], total: int | None) -> int:
        """How many rows are staged and right."""
        self._on_progress(0, total)
        with filling(staging, columns) as add:
            right = sum(self._take(message, add, total) for message in messages)
        repeated = list(self._repeated(staging))
        if self._request.rejects is None:
            findings = Findings()
            for finding in repeated:
                findings.add(finding)
            findings.raise_any()
        self._rejects.add(repeated)
        return right - (drop_features(staging, [finding.feature or 0 for finding in repeated]) if repeated else 0)

    def _take(self, message: Message, add: Callable[[bytes], None], total: int | None) -> int:
        """How many right rows the message brought."""
        told = message.told
        if told["kind"] != "batch":
            self._read = told["read"] if told["kind"] == "end" else self._read
            return 0
        self._rejects.add([from_data(finding) for finding in told["findings"]])
        if message.rows:
            add(message.rows)
        self._read = told["read"]
        self._on_progress(self._read, total)
        return int(told["rows"])

    def _repeated(self, staging: Staging) -> Iterator[Finding]:
        pairs = repeated_keys(staging, self._layer.key) if self._layer.key else []
        for feature, earlier in pairs:
            what = Text(f"derselbe Schlüssel wie Objekt {earlier}", f"the same key as feature {earlier}")
            yield Finding(what, Text("eines davon entfernen", "remove one of them"), feature, attribute=", ".join(self._layer.key))

    def _write(self, connection: psycopg.Connection, merge: Merge, origin: Origin, place: Beside | None) -> Counts:
        if not self._request.may_shrink:
            merge.check_shrinking()
        entry = self._journal.begin(connection, origin) if self._journal else None
        around = self._around if place is None else partial(self._around, place=place)
        with around(connection, self._layer, merge.touched) if merge.touched else nullcontext():
            counts = merge.write(connection, entry)
        self._rejects.write()
        told: dict[str, Any] = {"read": self._read, "rejected": len(self._rejects)}
        told |= {"inserted": counts.inserted, "updated": counts.updated, "unchanged": counts.unchanged, "deleted": counts.deleted}
        if self._journal and entry is not None:
            self._journal.end(connection, entry, origin, told)
        return counts
