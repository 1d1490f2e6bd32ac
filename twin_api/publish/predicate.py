"""A row rule as a SQL condition. Every operation in it is total: no stored value can make it fail."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, Final

import sqlalchemy as sa

from twin_api.policy.rule import All, And, Between, Compare, In, IsNull, Not, Or, Rule

_OPERATORS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "=": operator.eq, "<>": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


def predicate(rule: Rule, source: sa.FromClause) -> sa.ColumnElement[bool]:
    """The condition over `source`, whose columns are typed as the layer's table; unknown (NULL) is not shown."""
    match rule:
        case All():
            return sa.true()
        case And(terms):
            return sa.and_(sa.true(), *(predicate(term, source) for term in terms))
        case Or(terms):
            return sa.or_(sa.false(), *(predicate(term, source) for term in terms))
        case Not(term):
            return sa.not_(predicate(term, source))
        case IsNull(attribute):
            return source.c[attribute].is_(None)
        case In(attribute, values):
            column = source.c[attribute]
            return column.in_([_literal(column, value) for value in values])
        case Compare(attribute, word, value):
            column = source.c[attribute]
            return _OPERATORS[word](column, _literal(column, value))  # type: ignore[no-any-return]
        case Between(attribute, low, high):
            column = source.c[attribute]
            ends = [column >= _literal(column, low)] if low is not None else []
            ends += [column <= _literal(column, high)] if high is not None else []
            return sa.and_(*ends)


def _literal(column: sa.ColumnElement[Any], value: Any) -> sa.ColumnElement[Any]:
    return sa.cast(sa.literal(value if isinstance(value, (str, bool, int, float)) else value.isoformat(), _plain(value)), column.type)


def _plain(value: Any) -> sa.types.TypeEngine[Any]:
    """The literal's own type; dates travel as ISO text."""
    match value:
        case bool():
            return sa.Boolean()
        case int():
            return sa.BigInteger()
        case float():
            return sa.Double()
        case _:
            return sa.Text()
