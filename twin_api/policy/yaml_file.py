"""The bytes of one policy file become nodes that know their line: YAML 1.2 core, made strict for people.

Must never guess: what two readers could take differently is refused, and no bytes whatsoever raise anything here.
"""

from __future__ import annotations

import io
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import isfinite
from typing import Final, NoReturn, TypeAlias, cast

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from twin_api.policy.documents import Place
from twin_api.policy.finding import Findings, quoted
from twin_api.policy.yaml_messages import (
    ALIAS,
    ANCHOR,
    BAD_CHARACTER,
    BAD_KEY,
    DIRECTIVE,
    DOCUMENTS,
    DUPLICATE,
    INFINITE,
    NOT_UTF8,
    NUMBER,
    TAG,
    TOO_DEEP,
    TOO_LARGE,
    Message,
    explain_syntax,
)

MAX_BYTES: Final = 1 << 20
MAX_DEPTH: Final = 20
MAX_DIGITS: Final = 400  # the longest double has 309; Python refuses to read more than 4300

Plain: TypeAlias = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Scalar:
    value: Plain
    place: Place


@dataclass(frozen=True, slots=True)
class Items:
    items: tuple[Node, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Table:
    """A map. `places` tells where each key stands."""

    entries: dict[str, Node]
    places: dict[str, Place]
    place: Place


Node: TypeAlias = Scalar | Items | Table


def read(data: bytes, file: str, findings: Findings) -> Node | None:
    """The one document in the file; None where there is none or it cannot be understood, which is a finding or an empty file."""
    node, found = _read(data, file)
    findings += found
    return node


@lru_cache(maxsize=128)  # a folder is read several times by one command, and one file of many changes
def _read(data: bytes, file: str) -> tuple[Node | None, Findings]:
    findings = Findings()
    text = _decode(data, file, findings)
    return None if text is None else _Reader(file, findings).read(text), findings


def _decode(data: bytes, file: str, findings: Findings) -> str | None:
    if len(data) > MAX_BYTES:
        findings.add(Place(file, 1), *TOO_LARGE.say())
        return None
    try:
        text = data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        findings.add(Place(file, data.count(b"\n", 0, error.start) + 1), *NOT_UTF8.say())
        return None
    text = text.replace("\r\n", "\n")
    for position, letter in enumerate(text):
        if letter not in "\n\t" and is_hidden(letter):
            findings.add(Place(file, text.count("\n", 0, position) + 1), *BAD_CHARACTER.say(f"U+{ord(letter):04X}"))
            return None
    return text


def is_hidden(letter: str) -> bool:
    """Control, format (bidi overrides, zero width) and separator characters: what is read must be what is seen."""
    return unicodedata.category(letter) in {"Cc", "Cf", "Cs", "Zl", "Zp"}


def check_visible(value: str, place: Place, findings: Findings) -> bool:
    """Whether a value that rows are compared with can be seen in full; line breaks and tabs cannot."""
    hidden = next((letter for letter in value if is_hidden(letter)), None)
    if hidden is not None:
        findings.add(place, *BAD_CHARACTER.say(f"U+{ord(hidden):04X}"))
    return hidden is None


class _Unreadable(Exception):  # never leaves this file
    """Nothing after this place can be understood; the finding is already made."""


class _Reader:
    def __init__(self, file: str, findings: Findings) -> None:
        self._file = file
        self._findings = findings
        self._events: Iterator[Event] = iter(())

    def read(self, text: str) -> Node | None:
        try:
            self._events = YAML(typ="safe", pure=True).parse(io.StringIO(text))
            return self._document()
        except _Unreadable:
            return None
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = mark.line + 1 if mark is not None else 1
            self._findings.add(Place(self._file, line), *explain_syntax(str(error.problem)).say())
        except Exception:  # the library's own mistakes on odd input are a finding too
            self._findings.add(Place(self._file, 1), *explain_syntax("").say())
        return None

    def _document(self) -> Node | None:
        root: Node | None = None
        documents = 0
        for event in self._events:
            if isinstance(event, DocumentStartEvent):
                documents += 1
                if event.version or event.tags:
                    self._add(event, DIRECTIVE)
                if documents > 1:
                    self._fail(event, DOCUMENTS)
                root = self._node(next(self._events), 0)
        return root

    def _node(self, event: Event, depth: int) -> Node:
        if isinstance(event, AliasEvent):
            self._fail(event, ALIAS, f"*{event.anchor}")
        if depth > MAX_DEPTH:
            self._fail(event, TOO_DEEP, str(MAX_DEPTH))
        if isinstance(event, NodeEvent):
            self._check_plain(event)
        if isinstance(event, MappingStartEvent):
            return self._table(event, depth)
        if isinstance(event, SequenceStartEvent):
            return Items(tuple(self._items(depth)), self._place(event))
        return Scalar(self._value(cast("ScalarEvent", event)), self._place(event))

    def _check_plain(self, event: NodeEvent) -> None:
        if event.anchor is not None:
            self._add(event, ANCHOR, f"&{event.anchor}")
        tag = getattr(event, "tag", None)
        if tag is not None:
            self._add(event, TAG, str(tag))

    def _items(self, depth: int) -> Iterator[Node]:
        for event in self._events:
            if isinstance(event, SequenceEndEvent):
                return
            yield self._node(event, depth + 1)

    def _table(self, start: Event, depth: int) -> Table:
        table = Table({}, {}, self._place(start))
        for event in self._events:
            if isinstance(event, MappingEndEvent):
                break
            key = self._key(event, depth)
            value = self._node(next(self._events), depth + 1)
            if isinstance(value, Scalar) and value.value is None:
                value = Scalar(None, self._place(event))  # an empty value has no line of its own
            if key is None:
                continue
            if key in table.entries:
                self._add(event, DUPLICATE, key, str(table.places[key].line))
            else:
                table.entries[key], table.places[key] = value, self._place(event)
        return table

    def _key(self, event: Event, depth: int) -> str | None:
        before = len(self._findings)
        node = self._node(event, depth + 1)
        if isinstance(node, Scalar) and isinstance(node.value, str):
            return node.value
        if len(self._findings) == before:
            self._add(event, BAD_KEY, event.value if isinstance(event, ScalarEvent) else "…")
        return None

    def _value(self, event: ScalarEvent) -> Plain:
        if event.style or event.tag is not None:
            hidden = next((c for c in event.value if c not in "\n\t" and is_hidden(c)), None)
            if hidden is not None:
                self._add(event, BAD_CHARACTER, f"U+{ord(hidden):04X}")
                return "?"
            return str(event.value)
        if _TRAP.fullmatch(event.value):
            self._add(event, NUMBER, event.value)
            return str(event.value)
        value = resolve(event.value)
        if (isinstance(value, float) and not isfinite(value)) or (len(event.value) > MAX_DIGITS and not isinstance(value, str)):
            self._add(event, INFINITE, event.value)
            return 0
        return value

    def _place(self, event: Event) -> Place:
        mark = event.start_mark
        return Place(self._file, mark.line + 1 if mark is not None else 1)

    def _add(self, event: Event, message: Message, *words: str) -> None:
        self._findings.add(self._place(event), *message.say(*words))

    def _fail(self, event: Event, message: Message, *words: str) -> NoReturn:
        self._add(event, message, *words)
        raise _Unreadable


_TRAP: Final = re.compile(
    r"[-+]?(0[0-9_]+|[0-9]+_[0-9_]*)(\.[0-9_]*)?([eE][-+]?[0-9_]+)?"  # leading zero, underscore
    r"|[-+]?[0-9]+\.[0-9]*_[0-9_]*([eE][-+]?[0-9_]+)?"  # underscore after the point
    r"|[-+]?0([xX][0-9a-fA-F_]+|[oObB][0-7_]+)"  # hexadecimal, octal, binary
)
_INTEGER: Final = re.compile(r"[-+]?[0-9]+")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INFINITY: Final = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_WORDS: Final[dict[str, Plain]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}  # fmt: skip


def resolve(plain: str) -> Plain:
    """What an unquoted scalar means in the YAML 1.2 core schema (section 10.3.2): `NO`, `yes`, `on` and dates are text."""
    if plain in _WORDS:
        return _WORDS[plain]
    if _INTEGER.fullmatch(plain):
        return int(plain) if len(plain) <= MAX_DIGITS else float("inf")
    if _FLOAT.fullmatch(plain):
        return float(plain)
    return float("nan") if _INFINITY.fullmatch(plain) else plain


def as_written(value: Plain) -> str:
    """A plain value as a person would write it between quotes: the remedy where text was expected."""
    text = {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
    return quoted(f'"{text}"')
