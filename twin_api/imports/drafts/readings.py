"""How all columns of a file are read, said once for the file where they agree and for a column where it differs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from twin_api.imports.description import Decimal, Reading
from twin_api.imports.drafts.columns import Column
from twin_api.imports.drafts.forms import ISO_DAY, WHOLE
from twin_api.imports.drafts.verdict import Verdict

NUMERIC: Final = ("integer", "number")
TIMES: Final = ("date", "datetime")
Judged = tuple[Column, Verdict]


def file_reading(judged: Sequence[Judged], place: Decimal | None = None) -> Reading:
    """What most columns agree on; every null word of the file, because it means the same everywhere. `place` is the sign in coordinates."""
    written = [(column, verdict) for column, verdict in judged if column.kind == "text"]
    signs = [verdict.reading.decimal for column, verdict in written if verdict.type == "number"]
    decimal: Decimal = place or ("," if 2 * signs.count(",") > len(signs) else ".")
    forms = {verdict.reading.dates for _, verdict in written if verdict.type in TIMES}
    nulls = frozenset(word for column, _ in written for word in column.null_words)
    return Reading(decimal=decimal, dates=forms.pop() if len(forms) == 1 else None, nulls=nulls)


def differences(column: Column, verdict: Verdict, file: Reading, zone: str) -> Mapping[str, Any]:
    """The members of a reading that have to be said for this column, as a source file names them. `zone` is that of the town's clocks."""
    own, said = verdict.reading, dict[str, Any]({"zone": zone} if verdict.local else {})
    if column.kind != "text":
        return said
    if verdict.type in NUMERIC and not _is_whole(column, verdict):
        said |= {"decimal": own.decimal} if own.decimal != file.decimal else {}
        said |= {"thousands": own.thousands} if own.thousands != file.thousands else {}
    if verdict.type in TIMES and own.dates != file.dates:
        said["dates"] = own.dates or ISO_DAY
    if not own.nulls <= file.nulls:
        said["nulls"] = own.nulls | file.nulls
    if own.values:
        said["values"] = own.values
    return said


def with_differences(file: Reading, said: Mapping[str, Any]) -> Reading:
    return replace(file, **said)


def _is_whole(column: Column, verdict: Verdict) -> bool:
    return verdict.type == "integer" and column.forms[WHOLE] > 0 and not verdict.reading.thousands
