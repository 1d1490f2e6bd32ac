"""Numbers and their arithmetic: exact decimals, as they are printed. Nothing overflows; a division by zero is NULL."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import Any, Final

import sqlalchemy as sa

from twin_api.query.cql2.expression import DECIMAL, Expression, Sql, call, computed_once, refuse

EXACT: Final = 2**53  # up to here a double tells every whole number from the next
_BIGINT: Final = 2**63
_POWER_LIMIT: Final = 700  # e^700 is about the largest double: powers beyond are NULL


def read_number(value: float) -> int | float:
    """A number of the tree; raises `InvalidParameter` for one that is not finite."""
    if not isfinite(value):
        refuse("eine Zahl ist größer als 1,7·10^308", "a number is greater than 1.7·10^308")
    return value


def fits_integer(value: float) -> bool:
    return value == int(value) and -_BIGINT <= int(value) < _BIGINT


def fits_number(value: float) -> bool:
    return isinstance(value, float) or abs(value) <= EXACT


def as_decimal(number: Expression) -> Expression:
    """A double is as many digits as it is printed with: 0.1 is a tenth."""
    if number.type == DECIMAL:
        return number
    return call(_printed if number.type == "number" else _exact, DECIMAL, number)


def _printed(number: Sql) -> Sql:
    return sa.cast(sa.cast(number, sa.Text()), sa.Numeric())


def _exact(number: Sql) -> Sql:
    return sa.cast(number, sa.Numeric())


def _add(one: Sql, other: Sql) -> Sql:
    return sa.func.numeric_add(one, other, type_=sa.Numeric())


def _subtract(one: Sql, other: Sql) -> Sql:
    return sa.func.numeric_sub(one, other, type_=sa.Numeric())


def _multiply(one: Sql, other: Sql) -> Sql:
    return sa.func.numeric_mul(one, other, type_=sa.Numeric())


def _divide(one: Sql, other: Sql) -> Sql:
    return sa.func.numeric_div(one, _no_zero(other), type_=sa.Numeric())


def _remainder(one: Sql, other: Sql) -> Sql:
    """With the sign of the dividend."""
    return sa.func.numeric_mod(one, _no_zero(other), type_=sa.Numeric())


def _divide_whole(one: Sql, other: Sql) -> Sql:
    """Rounded towards zero."""
    return sa.func.numeric_div_trunc(one, _no_zero(other), type_=sa.Numeric())


def _power(base: Sql, exponent: Sql) -> Sql:
    return computed_once(_safe_power, base, exponent)


def _safe_power(base: Sql, exponent: Sql) -> Sql:
    zero = sa.literal_column("0", sa.Numeric())
    is_imaginary = sa.and_(base < zero, exponent != sa.func.trunc(exponent))
    magnitude = sa.func.abs(sa.func.numeric_mul(exponent, sa.func.ln(sa.func.abs(base), type_=sa.Numeric()), type_=sa.Numeric()))
    return sa.case(
        (sa.and_(base == zero, exponent <= zero), sa.case((exponent == zero, sa.literal_column("1::numeric")))),
        (base == zero, zero),
        (is_imaginary, sa.null()),
        (magnitude > sa.literal_column(str(_POWER_LIMIT)), sa.null()),
        else_=sa.func.power(base, exponent, type_=sa.Numeric()),
    )


def _no_zero(divisor: Sql) -> Sql:
    return sa.func.nullif(divisor, sa.literal_column("0"), type_=sa.Numeric())


ARITHMETIC: Final[dict[str, Callable[..., Any]]] = {
    "+": _add, "-": _subtract, "*": _multiply, "/": _divide, "%": _remainder, "div": _divide_whole, "^": _power,
}  # fmt: skip
