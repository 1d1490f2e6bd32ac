"""Comparison of texts: by code point unless folded; CASEI, ACCENTI and LIKE (OGC 21-065r2, 7.2 to 7.5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import sqlalchemy as sa

from twin_api.query.cql2.binding import Binding
from twin_api.query.cql2.expression import Expression, Literal, Sql, call, collated, refuse

ESCAPE: Final = "\\"
MAX_FOLDS: Final = 3  # their SQL is deep
_MARKS: Final = "'[\\u0300-\\u036f]'"  # combining diacritical marks


def fold_case(text: Sql) -> Sql:
    """Lower case by Unicode's rules for no language; ß is ss, and both small sigmas are one."""
    lower = sa.func.lower(collated(sa.func.normalize(text, sa.literal_column("NFC"), type_=sa.Text()), "und-x-icu"), type_=sa.Text())
    for before, after in (("ß", "ss"), ("ς", "σ")):
        lower = sa.func.replace(lower, sa.literal_column(f"'{before}'"), sa.literal_column(f"'{after}'"), type_=sa.Text())
    return collated(lower, "C")


def fold_accents(text: Sql) -> Sql:
    """Without the marks that are written above, below or through a letter: ä is a."""
    apart = sa.func.normalize(text, sa.literal_column("NFD"), type_=sa.Text())
    away = (sa.literal_column(literal, sa.Text()) for literal in (_MARKS, "''", "'g'"))
    bare = sa.func.regexp_replace(collated(apart, "C"), *away, type_=sa.Text())
    return collated(sa.func.normalize(bare, sa.literal_column("NFC"), type_=sa.Text()), "C")


def fold(text: Sql) -> Sql:
    """Both: what a person would call the same word."""
    return fold_case(fold_accents(text))


FOLDS: Final[dict[str, Callable[[Sql], Sql]]] = {"casei": fold_case, "accenti": fold_accents, "fold": fold}


def by_code_point(text: Sql) -> Sql:
    return collated(text, "C")


def read_text(text: str) -> Literal:
    """A text of the tree. Whoever writes control characters writes them as escapes, of which NUL is none."""
    if "\x00" in text:
        refuse("ein Text hat das Zeichen U+0000", "a text has the character U+0000")
    return Literal("text", text)


def bind_fold(binding: Binding, op: str, args: list[Any]) -> Expression:
    if _folded(args[0])[1] >= MAX_FOLDS:
        refuse(f"mehr als {MAX_FOLDS} Faltungen ineinander", f"more than {MAX_FOLDS} folds inside each other")
    return call(FOLDS[op], "text", binding.expression(binding.operand(args[0]), "text"))


def bind_like(binding: Binding, op: str, args: list[Any]) -> Expression:
    """The pattern is written down, folded or not: one from a column could end in the middle of an escape."""
    written, _ = _folded(args[1])
    if not isinstance(written, str):
        refuse("`LIKE` verlangt rechts ein Muster in einfachen Anführungszeichen", "`LIKE` wants a pattern in single quotes on its right")
    if (len(written) - len(written.rstrip(ESCAPE))) % 2:
        refuse(
            "ein Muster endet mit `\\`: davor oder danach gehört noch ein Zeichen",
            "a pattern ends with `\\`: another character belongs to it",
        )
    text, pattern = (binding.expression(binding.operand(arg), "text") for arg in args)
    return call(_like, "boolean", text, pattern)


def _folded(node: Any) -> tuple[Any, int]:
    """What is folded in the end, and how many times."""
    times = 0
    while isinstance(node, dict) and str(node.get("op")).lower() in FOLDS and isinstance(node.get("args"), list) and node["args"]:
        node, times = node["args"][0], times + 1
    return node, times


def _like(text: Sql, pattern: Sql) -> Sql:
    return by_code_point(text).like(pattern)
