"""What a filter means, said once more in plain Python: trees of CQL2 (OGC 21-065r2, Annex C) over rows, in three-valued logic.

Numbers are fractions of what is printed, times are compared by days in UTC where one of them is a day, geometries are shapely's.
"""

from __future__ import annotations

import operator
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from math import log
from typing import Any, Final

import shapely

Row = Mapping[str, Any]
Truth = bool | None

_COMPARISONS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "=": operator.eq, "<>": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


def value_of(node: Any, row: Row) -> Any:
    """A text, a Fraction, a date or datetime, a bool, or None for what is not known."""
    match node:
        case bool() | str():
            return node
        case int() | float():
            return Fraction(Decimal(repr(node)))
        case {"property": name}:
            value = row[name]
            return Fraction(Decimal(repr(value))) if isinstance(value, int | float) and not isinstance(value, bool) else value
        case {"date": text}:
            return date.fromisoformat(text)
        case {"timestamp": text}:
            return datetime.fromisoformat(text).astimezone(UTC)
        case {"op": "casei" | "accenti" | "fold" as op, "args": [arg]}:
            text = value_of(arg, row)
            return None if text is None else _FOLDS[op](text)
        case {"op": op, "args": [one, other]} if op in _ARITHMETIC:
            a, b = value_of(one, row), value_of(other, row)
            return None if a is None or b is None else _ARITHMETIC[op](a, b)
    return truth(node, row)


def truth(node: Any, row: Row) -> Truth:  # noqa: C901  # one case per kind of condition
    match node:
        case bool():
            return node
        case {"property": name}:
            return row[name]  # type: ignore[no-any-return]
        case {"op": "and", "args": args}:
            return _all([truth(arg, row) for arg in args])
        case {"op": "or", "args": args}:
            return _not(_all([_not(truth(arg, row)) for arg in args]))
        case {"op": "not", "args": [arg]}:
            return _not(truth(arg, row))
        case {"op": "isNull", "args": [arg]}:
            return value_of(arg, row) is None
        case {"op": "between", "args": [value, low, high]}:
            (value, low, high) = _alike([value_of(arg, row) for arg in (value, low, high)], [value, low, high])
            return _all([_compare(">=", value, low), _compare("<=", value, high)])
        case {"op": "in", "args": [one, items]}:
            (value, *others) = _alike([value_of(arg, row) for arg in (one, *items)], [one, *items])
            return _not(_all([_not(_compare("=", value, other)) for other in others]))
        case {"op": "like", "args": [one, pattern]}:
            text, wanted = value_of(one, row), value_of(pattern, row)
            return None if text is None else re.fullmatch(_regex(wanted), text, re.DOTALL) is not None
        case {"op": op, "args": args} if op in _COMPARISONS:
            return _compare(op, *_alike([value_of(arg, row) for arg in args], args))
        case {"op": op, "args": [one, other]} if op.startswith("t_"):
            return _temporal(op, one, other, row)
        case {"op": op, "args": [one, other]} if op.startswith("a_"):
            return _array(op, [value_of(e, row) for e in one], [value_of(e, row) for e in other])
        case {"op": op, "args": [one, other]} if op.startswith("s_"):
            return _spatial(op, _shape(one, row), _shape(other, row))
    raise AssertionError(node)


def _compare(op: str, one: Any, other: Any) -> Truth:
    return None if one is None or other is None else _COMPARISONS[op](one, other)


def _all(truths: Sequence[Truth]) -> Truth:
    return False if False in truths else None if None in truths else True


def _not(one: Truth) -> Truth:
    return None if one is None else not one


def _is_day(node: Any) -> bool:
    return isinstance(node, dict) and ("date" in node or node.get("property") == "day")


def _alike(values: list[Any], nodes: Sequence[Any]) -> list[Any]:
    """Times by days where one of what is compared is a day, known or not."""
    return [_day(value) if any(map(_is_day, nodes)) else value for value in values]


def _day(value: Any) -> Any:
    return value.date() if isinstance(value, datetime) else value


def _temporal(op: str, one: Any, other: Any, row: Row) -> Truth:
    ends = [_end(end) for node in (one, other) for end in node.get("interval", [node, node])]
    known = [end for end in ends if end is not None]
    by_days = any(map(_is_day, known)) or not known
    values = [(-1, 1)[number % 2] if end is None else value_of(end, row) for number, end in enumerate(ends)]
    values = [None if value is None else _rank(_day(value) if by_days else value) for value in values]
    if op == "t_disjoint":
        return _not(_all(_relations("t_intersects", values)))
    return _all(_relations(op, values))


def _relations(op: str, values: list[Any]) -> list[Truth]:
    return [_compare(sign, *(values["seSE".index(side)] for side in sides)) for sign, sides in _RELATIONS[op]]


def _end(end: Any) -> Any:
    """An end as a node, or None for an open one."""
    if not isinstance(end, str):
        return end
    return None if end == ".." else {"timestamp": end} if "T" in end else {"date": end}


def _rank(value: Any) -> tuple[int, Any]:
    """A time among all times and what lies before and after them."""
    return (value, 0) if isinstance(value, int) else (0, value)


# s and e begin and end the first, S and E the second
_RELATIONS: Final[dict[str, list[tuple[str, str]]]] = {
    "t_after": [(">", "sE")], "t_before": [("<", "eS")], "t_contains": [("<", "sS"), (">", "eE")], "t_during": [(">", "sS"), ("<", "eE")],
    "t_equals": [("=", "sS"), ("=", "eE")], "t_finishedBy": [("<", "sS"), ("=", "eE")], "t_finishes": [(">", "sS"), ("=", "eE")],
    "t_intersects": [(">=", "eS"), ("<=", "sE")], "t_meets": [("=", "eS")], "t_metBy": [("=", "sE")],
    "t_overlappedBy": [(">", "sS"), ("<", "sE"), (">", "eE")], "t_overlaps": [("<", "sS"), (">", "eS"), ("<", "eE")],
    "t_startedBy": [("=", "sS"), (">", "eE")], "t_starts": [("=", "sS"), ("<", "eE")],
}  # fmt: skip
TEMPORAL: Final = (*_RELATIONS, "t_disjoint")


def _array(op: str, one: list[Any], other: list[Any]) -> Truth:
    if None in one or None in other:
        return None
    a, b = set(one), set(other)
    return {"a_equals": a == b, "a_contains": a >= b, "a_containedBy": a <= b, "a_overlaps": bool(a & b)}[op]


def _shape(node: Any, row: Row) -> Any:
    if "property" in node:
        return row[node["property"]]
    return shapely.box(*node["bbox"]) if "bbox" in node else shapely.geometry.shape(node)


def _spatial(op: str, one: Any, other: Any) -> Truth:
    return None if one is None or other is None else bool(getattr(shapely, op.removeprefix("s_"))(one, other))


def _fold_case(text: str) -> str:
    return unicodedata.normalize("NFC", text).lower().replace("ß", "ss").replace("ς", "σ")


def _fold_accents(text: str) -> str:
    apart = unicodedata.normalize("NFD", text)
    return unicodedata.normalize("NFC", "".join(letter for letter in apart if not "\u0300" <= letter <= "\u036f"))


_FOLDS: Final = {"casei": _fold_case, "accenti": _fold_accents, "fold": lambda text: _fold_case(_fold_accents(text))}


def _regex(pattern: str) -> str:
    told = re.findall(r"\\(.)|(.)", pattern, re.DOTALL)
    return "".join(re.escape(kept) if kept else {"%": ".*", "_": "."}.get(letter, re.escape(letter)) for kept, letter in told)


def _power(base: Fraction, exponent: Fraction) -> Fraction | None:
    if base == 0:
        return None if exponent < 0 else Fraction(int(exponent == 0))
    if (base < 0 and exponent.denominator != 1) or abs(float(exponent) * _ln(abs(base))) > 700:
        return None
    assert exponent.denominator == 1, "only whole exponents are exact"
    return base ** int(exponent)


def _ln(number: Fraction) -> float:
    return log(number.numerator) - log(number.denominator)


def _trunc(number: Fraction) -> Fraction:
    return Fraction(int(number))


_ARITHMETIC: Final[dict[str, Callable[[Fraction, Fraction], Fraction | None]]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul,
    "/": lambda a, b: a / b if b else None,
    "div": lambda a, b: _trunc(a / b) if b else None,
    "%": lambda a, b: a - b * _trunc(a / b) if b else None,
    "^": _power,
}  # fmt: skip
