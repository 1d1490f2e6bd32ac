"""CQL2 text becomes the tree of its JSON form (OGC 21-065r2, Annex C); the parser's only doorway.

Must never hand the parser a text that it could spend minutes on, or that would end the process: nested brackets take it exponential
time, and a thousand signs in a row all of its stack.
"""

from __future__ import annotations

import re
from typing import Any, Final

from cql2 import ParseError, parse_text

from twin_api.texts import Text

MAX_BYTES: Final = 4096
MAX_BRACKETS: Final = 10
MAX_OPERATORS: Final = 100

_QUOTED: Final = re.compile(r"""'(?P<text>(?:[^'\\]|''|\\.)*)'|"(?:[^"]|"")*"|(?P<open>['"])""", re.DOTALL)
_PLAIN: Final = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*\"""")
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
# OGC 21-065r2, /req/cql2-text/escaping; a backslash before anything else is a character like others, which LIKE reads
_ESCAPES: Final = {"'": "''", "a": "\a", "b": "\b", "t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r"}
# a sign before a digit belongs to the number, unless another stands right before it
_OPERATOR: Final = re.compile(r"[*/%^]|[=<>]+|[-+](?!\s*[\d.])|(?<=[\d)])[-+]|\b(?:and|or|not|div|in|like|between|is)\b", re.IGNORECASE)
_SIGNS: Final = re.compile(r"[-+]\s*[-+]\s*[-+]")
_TIMESTAMP: Final = re.compile(r"TIMESTAMP\s*\(\s*'([^']*)'", re.IGNORECASE)


class NotCql2(Exception):
    """The text is not understood: what is wrong with it, and what to do where that is known."""

    def __init__(self, what: Text, remedy: Text | None = None) -> None:
        super().__init__(what.en)
        self.what, self.remedy = what, remedy


def parse_cql2(text: str, said: Text, *, escapes: bool = True) -> Any:
    """The tree of a text, numbers as doubles; `said` is what the text is called where it is refused. Raises `NotCql2`.

    Without `escapes` a backslash is a character like others, so that every value can be written.
    """
    if len(text.encode(errors="replace")) > MAX_BYTES:
        what = said + Text(" ist länger als 4 KiB", " is longer than 4 KiB")
        raise NotCql2(what, Text("kürzer fassen, oder Listen von Werten verwenden", "make it shorter, or use lists of values"))
    _check_nesting(bare(text) if escapes else _PLAIN.sub("''", text))
    try:
        return parse_text(_QUOTED.sub(_unescaped, text) if escapes else text).to_json()
    except ParseError as error:
        raise NotCql2(_unread(text, str(error), said)) from None
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException:  # whatever else the parser makes of odd input; where it panics, that is no Exception
        raise NotCql2(said + _NO_CQL2) from None


def bare(text: str) -> str:
    """The text without what stands in quotes."""
    return _QUOTED.sub("''", text)


def moments_of(text: str) -> list[str]:
    """What is written as TIMESTAMP: the parser takes one without offset for UTC, so whoever minds must look before."""
    return _TIMESTAMP.findall(text)


def _check_nesting(text: str) -> None:
    depth = deepest = 0
    for letter in text:
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(letter, 0)
        deepest = max(deepest, depth)
    if deepest > MAX_BRACKETS:
        what = Text(f"mehr als {MAX_BRACKETS} Klammern ineinander", f"more than {MAX_BRACKETS} brackets inside each other")
        raise NotCql2(what, Text("überflüssige Klammern löschen", "delete superfluous brackets"))
    if len(_OPERATOR.findall(text)) > MAX_OPERATORS:
        what = Text(f"mehr als {MAX_OPERATORS} Vergleiche und Verknüpfungen", f"more than {MAX_OPERATORS} comparisons and connectives")
        raise NotCql2(what, Text("kürzer fassen, oder `IN` verwenden", "make it shorter, or use `IN`"))
    if _SIGNS.search(text):
        raise NotCql2(Text("drei Vorzeichen hintereinander", "three signs in a row"), Text("eines genügt", "one is enough"))


def _unescaped(quoted: re.Match[str]) -> str:
    if quoted["text"] is None:
        return quoted[0]
    return f"'{_ESCAPED.sub(lambda escape: _ESCAPES.get(escape[1], escape[0]), quoted['text'])}'"


def _unread(text: str, error: str, said: Text) -> Text:
    """From where on the text was not understood; it is found in what the client wrote, as far as no escape stands before."""
    position = re.search(r"--> (\d+):(\d+)", error)
    line, column = (int(position[1]), int(position[2])) if position else (1, 1)
    rest = "".join(c if c.isprintable() else "?" for c in "".join(text.split("\n")[line - 1 : line])[column - 1 :].strip()[:60])
    where = Text(f" ist ab `{rest}`", f" is from `{rest}` on") if rest else Text(" ist am Ende", " is at its end")
    return said + where + Text(" kein gültiges CQL2", " not valid CQL2")


_NO_CQL2: Final = Text(" ist kein gültiges CQL2", " is not valid CQL2")
