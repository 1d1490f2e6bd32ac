"""`twin problems`: the list of all errors that a client can meet, from the program itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from twin_api.cli import context
from twin_api.problems import MEDIA_TYPE, PROBLEMS, SCHEME, Problem
from twin_api.texts import LANGUAGES, Text

_HEAD: Final = f"""# Fehler · Problems

Diese Liste schreibt `twin problems --write docs` aus dem Programm. · `twin problems --write docs` writes this list from the program.

Wo eine Anfrage nicht beantwortet wird, nennt die Antwort einen dieser Fehler, als `{MEDIA_TYPE}` (RFC 9457) oder, wo `Accept` oder
`f=html` es verlangt, als Seite; auf Deutsch oder Englisch nach `Accept-Language`. `type` und `status` bleiben, die Texte können sich
ändern: Programme richten sich nach `type`. Was verborgen ist, antwortet Byte für Byte wie etwas, das es nie gab. Jede Antwort trägt
`X-Request-Id`; das Protokoll der Gemeinde kennt die Anfrage unter diesem Wort.

Where a request is refused, the answer names one of these problems, as `{MEDIA_TYPE}` (RFC 9457) or, where `Accept` or `f=html`
ask for it, as a page; in German or English by `Accept-Language`. `type` and `status` are stable, the texts may change: programs go by
`type`. What is hidden answers byte for byte like what never was. Every answer carries `X-Request-Id`; the town's log knows the request
by that word.
"""


def list_problems(write: Annotated[Path | None, typer.Option(help="folder to write `problems.md` to")] = None) -> None:
    """All errors a client can meet: type, status, meaning, and what to do."""
    document = _HEAD + "".join(_section(problem) for problem in sorted(PROBLEMS, key=lambda problem: (problem.status, problem.type)))
    if write is None:
        context.console.print(document, markup=False, end="")
        return
    write.mkdir(parents=True, exist_ok=True)
    (write / "problems.md").write_text(document)
    context.say(
        Text(f"Geschrieben: {len(PROBLEMS)} Fehler nach {write}/problems.md", f"Written: {len(PROBLEMS)} problems to {write}/problems.md")
    )


def _section(problem: type[Problem]) -> str:
    head = f"## {problem.status} `{SCHEME}{problem.type}`"
    meanings = [f"**{_begun(problem.title.say(language))}.** {problem.advice.say(language)}" for language in LANGUAGES]
    return "\n" + "\n\n".join([head, *meanings]) + "\n"


def _begun(words: str) -> str:
    return words[0].upper() + words[1:]
