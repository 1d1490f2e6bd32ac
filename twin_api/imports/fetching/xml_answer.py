"""An XML answer of a server, read once from end to end in little memory: what it is, how many members it holds, whether it is an excuse.

Must never resolve anything: a document type is refused before its first entity.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NoReturn
from xml.parsers import expat

from twin_api.imports.finding import refuse
from twin_api.policy.finding import quoted
from twin_api.texts import Text

DEEPEST: Final = 100
AROUND: Final = ("member", "featureMember", "featureMembers")
EXCUSES: Final = ("ExceptionReport", "ServiceExceptionReport")
IDS: Final = ("http://www.opengis.net/gml/3.2 id", "http://www.opengis.net/gml id", "fid")


@dataclass(slots=True)
class XmlAnswer:
    """`root` is the local name of the outermost element; `ids` are of the members, as numbers that stand for them."""

    root: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    members: int = 0
    ids: set[int] = field(default_factory=set)
    named: int = 0  # members with an id
    excuse: str = ""

    def number(self, name: str) -> int | None:
        """A whole number among the root's attributes; None where it is missing or says `unknown`."""
        written = self.attributes.get(name, "")
        return int(written) if written.isdecimal() and len(written) < 12 else None


def read_answer(path: Path, host: str, expected: str) -> XmlAnswer:
    """Raises `FileRefused` unless it is well-formed XML whose root has the expected name."""
    reading = _Reading()
    try:
        with path.open("rb") as file:
            reading.parser.ParseFile(file)
    except expat.ExpatError as error:
        root = reading.answer.root
        if root in ("", "html", "HTML"):
            raise _is_none(host, root or "Text", expected) from None
        raise refuse(
            Text(
                f"das XML von {quoted(host)} ist in Zeile {error.lineno} beschädigt",
                f"the XML of {quoted(host)} is damaged in line {error.lineno}",
            ),
            Text("später noch einmal versuchen", "try again later"),
        ) from None
    answer = reading.answer
    if answer.root in EXCUSES:
        raise refuse(
            Text(f"{quoted(host)} meldet {quoted(answer.excuse)}", f"{quoted(host)} reports {quoted(answer.excuse)}"),
            Text("Adresse und `collection` prüfen", "check the address and `collection`"),
        )
    if answer.root != expected:
        raise _is_none(host, answer.root, expected)
    return answer


def _is_none(host: str, found: str, expected: str) -> Exception:
    return refuse(
        Text(f"{quoted(host)} antwortet mit {quoted(found)}", f"{quoted(host)} answers with {quoted(found)}"),
        Text(
            f"verlangt ist {quoted(expected)}; Adresse und `service` prüfen",
            f"{quoted(expected)} is required; check the address and `service`",
        ),
    )


class _Reading:
    def __init__(self) -> None:
        self.answer = XmlAnswer()
        self._above: list[str] = []
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = _no_doctype
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = lambda _: self._above.pop() and None
        self.parser.CharacterDataHandler = self._text

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        local = name.rpartition(" ")[2]
        if not self._above:
            self.answer.root, self.answer.attributes = local, attributes
        if len(self._above) == 2 and self._above[1] in AROUND:
            self._member(attributes)
        if self.answer.root in EXCUSES and not self.answer.excuse:
            self.answer.excuse = attributes.get("exceptionCode") or attributes.get("code") or ""
        self._above.append(local)
        if len(self._above) > DEEPEST:
            raise refuse(Text("das XML ist zu tief verschachtelt", "the XML is nested too deeply"))

    def _member(self, attributes: Mapping[str, str]) -> None:
        self.answer.members += 1
        id = next((attributes[name] for name in IDS if name in attributes), None)
        if id is not None:
            self.answer.named += 1
            self.answer.ids.add(hash(id))

    def _text(self, text: str) -> None:
        if self._above and self._above[0] in EXCUSES and text.strip() and len(self.answer.excuse) < 200:
            self.answer.excuse = f"{self.answer.excuse} {' '.join(text.split())[:200]}".strip()


def _no_doctype(*_: object) -> NoReturn:
    raise refuse(
        Text("das XML enthält einen Dokumenttyp (DOCTYPE)", "the XML holds a document type (DOCTYPE)"),
        Text("XML ohne DOCTYPE liefern", "deliver XML without DOCTYPE"),
    )
