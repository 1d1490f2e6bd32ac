"""Row rules as values: which rows of a layer a grant shows.

Must never refer to the request: a rule speaks of stored attributes only, so that its rows can be published.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, TypeAlias

Value: TypeAlias = str | int | float | bool | date | datetime
Row: TypeAlias = Mapping[str, Value | None]
Operator = Literal["=", "<>", "<", "<=", ">", ">="]


@dataclass(frozen=True, slots=True)
class All:
    """Every row. Said explicitly, never assumed."""


@dataclass(frozen=True, slots=True)
class Compare:
    attribute: str
    operator: Operator
    value: Value


@dataclass(frozen=True, slots=True)
class In:
    attribute: str
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Between:
    """`low <= attribute <= high`; an open end is None (never both)."""

    attribute: str
    low: Value | None
    high: Value | None


@dataclass(frozen=True, slots=True)
class IsNull:
    attribute: str


@dataclass(frozen=True, slots=True)
class And:
    terms: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Or:
    terms: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Not:
    term: Rule


Rule: TypeAlias = All | Compare | In | Between | IsNull | And | Or | Not


def attributes_of(rule: Rule) -> Iterator[str]:
    """Every attribute the rule reads, in order of appearance, repeated where it is."""
    match rule:
        case All():
            return
        case And(terms) | Or(terms):
            for term in terms:
                yield from attributes_of(term)
        case Not(term):
            yield from attributes_of(term)
        case _:
            yield rule.attribute


def shows(rule: Rule, row: Row) -> bool:
    """Whether the rule shows the row: SQL's three-valued logic, unknown is not shown. The reference for the compiler."""
    return _truth(rule, row) is True


def _truth(rule: Rule, row: Row) -> bool | None:
    match rule:
        case All():
            return True
        case And(terms):
            return _conjunction([_truth(term, row) for term in terms])
        case Or(terms):
            return _negation(_conjunction([_negation(_truth(term, row)) for term in terms]))
        case Not(term):
            return _negation(_truth(term, row))
        case IsNull(attribute):
            return row[attribute] is None
        case Compare(attribute, operator, value):
            return _compare(row[attribute], operator, value)
        case In(attribute, values):
            return None if row[attribute] is None else row[attribute] in values
        case Between(attribute, low, high):
            ends = [_compare(row[attribute], ">=", low)] if low is not None else []
            ends += [_compare(row[attribute], "<=", high)] if high is not None else []
            return _conjunction(ends)


def _conjunction(truths: list[bool | None]) -> bool | None:
    if False in truths:
        return False
    return None if None in truths else True


def _negation(truth: bool | None) -> bool | None:
    return None if truth is None else not truth


def _compare(left: Value | None, operator: Operator, right: Value) -> bool | None:
    """Text compares by code point, as the store does (collation `C`)."""
    if left is None:
        return None
    if operator == "=":
        return left == right
    if operator == "<>":
        return left != right
    less: bool = left < right  # type: ignore[operator]  # the loader made both sides one type
    if operator == "<":
        return less
    if operator == ">=":
        return not less
    return left == right or less if operator == "<=" else not (left == right or less)
