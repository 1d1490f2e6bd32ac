"""What a check finds: what is so, why it matters, and what would mend it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

from twin_api.texts import Text

NOTHING: Final = Text("", "")
Severity = Literal["fault", "warning", "note"]  # only a fault ends the doctor with exit code 1; a note is no complaint


@dataclass(frozen=True, slots=True)
class Finding:
    """`remedy` is a command to copy wherever one mends it."""

    severity: Severity
    what: Text
    why: Text
    remedy: Text

    def as_json(self) -> dict[str, Any]:
        texts = {"what": self.what, "why": self.why, "remedy": self.remedy}
        return {"severity": self.severity, **{name: text.as_json() for name, text in texts.items()}}


class Unseen(Exception):
    """Something cannot be looked at, because something else is wrong that another check complains of."""

    def __init__(self, what: Text, remedy: Text | str) -> None:
        super().__init__(what.say("en"))
        self.what = what
        self.remedy = said(remedy)


def fault(what: Text, why: Text, remedy: Text | str) -> Finding:
    return Finding("fault", what, why, said(remedy))


def warning(what: Text, why: Text, remedy: Text | str) -> Finding:
    return Finding("warning", what, why, said(remedy))


def note(what: Text | str) -> Finding:
    return Finding("note", said(what), NOTHING, NOTHING)


def named(word: object) -> str:
    """A name or path between backticks, whole: it is to be copied."""
    return f"`{word}`"


def said(text: Text | str) -> Text:
    """A command, or a version, is the same in every language."""
    return text if isinstance(text, Text) else Text(text, text)
