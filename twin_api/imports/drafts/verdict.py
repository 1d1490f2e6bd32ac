"""What a column is, judged by all that was seen of it: its type, how its texts are read, and what a person should know.

Must never take for a number or a day what a single value of the column contradicts: such a column stays text, and all its rows come in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from twin_api.imports.description import Reading
from twin_api.imports.drafts.columns import Column
from twin_api.imports.drafts.forms import BOOLEANS, DAYS, ISO_DAY, MOMENT, TIMES, WHOLE
from twin_api.policy.documents import AttributeType
from twin_api.policy.vocabulary import FREE_TEXT, first_match, words_of

NEARLY: Final = 0.9
CODE: Final = (
    "plz", "postleitzahl*", "ags", "ars", "gemeindeschluessel*", "gemeindekennziffer", "*schluessel", "hausnummer*", "hausnr", "hnr",
    "hsnr", "telefon*", "tel", "mobil", "fax", "kennziffer*", "kennung*", "flurstueck*", "zip", "postcode", "house number", "phone*",
    "aktenzeichen", "az",
)  # fmt: skip
YEARS: Final = ("jahr", "*jahr", "anzahl*", "*anzahl", "year", "*year", "count", "number of*")
DAY_WORDS: Final = ("*datum", "datum*", "am", "*tag", "date", "*date", "stand")
WORDS_OF_A_SENTENCE, LETTERS_OF_A_TEXT = 4.0, 120


THREE_PLACES: Final = "nach jedem Zeichen drei Stellen: Dezimalstellen oder Tausender? bitte prüfen"
NO_ZONE: Final = "ohne Zeitzone in der Datei: gelesen in der Ortszeit der Gemeinde, bitte prüfen"
_SIGNS: Final = {
    "point": Reading(), "comma": Reading(decimal=","), "point_groups": Reading(decimal=",", thousands="."),
    "comma_groups": Reading(thousands=","),
}  # fmt: skip
_STYLES: Final[tuple[Callable[[str], str], ...]] = (str.lower, str.capitalize, str.upper)


@dataclass(frozen=True, slots=True)
class Verdict:
    """`remarks` are in German, for the draft's comments, and never hold a value."""

    type: AttributeType
    reading: Reading = field(default_factory=Reading)
    remarks: tuple[str, ...] = ()
    free_text: bool = False
    local: bool = False  # moments by the town's clocks


def judge(column: Column, *, comma: bool = False) -> Verdict:
    """`comma` says that other columns of the file write decimals with a comma: then `1.234` is more than a thousand."""
    if column.kind != "text":
        return _of_kind(column)
    for reading in (_number, _day, _truth):
        verdict = reading(column, comma) if column.texts > column.unknown_words.total() else None
        if verdict is not None:
            return _with_nulls(verdict, column)
    return _with_nulls(_text(column), column)


def writes_comma(column: Column) -> bool:
    """Whether its decimals certainly have a comma."""
    said = column.texts - column.unknown_words.total()
    fits = said and column.kind == "text" and column.forms["comma"] == said
    return bool(fits) and column.forms[WHOLE] < said and column.forms["comma_groups"] < said


def _of_kind(column: Column) -> Verdict:
    words = words_of(column.header)
    if column.kind == "integer" and first_match(words, CODE):
        return Verdict("text", remarks=("die Datei hält es für eine Zahl: führende Nullen sind dann schon verloren",))
    if column.kind == "number" and column.integral and first_match(words, YEARS):
        return Verdict("integer")
    if column.kind == "datetime" and column.local:
        return _local(None) if column.timed else Verdict("date")
    return Verdict("text" if column.kind == "other" else column.kind)


def _all(column: Column, forms: Iterable[str]) -> str | None:
    """The first form that everything has which says something."""
    said = column.texts - column.unknown_words.total()
    return next((form for form in forms if said and column.forms[form] == said), None)


def _number(column: Column, comma: bool) -> Verdict | None:
    words = words_of(column.header)
    if first_match(words, CODE) or (first_match(words, DAY_WORDS) and _all(column, ["YYYYMMDD"])):
        return None
    if _all(column, [WHOLE]):
        return Verdict("integer")
    grouped = _all(column, ["point_groups"]) is not None
    form = _all(column, ["comma", "point_groups", "point"] if comma and grouped else ["point", "comma", "point_groups", "comma_groups"])
    if form is None:
        return None
    doubtful = grouped if form == "point" else _all(column, ["comma_groups" if form == "comma" else "point"]) is not None
    return Verdict("number", _SIGNS[form], (THREE_PLACES,) if doubtful else ())


def _day(column: Column, comma: bool) -> Verdict | None:
    form = _all(column, DAYS)
    if form is not None:
        two = [other for other in ("DD/MM/YYYY", "MM/DD/YYYY") if _all(column, [other])]
        remarks = ("Tag oder Monat zuerst? bitte prüfen",) if len(two) == 2 else ()
        return Verdict("date", Reading(dates=None if form == ISO_DAY else form), remarks)
    if _all(column, [MOMENT]):
        return Verdict("datetime")
    form = _all(column, TIMES)
    if form is not None:
        return _local(form)
    return None


def _local(form: str | None) -> Verdict:
    return Verdict("datetime", Reading(dates=form), (NO_ZONE,), local=True)


def _truth(column: Column, comma: bool) -> Verdict | None:
    """Single letters only where both stand: `N` alone may be north."""
    name = _all(column, BOOLEANS)
    if name is None:
        return None
    yes, no = BOOLEANS[name]
    seen = {spelling.lower() for spelling in column.spellings}
    if len(yes) == 1 and seen != {yes, no}:
        return None
    used = [style for style in _STYLES if {style(yes), style(no)} & column.spellings]
    values = {style(word): said for style in used for word, said in ((yes, "true"), (no, "false"))}
    return Verdict("boolean", Reading(values={} if values.keys() <= {"true", "false"} else values))


def _text(column: Column) -> Verdict:
    remarks = []
    said = column.texts - column.unknown_words.total()
    for what, forms in (("Zahlen", ("point", "comma", "point_groups")), ("Tage", DAYS), ("Zeitpunkte", (MOMENT, *TIMES))):
        best = max(column.forms[form] for form in forms)
        if NEARLY * column.texts <= best < said:
            remarks.append(f"fast nur {what}: {column.texts - best} von {column.texts} Werten sind keine, darum `text`")
    wordy = column.longest > LETTERS_OF_A_TEXT or column.multiline or column.words > WORDS_OF_A_SENTENCE * column.strangers
    named = first_match(words_of(column.header), FREE_TEXT) is not None
    return Verdict("text", remarks=tuple(remarks), free_text=bool(wordy or named))


def _with_nulls(verdict: Verdict, column: Column) -> Verdict:
    """The words that mean `not known`; in a column of text `unbekannt` may be an answer, and stays."""
    nulls = set(column.null_words) | (set() if verdict.type == "text" else set(column.unknown_words))
    remarks = verdict.remarks
    if column.lost_letters:
        remarks = (*remarks, f"in {column.lost_letters} Werten steht `\ufffd`: dort gingen Buchstaben verloren")
    return replace(verdict, reading=replace(verdict.reading, nulls=frozenset(nulls)), remarks=remarks)


def never_filled(column: Column) -> bool:
    return column.rows > 0 and column.rows == column.missing + column.null_words.total() + column.unknown_words.total()
