"""What is wrong in a policy folder, said to the person who wrote it: where, what, and what to do, in German and English.

Must never be raised one by one: whoever repairs a policy sees everything that is wrong at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from twin_api.policy.documents import Place
from twin_api.texts import Language, Text


@dataclass(frozen=True, slots=True)
class Finding:
    """One mistake. `what` and `remedy` are clauses without a full stop; `shown` are lines below it that make it plain."""

    place: Place
    what: Text
    remedy: Text
    shown: tuple[Text, ...] = ()

    def render(self, language: Language) -> str:
        remedy = self.remedy.say(language)
        below = "".join(f"\n    {line.say(language)}" for line in self.shown)
        return f"{self.place}: {self.what.say(language)}. {remedy[:1].upper()}{remedy[1:]}{below}"


class Findings(list[Finding]):
    """The mistakes met so far; readers add to it and go on."""

    def add(self, place: Place, what: Text, remedy: Text, shown: tuple[Text, ...] = ()) -> None:
        self.append(Finding(place, what, remedy, shown))

    def unknown(self, place: Place, kind: Text, word: str, known: Iterable[str]) -> None:
        """A name that does not exist, with the nearest one that does. `kind` carries its German article: `ein Amt`."""
        what = Text(f"{kind.de} {quoted(word)} gibt es nicht", f"there is no {kind.en} {quoted(word)}")
        self.add(place, what, suggestion(word, known))

    def in_order(self) -> tuple[Finding, ...]:
        return tuple(sorted(dict.fromkeys(self), key=lambda f: (f.place.file, f.place.line)))


class PolicyInvalid(Exception):  # errors are facts: the policy is invalid
    """The folder does not load; `findings` holds everything that is wrong, by file and line."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings.in_order()
        super().__init__(render(self.findings, "en"))


def render(findings: Iterable[Finding], language: Language) -> str:
    """One line per finding: `datei.yaml:12: <what>. <remedy>`; what makes it plain is indented below."""
    return "\n".join(finding.render(language) for finding in findings)


def quoted(word: object) -> str:
    """The word between backticks, shortened, without anything a terminal could obey."""
    text = "".join(letter if letter.isprintable() else "?" for letter in str(word)[:61])
    return f"`{text[:60]}…`" if len(text) > 60 else f"`{text}`"


def listed(words: Iterable[str], limit: int = 30) -> str:
    """The words between backticks, separated by commas; where there are more than `limit`, an ellipsis."""
    every = list(words)
    return ", ".join(quoted(word) for word in every[:limit]) + (" …" if len(every) > limit else "")


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known name most like the word, if any is like it at all; capitals do not count."""
    by_lower = {name.lower(): name for name in known}
    close = get_close_matches(word.lower(), by_lower, n=1) if len(word) <= 60 else []
    return by_lower[close[0]] if close else None


def suggestion(word: str, known: Iterable[str]) -> Text:
    """What was probably meant, or what is possible."""
    names = list(known)
    meant = nearest(word, names)
    if meant is not None:
        return Text(f"gemeint ist wohl {quoted(meant)}", f"did you mean {quoted(meant)}?")
    if not names:
        return Text("es ist noch keines angelegt", "none is defined yet")
    return Text(f"möglich sind: {listed(names)}", f"possible are: {listed(names)}")
