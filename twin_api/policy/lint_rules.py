"""Rules that name what they leave out.

Must never miss one for being nested: NOT turns everything below it round.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from twin_api.policy.rule import And, Compare, In, Not, Or, Rule, Value


@dataclass(frozen=True, slots=True)
class Exclusion:
    """The rule shows every value of the attribute but these."""

    attribute: str
    values: tuple[Value, ...]


def exclusions(rule: Rule, *, negated: bool = False) -> Iterator[Exclusion]:
    """Every `<>`, `NOT … IN` and `NOT … =`, wherever it stands."""
    match rule:
        case And(terms) | Or(terms):
            for term in terms:
                yield from exclusions(term, negated=negated)
        case Not(term):
            yield from exclusions(term, negated=not negated)
        case In(attribute, values) if negated:
            yield Exclusion(attribute, values)
        case Compare(attribute, operator, value) if operator == ("=" if negated else "<>"):
            yield Exclusion(attribute, (value,))
