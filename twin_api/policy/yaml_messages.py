"""What the YAML reader says to people; apart from it so that officers' words can be edited without reading code.

Must never name the library or its terms: the reader is no programmer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from twin_api.policy.finding import quoted
from twin_api.texts import Text


@dataclass(frozen=True, slots=True)
class Message:
    """A finding's two clauses: `{0}` for what stood in the file, `{in_quotes}` for the same as text, `{1}` for a line number."""

    what: Text
    remedy: Text

    def say(self, *words: str) -> tuple[Text, Text]:
        marked = [quoted(words[0]), *words[1:]] if words else []
        in_quotes = quoted(f'"{words[0]}"') if words else ""
        what, remedy = (
            Text(text.de.format(*marked, in_quotes=in_quotes), text.en.format(*marked, in_quotes=in_quotes))
            for text in (self.what, self.remedy)
        )
        return what, remedy


TOO_LARGE: Final = Message(
    Text("die Datei ist größer als 1 MiB", "the file is larger than 1 MiB"),
    Text("auf mehrere Dateien aufteilen", "split it into several files"),
)
NOT_UTF8: Final = Message(
    Text("die Datei ist nicht in UTF-8 gespeichert", "the file is not saved as UTF-8"),
    Text("im Editor mit der Kodierung UTF-8 speichern", "save it with the encoding UTF-8"),
)
BAD_CHARACTER: Final = Message(
    Text("hier steht ein unsichtbares Zeichen ({0})", "there is an invisible character ({0}) here"),
    Text("das Zeichen löschen; erlaubt ist nur, was man sieht", "delete it; only what can be seen is allowed"),
)
DIRECTIVE: Final = Message(
    Text("Zeilen, die mit `%` beginnen, sind nicht erlaubt", "lines that begin with `%` are not allowed"),
    Text("die Zeile löschen", "delete the line"),
)
DOCUMENTS: Final = Message(
    Text("die Datei enthält mehrere Dokumente (`---`)", "the file holds several documents (`---`)"),
    Text("für jedes eine eigene Datei anlegen", "make a file of its own for each"),
)
ALIAS: Final = Message(
    Text("Verweise wie {0} sind nicht erlaubt", "references such as {0} are not allowed"),
    Text("den Inhalt ausschreiben", "write the content out"),
)
ANCHOR: Final = Message(
    Text("Anker wie {0} sind nicht erlaubt", "anchors such as {0} are not allowed"),
    Text("den Anker löschen und den Inhalt ausschreiben", "delete the anchor and write the content out"),
)
TAG: Final = Message(
    Text("Typangaben wie {0} sind nicht erlaubt", "tags such as {0} are not allowed"),
    Text("die Angabe mit dem Ausrufezeichen löschen", "delete what begins with the exclamation mark"),
)
TOO_DEEP: Final = Message(
    Text("mehr als {0} Ebenen ineinander", "more than {0} levels inside each other"),
    Text("Einrückung und Klammern prüfen", "check indentation and brackets"),
)
DUPLICATE: Final = Message(
    Text("{0} steht hier ein zweites Mal (zuerst in Zeile {1})", "{0} stands here a second time (first in line {1})"),
    Text("einen der beiden Einträge löschen", "delete one of the two"),
)
BAD_KEY: Final = Message(
    Text("der Name {0} ist kein Text", "the name {0} is not text"),
    Text("in Anführungszeichen setzen: {in_quotes}", "put it in quotes: {in_quotes}"),
)
NUMBER: Final = Message(
    Text("{0} kann Zahl oder Text sein (führende Null oder Unterstrich)", "{0} may be a number or text (leading zero or underscore)"),
    Text("in Anführungszeichen setzen: {in_quotes}", "put it in quotes: {in_quotes}"),
)
INFINITE: Final = Message(
    Text("{0} ist keine endliche Zahl", "{0} is not a finite number"),
    Text("eine Zahl schreiben, oder Text in Anführungszeichen: {in_quotes}", "write a number, or text in quotes: {in_quotes}"),
)

_SYNTAX: Final = Message(
    Text("ab hier ist die Datei nicht lesbar", "from here on the file cannot be read"),
    Text(
        "Einrückung, Klammern, Anführungszeichen und das Leerzeichen nach `:` prüfen",
        "check indentation, brackets, quotes and the blank after `:`",
    ),
)
_KNOWN_SYNTAX: Final[dict[str, Message]] = {
    "found character '\\t'": Message(
        Text("hier steht ein Tabulator", "there is a tab here"),
        Text("mit Leerzeichen einrücken", "indent with blanks"),
    ),
    "mapping values are not allowed": Message(
        Text("hier steht ein `:`, wo keiner stehen darf", "there is a `:` where none may be"),
        Text(
            "Einrückung prüfen; Text, der `: ` enthält, in Anführungszeichen setzen",
            "check the indentation; put text that holds `: ` in quotes",
        ),
    ),
    "that cannot start any token": Message(
        Text("mit diesem Zeichen darf Text nicht beginnen", "text must not begin with this character"),
        Text("den Text in Anführungszeichen setzen", "put the text in quotes"),
    ),
    "expected ',' or": Message(
        Text("eine Klammer ist nicht geschlossen, oder es fehlt ein Komma", "a bracket is not closed or a comma is missing"),
        Text("Klammern `[ ]` und `{{ }}` prüfen", "check the brackets `[ ]` and `{{ }}`"),
    ),
    "found unexpected end of stream": Message(
        Text("ein Anführungszeichen ist nicht geschlossen", "a quote is not closed"),
        Text("das schließende Anführungszeichen ergänzen", "add the closing quote"),
    ),
    "could not find expected ':'": Message(
        Text("nach einem Namen fehlt der Doppelpunkt", "a colon is missing after a name"),
        Text("`name: wert` schreiben, mit Leerzeichen nach dem Doppelpunkt", "write `name: value`, with a blank after the colon"),
    ),
}


def explain_syntax(problem: str) -> Message:
    """The message for what the YAML library complains of."""
    return next((message for needle, message in _KNOWN_SYNTAX.items() if needle in problem), _SYNTAX)
