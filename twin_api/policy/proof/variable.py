"""What rules speak of, collected: the attributes of a row, the areas it lies in, and what they are compared with.

Must never depend on a solver: rows, rules and models name the same things by it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from twin_api.policy.proof.order import Order, order_of
from twin_api.policy.rule import All, And, Between, Compare, Due, In, Inside, IsNull, Not, Or, Rule, Value

AreaName: TypeAlias = tuple[str, str, tuple[str, ...]]  # layer, attribute of it, its key
Variable: TypeAlias = str | AreaName  # an attribute of the row, or of the area it lies in
Assignment: TypeAlias = Mapping[Variable, int | None]  # numbers of the variable's order; None is NULL, or no area


@dataclass(frozen=True, slots=True)
class Speech:
    """The variables of some rules with their orders, and whether the rules look at the clock."""

    orders: Mapping[Variable, Order]
    constants: Mapping[Variable, tuple[Value, ...]]
    has_due: bool


def speech_of(rules: Iterable[Rule], types: Mapping[str, str]) -> Speech:
    """`types` are those of the layer's attributes."""
    constants: dict[Variable, dict[Value, None]] = {}
    has_due = False
    for rule in rules:
        for variable, values, is_due in _mentions(rule):
            constants.setdefault(variable, {}).update(dict.fromkeys(values))
            has_due |= is_due
    orders = {variable: order_of(types[variable] if isinstance(variable, str) else "text", named) for variable, named in constants.items()}
    return Speech(orders, {variable: tuple(named) for variable, named in constants.items()}, has_due)


def area_name(inside: Inside) -> AreaName:
    return inside.layer, inside.attribute, inside.key


def _mentions(rule: Rule) -> Iterator[tuple[Variable, tuple[Value, ...], bool]]:
    """Each condition's variable, what it is compared with, and whether that is the clock."""
    match rule:
        case All():
            return
        case And(terms) | Or(terms):
            for term in terms:
                yield from _mentions(term)
        case Not(term):
            yield from _mentions(term)
        case Inside(_, _, values):
            yield area_name(rule), values, False
        case _:
            yield rule.attribute, _constants(rule), isinstance(rule, Due)


def _constants(rule: Compare | In | Between | IsNull | Due) -> tuple[Value, ...]:
    match rule:
        case In(_, values):
            return values
        case Compare(_, _, value):
            return (value,)
        case Between(_, low, high):
            return tuple(end for end in (low, high) if end is not None)
    return ()
