"""The attributes of a draft: one for each column that can be one, named, typed, classed, and marked where a person must look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from twin_api.imports.description import Decimal, Reading
from twin_api.imports.drafts.columns import LISTED, Column
from twin_api.imports.drafts.headings import read_heading
from twin_api.imports.drafts.keys import Columns, is_technical, sounds_like_key
from twin_api.imports.drafts.places import is_coordinate
from twin_api.imports.drafts.readings import NUMERIC, differences, file_reading
from twin_api.imports.drafts.suspects import SHARE, is_address, suspicions
from twin_api.imports.drafts.verdict import Verdict, judge, never_filled, writes_comma
from twin_api.imports.naming import attribute_names
from twin_api.policy.documents import AttributeType
from twin_api.policy.town import UNREVIEWED
from twin_api.policy.vocabulary import tells_place
from twin_api.policy.yaml_file import is_hidden

PERSON: Final = "Verdacht: personenbezogen"
ENGLISH: Final = ["hinter jedem Wert sein englisches Wort; bitte prüfen, ob weitere vorkommen können"]
KEY_TYPES: Final = ("text", "integer", "date", "datetime")


@dataclass(frozen=True, slots=True)
class DraftAttribute:
    """`said` is what the file's description has to say of its column; `remarks` are in German and hold no value."""

    column: str
    name: str
    title: str
    type: AttributeType
    class_: str
    unit: str | None = None
    key: bool = False
    locates: bool = False
    free_text: bool = False
    enum: tuple[str, ...] = ()
    suspect: bool = False
    remarks: tuple[str, ...] = ()
    said: Mapping[str, Any] = field(default_factory=dict)


def draft_attributes(
    columns: Sequence[Column], keys: Sequence[Columns], class_: str, zone: str, place: Decimal | None = None
) -> tuple[list[DraftAttribute], Reading]:
    """In the order of the file. The first of `keys` that is fit to be one becomes the key. `place` is the decimal sign of coordinates."""
    comma = place == "," or any(writes_comma(column) for column in columns)
    judged = [(column, judge(column, comma=comma)) for column in columns]
    reading = file_reading(judged, place)
    names = attribute_names(column.header for column in columns)
    drafts = [_draft(column, verdict, name, class_, differences(column, verdict, reading, zone))
              for (column, verdict), name in zip(judged, names, strict=True)]  # fmt: skip
    return _with_key(_with_neighbours(drafts), keys), reading


def _draft(column: Column, verdict: Verdict, name: str, class_: str, said: Mapping[str, Any]) -> DraftAttribute:
    heading, reasons = read_heading(column.header), [*suspicions(column.header), *_signs(column)]
    numeric, enum = verdict.type in NUMERIC, () if reasons or verdict.free_text else _enum(column, verdict)
    lost = ["in der Überschrift gingen Buchstaben verloren"] if "\ufffd" in column.header else []
    remarks = [*reasons, *lost, *verdict.remarks, *(["in dieser Datei leer"] if never_filled(column) else []), *(ENGLISH if enum else [])]
    return DraftAttribute(
        column.header, name, heading.title if numeric else heading.whole, verdict.type, UNREVIEWED if reasons else class_,
        unit=heading.unit if numeric else None,
        locates=tells_place(name, column.header) or is_address(column.header) or is_coordinate(column.header),
        free_text=verdict.free_text,
        enum=enum,
        suspect=bool(reasons),
        remarks=tuple(remarks),
        said=said,
    )  # fmt: skip


def _signs(column: Column) -> list[str]:
    """What the values look like, never which they are."""
    found = [f"{PERSON} (im Inhalt: {reason})" for reason in sorted(column.patterns)]
    for reason, count in sorted(column.likenesses.items()):
        if count >= SHARE * column.texts and reason not in column.patterns:
            found.append(f"{PERSON} (im Inhalt: {reason})")
    return found


def _enum(column: Column, verdict: Verdict) -> tuple[str, ...]:
    """A few values that come again and again; only of a column whose values were allowed to be listed."""
    if column.values is None or verdict.type != "text" or not 1 < len(column.values) <= LISTED:
        return ()
    repeated = column.texts >= 3 * len(column.values)
    clean = all(value.strip() and not any(is_hidden(letter) for letter in value) for value in column.values)
    return tuple(sorted(column.values)) if repeated and clean else ()


def _with_neighbours(drafts: list[DraftAttribute]) -> list[DraftAttribute]:
    """Where people stand in a row, its address is theirs. `name` alone may be a school's."""
    if not any(draft.suspect and draft.name != "name" and PERSON in " ".join(draft.remarks) for draft in drafts):
        return drafts
    reason = f"{PERSON} (Anschrift neben Angaben zu einer Person)"
    return [
        replace(draft, suspect=True, class_=UNREVIEWED, enum=(), remarks=(reason, *draft.remarks))
        if is_address(draft.column) and not draft.suspect else draft
        for draft in drafts
    ]  # fmt: skip


def _with_key(drafts: list[DraftAttribute], keys: Sequence[Columns]) -> list[DraftAttribute]:
    by_column = {draft.column: draft for draft in drafts}
    key = next((columns for columns in keys if all(_fits_key(by_column[name]) for name in columns)), ())
    return [replace(draft, key=True, enum=(), remarks=(*_key_remark(draft.column), *draft.remarks)) if draft.column in key else draft
            for draft in drafts]  # fmt: skip


def _fits_key(draft: DraftAttribute) -> bool:
    return draft.type in KEY_TYPES and not draft.suspect and not draft.free_text


def _key_remark(header: str) -> list[str]:
    if is_technical(header):
        return ["Schlüssel: bleibt diese Nummer bei der nächsten Ausgabe gleich? bitte prüfen"]
    return [] if sounds_like_key(header) else ["Schlüssel: eindeutig in dieser Datei; auch in der nächsten? bitte prüfen"]
