"""Comparisons: what is equal, between, in a list or NULL, and how conditions are joined (OGC 21-065r2, 6.3 and 7.1)."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any, Final

import sqlalchemy as sa

from twin_api.query.cql2.binding import Binding, as_parameter
from twin_api.query.cql2.expression import GEOMETRY_TYPE, Expression, Literal, Operand, Sql, call, refuse
from twin_api.query.cql2.nearby import narrowed
from twin_api.query.cql2.texts import by_code_point

COMPARISONS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "=": operator.eq, "<>": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


def bind_comparison(binding: Binding, op: str, args: list[Any]) -> Expression:
    operands = [binding.operand(arg) for arg in args]
    compared = call(COMPARISONS[op], "boolean", *_ordered(binding, operands, needs_order=op not in ("=", "<>")))
    return narrowed(binding, op, operands[0], operands[1], compared)


def bind_between(binding: Binding, op: str, args: list[Any]) -> Expression:
    operands = [binding.operand(arg) for arg in args]
    return narrowed(binding, "<=", operands[0], operands[2], call(_between, "boolean", *_ordered(binding, operands, needs_order=True)))


def bind_in(binding: Binding, op: str, args: list[Any]) -> Expression:
    """A list of literals is one parameter, so that the statement is the same however long the list is."""
    if not isinstance(args[1], list) or not args[1]:
        refuse("`IN` verlangt eine Liste mit mindestens einem Wert", "`IN` wants a list of at least one value")
    left, *items = operands = [binding.operand(node) for node in (args[0], *args[1])]
    _check_comparable(operands)
    if isinstance(left, Literal) or not all(isinstance(item, Literal) for item in items):
        return call(_in_each, "boolean", *_by_code_point(binding.alike(operands)))
    needle = binding.bound(left, binding.type_of_all(operands))
    return call(_in_list, "boolean", *_by_code_point([needle]), as_list(binding, needle.type, items))


def as_list(binding: Binding, type_: str, items: Sequence[Operand]) -> Expression:
    """Literals as one parameter, each of that type."""
    return binding.value(f"{type_}[]", [as_parameter(item.value, type_) for item in items if isinstance(item, Literal)])


def bind_null(binding: Binding, op: str, args: list[Any]) -> Expression:
    operand = binding.operand(args[0])
    return call(_is_null, "boolean", *binding.alike([operand]))


def bind_junction(binding: Binding, op: str, args: list[Any]) -> Expression:
    return call(sa.and_ if op == "and" else sa.or_, "boolean", *(binding.condition(arg) for arg in args))


def bind_not(binding: Binding, op: str, args: list[Any]) -> Expression:
    return call(sa.not_, "boolean", binding.condition(args[0]))


def _ordered(binding: Binding, operands: list[Operand], *, needs_order: bool) -> list[Expression]:
    _check_comparable(operands)
    if needs_order and operands[0].type == "boolean":
        refuse("wahr und falsch haben keine Reihenfolge", "true and false have no order")
    return _by_code_point(binding.alike(operands))


def _check_comparable(operands: Sequence[Operand]) -> None:
    if operands[0].type == GEOMETRY_TYPE:
        refuse("Geometrien vergleicht `S_EQUALS`", "geometries are compared by `S_EQUALS`")


def _by_code_point(expressions: list[Expression]) -> list[Expression]:
    """The first says how all are compared."""
    first, *others = expressions
    return [call(by_code_point, "text", first) if first.type == "text" else first, *others]


def _between(value: Sql, low: Sql, high: Sql) -> Sql:
    return value.between(low, high)


def _in_list(value: Sql, values: Sql) -> Sql:
    return value == sa.any_(values)


def _in_each(value: Sql, *values: Sql) -> Sql:
    return sa.or_(*(value == other for other in values))


def _is_null(value: Sql) -> Sql:
    return value.is_(None)
