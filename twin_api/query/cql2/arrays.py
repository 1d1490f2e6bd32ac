"""Array functions (OGC 21-065r2, 7.8): arrays are sets of texts, numbers, times or truths; one with an unknown element is unknown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import array

from twin_api.query.cql2.binding import Binding
from twin_api.query.cql2.compare import as_list
from twin_api.query.cql2.expression import GEOMETRY_TYPE, Expression, Literal, Operand, Sql, Value, call, refuse, sql_type


def _contains(one: Sql, other: Sql) -> Sql:
    return one.op("@>", is_comparison=True)(other)


def _contained(one: Sql, other: Sql) -> Sql:
    return one.op("<@", is_comparison=True)(other)


ARRAYS: Final[dict[str, Callable[[Sql, Sql], Sql]]] = {
    "a_contains": _contains,
    "a_containedby": _contained,
    "a_equals": lambda one, other: sa.and_(_contains(one, other), _contained(one, other)),
    "a_overlaps": lambda one, other: one.op("&&", is_comparison=True)(other),
}


def bind_array(binding: Binding, op: str, args: list[Any]) -> Expression:
    one, other = ([binding.operand(node) for node in _elements(arg)] for arg in args)
    type_ = binding.type_of_all([*one, *other] or [Literal("text", "")])
    if type_ == GEOMETRY_TYPE:
        refuse(f"`{op.upper()}` vergleicht keine Geometrien", f"`{op.upper()}` compares no geometries")
    lists, unknown = zip(*(_list(binding, type_, operands) for operands in (one, other)), strict=True)
    compared = call(ARRAYS[op], "boolean", *lists)
    nullable = [element for elements in unknown for element in elements]
    return call(_if_known, "boolean", compared, *nullable) if nullable else compared


def _elements(node: Any) -> list[Any]:
    """One value is the set of it: no attribute is an array, and the text form does not tell `('a')` from `'a'`."""
    elements = node if isinstance(node, list) else [node]
    if any(isinstance(element, list) for element in elements):
        refuse("eine Liste enthält einzelne Werte, keine Listen", "a list holds single values, no lists")
    return elements


def _list(binding: Binding, type_: str, operands: list[Operand]) -> tuple[Expression, list[Expression]]:
    """The list, and those of its elements that may be NULL."""
    if all(isinstance(operand, Literal) for operand in operands):
        return as_list(binding, type_, operands), []
    elements = [binding.bound(operand, type_) for operand in operands]
    return call(_MADE[type_], f"{type_}[]", *elements), [element for element in elements if not isinstance(element, Value)]


def _making(type_: str) -> Callable[..., Sql]:
    return lambda *elements: sa.cast(array(elements), sql_type(f"{type_}[]"))


_MADE: Final = {type_: _making(type_) for type_ in ("text", "integer", "number", "decimal", "boolean", "date", "datetime")}


def _if_known(compared: Sql, *elements: Sql) -> Sql:
    return sa.case((sa.and_(*(element.is_not(None) for element in elements)), compared))
