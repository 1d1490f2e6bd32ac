"""Typed reading of one map of a policy file, key by key.

Must never stop at the first mistake: what is wrong becomes a finding, and a harmless stand-in of the right type is returned.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import date
from typing import Final, TypeVar

from twin_api.policy.documents import Place
from twin_api.policy.finding import Findings, nearest, quoted, suggestion
from twin_api.policy.yaml_file import Items as ItemsNode
from twin_api.policy.yaml_file import Node, Scalar, Table, as_written
from twin_api.texts import Text

T = TypeVar("T")
Reader = Callable[[Node, Findings], T]

_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
NO_DATE: Final = date.min
FIRST_YEAR, LAST_YEAR = 2000, 2199  # of what people set a term for; a slip of the keyboard is none


class Fields:
    """A map with its known keys. Unknown, missing and not yet supported keys are findings from the start."""

    def __init__(
        self,
        node: Node,
        findings: Findings,
        required: Iterable[str] = (),
        optional: Iterable[str] = (),
        later: Iterable[str] = (),
        place: Place | None = None,  # where the map is named, if that is not where it begins
    ) -> None:
        self.findings = findings
        self.place = place or node.place
        self._table = table_of(node, findings)
        known = (*required, *optional)
        if isinstance(node, Table):
            self._check(known, tuple(required), tuple(later))

    def _check(self, known: tuple[str, ...], required: tuple[str, ...], later: tuple[str, ...]) -> None:
        meant = set()  # a misspelt key is one mistake, not also a missing one
        for key, place in self._table.places.items():
            if key in later:
                not_yet(self.findings, place, key)
            elif key not in known:
                meant.add(nearest(key, known))
                what = Text(f"den Eintrag {quoted(key)} kennt diese Stelle nicht", f"the entry {quoted(key)} is not known here")
                self.findings.add(place, what, suggestion(key, known))
        for key in required:
            if key not in self._table.entries and key not in meant:
                what = Text(f"es fehlt der Eintrag {quoted(key)}", f"the entry {quoted(key)} is missing")
                self.findings.add(self.place, what, Text(f"`{key}: …` ergänzen", f"add `{key}: …`"))

    def part(self, key: str, required: Iterable[str] = (), optional: Iterable[str] = ()) -> Fields:
        """The map under `key`; where it is missing, which is a finding already if it must not be, an empty one that adds nothing."""
        node = self._table.entries.get(key)
        return Fields(Table({}, {}, self.place), self.findings) if node is None else Fields(node, self.findings, required, optional)

    def __contains__(self, key: str) -> bool:
        return key in self._table.entries

    def node(self, key: str) -> Node | None:
        return self._table.entries.get(key)

    def at(self, key: str) -> Place:
        """Where the key stands, or the map itself where it does not."""
        return self._table.places.get(key, self.place)

    def get(self, key: str, read: Reader[T], stand_in: T) -> T:
        node = self._table.entries.get(key)
        return stand_in if node is None else read(node, self.findings)


def not_yet(findings: Findings, place: Place, word: str) -> None:
    """A word of the full language that this version cannot do: said, never ignored."""
    what = Text(f"{quoted(word)} wird noch nicht unterstützt", f"{quoted(word)} is not supported yet")
    findings.add(place, what, Text("vorerst weglassen", "leave it out for now"))


def table_of(node: Node, findings: Findings) -> Table:
    if isinstance(node, Table):
        return node
    what = Text("hier werden Einträge der Form `name: wert` erwartet", "entries of the form `name: value` are expected here")
    remedy = Text("eingerückt darunter oder in `{ }` schreiben", "write them indented below, or in `{ }`")
    findings.add(node.place, what, remedy)
    return Table({}, {}, node.place)


def items_of(node: Node, findings: Findings) -> tuple[Node, ...]:
    if isinstance(node, ItemsNode):
        return node.items
    remedy = f"`[{node.value}]`" if isinstance(node, Scalar) and isinstance(node.value, str) else "`[…, …]`"
    what = Text("hier wird eine Liste erwartet", "a list is expected here")
    findings.add(node.place, what, Text(f"in eckige Klammern setzen: {remedy}", f"put it in square brackets: {remedy}"))
    return ()


def text_of(node: Node, findings: Findings) -> str:
    """Non-empty text on one line; a number or truth value is shown in the quotes that make it text."""
    if not isinstance(node, Scalar):
        findings.add(node.place, Text("hier wird Text erwartet", "text is expected here"), Text("Text schreiben", "write text"))
    elif isinstance(node.value, str) and node.value.strip():
        return " ".join(node.value.split())
    elif node.value is None or isinstance(node.value, str):
        what = Text("hier fehlt der Wert", "the value is missing here")
        findings.add(node.place, what, Text("Text nach dem Doppelpunkt schreiben", "write text after the colon"))
    else:
        what = Text(f"{quoted(node.value)} ist eine Zahl oder ein Wahrheitswert", f"{quoted(node.value)} is a number or truth value")
        form = as_written(node.value)
        findings.add(node.place, what, Text(f"in Anführungszeichen setzen: {form}", f"put it in quotes: {form}"))
    return ""


def title_of(node: Node, findings: Findings) -> Text:
    """`{de: …, en: …}` or a German text alone."""
    if not isinstance(node, Table):
        return Text(text_of(node, findings))
    fields = Fields(node, findings, required=("de",), optional=("en",))
    return Text(fields.get("de", text_of, ""), fields.get("en", text_of, ""))


def date_of(node: Node, findings: Findings) -> date:
    if isinstance(node, Scalar) and isinstance(node.value, str):
        day = parse_date(node.value)
        if day is not None and FIRST_YEAR <= day.year <= LAST_YEAR:
            return day
        if day is not None:
            what = Text(
                f"{quoted(node.value)} liegt nicht in den Jahren {FIRST_YEAR} bis {LAST_YEAR}",
                f"{quoted(node.value)} is not within the years {FIRST_YEAR} to {LAST_YEAR}",
            )
            findings.add(node.place, what, Text("das Jahr richtigstellen, etwa `2027-12-31`", "correct the year, such as `2027-12-31`"))
            return NO_DATE
    shown = quoted(node.value) if isinstance(node, Scalar) else "`…`"
    what = Text(f"{shown} ist kein Datum", f"{shown} is not a date")
    findings.add(node.place, what, Text("als `JJJJ-MM-TT` schreiben, etwa `2027-12-31`", "write `YYYY-MM-DD`, such as `2027-12-31`"))
    return NO_DATE


def parse_date(text: str) -> date | None:
    """Exactly YYYY-MM-DD; the library's other ISO forms (weeks, no dashes) are not dates to a reader."""
    try:
        return date.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        return None


def flag_of(node: Node, findings: Findings) -> bool:
    if isinstance(node, Scalar) and isinstance(node.value, bool):
        return node.value
    what = Text("hier wird `true` oder `false` erwartet", "`true` or `false` is expected here")
    findings.add(node.place, what, Text("`true` (ja) oder `false` (nein) schreiben", "write `true` or `false`"))
    return False


def integer_of(node: Node, findings: Findings) -> int:
    if isinstance(node, Scalar) and isinstance(node.value, int) and not isinstance(node.value, bool):
        return node.value
    what = Text("hier wird eine ganze Zahl erwartet", "a whole number is expected here")
    findings.add(node.place, what, Text("eine Zahl ohne Anführungszeichen schreiben", "write a number without quotes"))
    return 0


def one_of(known: Iterable[str], kind: Text) -> Reader[str]:
    """A reader for a name that must exist. `kind` carries its German article: `ein Amt`."""

    def read(node: Node, findings: Findings) -> str:
        word = text_of(node, findings)
        if word and word not in known:
            findings.unknown(node.place, kind, word, known)
        return word

    return read


def many_of(known: Iterable[str], kind: Text) -> Reader[tuple[str, ...]]:
    """A reader for a list of names that must exist, each once."""
    read_one = one_of(known, kind)

    def read(node: Node, findings: Findings) -> tuple[str, ...]:
        words: list[str] = []
        for item in items_of(node, findings):
            word = read_one(item, findings)
            if word and word in words:
                what = Text(f"{quoted(word)} steht doppelt in der Liste", f"{quoted(word)} is twice in the list")
                findings.add(item.place, what, Text("einmal genügt", "once is enough"))
            elif word:
                words.append(word)
        return tuple(words)

    return read
