"""Times as CQL2 writes them, and what they are compared as: a moment beside a day is the day it lies on in UTC."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa

from twin_api.query.cql2.expression import Literal, Sql, quoted, refuse
from twin_api.query.value import read_instant

_DAY = "`DATE('2026-11-20')`"
_MOMENT = "`TIMESTAMP('2026-11-20T12:00:00Z')`"


def read_time(text: object, type_: str | None = None) -> Literal:
    """A day or a moment with its offset, years 1 to 9999; `type_` where only one of them is right. Raises `InvalidParameter`."""
    try:
        value: date = read_instant(text if isinstance(text, str) else "")
    except ValueError:
        refuse(f"{quoted(text)} ist keine Zeit: etwa {_DAY} oder {_MOMENT}", f"{quoted(text)} is no time: such as {_DAY} or {_MOMENT}")
    found = "datetime" if isinstance(value, datetime) else "date"
    if type_ is not None and found != type_:
        right = _DAY if type_ == "date" else _MOMENT
        refuse(f"{quoted(text)} steht an der falschen Stelle: etwa {right}", f"{quoted(text)} stands in the wrong place: such as {right}")
    return Literal(found, value)


def as_day(moment: Sql) -> Sql:
    """The day in UTC on which a moment lies."""
    return sa.cast(sa.func.timezone(sa.literal_column("'UTC'"), moment), sa.Date())
