"""A row rule as a SQL condition. Every operation in it is total: no stored value can make it fail."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from twin_api.policy.masks.area import area_of, standing_point
from twin_api.policy.rule import All, And, Between, Compare, Due, In, Inside, IsNull, Not, Or, Rule

_OPERATORS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "=": operator.eq, "<>": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """What a rule needs besides attributes: whether the layer holds single points, and where days begin."""

    is_point: bool = False
    zone: str = "UTC"


_NOWHERE: Final = Place()
WITHDRAWN: Final = sa.table("withdrawn", sa.column("item", sa.Uuid()), schema="published").alias("w")


def predicate(rule: Rule, source: sa.FromClause, place: Place = _NOWHERE) -> sa.ColumnElement[bool]:  # noqa: C901  # one case per kind
    """The condition over `source`, whose columns are typed as the layer's table; unknown (NULL) is not shown."""
    match rule:
        case All():
            return sa.true()
        case And(terms):
            return sa.and_(sa.true(), *(predicate(term, source, place) for term in terms))
        case Or(terms):
            return sa.or_(sa.false(), *(predicate(term, source, place) for term in terms))
        case Not(term):
            return sa.not_(predicate(term, source, place))
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
        case Inside(layer, attribute, values, key):
            point = standing_point(source.c.geometry, place.is_point)
            name = area_of(layer, key, point, lambda area: area.c[attribute], also=(attribute,))
            return name.in_([sa.literal(value) for value in values])
        case Due(attribute):
            return _is_due(source.c[attribute], place.zone)


def is_not_withdrawn(source: sa.FromClause) -> sa.ColumnElement[bool]:
    """Rows of a layer that nobody has taken out of every twin."""
    return ~sa.select(WITHDRAWN.c.item).where(WITHDRAWN.c.item == source.c.id).exists()


def _is_due(column: sa.ColumnElement[Any], zone: str) -> sa.ColumnElement[bool]:
    """By the database's clock at the moment of looking; a day begins in the town's own time.

    Not by the beginning of the transaction: a writer that began before the day and writes after the calendar has looked would be missed.
    """
    if column.type.python_type is datetime:
        return column <= sa.func.clock_timestamp()
    return column <= sa.cast(sa.func.timezone(sa.literal(zone), sa.func.clock_timestamp()), sa.Date)


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
