"""Filters drawn by chance: over names that the role sees, such as are hidden from it, and others; with values of both towns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from tests.noninterference.words import Words

if TYPE_CHECKING:
    from tests.noninterference.requests import Draw

ODD: Final = (
    "",
    "TRUE",
    "1/0 = 1",
    "NOT (1/0 = 1)",
    "art",
    "((",
    "a = 1e999",
    "S_INTERSECTS(geometry, geometry)",
    "art LIKE '\\'",
    "nix(geometry) > 1",
    '{"op":"="}',
)
_FORMS: Final[dict[str, tuple[str, ...]]] = {
    "text": ("{n} = {v}", "{n} < {v}", "{n} LIKE {v}", "casei({n}) = casei({v})", "fold({n}) LIKE fold({v})", "{n} IN ({v}, 'x')", "length({n}) > 7"),
    "number": ("{n} = {v}", "{n} > {v}", "{n} BETWEEN {v} AND {v} + 1", "{n} / ({n} - {v}) > 1", "{n} ^ 2 > {v}", "1 / ({n} - {v}) IS NULL", "A_CONTAINS(({n}), ({v}))"),
    "boolean": ("{n}", "NOT {n}", "{n} = {v}", "{n} IS NULL"),
    "time": ("{n} = {v}", "{n} > {v}", "T_AFTER({n}, {v})", "T_INTERSECTS(INTERVAL({n}, '..'), INTERVAL('1900-01-01', '2000-01-01'))", "year({n}) > 1950"),
}  # fmt: skip
_FAMILIES: Final = {"text": "text", "integer": "number", "number": "number", "boolean": "boolean", "date": "time", "datetime": "time"}


def draw_filter(draw: Draw, words: Words, collection: str) -> tuple[str, set[int]]:
    """The text of a filter on a collection, and the channels that it reaches."""
    one, reached = draw.of(_KINDS)(draw, words, collection)
    if draw.once_in(4):
        other, more = draw.of(_KINDS)(draw, words, collection)
        return f"({one}) {draw.of(['AND', 'OR', 'AND NOT'])} ({other})", reached | more
    return one, reached


def _shown(draw: Draw, words: Words, collection: str) -> tuple[str, set[int]]:
    """A name that the role sees, with values of visible rows and of hidden ones."""
    types = _types(words, collection)
    if not types:
        return draw.of(ODD), {9}
    name = draw.of(sorted(types))
    form = draw.of(_FORMS[_FAMILIES[types[name]]])
    return form.format(n=name, v=_literal(types[name], draw.of(words.values(name)))), {9}


def _hidden(draw: Draw, words: Words, _: str) -> tuple[str, set[int]]:
    name = draw.of([*words.hidden_names, "_place", "_feature", "_mercator", "_geometry", "xqzvwk"])
    form = draw.of(draw.of(list(_FORMS.values())))
    return form.format(n=f'"{name}"', v=_literal("text", draw.of(words.any_values))), {8, 33}


def _around(draw: Draw, words: Words, _: str) -> tuple[str, set[int]]:
    """Around a true place, from a millimetre to a kilometre."""
    x, y = draw.of(words.points or [(11.4, 49.6)])
    reach = draw.of([1e-8, 1e-5, 1e-4, 1e-3, 1e-2])
    box = f"BBOX({x - reach:.9f},{y - reach:.9f},{x + reach:.9f},{y + reach:.9f})"
    return f"{draw.of(['S_INTERSECTS', 'S_WITHIN', 'S_DISJOINT', 'S_TOUCHES', 'S_OVERLAPS'])}(geometry, {box})", {11}


def _away(draw: Draw, words: Words, _: str) -> tuple[str, set[int]]:
    """Farther from a true place than so many metres: three such circles are a place."""
    x, y = draw.of(words.points or [(11.4, 49.6)])
    return f"distance_m(geometry, POINT({x:.9f} {y:.9f})) {draw.of('<>')} {draw.of([0.01, 1, 30, 71, 150, 1000])}", {12}


def _odd(draw: Draw, words: Words, _: str) -> tuple[str, set[int]]:
    return draw.of([*ODD, draw.text]), {9, 33}


_Kind = Callable[["Draw", Words, str], tuple[str, set[int]]]
_KINDS: Final[Sequence[_Kind]] = (_shown, _shown, _hidden, _around, _away, _away, _odd)


def _types(words: Words, collection: str) -> dict[str, str]:
    """The attributes of a collection with their types; figures have names that only the policy knows."""
    grant = words.grants.get(collection)
    if grant is None or grant.figures is not None:
        return {}
    attributes = words.attributes(grant.layer)
    return {name: attributes[name].type for name in grant.attributes}


def _literal(type_: str, value: Any) -> str:
    match _FAMILIES[type_]:
        case "text":
            return "'" + str(value).replace("'", "''") + "'"
        case "time":
            return f"TIMESTAMP('{value}')" if "T" in str(value) else f"DATE('{value}')"
        case _:
            return str(value)
