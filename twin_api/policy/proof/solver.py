"""Rules and masks as formulas, and the questions put to Z3 about them. The only importer of `z3`, and that only when asked.

Must never call something proved that the solver left open: a question it cannot answer in its time raises `Undecided`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from functools import cached_property
from importlib.util import find_spec
from math import ceil, lcm
from typing import Any, Final, TypeAlias

from twin_api.policy.masks import Band, GeometryMask, Grid, Round, Truncate, ValueMask
from twin_api.policy.proof.order import MICROSECOND, Order, moment_number
from twin_api.policy.proof.variable import Assignment, Speech, Variable, area_name
from twin_api.policy.rule import All, And, Between, Compare, Due, In, Inside, IsNull, Not, Or, Rule, Value

DAY: Final = 86_400_000_000  # microseconds
HOUR: Final = DAY // 24
AnyMask: TypeAlias = GeometryMask | ValueMask
Edge: TypeAlias = tuple[Fraction, bool]
CLOCK: Final = tuple(moment_number(datetime(year, 1, 1, tzinfo=UTC)) for year in (2000, 2200))
MONTHS: Final = (13, 12 * 9999 + 11)  # since the year 0: those that begin after another one


ORDINARY: Final = {"date": 12 * 2026, "datetime": 12 * 2026}


class Undecided(Exception):
    """The solver has no answer within its time; that is no proof."""


def is_installed() -> bool:
    return find_spec("z3") is not None


@dataclass(frozen=True, slots=True)
class Truth:
    """SQL's three values: two formulas that never hold both; where neither does, it is unknown."""

    is_true: Any
    is_false: Any


@dataclass(frozen=True, slots=True)
class Found:
    """A row that answers a question: its values, the moment and the day of looking."""

    assignment: Assignment
    now: datetime
    today: int


class RowModel:
    """Any row of a layer as unknowns: for each variable a number of its order and whether it is NULL; the clock is one for all rules."""

    def __init__(self, speech: Speech) -> None:
        self._orders = speech.orders
        self._values = {variable: _z3().Int(f"{_named(variable)} value") for variable in speech.orders}
        self._nulls = {variable: _z3().Bool(f"{_named(variable)} null") for variable in speech.orders}

    @cached_property
    def now(self) -> Any:
        return _z3().Int("now")

    @cached_property
    def today(self) -> Any:
        return _z3().Int("today")

    def ranges(self) -> list[Any]:
        """What every row and every moment of looking fulfils; the town's clock is at most 14 hours from UTC."""
        bounds = [z for v, order in self._orders.items() for z in (self._values[v] >= order.lowest, self._values[v] <= order.highest)]
        ahead = self.today * DAY - self.now  # days count from 1
        return [*bounds, CLOCK[0] <= self.now, self.now < CLOCK[1], ahead <= DAY + 14 * HOUR, ahead > -12 * HOUR]

    def truth(self, rule: Rule) -> Truth:
        z3 = _z3()
        match rule:
            case All():
                return Truth(z3.BoolVal(True), z3.BoolVal(False))
            case And(terms):
                parts = [self.truth(term) for term in terms]
                return Truth(z3.And([part.is_true for part in parts]), z3.Or([part.is_false for part in parts]))
            case Or(terms):
                parts = [self.truth(term) for term in terms]
                return Truth(z3.Or([part.is_true for part in parts]), z3.And([part.is_false for part in parts]))
            case Not(term):
                part = self.truth(term)
                return Truth(part.is_false, part.is_true)
            case IsNull(attribute):
                return Truth(self._nulls[attribute], z3.Not(self._nulls[attribute]))
        return self._atom(rule)

    def _atom(self, rule: Compare | In | Between | Inside | Due) -> Truth:
        """A condition on one variable: unknown where that is NULL."""
        z3 = _z3()
        variable: Variable = area_name(rule) if isinstance(rule, Inside) else rule.attribute
        held = self._condition(rule, variable)
        known = z3.Not(self._nulls[variable])
        return Truth(z3.And(known, held), z3.And(known, z3.Not(held)))

    def _condition(self, rule: Compare | In | Between | Inside | Due, variable: Variable) -> Any:
        value, order = self._values[variable], self._orders[variable]
        match rule:
            case Inside(_, _, values) | In(_, values):
                return _z3().Or([value == order.number(one) for one in values])
            case Between(_, low, high):
                ends = [value >= order.number(low)] if low is not None else []
                return _z3().And([*ends, *([value <= order.number(high)] if high is not None else [])])
            case Due():
                return value <= (self.now if order.type == "datetime" else self.today)
            case Compare(_, operator, constant):
                return _compared(value, operator, order, constant)

    def assign(self, assignment: Assignment) -> list[tuple[Any, Any]]:
        """What stands for each unknown in one row: for substituting."""
        z3 = _z3()
        pairs = []
        for variable, number in assignment.items():
            pairs += [(self._nulls[variable], z3.BoolVal(number is None)), (self._values[variable], z3.IntVal(number or 0))]
        return pairs

    def read(self, model: Any) -> Found:
        def number(unknown: Any) -> int:
            return int(model.eval(unknown, model_completion=True).as_long())

        row = {v: None if model.eval(self._nulls[v], model_completion=True) else number(self._values[v]) for v in self._orders}
        return Found(row, datetime(1, 1, 1, tzinfo=UTC) + number(self.now) * MICROSECOND, number(self.today))


def row_shown_by_first_only(lower: Rule, uppers: Sequence[Rule], speech: Speech, milliseconds: int) -> Found | None:
    """A row that `lower` shows and none of `uppers`; None: there is none, which is the proof. Raises `Undecided`."""
    z3 = _z3()
    row = RowModel(speech)
    hidden = [z3.Not(row.truth(upper).is_true) for upper in uppers]
    model = _answer([*row.ranges(), row.truth(lower).is_true, *hidden], milliseconds)
    return None if model is None else row.read(model)


def edge_only_in_first(lower: AnyMask, upper: AnyMask, type_: str, milliseconds: int) -> Edge | None:
    """Where a cell of the mask `lower` begins within a cell of `upper`; None: nowhere, so that `lower` follows from `upper`.

    Said as a number (for times in months since the year 0) and whether the cell holds it or begins just above. Raises `Undecided`.
    """
    z3 = _z3()
    unit = Fraction(1, lcm(*(part.denominator for mask in (lower, upper) for part in _parts(mask))))
    scale = Fraction(1) if type_ in ("integer", "date", "datetime") else unit / 2
    place = z3.Int("place")
    ends = {"integer": (1 - 2**63, 2**63 - 1), "date": MONTHS, "datetime": MONTHS}.get(type_)
    range_ = [ends[0] <= place, place <= ends[1]] if ends else []  # a geometry's coordinates and numbers go on and on
    question = [*range_, _begins(lower, place, scale, type_), z3.Not(_begins(upper, place, scale, type_))]
    model = _answer(question, milliseconds)
    if model is None:
        return None
    model = _answer([*question, place > ORDINARY.get(type_, 0)], milliseconds) or model  # one that people know, if there is any
    number = int(model.eval(place, model_completion=True).as_long())
    is_held = scale == 1 or number % 2 == 0
    return (number if is_held else number - 1) * scale, is_held


def _parts(mask: AnyMask) -> list[Fraction]:
    """Numbers of whose greatest common measure every edge is a multiple."""
    match mask:
        case Round(step):
            return [Fraction(step) / 2]
        case Band(limits):
            return [Fraction(limit) for limit in limits]
    return [Fraction(1)]


def _begins(mask: AnyMask, place: Any, scale: Fraction, type_: str) -> Any:
    """Whether a cell of the mask begins at the place: of whole numbers at that one; of others at even places, or just above at odd ones."""
    z3 = _z3()
    match mask:
        case Round(step):
            period = int(Fraction(step) / scale)
            above, below = ((at + period // 2) % period == 0 for at in (place, 1 - place))
            return z3.If(place > 0, above, below)  # halves go away from zero: below it cells hold their upper edge
        case Band(limits):
            return z3.Or([place == ceil(Fraction(limit) / scale) for limit in limits])
        case Grid(cell_m):
            return place % int(Fraction(cell_m) / scale) == 0
        case Truncate(unit):
            return place % 12 == 0 if unit == "year" else z3.BoolVal(True)
    raise TypeError(mask)


def _compared(value: Any, operator: str, order: Order, constant: Value) -> Any:
    number = order.number(constant)
    signs: Mapping[str, Any] = {
        "=": value == number, "<>": value != number, "<": value < number,
        "<=": value <= number, ">": value > number, ">=": value >= number,
    }  # fmt: skip
    return signs[operator]


def _answer(question: Sequence[Any], milliseconds: int) -> Any:
    z3 = _z3()
    solver = z3.Solver()
    solver.set("timeout", max(1, milliseconds))
    solver.add(*question)
    result = solver.check()
    if result == z3.unknown:
        raise Undecided(solver.reason_unknown())
    return solver.model() if result == z3.sat else None


def _named(variable: Variable) -> str:
    return variable if isinstance(variable, str) else " ".join(variable[:2])


def _z3() -> Any:
    import z3

    return z3
