"""The names of a table's columns, from the row that holds them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from twin_api.imports.finding import Finding, Findings, refuse
from twin_api.policy.finding import quoted
from twin_api.texts import Text


def name_columns(header: Sequence[str], row: int) -> list[str]:
    """Without the space around them; a column without a name is called `field_3` after its place.

    Raises `FileRefused` if there is no header in this row, or if a name occurs twice.
    """
    names = [name.strip() or f"field_{place}" for place, name in enumerate(header, start=1)]
    if not any(name.strip() for name in header):
        what = Text(f"Zeile {row} enthält keine Spaltennamen", f"row {row} holds no column names")
        raise refuse(what, Text("angeben, in welcher Zeile sie stehen", "say in which row they stand"))
    findings = Findings()
    for name, count in Counter(names).items():
        if count > 1:
            what = Text(f"{count} Spalten heißen {quoted(name)}", f"{count} columns are called {quoted(name)}")
            findings.add(Finding(what, Text("jeder Spalte einen eigenen Namen geben", "give each column a name of its own")))
    findings.raise_any()
    return names
