"""Row rules as values: which rows of a layer a grant shows.

Must never refer to the request: a rule speaks of stored attributes only, so that its rows can be published.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Literal, TypeAlias
from zoneinfo import ZoneInfo

Value: TypeAlias = str | int | float | bool | date | datetime
Row: TypeAlias = Mapping[str, Any]  # attribute -> value or None; `geometry` -> a geometry of shapely, or None
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


@dataclass(frozen=True, slots=True)
class Inside:
    """The item lies in an area of `layer` whose `attribute` has one of `values`; `key` puts the areas in order where they touch."""

    layer: str
    attribute: str
    values: tuple[str, ...]
    key: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Due:
    """The day (in the town's own time) or moment in `attribute` has come. Only an embargo makes one."""

    attribute: str


Rule: TypeAlias = All | Compare | In | Between | IsNull | And | Or | Not | Inside | Due


@dataclass(frozen=True, slots=True)
class World:
    """What a rule may know besides the row: the areas (the row of the one that holds a geometry, by layer) and the clock."""

    areas: Mapping[str, Sequence[Row]] = field(default_factory=dict)  # `geometry` is a shapely geometry
    now: datetime = datetime(2000, 1, 1, tzinfo=UTC)
    zone: str = "Europe/Berlin"

    def area_of(self, layer: str, key: tuple[str, ...], point: Any) -> Row | None:
        """The first area by `key` that covers the point; None for no point, or a point in no area."""
        if point is None:
            return None
        holding = [row for row in self.areas.get(layer, ()) if row["geometry"] is not None and row["geometry"].covers(point)]
        return min(holding, key=lambda row: tuple(str(row[name]) for name in key), default=None)


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
        case Inside():
            return
        case _:
            yield rule.attribute


def insides_of(rule: Rule) -> tuple[Inside, ...]:
    """Every area the rule asks for; they stand at the top of a rule only, never under OR or NOT."""
    terms = rule.terms if isinstance(rule, And) else (rule,)
    return tuple(term for term in terms if isinstance(term, Inside))


def shows(rule: Rule, row: Row, world: World | None = None) -> bool:
    """Whether the rule shows the row: SQL's three-valued logic, unknown is not shown. The reference for the compiler."""
    return truth(rule, row, world or World()) is True


def truth(rule: Rule, row: Row, world: World) -> bool | None:  # noqa: C901  # one case per kind of rule
    """True, false, or unknown (None). `row["geometry"]` is the point that stands for the item, for rules that ask for an area."""
    match rule:
        case All():
            return True
        case And(terms):
            return _conjunction([truth(term, row, world) for term in terms])
        case Or(terms):
            return _negation(_conjunction([_negation(truth(term, row, world)) for term in terms]))
        case Not(term):
            return _negation(truth(term, row, world))
        case Inside(layer, attribute, values, key):
            area = world.area_of(layer, key, row["geometry"])
            return None if area is None or area[attribute] is None else area[attribute] in values
        case Due(attribute):
            return _is_due(row[attribute], world)
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


def _is_due(value: Value | None, world: World) -> bool | None:
    if isinstance(value, datetime):
        return value <= world.now
    return value <= world.now.astimezone(ZoneInfo(world.zone)).date() if isinstance(value, date) else None


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
